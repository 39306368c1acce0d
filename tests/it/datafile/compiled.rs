//! What compiling gives: references, order, which of two wins, trees.

use serde_json::{Value, json};
use variate::allocation::Target;
use variate::datafile::{Audiences, Datafile, Region, Rule, RuleKind, RuleType};
use variate::targeting::{Condition, Test, Tree};
use variate::value::{VariableType, VariableValue};

use super::shapes::everything;
use super::{compile, datafile, experiment, findings};

fn everything_compiled() -> Datafile {
    compile(&everything()).datafile
}

fn ends(rule: &Rule) -> Vec<(u16, Target)> {
    rule.allocation().ranges().iter().map(|range| (range.end, range.target)).collect()
}

#[test]
fn the_header_is_read() {
    let datafile = everything_compiled();
    assert_eq!((datafile.version(), datafile.account_id(), datafile.project_id()), ("4", "1", "2"));
    assert_eq!((datafile.revision(), datafile.sdk_key()), ("3", Some("KEY")));
    assert_eq!(datafile.environment_key(), Some("production"));
    assert_eq!((datafile.region(), datafile.bot_filtering()), (Region::Eu, Some(false)));
    assert!(datafile.anonymizes_ip() && datafile.sends_flag_decisions());
    assert_eq!(datafile.text(), everything().to_string());
    let region = |name: Value| compile(&super::datafile(json!({"region": name}))).datafile.region();
    assert_eq!(
        (region(json!("eu")), region(json!("")), region(json!("AP"))),
        (Region::Eu, Region::Us, Region::Us)
    );
}

#[test]
fn rules_stand_in_their_order() {
    let datafile = everything_compiled();
    let keys: Vec<_> = datafile.rules().iter().map(Rule::key).collect();
    let expect = [
        "checkout", "gradual", "learning", "delivery", "one", "two", "three", "300", "310",
        "global", "draft", "local",
    ];
    assert_eq!(keys, expect);
    assert_eq!(datafile.experiments().count(), 7);
    assert_eq!(datafile.holdouts().count(), 3);
    let checkout = datafile.experiment_by_key("checkout").unwrap();
    assert_eq!((checkout.campaign_id(), checkout.is_running()), ("1009", true));
    assert_eq!(datafile.rule_by_id("700").unwrap().campaign_id(), "700");
    assert!(datafile.experiment_by_key("300").is_none(), "a rollout rule is no experiment");
    assert_eq!(datafile.rule_by_id("300").unwrap().kind(), RuleKind::Rollout);
    assert!(!datafile.rule_by_id("130").unwrap().is_running());
}

#[test]
fn groups_lead_to_their_experiments() {
    let datafile = everything_compiled();
    let [exclusive, overlapping] = datafile.groups() else { panic!("two groups") };
    assert!(exclusive.is_exclusive() && !overlapping.is_exclusive());
    let ranges: Vec<_> =
        exclusive.allocation().ranges().iter().map(|range| (range.end, range.target)).collect();
    assert_eq!(
        ranges,
        [(4000, Target::Entity(4)), (5000, Target::Empty), (10_000, Target::Entity(5))]
    );
    let group = datafile.experiment_by_key("two").unwrap().group().unwrap();
    assert_eq!(datafile.group(group).unwrap().id(), "500");
}

#[test]
fn a_feature_rollout_borrows_the_everyone_else_variation() {
    let datafile = everything_compiled();
    let gradual = datafile.experiment_by_key("gradual").unwrap();
    assert_eq!(gradual.rule_type(), RuleType::FeatureRollout);
    let ids: Vec<_> = gradual.variations().iter().map(|variation| variation.id()).collect();
    assert_eq!(ids, ["1101", "3101"]);
    assert_eq!(ends(gradual), [(1000, Target::Entity(0)), (10_000, Target::Entity(1))]);
    assert_eq!(gradual.variations()[1].value_text("v1"), Some("8"));
    // Both are called "on": a whitelist means the borrowed one, a forced decision the rule's own.
    assert_eq!(gradual.variation_by_key("on").unwrap().id(), "3101");
    let (rule, variation) =
        datafile.flag_variation(datafile.flag_by_key("banner").unwrap(), "on").unwrap();
    assert_eq!(datafile.rule(rule).unwrap().variation(variation).unwrap().id(), "1101");
}

