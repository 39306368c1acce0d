//! Bulk answers against one-by-one decisions, on random datafiles with groups, whitelists, audiences,
//! bucketing ids and contextual bandits.
//!
//! Must not know how bulk comes to its answers.

use std::collections::BTreeSet;
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use variate::Datafile;
use variate::bulk::{
    Crowd, EveryExperiment, EveryExperimentOfCrowd, PreparedExperiment, Threads, bucket_all,
    bucket_each, bucket_into,
};
use variate::datafile::{RuleIndex, RuleKind};
use variate::decide::{self, ExperimentDecision, Given, How, Silent, User};
use variate::targeting::Attribute;
use variate::value::AttributeValue;

use super::oracle::datafile_and_users;

const DATAFILES: u64 = 150;

fn one_by_one(datafile: &Datafile, index: RuleIndex, user: &User<'_>) -> ExperimentDecision {
    decide::experiment(datafile, index, user, &Given::default(), &mut Silent)
}

/// Every fourth experiment becomes a contextual bandit.
fn with_bandits(mut datafile: Value, seed: u64) -> Value {
    let experiments = datafile["experiments"].as_array_mut().into_iter().flatten();
    for (place, experiment) in experiments.enumerate() {
        if (place as u64 + seed).is_multiple_of(4) {
            experiment["type"] = json!("cmab");
            experiment["cmab"] = json!({"trafficAllocation": 6000, "attributeIds": []});
        }
    }
    datafile
}

fn attributes(of_user: &Value) -> Vec<Attribute<'_>> {
    let members = of_user.as_object().into_iter().flatten();
    members.map(|(key, value)| Attribute::new(key, attribute_value(value))).collect()
}

fn attribute_value(value: &Value) -> AttributeValue<'_> {
    match value {
        Value::Null => AttributeValue::Null,
        Value::Bool(flag) => AttributeValue::Boolean(*flag),
        Value::String(text) => AttributeValue::String(text),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => AttributeValue::Integer(whole),
            None => number.as_f64().map_or(AttributeValue::Other, AttributeValue::Double),
        },
        Value::Array(_) | Value::Object(_) => AttributeValue::Other,
    }
}

/// What was seen, so that a test on nothing but empty answers fails.
#[derive(Default)]
struct SeenKinds(Vec<How>);

impl SeenKinds {
    fn see(&mut self, how: How) {
        if !self.0.contains(&how) {
            self.0.push(how);
        }
    }
}

#[test]
fn bulk_equals_one_by_one() {
    let mut seen = SeenKinds::default();
    for seed in 0..DATAFILES {
        let (datafile, users) = datafile_and_users(seed);
        let text = with_bandits(datafile, seed).to_string();
        let Ok(compiled) = Datafile::compile(&text) else { continue };
        let given: Vec<_> =
            users.iter().map(|(id, given)| (id.as_str(), attributes(given))).collect();
        let users: Vec<User<'_>> = given
            .iter()
            .map(|(id, attributes)| User::known(id, attributes, Some(&["vip"])))
            .collect();
        check(&compiled.datafile, &users, &mut seen);
    }
    for how in [
        How::NotRunning,
        How::Whitelist,
        How::OutsideAudience,
        How::OutsideTraffic,
        How::Bucket,
        How::NeedsPrediction,
    ] {
        assert!(seen.0.contains(&how), "{how:?} was never met");
    }
}

