//! All rules in one list, still in their wire form, with the look-ups that references go through.
//!
//! Must not know what is in a rule beyond its id, key and place.

use hashbrown::HashMap;
use hashbrown::hash_map::Entry;

use crate::datafile::findings::{Findings, quoted};
use crate::datafile::model::{GroupIndex, RuleIndex, RuleKind};
use crate::datafile::place::Place;
use crate::datafile::wire::{Text, WireGroup, WireRange, WireRollout, WireRule, WireVariation};

/// A rule and where it belongs.
#[derive(Debug)]
pub(super) struct Draft<'a> {
    pub(super) wire: WireRule<'a>,
    pub(super) kind: RuleKind,
    pub(super) group: Option<GroupIndex>,
    /// Of a holdout: whether it is in the list of local ones.
    pub(super) is_local: bool,
    /// How many of its variations, the last ones, were taken from a rollout and are not its own.
    pub(super) borrowed_variations: usize,
}

/// The rules in their final order: experiments, those of groups, rollout rules, holdouts.
#[derive(Debug, Default)]
pub(super) struct Drafts<'a> {
    pub(super) list: Vec<Draft<'a>>,
    pub(super) rule_by_id: HashMap<Box<str>, RuleIndex>,
    pub(super) experiment_by_key: HashMap<Box<str>, RuleIndex>,
    /// The ids of each rollout's rules, in order.
    pub(super) rollout_by_id: HashMap<Box<str>, Vec<RuleIndex>>,
    pub(super) group_by_id: HashMap<Box<str>, GroupIndex>,
    /// By group and experiment id.
    pub(super) experiment_in_group: HashMap<(GroupIndex, Box<str>), RuleIndex>,
}

/// What is left of a group once its experiments are in the list of rules.
#[derive(Debug)]
pub(super) struct GroupDraft<'a> {
    pub(super) id: Text<'a>,
    pub(super) is_exclusive: bool,
    pub(super) allocation: Vec<WireRange<'a>>,
}

impl<'a> Draft<'a> {
    /// Its variations without the borrowed ones.
    pub(super) fn own_variations(&self) -> &[WireVariation<'a>] {
        let count = self.wire.variations.len().saturating_sub(self.borrowed_variations);
        self.wire.variations.get(..count).unwrap_or_default()
    }
}

impl<'a> Drafts<'a> {
    /// Lists the rules that are no holdouts, and the groups.
    pub(super) fn new(
        experiments: Vec<WireRule<'a>>,
        groups: Vec<WireGroup<'a>>,
        rollouts: Vec<WireRollout<'a>>,
        findings: &mut Findings,
    ) -> (Self, Vec<GroupDraft<'a>>) {
        let mut drafts = Self::default();
        for wire in experiments {
            drafts.add_experiment(wire, None, findings);
        }
        let mut group_drafts = Vec::new();
        for group in groups {
            drafts.add_group(group, &mut group_drafts, findings);
        }
        for rollout in rollouts {
            let mut rules = Vec::new();
            for wire in rollout.rules {
                let draft = Draft {
                    wire,
                    kind: RuleKind::Rollout,
                    group: None,
                    is_local: false,
                    borrowed_variations: 0,
                };
                rules.push(drafts.add(draft, findings));
            }
            if drafts.rollout_by_id.insert((*rollout.id).into(), rules).is_some() {
                duplicate_id(&rollout.place, "rollout", &rollout.id, findings);
            }
        }
        (drafts, group_drafts)
    }

    /// Lists the holdouts. Their ids never hide another rule's.
    pub(super) fn add_holdouts(
        &mut self,
        global: Vec<WireRule<'a>>,
        local: Vec<WireRule<'a>>,
        findings: &mut Findings,
    ) {
        let global = global.into_iter().map(|wire| (wire, false));
        for (wire, is_local) in global.chain(local.into_iter().map(|wire| (wire, true))) {
            if is_local && wire.included_rules.is_none() {
                let message = "\"includedRules\" is missing, the holdout was left out";
                findings.error(
                    "missing-field",
                    &wire.place,
                    message,
                    "add the ids of the rules that it holds out of",
                );
                continue;
            }
            if !is_local && wire.included_rules.is_some() {
                let message =
                    "\"includedRules\" means nothing here, the holdout holds out of every flag";
                let remedy = "move the holdout to \"localHoldouts\", or take the field out";
                findings.warning(
                    "ignored-field",
                    &wire.place.field("includedRules"),
                    message,
                    remedy,
                );
            }
            let index = RuleIndex::at(place_of(&self.list));
            match self.rule_by_id.entry((*wire.id).into()) {
                Entry::Vacant(free) => _ = free.insert(index),
                Entry::Occupied(_) => {
                    let message = || {
                        format!(
                            "the id {} is taken by another rule, which keeps it",
                            quoted(&wire.id)
                        )
                    };
                    findings.warning("duplicate-id", &wire.place, message, "give each its own id");
                }
            }
            self.list.push(Draft {
                wire,
                kind: RuleKind::Holdout,
                group: None,
                is_local,
                borrowed_variations: 0,
            });
        }
    }

