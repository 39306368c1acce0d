//! The last good datafiles on the disk: one for each environment, in a keyspace of their own, since they
//! are large and rarely change.
//!
//! Must not know where they come from. The key is the environment's name behind a byte that is no name's,
//! so that none is empty.

use super::engine::{Space, Write};
use super::entry::Entry;
use super::keys::everything;
use super::unreadable::Unreadable;
use super::wire::datafile::{StoredDatafile, kept_datafile, stored_datafile};
use super::wire::{packed, unpacked};
use super::{DurableStore, Inner};
use crate::error::Error;
use crate::store::KeptDatafile;

const BEFORE_THE_NAME: u8 = b':';
/// The engine takes keys of up to 64 KiB.
const LONGEST_NAME: usize = 60_000;

impl DurableStore {
    /// All last good datafiles, by their environments.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub fn kept_datafiles(&self) -> Result<Vec<(Box<str>, KeptDatafile)>, Error> {
        let pairs = self.inner.engine.all(Space::Datafiles, everything())?;
        let kept = |(key, value): &(Vec<u8>, Vec<u8>)| {
            let kept = unpacked_datafile(value);
            let kept = kept.map_err(|why| self.inner.unreadable("a datafile", &why))?;
            Ok((environment_of(key), kept))
        };
        pairs.iter().map(kept).collect()
    }
}

impl Inner {
    pub(super) fn keep_datafile(
        &self,
        environment: &str,
        datafile: &KeptDatafile,
    ) -> Result<(), Error> {
        if environment.len() > LONGEST_NAME {
            let why = "the name of the environment is too long for a key: give a shorter one";
            return Err(Error::store_refuses(self.engine.folder(), why));
        }
        let value = packed(&stored_datafile(datafile));
        let value = value.map_err(|why| self.unreadable("a datafile", &why))?;
        let key = key(environment).into();
        let write = Write { space: Space::Datafiles, key, value: Some(value) };
        let place = self.queue.place_at_once()?;
        let (commit, _) = place.put(|_, _| Entry { writes: vec![write], ..Entry::default() })?;
        commit.wait()
    }

    pub(super) fn kept_datafile(&self, environment: &str) -> Result<Option<KeptDatafile>, Error> {
        let value = self.engine.get(Space::Datafiles, &key(environment))?;
        let kept = value.map(|value| unpacked_datafile(&value)).transpose();
        kept.map_err(|why| self.unreadable("a datafile", &why))
    }
}

pub(super) fn unpacked_datafile(value: &[u8]) -> Result<KeptDatafile, Unreadable> {
    Ok(kept_datafile(&unpacked::<StoredDatafile<'_>>(value)?))
}

/// The environment that a key names.
pub(super) fn environment_of(key: &[u8]) -> Box<str> {
    String::from_utf8_lossy(key.get(1..).unwrap_or_default()).into()
}

fn key(environment: &str) -> Vec<u8> {
    [&[BEFORE_THE_NAME], environment.as_bytes()].concat()
}
