//! What is in force now, and is replaced whole.
//!
//! Must not know what it is.

use std::sync::Arc;

use parking_lot::RwLock;

/// What is in force now. Who looks at it sees one of them, and keeps it for as long as needed.
#[derive(Debug, Default)]
pub(super) struct Current<T>(RwLock<Arc<T>>);

impl<T> Current<T> {
    pub(super) fn new(first: T) -> Self {
        Self(RwLock::new(Arc::new(first)))
    }

    pub(super) fn now(&self) -> Arc<T> {
        Arc::clone(&self.0.read())
    }

    pub(super) fn replace(&self, next: T) {
        *self.0.write() = Arc::new(next);
    }
}