#[test]
fn a_bandit_splits_between_part_and_no_part() {
    let datafile = everything_compiled();
    let learning = datafile.experiment_by_key("learning").unwrap();
    assert_eq!(learning.rule_type(), RuleType::ContextualBandit);
    assert_eq!(ends(learning), [(8000, Target::Entity(0))]);
    assert_eq!(learning.prediction_attribute_ids().collect::<Vec<_>>(), ["1", "2"]);
}

#[test]
fn flags_and_variables_are_resolved() {
    let datafile = everything_compiled();
    let banner = datafile.flag_by_key("banner").unwrap();
    let key = |index: &_| datafile.rule(*index).unwrap().key();
    assert_eq!(banner.experiments().iter().map(key).collect::<Vec<_>>(), ["gradual", "one"]);
    assert_eq!(banner.rollout().iter().map(key).collect::<Vec<_>>(), ["300", "310"]);
    assert_eq!(
        banner.variable_by_key("size").unwrap().default_value(),
        Some(&VariableValue::Integer(5))
    );
    let theme = banner.variable_by_key("theme").unwrap();
    assert_eq!((theme.kind(), theme.kind_text()), (VariableType::Json, "json"));
    let one = datafile.experiment_by_key("one").unwrap();
    assert_eq!(datafile.flag(one.flag().unwrap()).unwrap().key(), "banner");
    assert!(datafile.experiment_by_key("two").unwrap().flag().is_none());
}

#[test]
fn holdouts_stand_before_what_they_hold_out_of() {
    let datafile = everything_compiled();
    let keys = |list: &[_]| {
        list.iter().map(|index| datafile.rule(*index).unwrap().key()).collect::<Vec<_>>()
    };
    assert_eq!(keys(datafile.global_holdouts()), ["global"]);
    assert_eq!(keys(datafile.running_holdouts()), ["global", "local"]);
    for id in ["310", "100"] {
        assert_eq!(keys(datafile.rule_by_id(id).unwrap().local_holdouts()), ["local"]);
    }
    assert!(datafile.rule_by_id("300").unwrap().local_holdouts().is_empty());
    assert!(datafile.rule_by_id("700").unwrap().excludes_targeted_deliveries());
}

#[test]
fn events_keep_their_ids_and_lead_to_experiments() {
    let events = json!([{"id": "e1", "key": "buy", "experimentIds": ["10", "77", "10"]}]);
    let compiled = compile(&datafile(
        json!({"events": events, "experiments": [experiment("10", "x", json!({}))]}),
    ));
    let buy = compiled.datafile.event_by_key("buy").unwrap();
    assert_eq!(buy.experiment_ids().collect::<Vec<_>>(), ["10", "77", "10"]);
    assert_eq!(buy.experiments().len(), 1);
}

#[test]
fn events_are_found_by_id_too() {
    let event = |id: &str, key: &str| json!({"id": id, "key": key, "experimentIds": []});
    let events = [event("1", "first"), event("1", "second"), event("2", "third")];
    let compiled = compile(&datafile(json!({"events": events})));
    let key = |id: &str| compiled.datafile.event_by_id(id).map(|event| event.key().to_owned());
    assert_eq!(key("1").as_deref(), Some("first"), "of several, the first");
    assert_eq!(key("2").as_deref(), Some("third"));
    assert_eq!(key("3"), None);
}

#[test]
fn the_last_of_two_with_one_name_wins() {
    let compiled = compile(&datafile(json!({
        "experiments": [experiment("10", "first", json!({})), experiment("20", "same", json!({}))],
        "groups": [{"id": "g", "policy": "random", "trafficAllocation": [], "experiments": [experiment("30", "same", json!({}))]}],
        "rollouts": [{"id": "r", "experiments": [experiment("10", "same", json!({}))]}],
        "holdouts": [experiment("20", "held", json!({}))],
        "featureFlags": [
            {"id": "f1", "key": "k", "rolloutId": "r", "experimentIds": ["10"], "variables": []},
            {"id": "f2", "key": "other", "rolloutId": "", "experimentIds": [], "variables": []},
            {"id": "f3", "key": "k", "rolloutId": "r", "experimentIds": ["10"], "variables": []},
        ],
    })));
    let datafile = &compiled.datafile;
    assert_eq!(datafile.rule_by_id("10").unwrap().kind(), RuleKind::Rollout);
    assert_eq!(
        datafile.experiment_by_key("same").unwrap().id(),
        "30",
        "a rollout rule hides no experiment"
    );
    assert_eq!(datafile.experiment_by_key("first").unwrap().kind(), RuleKind::Experiment);
    assert_eq!(
        datafile.rule_by_id("20").unwrap().kind(),
        RuleKind::Experiment,
        "a holdout hides no rule"
    );
    let ids: Vec<_> = datafile.flags().iter().map(|flag| flag.id()).collect();
    assert_eq!(ids, ["f3", "f2"]);
    let expect = [
        "duplicate-id rollouts[0].experiments[0]",
        "duplicate-id holdouts[0]",
        "duplicate-key featureFlags[2]",
    ];
    assert_eq!(findings(&compiled), expect);
}

