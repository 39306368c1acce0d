//! A datafile's flags and experiments as Flagger's model can say them.
//!
//! Must not know who asks. A flag of Flagger has variations with probabilities and lists of who gets any of
//! them; nothing comes after it. Where a datafile says more, less is said, so that nobody is shown what the
//! datafile does not give to such a user, and it becomes a finding. What decided is the flag's hash key,
//! which clients report back: so an exposure is one to that experiment, whatever runs by then.

use super::audience;
use super::finding::{Finding, Findings};
use super::given::{ALL, gives, name_of, only_variation, payload, shares, takes_all};
use super::wire::{
    ConfigAnswer, FlagAnswer, SdkConfigAnswer, SubpopulationAnswer, VariationAnswer,
    WhitelistAnswer,
};
use super::{OFF, USER};
use crate::datafile::{Datafile, Flag, Rule, RuleIndex, RuleKind};

/// Clients gather events for so long, and some of them send no times with them.
const SEND_EVERY_SECONDS: u32 = 10;
const SEND_AT_MOST: u32 = 500;

/// The configuration of a datafile, and what it does not say.
pub(super) fn config(datafile: &Datafile) -> (ConfigAnswer<'_>, Findings<'_>) {
    let mut saying = Saying { datafile, findings: Findings::new() };
    let mut flags: Vec<_> = datafile.flags().iter().map(|flag| saying.flag(flag)).collect();
    let is_alone =
        |rule: &&Rule| rule.flag().is_none() && datafile.flag_by_key(rule.key()).is_none();
    flags.extend(datafile.experiments().filter(is_alone).map(|rule| {
        if rule.is_running() { saying.experiment(rule.key(), rule, None) } else { off(rule.key()) }
    }));
    let sdk_config = SdkConfigAnswer {
        sdk_ingestion_interval: SEND_EVERY_SECONDS,
        sdk_ingestion_max_calls: SEND_AT_MOST,
    };
    (ConfigAnswer { hash_key: datafile.project_id(), sdk_config, flags }, saying.findings)
}

struct Saying<'d> {
    datafile: &'d Datafile,
    findings: Findings<'d>,
}

