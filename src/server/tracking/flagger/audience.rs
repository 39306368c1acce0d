//! Whom a rule is for, as Flagger's filters can say it: lists of filters, of which one has to be met whole.
//!
//! Must not know flags. Only being true counts in an audience. So what cannot be answered is never met, and a
//! `not` goes down to the conditions, where it turns relations round. There is no filter for text that is
//! not some text: Flagger's own is met by who has none, too, where the datafile's is not.

use serde_json::Value;

use super::wire::FilterAnswer;
use crate::datafile::{Audiences, Datafile, Rule};
use crate::targeting::{Comparison, Condition, Test, Tree};

/// More lists than these are not made of one audience.
const MOST_LISTS: usize = 64;

/// Lists of filters; with none nobody is met, with an empty one everybody is.
type AnyOf = Vec<Vec<FilterAnswer>>;

/// The filters of a rule's audience; `None` where there are none that say it.
pub(super) fn filters(datafile: &Datafile, rule: &Rule) -> Option<AnyOf> {
    let of_audience = |index: &_, is_negated| {
        let tree = datafile.audience(*index)?.conditions();
        any_of(tree, is_negated, &|condition, is_negated| leaf(datafile, condition, is_negated))
    };
    match rule.audiences() {
        Audiences::Everyone => Some(vec![Vec::new()]),
        Audiences::One(index) => of_audience(index, false),
        Audiences::Tree(tree, _) => any_of(tree, false, &of_audience),
    }
}

fn any_of<L>(
    tree: &Tree<L>,
    is_negated: bool,
    leaf: &dyn Fn(&L, bool) -> Option<AnyOf>,
) -> Option<AnyOf> {
    let part = |part: &Tree<L>| any_of(part, is_negated, leaf);
    match (tree, is_negated) {
        (Tree::And(parts), false) | (Tree::Or(parts), true) => {
            parts.iter().try_fold(vec![Vec::new()], |all, one| both(&all, &part(one)?))
        }
        (Tree::Or(parts), false) | (Tree::And(parts), true) => {
            let lists = parts.iter().map(part).collect::<Option<Vec<_>>>()?.concat();
            (lists.len() <= MOST_LISTS).then_some(lists)
        }
        (Tree::Not(part), _) => any_of(part, !is_negated, leaf),
        (Tree::Leaf(condition), _) => leaf(condition, is_negated),
        (Tree::Unknown, _) => Some(Vec::new()),
    }
}

/// What meets both.
fn both(left: &AnyOf, right: &AnyOf) -> Option<AnyOf> {
    if left.len() * right.len() > MOST_LISTS {
        return None;
    }
    let with_each = |list: &Vec<FilterAnswer>| {
        right.iter().map(|other| [list.as_slice(), other.as_slice()].concat()).collect::<Vec<_>>()
    };
    Some(left.iter().flat_map(with_each).collect())
}

fn leaf(datafile: &Datafile, condition: &Condition, is_negated: bool) -> Option<AnyOf> {
    use Comparison::{Greater, GreaterOrEqual, Less, LessOrEqual};
    let key = &*condition.attribute;
    // Clients write all keys in small letters.
    let small = key.to_lowercase();
    let is_mixed_up = |other: &str| other != key && other.to_lowercase() == small;
    if datafile.attributes().iter().any(|declared| is_mixed_up(declared.key())) {
        return None;
    }
    let one = |operator, r#type, value| {
        vec![FilterAnswer { attribute_name: small.clone(), operator, r#type, value }]
    };
    let number = |relation, wanted: f64| one(operator_of(relation), "NUMBER", Value::from(wanted));
    match (&condition.test, is_negated) {
        (Test::ExactString(text), false) => Some(vec![one("IS", "STRING", Value::from(&**text))]),
        (Test::ExactBoolean(wanted), _) => {
            Some(vec![one("IS", "BOOLEAN", Value::from(*wanted != is_negated))])
        }
        (Test::ExactNumber(wanted) | Test::Number(Comparison::Equal, wanted), true) => {
            Some(vec![number(Less, *wanted), number(Greater, *wanted)])
        }
        (Test::ExactNumber(wanted), false) => Some(vec![number(Comparison::Equal, *wanted)]),
        (Test::Number(relation, wanted), _) => {
            let relation = match (relation, is_negated) {
                (Greater, true) => LessOrEqual,
                (GreaterOrEqual, true) => Less,
                (Less, true) => GreaterOrEqual,
                (LessOrEqual, true) => Greater,
                (relation, _) => *relation,
            };
            Some(vec![number(relation, *wanted)])
        }
        (Test::Unknown, _) => Some(Vec::new()),
        _ => None,
    }
}

const fn operator_of(relation: Comparison) -> &'static str {
    match relation {
        Comparison::Equal => "IS",
        Comparison::Greater => "GT",
        Comparison::GreaterOrEqual => "GTE",
        Comparison::Less => "LT",
        Comparison::LessOrEqual => "LTE",
    }
}
