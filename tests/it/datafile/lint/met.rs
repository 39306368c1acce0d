//! The search for users against the real evaluator: what is said to be met by nobody (or everybody) is met
//! by nobody (or everybody) among many users around the constants, and the other way round.

use proptest::prelude::*;
use serde_json::{Value, json};
use variate::datafile::Datafile;
use variate::targeting::{Attribute, Condition, Program, Tree};
use variate::value::AttributeValue;

use super::{checked, condition, datafile, flag};
use crate::datafile::experiment;

const CASES: u32 = 200;

const TEXTS: &[&str] = &["a", "b", "ab", "bab", ""];
const NUMBERS: &[f64] = &[-1.0, 0.0, 1.0, 1.5, 9_007_199_254_740_992.0];
const VERSIONS: &[&str] = &["1", "1.2", "2.0", "1.2.0-b", "2.0+7", "1-0", "1-"];
const SEGMENTS: &[&str] = &["x", "y"];

/// A condition on one attribute: `n` numbers, `s` texts, `v` versions, `m` all of them, `q` segments.
fn leaf(attribute: &'static str) -> BoxedStrategy<Value> {
    let texts = |name: &'static str| {
        let texts = (prop::sample::select(vec!["exact", "substring"]), prop::sample::select(TEXTS));
        texts.prop_map(move |(matching, text)| condition(name, matching, json!(text)))
    };
    let numbers = |name: &'static str| {
        let matches = prop::sample::select(vec!["exact", "gt", "ge", "lt", "le"]);
        (matches, prop::sample::select(NUMBERS))
            .prop_map(move |(matching, number)| condition(name, matching, json!(number)))
    };
    let versions = |name: &'static str| {
        let matches = prop::sample::select(vec!["eq", "gt", "ge", "lt", "le"]);
        (matches, prop::sample::select(VERSIONS)).prop_map(move |(matching, version)| {
            condition(name, &format!("semver_{matching}"), json!(version))
        })
    };
    let exists = Just(condition(attribute, "exists", json!(null)));
    match attribute {
        "n" => prop_oneof![6 => numbers("n"), 1 => exists].boxed(),
        "s" => prop_oneof![6 => texts("s"), 1 => exists].boxed(),
        "v" => prop_oneof![6 => versions("v"), 1 => exists].boxed(),
        "q" => prop::sample::select(SEGMENTS)
            .prop_map(|segment| {
                json!({"type": "third_party_dimension", "name": "o", "match": "qualified", "value": segment})
            })
            .boxed(),
        _ => {
            let flags = any::<bool>().prop_map(|flag| condition("m", "exact", json!(flag)));
            prop_oneof![2 => numbers("m"), 2 => texts("m"), 1 => flags, 1 => exists].boxed()
        }
    }
}

/// A tree over two attributes.
fn tree(one: &'static str, other: &'static str) -> impl Strategy<Value = Value> {
    prop_oneof![leaf(one), leaf(other)].prop_recursive(3, 12, 4, |part| {
        let parts = prop::collection::vec(part, 0..4);
        (prop::sample::select(vec!["and", "and", "or", "not"]), parts).prop_map(
            |(operator, parts)| {
                let most = if operator == "not" { 1 } else { parts.len() };
                let is_bare_not = operator == "not" && parts.is_empty();
                let operator = if is_bare_not { "and" } else { operator };
                [json!(operator)].into_iter().chain(parts.into_iter().take(most)).collect()
            },
        )
    })
}

/// Values around the constants; `None` is no attribute.
fn values(attribute: &str) -> Vec<Option<Owned>> {
    let texts = || {
        let joined = |pair: [&str; 2]| format!("#{}#{}", pair[0], pair[1]);
        let pairs =
            TEXTS.iter().flat_map(move |one| TEXTS.iter().map(move |next| joined([one, next])));
        let texts = TEXTS.iter().map(|text| (*text).to_owned()).chain(pairs);
        texts.chain(["#ab#bab#".to_owned(), "ba".to_owned()]).map(Owned::Text)
    };
    let numbers = || {
        let around = |number: &f64| [number - 0.25, *number, number + 0.25];
        NUMBERS.iter().flat_map(around).map(Owned::Number)
    };
    let versions = || {
        let prefix = |mut index: usize, length: usize| {
            let mut numbers = Vec::new();
            for _ in 0..length {
                numbers.push((index % 4).to_string());
                index /= 4;
            }
            numbers.join(".")
        };
        let prefixes = [1, 2, 3].into_iter().flat_map(move |length| {
            (0..4_usize.pow(u32::try_from(length).unwrap())).map(move |index| prefix(index, length))
        });
        // Of each order against the suffixes of the constants.
        let suffixes = ["", "!", "0", "0!", "6", "7", "7!", "8", "a", "b", "b!"];
        prefixes.flat_map(move |prefix| {
            let with = |separator: &str| {
                suffixes.map(|suffix| Owned::Text(format!("{prefix}{separator}{suffix}")))
            };
            [with("-"), with("+")].concat().into_iter().chain([Owned::Text(prefix.clone())])
        })
    };
    let always = [Owned::Flag(true), Owned::Flag(false), Owned::Other];
    let values: Vec<Owned> = match attribute {
        "n" => always.into_iter().chain(numbers()).collect(),
        "s" => always.into_iter().chain(texts()).collect(),
        "v" => always.into_iter().chain(versions()).chain([Owned::Text(" ".to_owned())]).collect(),
        _ => always.into_iter().chain(numbers()).chain(texts()).collect(),
    };
    [None].into_iter().chain(values.into_iter().map(Some)).collect()
}