#[test]
fn values_are_shared_by_variation_id_and_the_last_definition_counts() {
    let variations = |value: &str| {
        json!({"variations": [{"id": "v", "key": "a", "variables": [{"id": "x", "value": value}]}],
        "trafficAllocation": []})
    };
    let silent = json!({"variations": [{"id": "v", "key": "a"}], "trafficAllocation": []});
    let variable = |kind: &str| json!({"id": "x", "key": kind, "type": kind, "defaultValue": "0"});
    let compiled = compile(&datafile(json!({
        "experiments": [experiment("10", "one", variations("1")), experiment("20", "two", silent)],
        "rollouts": [{"id": "r", "experiments": [experiment("30", "three", variations("2"))]}],
        "holdouts": [experiment("40", "four", variations("3"))],
        "featureFlags": [{"id": "f", "key": "f", "rolloutId": "r", "experimentIds": [], "variables": [variable("integer"), variable("string")]}],
    })));
    for rule in compiled.datafile.rules() {
        assert_eq!(rule.variations()[0].value_text("x"), Some("2"), "{}", rule.key());
    }
}

#[test]
fn whitelists_keep_keys_that_name_nothing() {
    let forced = json!({"forcedVariations": {"ann": "b", "bob": "zzz"}});
    let compiled = compile(&datafile(json!({"experiments": [experiment("10", "x", forced)]})));
    let mut whitelist: Vec<_> = compiled.datafile.rules()[0]
        .whitelist()
        .map(|(user, found)| (user, found.map(|one| one.id())))
        .collect();
    whitelist.sort_unstable_by_key(|(user, _)| *user);
    assert_eq!(whitelist, [("ann", Ok("102")), ("bob", Err("zzz"))]);
}

/// A tree over letters, as text.
fn shown<L>(tree: &Tree<L>, leaf: &dyn Fn(&L) -> String) -> String {
    let all = |parts: &[Tree<L>]| {
        parts.iter().map(|part| shown(part, leaf)).collect::<Vec<_>>().join(" ")
    };
    match tree {
        Tree::And(parts) => format!("(and {})", all(parts)),
        Tree::Or(parts) => format!("(or {})", all(parts)),
        Tree::Not(part) => format!("(not {})", shown(part, leaf)),
        Tree::Leaf(one) => leaf(one),
        Tree::Unknown => "?".to_owned(),
    }
}

fn check_rule_audiences(fields: Value, expect: &str) {
    let audience = |id: &str| json!({"id": id, "name": id, "conditions": ["or"]});
    let compiled = compile(&datafile(json!({
        "experiments": [experiment("10", "x", fields.clone())],
        "typedAudiences": [audience("A"), audience("B")],
    })));
    let name = |index: &_| compiled.datafile.audience(*index).unwrap().id().to_owned();
    let found = match compiled.datafile.rules()[0].audiences() {
        Audiences::Everyone => "everyone".to_owned(),
        Audiences::One(index) => format!("one {}", name(index)),
        Audiences::Tree(tree, _) => shown(tree, &name),
        _ => "new".to_owned(),
    };
    assert_eq!(found, expect, "{fields}");
}

#[test]
fn rules_are_for_their_audiences() {
    check_rule_audiences(json!({"audienceIds": []}), "everyone");
    check_rule_audiences(json!({"audienceIds": null}), "everyone");
    check_rule_audiences(json!({"audienceIds": ["A"]}), "one A");
    check_rule_audiences(json!({"audienceIds": ["A", "B", "C"]}), "(or A B ?)");
    check_rule_audiences(json!({"audienceIds": ["C"]}), "(or ?)");
    check_rule_audiences(json!({"audienceIds": ["A"], "audienceConditions": null}), "one A");
    check_rule_audiences(json!({"audienceIds": ["A"], "audienceConditions": []}), "everyone");
    check_rule_audiences(json!({"audienceConditions": "B"}), "one B");
    check_rule_audiences(
        json!({"audienceConditions": ["and", "A", ["not", "B", "A"]]}),
        "(and A (not B))",
    );
    check_rule_audiences(json!({"audienceConditions": ["A", "and", []]}), "(or A ? (or ))");
    check_rule_audiences(json!({"audienceConditions": ["not"]}), "?");
    check_rule_audiences(json!({"audienceConditions": {}}), "?");
}

