//! The last good datafiles that are kept in memory: for clients that share a store.
//!
//! Must not know where they come from.

use hashbrown::HashMap;
use parking_lot::Mutex;

use crate::store::KeptDatafile;

#[derive(Debug, Default)]
pub(super) struct KeptDatafiles(Mutex<HashMap<Box<str>, KeptDatafile>>);

impl KeptDatafiles {
    pub(super) fn keep(&self, environment: &str, datafile: &KeptDatafile) {
        self.0.lock().insert(environment.into(), datafile.clone());
    }

    pub(super) fn of(&self, environment: &str) -> Option<KeptDatafile> {
        self.0.lock().get(environment).cloned()
    }
}
