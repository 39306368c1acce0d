//! Which store a client is given.
//!
//! Must not know what is kept there.

#[cfg(feature = "durable")]
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::clock::Clock;
use crate::error::Error;
use crate::store::Store;
#[cfg(feature = "durable")]
use crate::store::{DurableSettings, DurableStore};

/// Which store a client is given: one that is open already, or the folder of one on disk.
#[derive(Debug)]
#[non_exhaustive]
pub enum StoreChoice {
    /// One that is open, perhaps shared by several clients.
    Open(Arc<dyn Store>),
    /// The folder of a store on disk, which is made if it is not there.
    #[cfg(feature = "durable")]
    Folder(PathBuf),
}

impl StoreChoice {
    #[cfg_attr(
        not(feature = "durable"),
        expect(
            unused_variables,
            clippy::needless_pass_by_value,
            reason = "only a store that is opened here needs a clock"
        )
    )]
    pub(super) fn open(self, clock: Arc<Clock>) -> Result<Arc<dyn Store>, Error> {
        match self {
            Self::Open(store) => Ok(store),
            #[cfg(feature = "durable")]
            Self::Folder(folder) => {
                let store = DurableStore::open(folder, clock, DurableSettings::default())?;
                Ok(Arc::new(store))
            }
        }
    }
}

impl<S: Store + 'static> From<Arc<S>> for StoreChoice {
    fn from(store: Arc<S>) -> Self {
        Self::Open(store)
    }
}

impl From<Arc<dyn Store>> for StoreChoice {
    fn from(store: Arc<dyn Store>) -> Self {
        Self::Open(store)
    }
}

#[cfg(feature = "durable")]
impl From<&str> for StoreChoice {
    fn from(folder: &str) -> Self {
        Self::Folder(folder.into())
    }
}

#[cfg(feature = "durable")]
impl From<&Path> for StoreChoice {
    fn from(folder: &Path) -> Self {
        Self::Folder(folder.into())
    }
}

#[cfg(feature = "durable")]
impl From<PathBuf> for StoreChoice {
    fn from(folder: PathBuf) -> Self {
        Self::Folder(folder)
    }
}
