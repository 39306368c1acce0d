//! Being told of changes in folders, where this build can be.
//!
//! Must not know what is done about a change.

#[cfg(not(feature = "watch"))]
mod disabled;
#[cfg(feature = "watch")]
mod enabled;

#[cfg(not(feature = "watch"))]
pub(super) use disabled::Watch;
#[cfg(feature = "watch")]
pub(super) use enabled::Watch;