impl<'d> Saying<'d> {
    fn flag(&mut self, flag: &'d Flag) -> FlagAnswer<'d> {
        let datafile = self.datafile;
        let rules =
            |indexes: &'d [RuleIndex]| indexes.iter().filter_map(|index| datafile.rule(*index));
        let mut running = rules(flag.experiments()).filter(|rule| rule.is_running());
        let Some(first) = running.next() else { return self.rollout(flag) };
        let gives_more = running.next().is_some() || rules(flag.rollout()).any(gives);
        if gives_more && !takes_all(first) {
            self.find(Finding::Behind, flag.key());
        }
        self.experiment(flag.key(), first, Some(flag))
    }

    /// An experiment that runs.
    fn experiment(
        &mut self,
        codename: &'d str,
        rule: &'d Rule,
        flag: Option<&'d Flag>,
    ) -> FlagAnswer<'d> {
        let shares = shares(rule);
        let taking: u32 = shares.iter().sum();
        let subpopulations = match self.unsayable(rule) {
            Some(finding) => {
                self.find(finding, codename);
                Vec::new()
            }
            None => self.subpopulations(codename, rule, taking).unwrap_or_default(),
        };
        self.look_at(codename, rule, flag);
        let variations =
            rule.variations().iter().zip(&shares).map(|(variation, share)| VariationAnswer {
                codename: name_of(rule, variation),
                probability: f64::from(*share) / f64::from(taking.max(1)),
                payload: flag.map(|flag| payload(flag, variation)).unwrap_or_default(),
            });
        let mut whitelist: Vec<_> = rule
            .whitelist()
            .filter_map(|(id, variation)| {
                let variation = name_of(rule, variation.ok()?);
                Some(WhitelistAnswer { r#type: USER, id, variation })
            })
            .collect();
        whitelist.sort_by_key(|listed| listed.id);
        FlagAnswer {
            hashkey: rule.id(),
            kill_switch_engaged: false,
            variations: variations.collect(),
            subpopulations,
            whitelist,
            ..off(codename)
        }
    }

    /// Rules as long as each gives the same, and to all of its audience: who is left out by one is asked by
    /// the last rule alone.
    fn rollout(&mut self, flag: &'d Flag) -> FlagAnswer<'d> {
        let rules = flag.rollout().iter().filter_map(|index| self.datafile.rule(*index));
        let mut rules = rules.peekable();
        let mut said: Option<FlagAnswer<'d>> = None;
        while let Some(rule) = rules.next_if(|rule| gives(rule)) {
            let Some((variation, share)) = only_variation(rule) else {
                self.find(Finding::Behind, flag.key());
                break;
            };
            let given = VariationAnswer {
                codename: name_of(rule, variation),
                probability: 1.0,
                payload: payload(flag, variation),
            };
            let Some(subpopulations) = self.subpopulations(flag.key(), rule, share) else { break };
            match &mut said {
                Some(said)
                    if said.variations.iter().any(|first| first.payload == given.payload) =>
                {
                    said.subpopulations.extend(subpopulations);
                }
                Some(_) => {
                    self.find(Finding::Behind, flag.key());
                    break;
                }
                None => {
                    self.look_at(flag.key(), rule, None);
                    said = Some(FlagAnswer {
                        hashkey: rule.id(),
                        kill_switch_engaged: false,
                        variations: vec![given],
                        subpopulations,
                        ..off(flag.key())
                    });
                }
            }
            if share < ALL {
                break;
            }
        }
        if rules.any(gives) {
            self.find(Finding::Behind, flag.key());
        }
        said.unwrap_or_else(|| off(flag.key()))
    }

    /// Who gets a share of a rule's traffic; `None`, and a finding, where the audience cannot be said.
    fn subpopulations(
        &mut self,
        codename: &'d str,
        rule: &Rule,
        share: u32,
    ) -> Option<Vec<SubpopulationAnswer>> {
        let Some(lists) = audience::filters(self.datafile, rule) else {
            self.find(Finding::Audience, codename);
            return None;
        };
        let sampling_percentage = f64::from(share) / f64::from(ALL);
        let said = lists.into_iter().map(|filters| SubpopulationAnswer {
            entity_type: USER,
            sampling_percentage,
            filters,
        });
        Some(said.collect())
    }

    /// Why an experiment's traffic cannot be said at all.
    fn unsayable(&self, rule: &Rule) -> Option<Finding> {
        if rule.is_contextual_bandit() {
            return Some(Finding::Prediction);
        }
        let group = rule.group().and_then(|group| self.datafile.group(group));
        group.is_some_and(|group| group.is_exclusive()).then_some(Finding::Group)
    }

    /// What is said, and is not quite what it is.
    fn look_at(&mut self, codename: &'d str, rule: &Rule, flag: Option<&Flag>) {
        let is_of_a_flag = rule.kind() == RuleKind::Rollout || flag.is_some();
        let is_held = is_of_a_flag && !self.datafile.global_holdouts().is_empty();
        if is_held || !rule.local_holdouts().is_empty() {
            self.find(Finding::Holdout, codename);
        }
        if rule.variations().iter().any(|variation| variation.key() == OFF) {
            self.find(Finding::NamedOff, codename);
        }
        if flag.is_some() && rule.variations().iter().any(|one| !one.is_feature_enabled()) {
            self.find(Finding::Disabled, codename);
        }
    }

    fn find(&mut self, finding: Finding, codename: &'d str) {
        let named = self.findings.entry(finding).or_default();
        if named.last() != Some(&codename) {
            named.push(codename);
        }
    }
}

/// A flag that nobody is shown anything of.
const fn off(codename: &str) -> FlagAnswer<'_> {
    FlagAnswer {
        codename,
        hashkey: "",
        kill_switch_engaged: true,
        variations: Vec::new(),
        subpopulations: Vec::new(),
        whitelist: Vec::new(),
        blacklist: [],
    }
}
