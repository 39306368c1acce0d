//! Whether what was arranged for users can be read.
//!
//! Must not know what it is used for.

use super::{FaultKind, Look};
use crate::store::durable::arranged::{unpacked_override, unpacked_profile};
use crate::store::durable::engine::Space;
use crate::store::durable::keys::{behind, everything};
use crate::store::durable::unreadable::Unreadable;

const AT_ONCE: usize = 4096;

impl Look<'_> {
    pub(super) fn arranged(&mut self) {
        let kind = FaultKind::UnreadableOverride;
        self.found.overrides = self
            .readable_values(Space::Overrides, kind, |value| unpacked_override(value).map(drop));
        let kind = FaultKind::UnreadableProfile;
        self.found.profiles =
            self.readable_values(Space::Profiles, kind, |value| unpacked_profile(value).map(drop));
    }

    /// How many values of a keyspace can be read; the others are faults.
    fn readable_values(
        &mut self,
        space: Space,
        kind: FaultKind,
        read: impl Fn(&[u8]) -> Result<(), Unreadable>,
    ) -> u64 {
        let (mut keys, mut readable) = (everything(), 0);
        loop {
            let pairs = match self.inner.engine.page(space, keys, AT_ONCE) {
                Ok(pairs) => pairs,
                Err(error) => {
                    self.fault(kind, error.to_string());
                    return readable;
                }
            };
            let Some((last, _)) = pairs.last() else { return readable };
            keys = behind(last);
            for (key, value) in &pairs {
                match read(value) {
                    Ok(()) => readable += 1,
                    Err(why) => {
                        let shown = String::from_utf8_lossy(key);
                        self.fault(kind, format!("of {}: {why}", shown.escape_debug()));
                    }
                }
            }
            self.tick(pairs.len());
        }
    }
}
