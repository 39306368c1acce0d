//! Why a flag has its value, in the words of OpenFeature.
//!
//! Must not know values.

use super::anonymous::{asked, names_users, splits};
use super::flag::Answering;
use crate::client::Decision;
use crate::datafile::{Audiences, Datafile, Flag, Rule, RuleKind};
use crate::decide::{How, Source};

/// The flag is off: what it serves then are defaults.
const DEFAULT: &str = "DEFAULT";
/// The share of the traffic that the user is in.
const SPLIT: &str = "SPLIT";
/// A rule for such users, somebody's choice for this very one, or where this one was before.
const TARGETING_MATCH: &str = "TARGETING_MATCH";
/// The same for everyone, whatever is known of them: clients may keep it.
const STATIC: &str = "STATIC";
const UNKNOWN: &str = "UNKNOWN";

pub(super) fn reason(answering: &Answering<'_>, flag: &Flag, decision: &Decision) -> &'static str {
    let datafile = answering.datafile;
    if !decision.enabled {
        return DEFAULT;
    }
    if decision.how.is_some_and(|how| how.is_forced() || how == How::Profile) {
        return TARGETING_MATCH;
    }
    let Some(rule) = decided(datafile, flag, decision) else { return UNKNOWN };
    // Where profiles are kept, others may stay in what the experiment gave before.
    let may_differ = answering.has_profiles && rule.kind() == RuleKind::Experiment;
    let is_alone = || asked(datafile, flag).count() == 1 && is_for_all(rule);
    match splits(datafile, rule) {
        true => SPLIT,
        false if !may_differ && is_alone() => STATIC,
        false => TARGETING_MATCH,
    }
}

fn is_for_all(rule: &Rule) -> bool {
    matches!(rule.audiences(), Audiences::Everyone) && !names_users(rule)
}

/// The rule that decided. Keys of experiments and of rollout rules may be the same.
fn decided<'d>(datafile: &'d Datafile, flag: &'d Flag, decision: &Decision) -> Option<&'d Rule> {
    let key = decision.rule_key.as_deref()?;
    let rules = match decision.source? {
        Source::FeatureTest => flag.experiments(),
        Source::Holdout => datafile.running_holdouts(),
        Source::Rollout => flag.rollout(),
    };
    let mut rules = rules.iter().filter_map(|index| datafile.rule(*index));
    rules.find(|rule| rule.key() == key)
}
