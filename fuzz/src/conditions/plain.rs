//! What trees answer, evaluated plainly: recursion over three values, and each match in words.
//!
//! Must not know how the crate does it. It borrows only the ordering of versions, which has a target
//! of its own.

use std::cmp::Ordering;

use variate::targeting::Attribute;
use variate::value::AttributeValue;
use variate::version::Version;

use super::draw::{AudienceName, Operator, Rule, Tree};
use super::leaf::{Leaf, Scalar};

/// Lists inside more lists than this are neither true nor false.
const MOST_LEVELS: usize = 128;
/// Numbers beyond it are not compared: 2^53.
const LARGEST_NUMBER: f64 = 9_007_199_254_740_992.0;

/// What is known of the user.
pub(super) struct Given<'a> {
    pub(super) attributes: &'a [Attribute<'a>],
    pub(super) segments: Option<&'a [&'a str]>,
}

/// An audience's conditions; `None` is neither true nor false.
pub(super) fn conditions(tree: &Tree<Leaf>, user: &Given<'_>) -> Option<bool> {
    evaluate(tree, MOST_LEVELS, &|leaf| condition(leaf, user))
}

/// Whether a rule takes the user, given what its audiences answer.
pub(super) fn rule(rule: &Rule, audiences: &[Option<bool>]) -> bool {
    let audience = |name: &AudienceName| audiences.get(name.0).copied().flatten();
    match rule {
        Rule::Ids(names) => {
            names.is_empty() || names.iter().any(|name| audience(name) == Some(true))
        }
        // An empty list of conditions is none, so everyone is taken.
        Rule::Conditions(Tree::List(None, parts)) if parts.is_empty() => true,
        Rule::Conditions(tree) => evaluate(tree, MOST_LEVELS, &audience) == Some(true),
    }
}

fn evaluate<L>(
    tree: &Tree<L>,
    levels_left: usize,
    leaf: &dyn Fn(&L) -> Option<bool>,
) -> Option<bool> {
    match tree {
        Tree::Leaf(one) => leaf(one),
        Tree::Odd(_) => None,
        Tree::Deep(operator, depth, inner) => {
            let Some(left) = levels_left.checked_sub(*depth) else {
                // The list beyond the limit is unknown, and so is what only holds it.
                return None;
            };
            let answer = evaluate(inner, left, leaf);
            let is_turned = matches!(operator, Operator::Not) && depth % 2 == 1;
            answer.map(|answer| answer != is_turned)
        }
        Tree::List(..) if levels_left == 0 => None,
        Tree::List(operator, parts) => {
            let answers: Vec<_> =
                parts.iter().map(|part| evaluate(part, levels_left - 1, leaf)).collect();
            match operator {
                Some(Operator::Not) => answers.first().copied().flatten().map(|answer| !answer),
                Some(Operator::And) => together(&answers, false),
                Some(Operator::Or) | None => together(&answers, true),
            }
        }
    }
}

/// One part of this value decides; else one unknown part leaves it open.
fn together(answers: &[Option<bool>], deciding: bool) -> Option<bool> {
    if answers.contains(&Some(deciding)) {
        return Some(deciding);
    }
    if answers.contains(&None) { None } else { Some(!deciding) }
}

fn condition(leaf: &Leaf, user: &Given<'_>) -> Option<bool> {
    if !matches!(leaf.kind, Some("custom_attribute" | "third_party_dimension")) {
        return None;
    }
    let matching = leaf.matching.unwrap_or("exact");
    if matching == "qualified" {
        let Some(Scalar::Text(segment)) = &leaf.value else { return None };
        return Some(user.segments.unwrap_or_default().contains(&&**segment));
    }
    let name = leaf.attribute?;
    let value = user.attributes.iter().rfind(|one| one.key() == name).map(|one| one.value);
    if matching == "exists" {
        return Some(!matches!(value, None | Some(AttributeValue::Null)));
    }
    let (wanted, value) = (leaf.value.as_ref()?, value?);
    match (matching, wanted, value) {
        ("exact", Scalar::Text(wanted), AttributeValue::String(text)) => Some(wanted == text),
        ("exact", Scalar::Boolean(wanted), AttributeValue::Boolean(flag)) => Some(*wanted == flag),
        ("exact", Scalar::Whole(_) | Scalar::Double(_), value) => {
            Some(number_of_user(value)? == number(wanted)?)
        }
        ("substring", Scalar::Text(part), AttributeValue::String(text)) => {
            Some(text.contains(part.as_str()))
        }
        ("gt" | "ge" | "lt" | "le", wanted, value) => {
            let ordering = number_of_user(value)?.partial_cmp(&number(wanted)?)?;
            Some(is_in_relation(matching, ordering))
        }
        (_, Scalar::Text(wanted), AttributeValue::String(text)) => {
            let relation = matching.strip_prefix("semver_").filter(|relation| *relation != "ne")?;
            let ordering = Version::parse(wanted)?.compare(text)?;
            Some(is_in_relation(relation, ordering))
        }
        _ => None,
    }
}

fn is_in_relation(relation: &str, ordering: Ordering) -> bool {
    match relation {
        "gt" => ordering == Ordering::Greater,
        "ge" => ordering != Ordering::Less,
        "lt" => ordering == Ordering::Less,
        "le" => ordering != Ordering::Greater,
        _ => ordering == Ordering::Equal,
    }
}

fn number(wanted: &Scalar) -> Option<f64> {
    match wanted {
        Scalar::Whole(number) => whole(*number),
        Scalar::Double(number) => Some(*number).filter(|number| number.abs() <= LARGEST_NUMBER),
        _ => None,
    }
}

fn number_of_user(value: AttributeValue<'_>) -> Option<f64> {
    match value {
        AttributeValue::Integer(number) => whole(number),
        AttributeValue::Double(number) => {
            Some(number).filter(|number| number.abs() <= LARGEST_NUMBER)
        }
        _ => None,
    }
}

/// Exact as a double, or not compared.
fn whole(number: i64) -> Option<f64> {
    (number.unsigned_abs() <= 1 << 53).then_some(number as f64)
}
