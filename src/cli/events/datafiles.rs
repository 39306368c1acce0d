//! The last good datafiles of a store, as `variate events stats` shows them.
//!
//! Must not know how they are kept.

use serde::Serialize;

use super::wording::moment;
use crate::cli::failure::Failure;
use crate::cli::words::{counted, name};
use crate::clock::TimeMs;
use crate::store::{DurableStore, KeptDatafile};

/// A last good datafile.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DatafileReport {
    environment: String,
    revision: String,
    fetched_at: TimeMs,
    bytes: usize,
}

pub(super) fn reports(store: &DurableStore) -> Result<Vec<DatafileReport>, Failure> {
    let kept = store.kept_datafiles().map_err(Failure::store)?;
    let report = |(environment, kept): (Box<str>, KeptDatafile)| DatafileReport {
        environment: environment.into(),
        revision: kept.revision.into(),
        fetched_at: kept.fetched_at_ms,
        bytes: kept.text.len(),
    };
    Ok(kept.into_iter().map(report).collect())
}

pub(super) fn lines(datafiles: &[DatafileReport]) -> impl Iterator<Item = String> {
    datafiles.iter().map(|datafile| {
        let DatafileReport { environment, revision, fetched_at, bytes } = datafile;
        let bytes = counted(*bytes as u64, "byte");
        let fetched = moment(*fetched_at);
        format!(
            "last good datafile of {}: revision {}, {bytes}, got {fetched}",
            name(environment),
            name(revision)
        )
    })
}
