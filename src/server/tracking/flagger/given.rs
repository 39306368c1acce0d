//! What a rule gives: how much of the traffic, to which variations, with which values.
//!
//! Must not know whom it is for.

use serde_json::{Map, Value, to_value};

use super::OFF;
use crate::datafile::{Audiences, Flag, Rule, Variable, Variation};
use crate::server::wire::parts::VariableAnswer;

/// All of the traffic, in basis points.
pub(super) const ALL: u32 = 10_000;

/// What clients call a variation: exposures find it by either.
pub(super) fn name_of<'d>(rule: &Rule, variation: &'d Variation) -> &'d str {
    if variation.key() == OFF || rule.has_ambiguous_keys() {
        variation.id()
    } else {
        variation.key()
    }
}

/// How much of all traffic each variation of a rule gets, in basis points.
pub(super) fn shares(rule: &Rule) -> Vec<u32> {
    let mut shares = vec![0; rule.variations().len()];
    let mut begin = 0;
    for range in rule.allocation().ranges() {
        let end = u32::from(range.end);
        let place = range.target.entity().and_then(|place| usize::try_from(place).ok());
        if let Some(share) = place.and_then(|place| shares.get_mut(place)) {
            *share += end - begin;
        }
        begin = end;
    }
    shares
}

/// Whether anybody is shown anything by it.
pub(super) fn gives(rule: &Rule) -> bool {
    let shares = shares(rule);
    let mut given = rule.variations().iter().zip(shares).filter(|(_, share)| *share > 0);
    given.any(|(variation, _)| variation.is_feature_enabled())
}

/// Whether nothing behind it is ever asked.
pub(super) fn takes_all(rule: &Rule) -> bool {
    matches!(rule.audiences(), Audiences::Everyone) && shares(rule).iter().sum::<u32>() == ALL
}

/// The only variation that a rule gives, and how much of the traffic gets it.
pub(super) fn only_variation(rule: &Rule) -> Option<(&Variation, u32)> {
    let shares = shares(rule);
    let mut given = rule.variations().iter().zip(shares).filter(|(_, share)| *share > 0);
    given.next().filter(|_| given.next().is_none())
}

/// The values of a flag's variables, as who is shown a variation has them.
pub(super) fn payload(flag: &Flag, variation: &Variation) -> Map<String, Value> {
    let value = |variable: &Variable| {
        let own = variation.is_feature_enabled().then(|| variation.value_of(variable)).flatten();
        let value = own.map_or(variable.default_value(), Option::as_ref)?;
        to_value(VariableAnswer(value)).ok()
    };
    let values = flag
        .variables()
        .iter()
        .filter_map(|variable| Some((variable.key().to_owned(), value(variable)?)));
    values.collect()
}
