//! Holdouts, global and local.
//!
//! Must not know what is in a rule.

use std::collections::BTreeMap;

use hashbrown::HashMap;
use serde_json::Value;
use serde_json::value::RawValue;

use super::change::{Change, Place, Said};
use super::matched::{Matched, Side};
use super::matching::Identity;
use super::rules::{self, Versions};
use super::words::name;
use crate::datafile::{Datafile, Rule};

/// The differences between the holdouts.
pub(super) fn changes(matched: &Matched<'_>, found: &mut Vec<Change>) {
    let scopes = (Scopes::new(&matched.old), Scopes::new(&matched.new));
    for pair in &matched.holdouts {
        let old = pair.old.and_then(|place| matched.old.rule_at(place));
        let new = pair.new.and_then(|place| matched.new.rule_at(place));
        let place_of = |rule: &Rule| Place::default().within("holdout", rule.key());
        match (old, new) {
            (Some(old), Some(new)) => {
                let versions = Versions { old, new, flags: (None, None) };
                rules::changes(&place_of(new), versions, matched, found);
                found.extend(scope(&place_of(new), scopes.0.of(old), scopes.1.of(new)));
            }
            (None, Some(new)) => {
                let detail = scopes.1.summary(&matched.new, new);
                let change = place_of(new).added(&detail);
                found.push(if new.is_running() {
                    change.meaning("who is held out gets no experiment through a flag; activate and getVariation do not know holdouts")
                } else {
                    change.meaning("it does not run: nobody is affected")
                });
            }
            (Some(old), None) => {
                found.push(place_of(old).removed(&scopes.0.summary(&matched.old, old)));
            }
            (None, None) => {}
        }
    }
    found.extend(order(matched));
}

/// Which rules a holdout holds out of: all of them, or some.
type Scope = Option<Vec<(Identity, String)>>;

fn scope(place: &Place, before: Scope, after: Scope) -> Option<Change> {
    let identities = |scope: &Scope| {
        scope.as_ref().map(|rules| rules.iter().map(|(identity, _)| *identity).collect::<Vec<_>>())
    };
    if identities(&before) == identities(&after) {
        return None;
    }
    let said = |scope: &Scope| Said::words(scope_words(scope));
    Some(place.changed("scope", said(&before), said(&after)))
}

fn scope_words(scope: &Scope) -> String {
    match scope.as_deref() {
        None => "every flag".to_owned(),
        Some([]) => "nothing".to_owned(),
        Some(rules) => rules.iter().map(|(_, key)| name(key)).collect::<Vec<_>>().join(", "),
    }
}

/// The rules that local holdouts name. The compiled form only knows those of holdouts that run, so
/// this looks into the text.
struct Scopes {
    by_id: HashMap<String, Vec<(Identity, String)>>,
}

impl Scopes {
    fn new(side: &Side<'_>) -> Self {
        // Part by part, so that what is odd elsewhere in the text does not matter.
        let parts: BTreeMap<String, &RawValue> =
            serde_json::from_str(side.datafile.text()).unwrap_or_default();
        let local = parts.get("localHoldouts").map(|part| serde_json::from_str(part.get()));
        let local: Vec<Value> = local.and_then(Result::ok).unwrap_or_default();
        let mut by_id = HashMap::new();
        for holdout in &local {
            let (Some(id), Some(rules)) = (holdout.get("id"), holdout.get("includedRules")) else {
                continue;
            };
            let ids = rules.as_array().into_iter().flatten();
            let mut named: Vec<_> = ids.filter_map(|id| included(side, &id_text(id))).collect();
            named.sort();
            named.dedup();
            by_id.insert(id_text(id), named);
        }
        Self { by_id }
    }

    fn of(&self, rule: &Rule) -> Scope {
        self.by_id.get(rule.id()).cloned()
    }

    fn summary(&self, side: &Side<'_>, rule: &Rule) -> String {
        format!("{}, out of {}", rules::summary(side, rule), scope_words(&self.of(rule)))
    }
}

fn included(side: &Side<'_>, id: &str) -> Option<(Identity, String)> {
    let index = Datafile::rule_index(side.datafile, id)?;
    Some((side.rule(index.place() as usize), side.key_of(index).to_owned()))
}

/// Ids are text, or numbers that are taken as they are written.
fn id_text(id: &Value) -> String {
    id.as_str().map_or_else(|| id.to_string(), str::to_owned)
}

/// The first global holdout that holds a user out counts.
fn order(matched: &Matched<'_>) -> Option<Change> {
    let running = |side: &Side<'_>| -> Vec<(Identity, String)> {
        let holdouts = side.datafile.global_holdouts().iter();
        holdouts
            .map(|index| (side.rule(index.place() as usize), side.key_of(*index).to_owned()))
            .collect()
    };
    let (before, after) = (running(&matched.old), running(&matched.new));
    let common = |list: &[(Identity, String)], other: &[(Identity, String)]| -> Vec<Identity> {
        let is_common =
            |one: &&(Identity, String)| other.iter().any(|(identity, _)| *identity == one.0);
        list.iter().filter(is_common).map(|(identity, _)| *identity).collect()
    };
    if common(&before, &after) == common(&after, &before) {
        return None;
    }
    let [before, after] =
        [&before, &after].map(|list| list.iter().map(|(_, key)| key.as_str()).collect::<Vec<_>>());
    let change = Place::default().reordered("holdout", &before, &after);
    Some(change.meaning("the first that holds a user out counts"))
}