fn check_conditions(conditions: Value, expect: &str) {
    let leaf = |one: &Condition| one.attribute.to_string();
    let typed = json!([{"id": "a", "name": "a", "conditions": conditions}]);
    let compiled = compile(&datafile(json!({"typedAudiences": typed})));
    assert_eq!(
        shown(compiled.datafile.audiences()[0].conditions(), &leaf),
        expect,
        "typed {conditions}"
    );
    let untyped = json!([{"id": "a", "name": "a", "conditions": conditions.to_string()}]);
    let compiled = compile(&datafile(json!({"audiences": untyped})));
    assert_eq!(
        shown(compiled.datafile.audiences()[0].conditions(), &leaf),
        expect,
        "untyped {conditions}"
    );
}

#[test]
fn conditions_become_trees() {
    let x = json!({"name": "x", "type": "custom_attribute", "match": "exists"});
    check_conditions(json!([]), "(or )");
    check_conditions(json!(["and"]), "(and )");
    check_conditions(json!(["or"]), "(or )");
    check_conditions(json!(["not"]), "?");
    check_conditions(x.clone(), "x");
    check_conditions(json!([x, ["and", x, x]]), "(or x (and x x))");
    check_conditions(json!(["not", x, x]), "(not x)");
    check_conditions(json!(["AND", x]), "(or ? x)");
    check_conditions(json!(["and", "x", 5, null, x]), "(and ? ? ? x)");
    check_conditions(json!("x"), "?");
}

fn check_leaf(fields: Value, expect: Test) {
    let mut leaf = json!({"name": "x", "type": "custom_attribute"});
    leaf.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    let compiled = compile(&datafile(
        json!({"typedAudiences": [{"id": "a", "name": "a", "conditions": leaf}]}),
    ));
    let Tree::Leaf(condition) = compiled.datafile.audiences()[0].conditions() else {
        panic!("a leaf: {fields}")
    };
    assert_eq!(condition.test, expect, "{fields}");
    assert_eq!(compiled.findings.is_empty(), expect != Test::Unknown, "{fields}");
}

#[test]
fn conditions_become_tests() {
    check_leaf(json!({"match": "exists"}), Test::Exists);
    check_leaf(json!({"value": "v"}), Test::ExactString("v".into()));
    check_leaf(json!({"match": null, "value": false}), Test::ExactBoolean(false));
    check_leaf(json!({"match": "exact", "value": -1.5}), Test::ExactNumber(-1.5));
    check_leaf(
        json!({"match": "exact", "value": 9_007_199_254_740_992_u64}),
        Test::ExactNumber(9_007_199_254_740_992.0),
    );
    check_leaf(json!({"match": "exact", "value": 9_007_199_254_740_993_u64}), Test::Unknown);
    check_leaf(json!({"match": "exact", "value": null}), Test::Unknown);
    check_leaf(json!({"match": "substring", "value": ""}), Test::Substring("".into()));
    check_leaf(json!({"match": "substring", "value": 1}), Test::Unknown);
    check_leaf(json!({"match": "lt", "value": "1"}), Test::Unknown);
    check_leaf(json!({"match": "semver_ne", "value": "1"}), Test::Unknown);
    check_leaf(json!({"match": "semver_le", "value": "1.x"}), Test::Unknown);
    check_leaf(
        json!({"match": "qualified", "value": "vip", "type": "third_party_dimension"}),
        Test::Qualified("vip".into()),
    );
    check_leaf(json!({"match": "Exact", "value": "v"}), Test::Unknown);
    check_leaf(json!({"type": "other", "value": "v"}), Test::Unknown);
    check_leaf(json!({"type": null, "value": "v"}), Test::Unknown);
}

#[test]
fn a_typed_audience_hides_an_untyped_one() {
    let compiled = compile(&everything());
    let audiences: Vec<_> =
        compiled.datafile.audiences().iter().map(|one| (one.name(), one.is_typed())).collect();
    assert_eq!(
        audiences,
        [("adults", true), ("all matches", true), ("filler", false), ("legacy", false)]
    );
}