fn check(datafile: &Datafile, users: &[User<'_>], seen: &mut SeenKinds) {
    let every = EveryExperiment::new(datafile);
    for user in users {
        let mut met = Vec::new();
        every.decide(user, |index, decision| met.push((index, decision)));
        let keys: BTreeSet<&str> = datafile.experiments().map(|rule| rule.key()).collect();
        let met_keys = met.iter().map(|(index, _)| datafile.rule(*index).unwrap().key());
        let met_keys: BTreeSet<&str> = met_keys.collect();
        assert_eq!((met.len(), met_keys), (keys.len(), keys), "every key, once");
        for (index, decision) in met {
            let key = datafile.rule(index).unwrap().key();
            assert_eq!(datafile.experiment_index(key), Some(index), "what the key leads to");
            assert_eq!(decision, one_by_one(datafile, index, user), "{user:?}");
            seen.see(decision.how);
        }
    }
    let every_index: Vec<RuleIndex> = datafile
        .rules()
        .iter()
        .filter(|rule| rule.kind() == RuleKind::Experiment)
        .filter_map(|rule| datafile.rule_index(rule.id()))
        .collect();
    let ids: Vec<String> = (0..200).map(|number| format!("user-{number}")).collect();
    let listed = users.iter().map(|user| user.id().to_owned());
    let ids: Vec<String> = listed.chain(ids).collect();
    for index in every_index {
        let each = bucket_each(datafile, index, users, Threads::All, &|_| {});
        let alone: Vec<_> = users.iter().map(|user| one_by_one(datafile, index, user)).collect();
        assert_eq!(each, alone);
        for user in users.iter().take(4) {
            check_crowd(datafile, index, &ids, user);
        }
    }
}

/// All ids with the attributes of one user.
fn check_crowd(datafile: &Datafile, index: RuleIndex, ids: &[String], like: &User<'_>) {
    let crowd = Crowd { attributes: like.attributes(), segments: like.segments() };
    let prepared = PreparedExperiment::new(datafile, index, crowd);
    let outcomes = bucket_all(&prepared, ids, Threads::One, &|_| {});
    let every = EveryExperimentOfCrowd::new(datafile, crowd);
    for (id, outcome) in ids.iter().zip(outcomes) {
        let expected =
            one_by_one(datafile, index, &User::known(id, like.attributes(), like.segments()));
        assert_eq!(prepared.decision(outcome), expected, "{id:?} {like:?}");
        assert_eq!(prepared.decide(id), expected);
        every.decide(id, |other, decision| {
            if other == index {
                assert_eq!(decision, expected, "{id:?} {like:?}");
            }
        });
    }
}

/// Whitelisted users, ends of ranges and users beside them, over all buckets.
#[test]
fn every_bucket_of_the_shop() {
    let shop = include_bytes!("../../datafiles/shop.json");
    let datafile = Datafile::compile(shop).unwrap().datafile;
    let mut ids: Vec<String> = (0..20_000).map(|number| number.to_string()).collect();
    for rule in datafile.experiments() {
        ids.extend(rule.whitelist().map(|(id, _)| id.to_owned()));
    }
    for rule in datafile.experiments() {
        let index = datafile.rule_index(rule.id()).unwrap();
        let attributes = [Attribute::new("country", "SE"), Attribute::new("age", 34)];
        let crowd = Crowd { attributes: &attributes, segments: None };
        let prepared = PreparedExperiment::new(&datafile, index, crowd);
        for threads in [Threads::One, Threads::All, Threads::Exactly(NonZero::new(5).unwrap())] {
            let most = AtomicUsize::new(0);
            let progress = |done| _ = most.fetch_max(done, Ordering::Relaxed);
            let outcomes = bucket_all(&prepared, &ids, threads, &progress);
            assert_eq!(most.into_inner(), ids.len(), "progress ends at the end");
            for (id, outcome) in ids.iter().zip(&outcomes) {
                let user = User::known(id, &attributes, None);
                let expected = one_by_one(&datafile, index, &user);
                assert_eq!(prepared.decision(*outcome), expected, "{id} in {}", rule.key());
            }
        }
    }
}

#[test]
fn nobody_and_few() {
    let shop = include_bytes!("../../datafiles/shop.json");
    let datafile = Datafile::compile(shop).unwrap().datafile;
    let index = datafile.experiment_index("checkout_button").unwrap();
    let prepared = PreparedExperiment::new(&datafile, index, Crowd::default());
    assert!(bucket_all::<&str>(&prepared, &[], Threads::All, &|_| {}).is_empty());
    let mut outcomes = [prepared.outcome("x"); 1];
    bucket_into(&prepared, (&["anna", "b"], &mut outcomes), Threads::All, &|_| {});
    assert_eq!(outcomes, [prepared.outcome("anna")], "as many as there is room for");
}
