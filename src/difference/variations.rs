//! The variations of a rule: which there are, whether they switch the flag on, what they give to
//! variables.
//!
//! Must not know traffic.

use super::change::{Change, Place};
use super::matched::pairs_of;
use super::matching::{Identity, identities, pairs};
use crate::datafile::{Datafile, Flag, Rule, Variation};

/// A rule, the flag that uses it and their datafile.
#[derive(Debug, Clone, Copy)]
pub(super) struct Owner<'d> {
    pub(super) datafile: &'d Datafile,
    pub(super) rule: &'d Rule,
    pub(super) flag: Option<&'d Flag>,
}

/// The differences between the own variations of two rules.
pub(super) fn changes(place: &Place, old: Owner<'_>, new: Owner<'_>, found: &mut Vec<Change>) {
    let (before, after) = (own(old.rule), own(new.rule));
    let place_of = |variation: &Variation| place.within("variation", variation.key());
    for pair in pairs_of(before, after, |variation| (variation.id(), variation.key())) {
        let before = pair.old.and_then(|place| before.get(place));
        let after = pair.new.and_then(|place| after.get(place));
        match (before, after) {
            (Some(before), Some(after)) => {
                changed(&place_of(after), (old, before), (new, after), found);
            }
            (None, Some(after)) => found.push(place_of(after).added("")),
            (Some(before), None) => {
                found.push(place_of(before).removed("").meaning(whitelisted(old.rule, before)));
            }
            (None, None) => {}
        }
    }
}

/// Who was given a variation by name, when it goes.
fn whitelisted(rule: &Rule, gone: &Variation) -> String {
    let is_it = |found: Result<&Variation, &str>| found.is_ok_and(|one| one.key() == gone.key());
    match rule.whitelist().filter(|(_, found)| is_it(*found)).count() {
        0 => String::new(),
        1 => "1 user was given it by the whitelist".to_owned(),
        count => format!("{count} users were given it by the whitelist"),
    }
}

fn changed(
    place: &Place,
    (old, before): (Owner<'_>, &Variation),
    (new, after): (Owner<'_>, &Variation),
    found: &mut Vec<Change>,
) {
    if before.key() != after.key() {
        let meaning = "its users stay in it and are told the new key";
        found.push(place.renamed(before.key()).meaning(meaning));
    }
    if before.id() != after.id() {
        let meaning = "nobody is bucketed anew, but profiles and results know the old id only";
        found.push(place.recreated(before.id(), after.id()).meaning(meaning));
    }
    let (was_on, is_on) = (before.is_feature_enabled(), after.is_feature_enabled());
    let change = place.switched("feature-enabled", was_on, is_on);
    let state = if is_on { "on" } else { "off" };
    found.extend(change.map(|change| change.meaning(format!("the flag is {state} for its users"))));
    values((place, "value"), (old, before), (new, after), found);
}

fn values(
    (place, what): (&Place, &'static str),
    (old, before): (Owner<'_>, &Variation),
    (new, after): (Owner<'_>, &Variation),
    found: &mut Vec<Change>,
) {
    let (before, after) = (given(old, before), given(new, after));
    let [old_names, new_names] = [&before, &after]
        .map(|values| values.iter().map(|value| (value.id, value.key)).collect::<Vec<_>>());
    for pair in pairs(&old_names, &new_names) {
        let before = pair.old.and_then(|place| before.get(place));
        let after = pair.new.and_then(|place| after.get(place));
        let Some(either) = after.or(before) else { continue };
        let texts = (before.map(|value| value.text), after.map(|value| value.text));
        let change = place.within("variable", either.key).changed_text(what, texts.0, texts.1);
        found.extend(change.map(|change| match texts {
            (None, Some(_)) => change.meaning("before, the default stood"),
            (Some(_), None) => change.meaning("now the default stands"),
            _ => change,
        }));
    }
}

struct Given<'d> {
    id: &'d str,
    key: &'d str,
    text: &'d str,
}

/// The values that a variation gives, by variable; one that is read as several types counts once.
fn given<'d>(owner: Owner<'d>, variation: &'d Variation) -> Vec<Given<'d>> {
    let of_flag = |id: &str| {
        let variables = owner.flag.map(Flag::variables).unwrap_or_default();
        variables.iter().find(|variable| variable.id() == id)
    };
    let of_any = |id: &str| {
        let mut variables = owner.datafile.flags().iter().flat_map(Flag::variables);
        variables.find(|variable| variable.id() == id)
    };
    let mut given: Vec<Given<'d>> = Vec::new();
    for value in variation.values.iter() {
        let id = &*value.variable_id;
        if given.last().is_none_or(|last| last.id != id) {
            let key = of_flag(id).or_else(|| of_any(id)).map_or(id, |variable| variable.key());
            given.push(Given { id, key, text: &value.text });
        }
    }
    given
}

/// The variations of a rule that are its own: behind them stand those that a feature rollout borrows.
pub(super) fn own(rule: &Rule) -> &[Variation] {
    rule.variations().get(..rule.own_variations).unwrap_or_default()
}

/// What all variations of the new rule are, as places in the old one's.
pub(super) fn identities_of_new(old: &Rule, new: &Rule) -> Vec<Identity> {
    let found = pairs_of(old.variations(), new.variations(), |one| (one.id(), one.key()));
    identities(&found, new.variations().len())
}
