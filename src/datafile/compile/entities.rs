//! Attributes, events, groups and integrations.
//!
//! Must not know what is in a rule.

use hashbrown::{HashMap, HashSet};

use super::allocation;
use super::draft::{Drafts, GroupDraft, duplicate_key, keep_last, place_of};
use crate::datafile::findings::Findings;
use crate::datafile::model::{
    DeclaredAttribute, Event, EventIndex, Group, GroupIndex, Integration,
};
use crate::datafile::wire::{WireAttribute, WireEvent, WireIntegration};
use crate::hash::PreparedParent;

/// The declared attributes; of several with one key, the last.
pub(super) fn attributes(
    wire: Vec<WireAttribute<'_>>,
    findings: &mut Findings,
) -> (Vec<DeclaredAttribute>, HashMap<Box<str>, usize>) {
    let report =
        |one: &WireAttribute<'_>| duplicate_key(&one.place, "attribute", &one.key, findings);
    let (kept, index_by_key) = keep_last(wire, |one| &one.key, report);
    let attributes =
        kept.iter().map(|one| DeclaredAttribute { id: (&*one.id).into(), key: (&*one.key).into() });
    (
        attributes.collect(),
        index_by_key.into_iter().map(|(key, index)| (key, index as usize)).collect(),
    )
}

/// The events; of several with one key, the last.
pub(super) fn events(
    wire: Vec<WireEvent<'_>>,
    drafts: &Drafts<'_>,
    findings: &mut Findings,
) -> (Vec<Event>, HashMap<Box<str>, EventIndex>) {
    let report = |one: &WireEvent<'_>| duplicate_key(&one.place, "event", &one.key, findings);
    let (kept, index_by_key) = keep_last(wire, |one| &one.key, report);
    let mut events = Vec::with_capacity(kept.len());
    for one in kept {
        let (mut experiments, mut seen) = (Vec::new(), HashSet::new());
        for reference in &one.experiment_ids {
            match drafts.ordinary_rule(&reference.name) {
                Some(index) if !seen.insert(index) => {}
                Some(index) => experiments.push(index),
                None => findings.dangling_lightly(
                    &reference.place,
                    "experiment",
                    &reference.name,
                    "the event is not tied to it",
                ),
            }
        }
        let experiment_ids =
            one.experiment_ids.iter().map(|reference| (*reference.name).into()).collect();
        events.push(Event {
            id: (&*one.id).into(),
            key: (&*one.key).into(),
            experiment_ids,
            experiments,
        });
    }
    (events, index_by_key.into_iter().map(|(key, index)| (key, EventIndex::at(index))).collect())
}

/// The places of events by their ids; of several with one id, the first.
pub(super) fn events_by_id(events: &[Event]) -> HashMap<Box<str>, EventIndex> {
    let mut by_id = HashMap::with_capacity(events.len());
    for (place, event) in (0..).zip(events) {
        by_id.entry((&*event.id).into()).or_insert(EventIndex::at(place));
    }
    by_id
}

/// The groups, whose ranges lead to places of rules.
pub(super) fn groups(
    wire: Vec<GroupDraft<'_>>,
    drafts: &Drafts<'_>,
    findings: &mut Findings,
) -> Vec<Group> {
    let mut groups = Vec::with_capacity(wire.len());
    for group in wire {
        let index = GroupIndex::at(place_of(&groups));
        let experiment =
            |id: &str| drafts.experiment_in_group.get(&(index, id.into())).map(|rule| rule.place());
        groups.push(Group {
            parent: PreparedParent::new(&group.id),
            allocation: allocation::compile(
                &group.allocation,
                "experiment of this group",
                experiment,
                findings,
            ),
            id: group.id.into(),
            is_exclusive: group.is_exclusive,
        });
    }
    groups
}

/// The integrations; of several with one key, the first, as both SDKs have it here.
pub(super) fn integrations(
    wire: Vec<WireIntegration<'_>>,
    findings: &mut Findings,
) -> Vec<Integration> {
    let mut kept: Vec<Integration> = Vec::new();
    let mut seen = HashSet::new();
    for one in wire {
        if !seen.insert(one.key.to_string()) {
            let message = "another integration before this one has the same key, that one counts";
            findings.warning("duplicate-key", &one.place, message, "give each its own key");
            continue;
        }
        let (host, public_key) = (one.host.map(Into::into), one.public_key.map(Into::into));
        kept.push(Integration { key: one.key.into(), host, public_key });
    }
    kept
}
