//! A build that is not told of changes.
//!
//! Must not know the system: files are looked at every few seconds, which finds everything.

use std::path::Path;
use std::sync::Arc;

use crate::source::signals::Signals;

#[derive(Debug)]
pub(in crate::source::file) struct Watch;

impl Watch {
    #[expect(clippy::unnecessary_wraps, reason = "it is the same in builds that can fail here")]
    pub(in crate::source::file) const fn new(_: &Arc<Signals>) -> Result<Self, String> {
        Ok(Self)
    }

    #[expect(clippy::unnecessary_wraps, reason = "it is the same in builds that can fail here")]
    #[expect(clippy::needless_pass_by_ref_mut, reason = "it is the same in builds that watch")]
    pub(in crate::source::file) const fn follow(&mut self, _: &Path) -> Result<bool, String> {
        Ok(false)
    }
}
