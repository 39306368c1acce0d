//! The traced evaluator and the untraced one: whatever the user, they decide the same.

use std::sync::{Arc, LazyLock};

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use variate::client::MemoryProfileService;
use variate::decide::{
    self, Explanation, ForcedDecisions, ForcedVariations, Given, Prediction, Profile, Silent, User,
};
use variate::targeting::Attribute;
use variate::value::AttributeValue;
use variate::{Client, Datafile, DecideOptions, Decision};

static SHOP: LazyLock<Arc<Datafile>> = LazyLock::new(|| {
    let text = include_bytes!("../../../datafiles/shop.json");
    Arc::new(Datafile::compile(text).unwrap().datafile)
});

const SEGMENTS: [&str; 3] = ["loyal_buyers", "top_reviewers", "other"];

fn any_attribute() -> impl Strategy<Value = Attribute<'static>> {
    let declared = SHOP.attributes().iter().map(|one| one.key());
    let keys: Vec<&'static str> = declared.chain(["$opt_bucketing_id", "unknown"]).collect();
    let value = prop_oneof![
        select(vec!["SE", "NO", "phone", "iPhone 15", "6.1.0", "premium", "5.2", "", "18"])
            .prop_map(AttributeValue::String),
        select(vec![0, 15, 16, 18, 40, 600, -1]).prop_map(AttributeValue::Integer),
        select(vec![250.5, 499.9, 1e300, f64::NAN]).prop_map(AttributeValue::Double),
        any::<bool>().prop_map(AttributeValue::Boolean),
        Just(AttributeValue::Null),
        Just(AttributeValue::Other),
    ];
    (select(keys), value).prop_map(|(key, value)| Attribute::new(key, value))
}

/// A user who is likely to be in the shop's audiences.
fn any_attributes() -> impl Strategy<Value = Vec<Attribute<'static>>> {
    let likely = [
        Attribute::new("country", "SE"),
        Attribute::new("age", 34),
        Attribute::new("device", "iPhone"),
        Attribute::new("app_version", "6.2.0"),
        Attribute::new("logged_in", true),
        Attribute::new("staff", false),
        Attribute::new("lifetime_value", 700),
    ];
    let chosen = subsequence(likely.to_vec(), 0..=likely.len());
    (chosen, proptest::collection::vec(any_attribute(), 0..4))
        .prop_map(|(likely, any)| likely.into_iter().chain(any).collect())
}

fn any_user_id() -> impl Strategy<Value = String> {
    prop_oneof![4 => "[a-z]{1,6}", 1 => ".{0,3}", 1 => Just("qa-anna".to_owned())]
}

#[derive(Debug, Clone, Default)]
struct Arranged {
    forced_variations: ForcedVariations,
    forced_decisions: ForcedDecisions,
    profile: Profile,
    predictions: Vec<Prediction>,
}

/// A rule of the shop and one of its variations, or one that it does not have.
fn any_choice() -> impl Strategy<Value = (&'static str, &'static str, &'static str)> {
    let rules = SHOP.rules().iter();
    let pairs = rules.flat_map(|rule| {
        let variations = rule.variations().iter().map(|one| (one.id(), one.key()));
        variations.chain([("gone", "gone")]).map(|(id, key)| (rule.id(), id, key))
    });
    select(pairs.collect::<Vec<_>>())
}

fn any_arrangement() -> impl Strategy<Value = Arranged> {
    let choice = (any_choice(), 0..4, any::<prop::sample::Index>(), any::<bool>());
    proptest::collection::vec(choice, 0..4).prop_map(|choices| {
        let mut arranged = Arranged::default();
        for ((rule_id, variation_id, variation_key), kind, flag, is_answered) in choices {
            let flag_key = SHOP.flags()[flag.index(SHOP.flags().len())].key();
            let rule = SHOP.rule_by_id(rule_id).unwrap();
            match kind {
                0 => arranged.forced_variations.set(rule_id, variation_id),
                1 => {
                    let rule_key = is_answered.then_some(rule.key());
                    arranged.forced_decisions.set(flag_key, rule_key, variation_key);
                }
                2 => drop(arranged.profile.set(rule_id, variation_id)),
                _ => arranged.predictions.push(Prediction {
                    rule: SHOP.rule_index("9300001201107").unwrap(),
                    variation_id: is_answered.then(|| "1652362".into()),
                    prediction_id: None,
                }),
            }
        }
        arranged
    })
}

