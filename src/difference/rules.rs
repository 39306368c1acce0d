//! What is different between two versions of a rule: an experiment, a rollout rule or a holdout.
//!
//! Must not know in which lists the rules stand.

use std::collections::BTreeMap;

use super::audiences;
use super::change::{Change, Place};
use super::matched::{Matched, Side};
use super::matching::Identity;
use super::traffic::{self, Lanes};
use super::variations::{self, Owner, identities_of_new};
use crate::datafile::{Flag, Group, Rule, RuleKind, RuleType, Variation};

/// Two versions of a rule, and the flag in whose rollout they stand.
#[derive(Debug, Clone, Copy)]
pub(super) struct Versions<'d> {
    pub(super) old: &'d Rule,
    pub(super) new: &'d Rule,
    pub(super) flags: (Option<&'d Flag>, Option<&'d Flag>),
}

/// The differences between two versions of a rule, which stands at the place under its new key.
pub(super) fn changes(
    place: &Place,
    versions: Versions<'_>,
    matched: &Matched<'_>,
    found: &mut Vec<Change>,
) {
    let Versions { old, new, flags } = versions;
    name_and_id(place, old, new, found);
    status(place, old, new, found);
    let types = (type_name(old), type_name(new));
    found.extend(
        place
            .changed_text("type", Some(types.0), Some(types.1))
            .map(|change| change.meaning(type_meaning(old.rule_type(), new.rule_type()))),
    );
    if old.campaign_id() != old.id() || new.campaign_id() != new.id() {
        let campaigns = (Some(old.campaign_id()), Some(new.campaign_id()));
        let change = place.changed_text("campaign-id", campaigns.0, campaigns.1);
        found.extend(change.map(|change| change.meaning("events name it; nobody is affected")));
    }
    found.extend(group(place, (&matched.old, old), (&matched.new, new)));
    found.extend(audiences::of_rules(place, (&matched.old, old), (&matched.new, new)));
    let (before, after) = lanes(old, new);
    let is_one_parent = old.id() == new.id();
    found.extend(traffic::compare(place, (&before, &after), "variation", is_one_parent));
    let old_flag = flags.0.or_else(|| old.flag().and_then(|flag| matched.old.datafile.flag(flag)));
    let new_flag = flags.1.or_else(|| new.flag().and_then(|flag| matched.new.datafile.flag(flag)));
    let old_owner = Owner { datafile: matched.old.datafile, rule: old, flag: old_flag };
    let new_owner = Owner { datafile: matched.new.datafile, rule: new, flag: new_flag };
    variations::changes(place, old_owner, new_owner, found);
    whitelist(place, old, new, found);
    prediction_attributes(place, old, new, found);
    let (before, after) = (old.excludes_targeted_deliveries(), new.excludes_targeted_deliveries());
    found.extend(place.switched("exclude-targeted-deliveries", before, after).map(|change| {
        change.meaning(if after {
            "who is held out gets targeted deliveries"
        } else {
            "who is held out gets no targeted deliveries any more"
        })
    }));
}

/// What a rule is like, in words, for one that is new or gone.
pub(super) fn summary(side: &Side<'_>, rule: &Rule) -> String {
    let (lanes, _) = lanes(rule, rule);
    let status = if rule.status().is_empty() { "no status" } else { rule.status() };
    let status = super::words::text(status);
    let audience = audiences::words(side, rule);
    match rule.kind() {
        RuleKind::Rollout => format!("for {audience}, {}", lanes.words()),
        _ => format!("{status}, for {audience}, {}", lanes.words()),
    }
}

fn name_and_id(place: &Place, old: &Rule, new: &Rule, found: &mut Vec<Change>) {
    let is_experiment = new.kind() == RuleKind::Experiment;
    if old.key() != new.key() {
        let meaning = if is_experiment {
            "nobody is bucketed anew, but code that asks for the old key gets nothing"
        } else {
            "nobody is bucketed anew; decisions name the new key"
        };
        found.push(place.renamed(old.key()).meaning(meaning));
    }
    if old.id() != new.id() {
        let meaning = if is_experiment {
            "the id is part of the hash: everybody is bucketed anew, and profiles, activations and results under the old id do not count"
        } else {
            "the id is part of the hash: everybody is bucketed anew"
        };
        found.push(place.recreated(old.id(), new.id()).meaning(meaning).rebucketing(true));
    }
}