#[test]
fn values_of_a_variation_are_found_in_any_order() {
    let ids: Vec<String> = (0..50).rev().map(|id| id.to_string()).collect();
    let variables: Vec<_> = ids
        .iter()
        .map(|id| json!({"id": id, "key": id, "type": "string", "defaultValue": ""}))
        .collect();
    let values: Vec<_> =
        ids.iter().map(|id| json!({"id": id, "value": format!("v{id}")})).collect();
    let variations = json!([{"id": "101", "key": "a", "variables": values}]);
    let rule = experiment("10", "x", json!({"variations": variations, "trafficAllocation": []}));
    let flag = json!({"id": "f", "key": "f", "rolloutId": "", "experimentIds": ["10"], "variables": variables});
    let datafile =
        compile(&datafile(json!({"experiments": [rule], "featureFlags": [flag]}))).datafile;
    let variation = &datafile.experiment_by_key("x").unwrap().variations()[0];
    for id in &ids {
        assert_eq!(variation.value_text(id), Some(&*format!("v{id}")));
    }
    for absent in ["", "00", "500", "a", "~"] {
        assert_eq!(variation.value_text(absent), None, "{absent:?}");
    }
}

/// A switch that is no boolean, as both official SDKs take it; empty lists and objects they do not take alike.
#[test]
fn switches_of_the_wrong_kind_are_taken_as_the_sdks_do() {
    let check = |value: Value, expect: bool| {
        let variation = json!({"id": "1", "key": "on", "featureEnabled": value});
        let compiled = compile(&datafile(json!({
            "anonymizeIP": value, "sendFlagDecisions": value,
            "experiments": [experiment("10", "e", json!({"variations": [variation]}))],
        })));
        let found = compiled.datafile;
        let rule = found.rule_by_id("10").unwrap();
        let is_enabled = rule.variation_by_id("1").unwrap().is_feature_enabled();
        let switches = [found.anonymizes_ip(), found.sends_flag_decisions(), is_enabled];
        assert_eq!(switches, [expect; 3], "{value}");
        let codes = compiled.findings.iter().filter(|one| one.code == "wrong-type");
        assert_eq!(codes.count(), if value.is_boolean() || value.is_null() { 0 } else { 3 });
    };
    for value in [json!(true), json!("true"), json!("false"), json!("0"), json!(1), json!(-0.5)] {
        check(value, true);
    }
    for value in [json!(["x"]), json!([null]), json!({"a": 1})] {
        check(value, true);
    }
    for value in [json!(false), json!(null), json!(""), json!(0), json!(-0.0), json!([]), json!({})]
    {
        check(value, false);
    }
}

/// The part before the point of a JSON number, as in both official SDKs; of a text they differ.
#[test]
fn numbers_for_whole_ones_lose_their_fraction() {
    let check = |value: Value, expect: Option<i64>| {
        let variable = json!({"id": "1", "key": "v", "type": "integer", "defaultValue": value});
        let variation = json!({"id": "7", "key": "on", "variables": [{"id": "1", "value": value}]});
        let found = compile(&datafile(json!({
            "featureFlags": [{"id": "f", "key": "f", "experimentIds": [], "variables": [variable]}],
            "experiments": [experiment("10", "e", json!({"variations": [variation]}))],
        })));
        let flag = found.datafile.flag_by_key("f").unwrap();
        let expect = expect.map(VariableValue::Integer);
        assert_eq!(flag.variable_by_key("v").unwrap().default_value(), expect.as_ref(), "{value}");
        let bad = findings(&found).iter().filter(|one| one.starts_with("bad-variable")).count();
        assert_eq!(bad, if expect.is_some() { 0 } else { 2 }, "the default and the variation's");
    };
    check(json!(1.5), Some(1));
    check(json!(-1.5), Some(-1));
    check(json!(2.0), Some(2));
    check(json!(7), Some(7));
    check(json!("7"), Some(7));
    check(json!(1e-7), None);
    check(json!("1.5"), None);
}

/// As in both official SDKs.
#[test]
fn a_sub_type_without_a_type_says_nothing() {
    let variable =
        json!({"id": "1", "key": "v", "type": null, "subType": "json", "defaultValue": "{}"});
    let found = compile(&datafile(json!({
        "featureFlags": [{"id": "f", "key": "f", "experimentIds": [], "variables": [variable]}],
    })));
    let flag = found.datafile.flag_by_key("f").unwrap();
    let expect = VariableValue::String("{}".into());
    assert_eq!(flag.variable_by_key("v").unwrap().default_value(), Some(&expect));
}
