//! Credits and their ids.
//!
//! Must not know rows or rules.

use std::sync::Arc;

use uuid::Uuid;

use super::entry_id::EntryId;
use crate::clock::TimeMs;
use crate::datafile::Shown;

/// The namespace of credit ids: UUIDv5 of `urn:variate:credit` in the URL namespace.
const CREDIT_NAMESPACE: Uuid = Uuid::from_u128(0xb0be_56c5_667c_557a_ae12_e212_350f_5d5d);

/// The namespace of the ids of late records: UUIDv5 of `urn:variate:late-record` in the URL namespace.
const LATE_RECORD_NAMESPACE: Uuid = Uuid::from_u128(0xff7d_f9d9_5886_573a_aeae_ffa1_050a_5337);

/// One event counted for one experiment and variation.
///
/// Readers fold credits by id, in the order of the records: the latest one stands, and one that is
/// withdrawn counts for nothing. Experiment, variation and time of activation are then the same in
/// whatever order activations and events arrived within the late window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credit {
    /// See [`credit_id`].
    pub id: Uuid,
    /// The experiment or holdout, and the variation that was shown first; of a withdrawn credit, as
    /// they were.
    pub experiment: Arc<Shown>,
    /// The time of the first activation.
    pub activated_at_ms: TimeMs,
    /// Whether it takes the place of an earlier credit of the same id.
    pub replaces: bool,
    /// Whether it takes the place of one of the same variation, and only the activation's time is
    /// another. A sink whose reader cannot fold leaves such a credit out.
    pub redated: bool,
    /// Whether the earlier credit no longer holds: the first activation turned out to be so early that
    /// the event is outside the window.
    pub withdrawn: bool,
}

/// The id of a credit: a UUIDv5, so that whoever knows the parts can compute it.
///
/// The namespace is `b0be56c5-667c-557a-ae12-e212350f5d5d` (itself the UUIDv5 of `urn:variate:credit` in
/// the URL namespace). The name is the three parts (environment, event id, experiment id) one after the other, each as the number of its UTF-8
/// bytes in decimal, a colon, and the bytes: `4:shop3:e-13:777`. An event id made by the store has
/// the lower-case hyphenated form.
#[must_use]
pub fn credit_id(environment: &str, event_id: &EntryId, experiment_id: &str) -> Uuid {
    event_id.with_text(|event_id| {
        id_of_parts(CREDIT_NAMESPACE, &[environment, event_id, experiment_id])
    })
}

/// The id of the record of a late credit: derived from all that a reader sees of the credit, so that a
/// correction of a correction is a record of its own, and a recomputed one is the same.
pub(super) fn late_record_id(credit: &Credit) -> Uuid {
    let credit_id = credit.id.hyphenated().to_string();
    let activated_at = credit.activated_at_ms.to_string();
    let state = if credit.withdrawn { "withdrawn" } else { "credited" };
    id_of_parts(
        LATE_RECORD_NAMESPACE,
        &[&credit_id, &credit.experiment.variation_id, &activated_at, state],
    )
}

fn id_of_parts(namespace: Uuid, parts: &[&str]) -> Uuid {
    let length = parts.iter().map(|part| part.len() + 8).sum();
    let mut name = String::with_capacity(length);
    for part in parts {
        name.push_str(&part.len().to_string());
        name.push(':');
        name.push_str(part);
    }
    Uuid::new_v5(&namespace, name.as_bytes())
}
