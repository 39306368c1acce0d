//! What the settings of all sources have in common.
//!
//! Must not know any of them.

use uuid::Uuid;

use crate::error::Error;

/// How large a datafile may be: the largest known ones have a tenth of it.
pub(super) const DEFAULT_MAX_BYTES: u64 = 32 * 1024 * 1024;
const DEFAULT_STALE_AFTER_MS: u64 = 10 * 60 * 1000;

pub(super) fn checked_interval(
    name: &str,
    interval_ms: u64,
    shortest_ms: u64,
) -> Result<(), Error> {
    if interval_ms >= shortest_ms {
        return Ok(());
    }
    let problem = format!(
        "cannot be asked every {interval_ms} ms: give an interval of at least {shortest_ms} ms"
    );
    Err(Error::source_setting(name, problem))
}

pub(super) const fn default_stale_after_ms(interval_ms: u64) -> u64 {
    let three = interval_ms.saturating_mul(3);
    if three > DEFAULT_STALE_AFTER_MS { three } else { DEFAULT_STALE_AFTER_MS }
}

/// What tells a source from every other one, without telling what it is.
pub(super) fn fingerprint(kind: &str, place: &str) -> Box<str> {
    let place = format!("{kind}:{place}");
    Uuid::new_v5(&Uuid::NAMESPACE_URL, place.as_bytes()).to_string().into()
}