fn status(place: &Place, old: &Rule, new: &Rule, found: &mut Vec<Change>) {
    let statuses = (Some(old.status()), Some(new.status()));
    let Some(change) = place.changed_text("status", statuses.0, statuses.1) else { return };
    let meaning = match (new.kind(), old.is_running(), new.is_running()) {
        (RuleKind::Rollout, ..) => "rollout rules serve whatever their status is",
        (_, false, false) => "it runs neither before nor after",
        (_, true, true) => "it runs before and after",
        (RuleKind::Experiment, true, false) => "nobody gets a variation of it any more",
        (RuleKind::Experiment, false, true) => "users get its variations from now on",
        (RuleKind::Holdout, true, false) => "it holds nobody out any more",
        (RuleKind::Holdout, false, true) => "it holds users out of flags from now on",
    };
    found.push(change.meaning(meaning));
}

fn type_name(rule: &Rule) -> &'static str {
    match rule.rule_type() {
        RuleType::AbTest => "ab",
        RuleType::MultiArmedBandit => "mab",
        RuleType::ContextualBandit => "cmab",
        RuleType::TargetedDelivery => "td",
        RuleType::FeatureRollout => "fr",
        RuleType::Other => "other",
    }
}

fn type_meaning(old: RuleType, new: RuleType) -> &'static str {
    match (old, new) {
        (RuleType::ContextualBandit, _) => "variations come from the traffic, not from predictions",
        (_, RuleType::ContextualBandit) => "variations come from predictions, not from the traffic",
        _ => "",
    }
}

fn group(
    place: &Place,
    (old_side, old): (&Side<'_>, &Rule),
    (new_side, new): (&Side<'_>, &Rule),
) -> Option<Change> {
    let identity = |side: &Side<'_>, rule: &Rule| rule.group().and_then(|index| side.group(index));
    if identity(old_side, old) == identity(new_side, new) {
        return None;
    }
    let id = |side: &Side<'_>, rule: &Rule| -> Option<String> {
        Some(side.datafile.group(rule.group()?)?.id().to_owned())
    };
    let (before, after) = (id(old_side, old), id(new_side, new));
    let change = place.changed_text("group", before.as_deref(), after.as_deref())?;
    let is_exclusive = |side: &Side<'_>, rule: &Rule| {
        let group = rule.group().and_then(|index| side.datafile.group(index));
        group.is_some_and(Group::is_exclusive)
    };
    Some(change.meaning(match (is_exclusive(old_side, old), is_exclusive(new_side, new)) {
        (true, true) => "an exclusive group decides first who may be in it: users enter and leave",
        (false, true) => "an exclusive group decides first who may be in it: users leave",
        (true, false) => "no exclusive group keeps users out of it any more: users enter",
        (false, false) => "nobody is affected: no exclusive group is concerned",
    }))
}

/// Both traffic allocations, in terms of the same variations.
fn lanes(old: &Rule, new: &Rule) -> (Lanes, Lanes) {
    let identities = identities_of_new(old, new);
    // A contextual bandit's traffic only says who takes part.
    let takes_part = (Identity::Old(usize::MAX), "predicted".to_owned());
    let named = |rule: &Rule, number: u32, identity: Option<Identity>| {
        let variation = rule.variations().get(number as usize).map(Variation::key);
        identity.zip(variation).map(|(identity, key)| (identity, key.to_owned()))
    };
    let before = Lanes::new(old.allocation(), |number| {
        if old.is_contextual_bandit() {
            return Some(takes_part.clone());
        }
        named(old, number, Some(Identity::Old(number as usize)))
    });
    let after = Lanes::new(new.allocation(), |number| {
        if new.is_contextual_bandit() {
            return Some(takes_part.clone());
        }
        named(new, number, identities.get(number as usize).copied())
    });
    (before, after)
}

fn whitelist(place: &Place, old: &Rule, new: &Rule, found: &mut Vec<Change>) {
    let mut users: BTreeMap<&str, (Option<&str>, Option<&str>)> = BTreeMap::new();
    for (user, listed) in old.whitelist() {
        users.entry(user).or_default().0 = Some(listed.map_or_else(|key| key, Variation::key));
    }
    for (user, listed) in new.whitelist() {
        users.entry(user).or_default().1 = Some(listed.map_or_else(|key| key, Variation::key));
    }
    for (user, (before, after)) in users {
        let place = place.within("user", user);
        found.extend(place.changed_text("whitelist", before, after));
    }
}

fn prediction_attributes(place: &Place, old: &Rule, new: &Rule, found: &mut Vec<Change>) {
    let ids = |rule: &Rule| rule.prediction_attribute_ids().collect::<Vec<_>>().join(", ");
    let (before, after) = (ids(old), ids(new));
    let change = place.changed_text("prediction-attributes", Some(&before), Some(&after));
    found.extend(change.map(|change| change.meaning("predictions may be others")));
}
