//! The last good datafile as it stands on the disk.
//!
//! Must not know keys.

use serde::{Deserialize, Serialize};

use crate::clock::TimeMs;
use crate::store::KeptDatafile;

#[derive(Debug, Serialize, Deserialize)]
pub(in crate::store::durable) struct StoredDatafile<'a> {
    revision: &'a str,
    fetched_at_ms: TimeMs,
    source: &'a str,
    etag: Option<&'a str>,
    last_modified: Option<&'a str>,
    text: &'a str,
}

pub(in crate::store::durable) fn stored_datafile(kept: &KeptDatafile) -> StoredDatafile<'_> {
    StoredDatafile {
        revision: &kept.revision,
        fetched_at_ms: kept.fetched_at_ms,
        source: &kept.source,
        etag: kept.etag.as_deref(),
        last_modified: kept.last_modified.as_deref(),
        text: &kept.text,
    }
}

pub(in crate::store::durable) fn kept_datafile(stored: &StoredDatafile<'_>) -> KeptDatafile {
    KeptDatafile {
        text: stored.text.into(),
        revision: stored.revision.into(),
        fetched_at_ms: stored.fetched_at_ms,
        source: stored.source.into(),
        etag: stored.etag.map(Into::into),
        last_modified: stored.last_modified.map(Into::into),
    }
}
