//! Whether the last good datafiles can be read.
//!
//! Must not know what a datafile is. They are large: one is looked at after the other.

use super::{FaultKind, Look};
use crate::store::durable::engine::Space;
use crate::store::durable::kept_datafiles::{environment_of, unpacked_datafile};
use crate::store::durable::keys::{behind, everything};

impl Look<'_> {
    pub(super) fn datafiles(&mut self) {
        let mut keys = everything();
        loop {
            let pairs = match self.inner.engine.page(Space::Datafiles, keys, 1) {
                Ok(pairs) => pairs,
                Err(error) => return self.fault(FaultKind::UnreadableDatafile, error.to_string()),
            };
            let Some((key, value)) = pairs.first() else { return };
            match unpacked_datafile(value) {
                Ok(_) => self.found.datafiles += 1,
                Err(why) => {
                    let text = format!(
                        "the last good datafile of the environment {}: {why}; it is fetched again",
                        environment_of(key)
                    );
                    self.fault(FaultKind::UnreadableDatafile, text);
                }
            }
            keys = behind(key);
            self.tick(1);
        }
    }
}