    /// A rule that is no holdout, by id.
    pub(super) fn ordinary_rule(&self, id: &str) -> Option<RuleIndex> {
        let index = *self.rule_by_id.get(id)?;
        self.get(index).filter(|draft| draft.kind != RuleKind::Holdout).map(|_| index)
    }

    /// Which rule an id stands for.
    pub(super) fn owner_of(&self, id: &str) -> Option<RuleIndex> {
        self.rule_by_id.get(id).copied()
    }

    pub(super) fn get(&self, index: RuleIndex) -> Option<&Draft<'a>> {
        self.list.get(index.place() as usize)
    }

    pub(super) fn get_mut(&mut self, index: RuleIndex) -> Option<&mut Draft<'a>> {
        self.list.get_mut(index.place() as usize)
    }

    /// Of two groups with one id, the last says how its traffic is split, for the experiments of both.
    fn add_group(
        &mut self,
        group: WireGroup<'a>,
        drafts: &mut Vec<GroupDraft<'a>>,
        findings: &mut Findings,
    ) {
        let WireGroup { place, id, is_exclusive, allocation, experiments } = group;
        let draft = GroupDraft { id: id.clone(), is_exclusive, allocation };
        let index = match self.group_by_id.get(&*id) {
            Some(index) => {
                duplicate_id(&place, "group", &id, findings);
                if let Some(earlier) = drafts.get_mut(index.place() as usize) {
                    *earlier = draft;
                }
                *index
            }
            None => {
                let index = GroupIndex::at(place_of(drafts));
                drafts.push(draft);
                self.group_by_id.insert((*id).into(), index);
                index
            }
        };
        for wire in experiments {
            let experiment_id = (*wire.id).into();
            let rule = self.add_experiment(wire, Some(index), findings);
            self.experiment_in_group.insert((index, experiment_id), rule);
        }
    }

    fn add_experiment(
        &mut self,
        wire: WireRule<'a>,
        group: Option<GroupIndex>,
        findings: &mut Findings,
    ) -> RuleIndex {
        let key = (*wire.key).into();
        let index = self.add(
            Draft {
                wire,
                kind: RuleKind::Experiment,
                group,
                is_local: false,
                borrowed_variations: 0,
            },
            findings,
        );
        // Equal keys are usual: rules of different flags may share one.
        self.experiment_by_key.insert(key, index);
        index
    }

    fn add(&mut self, draft: Draft<'a>, findings: &mut Findings) -> RuleIndex {
        let index = RuleIndex::at(place_of(&self.list));
        if self.rule_by_id.insert((*draft.wire.id).into(), index).is_some() {
            duplicate_id(&draft.wire.place, "rule", &draft.wire.id, findings);
        }
        self.list.push(draft);
        index
    }
}

/// The place that the next element of a list will have.
pub(super) fn place_of<T>(list: &[T]) -> u32 {
    u32::try_from(list.len()).unwrap_or(u32::MAX)
}

/// Reports that an id is used twice.
pub(super) fn duplicate_id(place: &Place, kind: &str, id: &str, findings: &mut Findings) {
    let message =
        || format!("another {kind} before this one has the id {}, this one counts", quoted(id));
    findings.warning("duplicate-id", place, message, "give each its own id");
}

/// Keeps the last of several elements with one name, at the place of the first.
pub(super) fn keep_last<T>(
    list: Vec<T>,
    name_of: impl Fn(&T) -> &str,
    mut report: impl FnMut(&T),
) -> (Vec<T>, HashMap<Box<str>, u32>) {
    let mut kept: Vec<T> = Vec::with_capacity(list.len());
    let mut index_by_name: HashMap<Box<str>, u32> = HashMap::new();
    for element in list {
        let earlier =
            index_by_name.get(name_of(&element)).and_then(|index| kept.get_mut(*index as usize));
        if let Some(earlier) = earlier {
            report(&element);
            *earlier = element;
        } else {
            index_by_name.insert(name_of(&element).into(), place_of(&kept));
            kept.push(element);
        }
    }
    (kept, index_by_name)
}

/// Reports that a key is used twice.
pub(super) fn duplicate_key(place: &Place, kind: &str, key: &str, findings: &mut Findings) {
    let message =
        || format!("another {kind} before this one has the key {}, this one counts", quoted(key));
    findings.warning("duplicate-key", place, message, "give each its own key");
}