fn check(user: &User<'_>, given: &Given<'_>) {
    for flag in SHOP.flags() {
        let index = SHOP.flag_index(flag.key()).unwrap();
        let silent = decide::flag(&SHOP, index, user, given, &mut Silent);
        let (traced, explanation) = Explanation::of_flag(&SHOP, index, user, given);
        assert_eq!(silent, traced, "{}:\n{explanation}", flag.key());
    }
    for rule in SHOP.experiments() {
        let index = SHOP.rule_index(rule.id()).unwrap();
        let silent = decide::experiment(&SHOP, index, user, given, &mut Silent);
        let (traced, explanation) = Explanation::of_experiment(&SHOP, index, user, given);
        assert_eq!(silent, traced, "{}:\n{explanation}", rule.key());
        assert!(!explanation.steps().is_empty());
    }
}

/// What the caller sees of a decision, without reasons.
fn seen(decision: &Decision) -> impl PartialEq + std::fmt::Debug + use<> {
    let Decision { flag_key, variation_key, rule_key, enabled, variables, is_error, .. } = decision;
    let keys = (flag_key.clone(), variation_key.clone(), rule_key.clone());
    (keys, *enabled, variables.clone(), *is_error)
}

proptest! {
    #[test]
    fn any_user(
        id in any_user_id(),
        attributes in any_attributes(),
        segments in proptest::option::of(subsequence(SEGMENTS.to_vec(), 0..=SEGMENTS.len())),
        arranged in any_arrangement(),
    ) {
        let mut user = User::new(&id);
        attributes.iter().for_each(|attribute| user.set(*attribute));
        if let Some(segments) = &segments {
            user.set_segments(segments);
        }
        check(&user, &Given::default());
        check(&user, &Given {
            forced_variations: Some(&arranged.forced_variations),
            forced_decisions: Some(&arranged.forced_decisions),
            profile: Some(&arranged.profile),
            predictions: &arranged.predictions,
        });
    }

    /// The same by the calls of a client, sticky and with forced decisions: reasons change nothing.
    #[test]
    fn any_calls(
        id in any_user_id(),
        attributes in any_attributes(),
        segments in proptest::option::of(subsequence(SEGMENTS.to_vec(), 0..=SEGMENTS.len())),
        arranged in any_arrangement(),
    ) {
        let clients = [(); 2].map(|()| {
            let builder = Client::builder().datafile(Arc::clone(&SHOP));
            builder.profile_service(MemoryProfileService::default()).build().unwrap()
        });
        let [silent, traced] = clients.each_ref().map(|client| {
            let mut user = client.user(&id).with_forced_decisions(arranged.forced_decisions.clone());
            for attribute in &attributes {
                user = user.with(attribute.key(), attribute.value);
            }
            if let Some(segments) = &segments {
                user = user.with_segments(segments);
            }
            user
        });
        for _ in 0..2 {
            let without = silent.decide_all(DecideOptions::NONE);
            let with = traced.decide_all(DecideOptions::INCLUDE_REASONS);
            prop_assert_eq!(without.len(), SHOP.flags().len());
            for (without, with) in without.iter().zip(&with) {
                prop_assert_eq!(seen(without), seen(with));
                prop_assert!(without.is_error || without.reasons.is_empty());
            }
            prop_assert_eq!(
                clients[0].statistics().store.activations,
                clients[1].statistics().store.activations
            );
        }
    }
}

#[test]
fn a_flag_without_rules_says_so() {
    let text = r#"{"version": "4", "featureFlags": [{"id": "1", "key": "bare"}]}"#;
    let client = Client::from_datafile(text).unwrap();
    let explanation = client.user("anna").explain("bare").unwrap();
    assert_eq!(explanation.to_string(), "└─ no rule decided: there is none that could\n");
    assert_eq!(explanation.to_json(), serde_json::json!([{"step": "no-rule"}]));
    assert_eq!(explanation.reasons(), Vec::<String>::new());
}