#[derive(Debug, Clone)]
enum Owned {
    Flag(bool),
    Number(f64),
    Text(String),
    Other,
}

impl Owned {
    fn borrowed(&self) -> AttributeValue<'_> {
        match self {
            Self::Flag(flag) => (*flag).into(),
            Self::Number(number) => (*number).into(),
            Self::Text(text) => text.as_str().into(),
            Self::Other => AttributeValue::Other,
        }
    }
}

/// What each user around the constants makes of a tree: true or not.
fn outcomes(tree: &Tree<Condition>, attributes: [&'static str; 2]) -> Vec<bool> {
    let program = Program::new(tree, true);
    let values = attributes.map(|name| if name == "q" { vec![None] } else { values(name) });
    let segment_sets: &[Option<&[&str]>] = &[None, Some(&["x"]), Some(&["y"]), Some(&["x", "y"])];
    let mut outcomes = Vec::new();
    for first in &values[0] {
        for second in &values[1] {
            let given = [(attributes[0], first), (attributes[1], second)];
            let given = given
                .iter()
                .filter_map(|(key, value)| Some(Attribute::new(key, value.as_ref()?.borrowed())));
            let given: Vec<_> = given.collect();
            for segments in segment_sets.iter().take(if attributes.contains(&"q") { 4 } else { 1 })
            {
                let is =
                    |leaf: &Condition, wanted| leaf.evaluate(&given, *segments) == Some(wanted);
                outcomes.push(program.holds(is));
            }
        }
    }
    outcomes
}

fn with(conditions: &Value) -> Value {
    let audiences = json!([{"id": "a", "name": "a", "conditions": conditions}]);
    let experiments = [experiment("10", "x", json!({"audienceIds": ["a"]}))];
    datafile(json!({"typedAudiences": audiences, "experiments": experiments}))
}

fn compiled(conditions: &Value) -> Tree<Condition> {
    let compiled = Datafile::compile(with(conditions).to_string()).unwrap();
    compiled.datafile.audiences()[0].conditions().clone()
}

/// The part of the conditions at the end of a path such as `typedAudiences[0].conditions[1][2]`.
fn part<'a>(conditions: &'a Value, path: &str) -> &'a Value {
    let rest = path.strip_prefix("typedAudiences[0].conditions").unwrap();
    let steps = rest.split(['[', ']']).filter(|step| !step.is_empty());
    steps.fold(conditions, |part, step| &part[step.parse::<usize>().unwrap()])
}

fn check_tree(conditions: &Value, attributes: [&'static str; 2]) {
    let outcomes_of = |part: &Value| outcomes(&compiled(part), attributes);
    let mut is_never_told = false;
    let mut is_always_told = false;
    for found in checked(&with(conditions)).findings {
        let path = &found.finding.path;
        match found.finding.code {
            "never-true" => {
                is_never_told = true;
                let is_met = outcomes_of(part(conditions, path)).contains(&true);
                assert!(!is_met, "{path} of {conditions} is met");
            }
            "always-true" => {
                is_always_told |= part(conditions, path) == conditions;
                let is_missed = outcomes_of(part(conditions, path)).contains(&false);
                assert!(!is_missed, "{path} of {conditions} is not met by all");
            }
            _ => {}
        }
    }
    let all = outcomes_of(conditions);
    assert!(is_never_told || all.contains(&true), "{conditions} is met by nobody");
    assert!(is_always_told || all.contains(&false), "{conditions} is met by everybody");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn numbers_and_texts(conditions in tree("n", "s")) {
        check_tree(&conditions, ["n", "s"]);
    }

    #[test]
    fn values_of_all_types(conditions in tree("m", "q")) {
        check_tree(&conditions, ["m", "q"]);
    }

    #[test]
    fn versions(conditions in tree("v", "q")) {
        check_tree(&conditions, ["v", "q"]);
    }

    #[test]
    fn rules_in_front_of_a_rule(one in tree("n", "s"), other in tree("n", "s")) {
        let audience = |id: &str, conditions: &Value| json!({"id": id, "name": id, "conditions": conditions});
        let rule = |id: &str, audiences: Value| experiment(id, id, json!({"audienceIds": audiences}));
        let found = checked(&datafile(json!({
            "typedAudiences": [audience("a", &one), audience("b", &other)],
            "rollouts": [{"id": "r", "experiments": [
                rule("10", json!(["a"])), rule("20", json!(["b"])), rule("default-r", json!([])),
            ]}],
            "featureFlags": [flag("f", "r", &[])],
        })));
        let is_told = found.findings.iter().any(|found| {
            found.finding.code == "unreachable-rule" && found.finding.path == "rollouts[0].experiments[1]"
        });
        let (one, other) = (compiled(&one), compiled(&other));
        let both = outcomes(&one, ["n", "s"]).into_iter().zip(outcomes(&other, ["n", "s"]));
        let (mut is_for_somebody, mut is_reached) = (false, false);
        for (takes, is_for) in both {
            is_for_somebody |= is_for;
            is_reached |= is_for && !takes;
        }
        prop_assert_eq!(is_told, is_for_somebody && !is_reached);
    }
}
