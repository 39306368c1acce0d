//! Two datafiles side by side, and which parts of them are the same.
//!
//! Must not know what differs in them.

use hashbrown::HashMap;

use super::matching::{Identity, Named, Pair, identities, pairs};
use crate::datafile::{Audience, AudienceIndex, Datafile, GroupIndex, Rule, RuleIndex, RuleKind};

/// One of the two datafiles, and what its parts are.
#[derive(Debug)]
pub(super) struct Side<'d> {
    pub(super) datafile: &'d Datafile,
    /// By place; places that are not listed are the old datafile's own.
    rules: HashMap<usize, Identity>,
    groups: Vec<Identity>,
    audiences: Vec<Identity>,
    is_old: bool,
}

impl<'d> Side<'d> {
    /// What the rule at a place is.
    pub(super) fn rule(&self, place: usize) -> Identity {
        let own = if self.is_old { Identity::Old(place) } else { Identity::New(place) };
        self.rules.get(&place).copied().unwrap_or(own)
    }

    /// What the group at a place is.
    pub(super) fn group(&self, index: GroupIndex) -> Option<Identity> {
        let place = index.place() as usize;
        if self.is_old { Some(Identity::Old(place)) } else { self.groups.get(place).copied() }
    }

    /// What the audience at a place is.
    pub(super) fn audience(&self, index: AudienceIndex) -> Option<Identity> {
        let place = index.place() as usize;
        if self.is_old { Some(Identity::Old(place)) } else { self.audiences.get(place).copied() }
    }

    /// The rule at a place.
    pub(super) fn rule_at(&self, place: usize) -> Option<&'d Rule> {
        self.datafile.rules().get(place)
    }

    /// The key of a rule, by its place in the datafile; empty if there is none.
    pub(super) fn key_of(&self, index: RuleIndex) -> &'d str {
        self.datafile.rule(index).map_or("", Rule::key)
    }
}

/// Two datafiles and the pairs of their parts, as places in the lists of each.
#[derive(Debug)]
pub(super) struct Matched<'d> {
    pub(super) old: Side<'d>,
    pub(super) new: Side<'d>,
    /// Places in the lists of rules.
    pub(super) experiments: Vec<Pair>,
    /// Places in the lists of rules.
    pub(super) holdouts: Vec<Pair>,
    pub(super) groups: Vec<Pair>,
    pub(super) audiences: Vec<Pair>,
    pub(super) flags: Vec<Pair>,
}

impl<'d> Matched<'d> {
    pub(super) fn new(old: &'d Datafile, new: &'d Datafile) -> Self {
        let experiments = rule_pairs((old, new), RuleKind::Experiment, Rule::key);
        let holdouts = rule_pairs((old, new), RuleKind::Holdout, Rule::key);
        // Rollout rules of different flags may have one key: as rules of flags they are paired there.
        let rollout_rules = rule_pairs((old, new), RuleKind::Rollout, Rule::id);
        let groups = pairs_of(old.groups(), new.groups(), |group| (group.id(), group.id()));
        let groups = with_members((old, new), &experiments, groups);
        let named = |audience: &'d Audience| (audience.id(), audience.name());
        let audiences = pairs_of(old.audiences(), new.audiences(), named);
        let flags = pairs_of(old.flags(), new.flags(), |flag| (flag.id(), flag.key()));
        let all_rules = experiments.iter().chain(&holdouts).chain(&rollout_rules);
        let both = all_rules.filter_map(|pair| Some((pair.new?, Identity::Old(pair.old?))));
        let new_side = Side {
            datafile: new,
            rules: both.collect(),
            groups: identities(&groups, new.groups().len()),
            audiences: identities(&audiences, new.audiences().len()),
            is_old: false,
        };
        let (rules, old_groups, old_audiences) = (HashMap::new(), Vec::new(), Vec::new());
        let old_side = Side {
            datafile: old,
            rules,
            groups: old_groups,
            audiences: old_audiences,
            is_old: true,
        };
        Self { old: old_side, new: new_side, experiments, holdouts, groups, audiences, flags }
    }
}

/// Pairs the parts of two lists by id, else by key.
pub(super) fn pairs_of<'t, T>(
    old: &'t [T],
    new: &'t [T],
    named: impl Fn(&'t T) -> Named<'t>,
) -> Vec<Pair> {
    let [old, new] = [old, new].map(|list| list.iter().map(&named).collect::<Vec<_>>());
    pairs(&old, &new)
}

fn rule_pairs<'d>(
    (old, new): (&'d Datafile, &'d Datafile),
    kind: RuleKind,
    key: impl Fn(&'d Rule) -> &'d str,
) -> Vec<Pair> {
    let [old, new] = [old, new].map(|datafile| {
        let all = datafile.rules().iter().enumerate();
        let wanted = all.filter(|(_, rule)| rule.kind() == kind);
        wanted.map(|(place, rule)| (place, (rule.id(), key(rule)))).collect::<Vec<_>>()
    });
    let names =
        |list: &[(usize, Named<'d>)]| list.iter().map(|(_, named)| *named).collect::<Vec<_>>();
    let place = |list: &[(usize, Named<'d>)], at: Option<usize>| Some(list.get(at?)?.0);
    let found = pairs(&names(&old), &names(&new)).into_iter();
    found.map(|pair| Pair { old: place(&old, pair.old), new: place(&new, pair.new) }).collect()
}

/// Groups have no keys: of those that stay without a partner, two that share an experiment are one.
fn with_members(
    (old, new): (&Datafile, &Datafile),
    experiments: &[Pair],
    found: Vec<Pair>,
) -> Vec<Pair> {
    let group_at = |datafile: &Datafile, place: usize| {
        datafile.rules().get(place).and_then(Rule::group).map(|group| group.place() as usize)
    };
    let mut pairs = found;
    for pair in experiments {
        let (Some(old_rule), Some(new_rule)) = (pair.old, pair.new) else { continue };
        let groups = (group_at(old, old_rule), group_at(new, new_rule));
        let (Some(old_group), Some(new_group)) = groups else { continue };
        let removed = Pair { old: Some(old_group), new: None };
        let added = Pair { old: None, new: Some(new_group) };
        if pairs.contains(&removed) && pairs.contains(&added) {
            pairs.retain(|pair| *pair != added);
            let lone = pairs.iter_mut().filter(|pair| **pair == removed);
            lone.for_each(|pair| pair.new = Some(new_group));
        }
    }
    pairs
}
