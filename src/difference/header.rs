//! What stands at the top of a datafile, and its small lists: attributes, events, integrations.
//!
//! Must not know rules beyond their keys.

use super::change::{Change, Place};
use super::matched::{Matched, Side, pairs_of};
use super::matching::Identity;
use super::words::{name, text};
use crate::datafile::{DeclaredAttribute, Event, Integration, Region};

/// The differences between what stands at the top.
pub(super) fn changes(matched: &Matched<'_>, found: &mut Vec<Change>) {
    let (old, new) = (matched.old.datafile, matched.new.datafile);
    let place = Place::default();
    let texts = [
        ("version", Some(old.version()), Some(new.version()), ""),
        ("account-id", Some(old.account_id()), Some(new.account_id()), "events name it"),
        (
            "project-id",
            Some(old.project_id()),
            Some(new.project_id()),
            "these are datafiles of two projects",
        ),
        ("revision", Some(old.revision()), Some(new.revision()), ""),
        ("sdk-key", old.sdk_key(), new.sdk_key(), ""),
        ("environment-key", old.environment_key(), new.environment_key(), ""),
        (
            "region",
            Some(region_name(old.region())),
            Some(region_name(new.region())),
            "events go to the results service there",
        ),
    ];
    for (what, before, after, meaning) in texts {
        let change = place.changed_text(what, before, after);
        found.extend(change.map(|change| change.meaning(meaning)));
    }
    let bots =
        |bot_filtering: Option<bool>| bot_filtering.map(|is_on| if is_on { "on" } else { "off" });
    let (before, after) = (bots(old.bot_filtering()), bots(new.bot_filtering()));
    let change = place.changed_text("bot-filtering", before, after);
    found.extend(change.map(|change| change.meaning("events say so to the results service")));
    let change = place.switched("anonymize-ip", old.anonymizes_ip(), new.anonymizes_ip());
    found.extend(change.map(|change| change.meaning("events say so to the results service")));
    let (before, after) = (old.sends_flag_decisions(), new.sends_flag_decisions());
    let change = place.switched("send-flag-decisions", before, after);
    found.extend(change.map(|change| {
        change.meaning(if after {
            "decisions by rollouts, and empty ones, are sent as events"
        } else {
            "decisions by rollouts, and empty ones, are not sent as events any more"
        })
    }));
}

fn region_name(region: Region) -> &'static str {
    match region {
        Region::Us => "US",
        Region::Eu => "EU",
    }
}

/// The differences between the declared attributes.
pub(super) fn attribute_changes(matched: &Matched<'_>, found: &mut Vec<Change>) {
    let (old, new) = (matched.old.datafile.attributes(), matched.new.datafile.attributes());
    let place_of =
        |attribute: &DeclaredAttribute| Place::default().within("attribute", attribute.key());
    for pair in pairs_of(old, new, |attribute| (attribute.id(), attribute.key())) {
        let before = pair.old.and_then(|at| old.get(at));
        let after = pair.new.and_then(|at| new.get(at));
        match (before, after) {
            (Some(before), Some(after)) => {
                if before.key() != after.key() {
                    let meaning =
                        "conditions name attributes by key: who is in an audience may change";
                    found.push(place_of(after).renamed(before.key()).meaning(meaning));
                }
                if before.id() != after.id() {
                    let change = place_of(after).recreated(before.id(), after.id());
                    found.push(change.meaning("events carry the new id"));
                }
            }
            (None, Some(after)) => found.push(place_of(after).added("")),
            (Some(before), None) => {
                found.push(place_of(before).removed("").meaning("events do not carry it any more"));
            }
            (None, None) => {}
        }
    }
}

/// The differences between the events and what they are tied to.
pub(super) fn event_changes(matched: &Matched<'_>, found: &mut Vec<Change>) {
    let (old, new) = (matched.old.datafile.events(), matched.new.datafile.events());
    let place_of = |event: &Event| Place::default().within("event", event.key());
    for pair in pairs_of(old, new, |event| (event.id(), event.key())) {
        let before = pair.old.and_then(|at| old.get(at));
        let after = pair.new.and_then(|at| new.get(at));
        match (before, after) {
            (Some(before), Some(after)) => event(&place_of(after), (before, after), matched, found),
            (None, Some(after)) => {
                let ties = ties(&matched.new, after).into_iter().map(|(_, key)| text(&key));
                let ties = ties.collect::<Vec<_>>().join(", ");
                let ties = if ties.is_empty() { "nothing".to_owned() } else { ties };
                found.push(place_of(after).added(&format!("tied to {ties}")));
            }
            (Some(before), None) => {
                let change = place_of(before).removed("");
                found.push(change.meaning("it is not known any more, and not sent"));
            }
            (None, None) => {}
        }
    }
}

fn event(
    place: &Place,
    (before, after): (&Event, &Event),
    matched: &Matched<'_>,
    found: &mut Vec<Change>,
) {
    if before.key() != after.key() {
        let meaning = "code that tracks the old key is not heard";
        found.push(place.renamed(before.key()).meaning(meaning));
    }
    if before.id() != after.id() {
        let change = place.recreated(before.id(), after.id());
        found.push(change.meaning("results under the old id end"));
    }
    let (before, after) = (ties(&matched.old, before), ties(&matched.new, after));
    let missing = |list: &[Tie], other: &[Tie]| -> Vec<Tie> {
        let is_known = |tie: &&Tie| other.iter().any(|one| one.0 == tie.0);
        list.iter().filter(|tie| !is_known(tie)).cloned().collect()
    };
    for (_, key) in missing(&after, &before) {
        let words = format!("{} is tied to experiment {} now", place.phrase(), name(&key));
        let change = place.within("tie-to-experiment", &key).added("").in_words(words);
        found.push(change.meaning("from now on it is credited to the experiment"));
    }
    for (_, key) in missing(&before, &after) {
        let words = format!("{} is not tied to experiment {} any more", place.phrase(), name(&key));
        let change = place.within("tie-to-experiment", &key).removed("").in_words(words);
        found.push(change.meaning("it is not credited to the experiment any more"));
    }
}

/// What an event is tied to: an experiment that the datafile has, or an id that names nothing.
type Tie = (Result<Identity, String>, String);

fn ties(side: &Side<'_>, event: &Event) -> Vec<Tie> {
    let tie = |id: &str| match side.datafile.rule_index(id) {
        Some(index) => (Ok(side.rule(index.place() as usize)), side.key_of(index).to_owned()),
        None => (Err(id.to_owned()), id.to_owned()),
    };
    let mut ties: Vec<Tie> = event.experiment_ids().map(tie).collect();
    ties.sort_by(|one, other| one.1.cmp(&other.1));
    ties.dedup();
    ties
}

/// The differences between the integrations.
pub(super) fn integration_changes(matched: &Matched<'_>, found: &mut Vec<Change>) {
    let (old, new) = (matched.old.datafile.integrations(), matched.new.datafile.integrations());
    let place_of = |one: &Integration| Place::default().within("integration", one.key());
    for pair in pairs_of(old, new, |one| (one.key(), one.key())) {
        let before = pair.old.and_then(|at| old.get(at));
        let after = pair.new.and_then(|at| new.get(at));
        match (before, after) {
            (Some(before), Some(after)) => {
                let place = place_of(after);
                found.extend(place.changed_text("host", before.host(), after.host()));
                let keys = (before.public_key(), after.public_key());
                found.extend(place.changed_text("public-key", keys.0, keys.1));
            }
            (None, Some(after)) => found.push(place_of(after).added("")),
            (Some(before), None) => found.push(place_of(before).removed("")),
            (None, None) => {}
        }
    }
}
