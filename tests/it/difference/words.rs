//! What is said of a difference: one case a line.
//!
//! Must not know how differences are found.

use serde_json::{Value, json};
use variate::difference::{Change, changes};

use super::edits::{experiment, of_key};
use super::{SHOP, compiled};

fn changes_after(edit: impl FnOnce(&mut Value)) -> Vec<Change> {
    let mut shop: Value = serde_json::from_str(SHOP).unwrap();
    edit(&mut shop);
    changes(&compiled(SHOP), &compiled(&shop.to_string()))
}

/// The one change after an edit, in words and with what it means; `!` marks those that give users
/// other variations.
#[track_caller]
fn check(edit: impl FnOnce(&mut Value), words: &str) {
    let found = changes_after(edit);
    let said = |change: &Change| {
        let mark = if change.rebuckets { "! " } else { "" };
        let meaning = change.meaning.as_ref().map(|meaning| format!("; {meaning}"));
        format!("{mark}{change}{}", meaning.unwrap_or_default())
    };
    assert_eq!(found.iter().map(said).collect::<Vec<_>>().join("\n"), words);
}

fn button(shop: &mut Value) -> &mut Value {
    experiment(shop, "checkout_button")
}

#[test]
fn traffic_is_told_in_percent() {
    let ends = |first: Value, second: Value| {
        move |shop: &mut Value| {
            button(shop)["trafficAllocation"] = json!([
                {"entityId": "1652301", "endOfRange": first},
                {"entityId": "1652302", "endOfRange": second},
            ]);
        }
    };
    check(
        ends(json!(3000), json!(10000)),
        "! traffic of experiment `checkout_button`: green 50 % -> 30 %, orange 50 % -> 70 %; 20 % of the traffic moves to another variation",
    );
    check(
        ends(json!(5000), json!(6667)),
        "traffic of experiment `checkout_button`: orange 50 % -> 16.67 %, no variation 0 % -> 33.33 %; 33.33 % of the traffic leaves",
    );
    // Written otherwise, the same.
    check(
        |shop| {
            button(shop)["trafficAllocation"] = json!([
                {"entityId": "1652301", "endOfRange": 1},
                {"entityId": "1652301", "endOfRange": 5000},
                {"entityId": "1652302", "endOfRange": 10000},
                {"entityId": "", "endOfRange": 10000},
            ]);
        },
        "the texts differ only in how they say the same, in the order of a list, or in what nothing reads, first at `experiments[0].trafficAllocation[0].endOfRange`; nobody is affected",
    );
    check(
        |shop| {
            button(shop)["trafficAllocation"] = json!([
                {"entityId": "1652302", "endOfRange": 5000},
                {"entityId": "1652301", "endOfRange": 10000},
            ]);
        },
        "! traffic of experiment `checkout_button`: the same shares in other places: green 0 % to 50 %, orange 50 % to 100 % -> orange 0 % to 50 %, green 50 % to 100 %; 100 % of the traffic moves to another variation",
    );
}

#[test]
fn parts_are_the_same_by_id_else_by_key() {
    check(
        |shop| button(shop)["key"] = json!("pay_button"),
        "experiment `checkout_button` is now called `pay_button`; nobody is bucketed anew, but code that asks for the old key gets nothing",
    );
    let recreated = |shop: &mut Value| {
        button(shop)["id"] = json!("1");
        for event in [0, 1] {
            shop["events"][event]["experimentIds"][0] = json!("1");
        }
    };
    check(
        recreated,
        "! experiment `checkout_button` has another id: 9300001201101 -> 1; the id is part of the hash: everybody is bucketed anew, and profiles, activations and results under the old id do not count",
    );
    // Names and ids of variations do not move anybody, and the ranges follow them.
    check(
        |shop| {
            button(shop)["variations"][0] = json!({"id": "5", "key": "green"});
            button(shop)["trafficAllocation"][0]["entityId"] = json!("5");
        },
        "variation `green` of experiment `checkout_button` has another id: 1652301 -> 5; nobody is bucketed anew, but profiles and results know the old id only",
    );
    let swapped = |shop: &mut Value| {
        let other = experiment(shop, "gift_wrap").clone();
        let one = button(shop).clone();
        *button(shop) = other;
        shop["experiments"][3] = one;
    };
    check(
        swapped,
        "the texts differ only in how they say the same, in the order of a list, or in what nothing reads, first at `experiments[0].forcedVariations.qa-anna`; nobody is affected",
    );
}

#[test]
fn names_cannot_reach_the_terminal() {
    let found = changes_after(|shop| button(shop)["key"] = json!("\u{1b}[31m\nred"));
    assert_eq!(
        found[0].to_string(),
        r"experiment `checkout_button` is now called `\u{1b}[31m\nred`"
    );
    assert_eq!(found[0].path, ["experiment", "\u{1b}[31m\nred"]);
    assert_eq!(found[0].after, Some(json!("\u{1b}[31m\nred")));
}

#[test]
fn long_texts_are_shown_where_they_differ() {
    let weights = |tail: &str| format!("{{\"w\": [{}{tail}]}}", "1, ".repeat(100));
    let set = |shop: &mut Value, tail: &str| {
        let search = of_key(&mut shop["featureFlags"], "key", "search");
        search["variables"][4]["defaultValue"] = json!(weights(tail));
    };
    let mut old: Value = serde_json::from_str(SHOP).unwrap();
    let mut new = old.clone();
    set(&mut old, "2");
    set(&mut new, "3");
    let found = changes(&compiled(&old.to_string()), &compiled(&new.to_string()));
    let said: Vec<String> = found.iter().map(ToString::to_string).collect();
    let words = r#"default of variable `weights` of flag `search`: ..., 1, 1, 1, 1, 1, 1, 2]}" -> ..., 1, 1, 1, 1, 1, 1, 3]}""#;
    assert_eq!(said, [words]);
}

#[test]
fn audiences_are_compared_by_what_they_mean() {
    // In other words, the same.
    check(
        |shop| {
            experiment(shop, "onboarding_tour")["audienceConditions"] = json!("18203");
            experiment(shop, "free_shipping_banner")["audienceConditions"] = json!(["or", "18201"]);
        },
        "the texts differ only in how they say the same, in the order of a list, or in what nothing reads, first at `experiments[1].audienceConditions`; nobody is affected",
    );
    check(
        |shop| {
            experiment(shop, "onboarding_tour")["audienceConditions"] =
                json!(["and", ["not", "18203"], "18204"])
        },
        "audience of experiment `onboarding_tour`: `Adults` -> not `Adults` and `Big spenders`; users enter and leave, nobody is bucketed anew",
    );
    check(
        |shop| experiment(shop, "onboarding_tour")["audienceConditions"] = json!([]),
        "audience of experiment `onboarding_tour`: `Adults` -> everyone; users enter and nobody leaves or is bucketed anew",
    );
}

/// Who can come and go is decided by the conditions, not by how they are written.
#[test]
fn only_who_can_move_is_said_to() {
    let check_tour = |audiences: Value, words: &str| {
        let found = changes_after(|shop| {
            experiment(shop, "onboarding_tour")["audienceConditions"] = audiences.clone();
        });
        assert_eq!(found[0].meaning.as_deref(), Some(words), "{audiences}");
    };
    check_tour(json!([]), "users enter and nobody leaves or is bucketed anew");
    check_tour(
        json!(["or", "18203", "18204"]),
        "users enter and nobody leaves or is bucketed anew",
    );
    check_tour(
        json!(["and", "18203", "18204"]),
        "users leave and nobody enters or is bucketed anew",
    );
    check_tour(json!("18204"), "users enter and leave, nobody is bucketed anew");
    check_tour(
        json!(["or", "18203", ["and", "18203", "18204"]]),
        "nobody enters, leaves or is bucketed anew",
    );
    let check_age = |matching: &str, age: i64, words: &str| {
        let found = changes_after(|shop| {
            let adults = of_key(&mut shop["typedAudiences"], "name", "Adults");
            adults["conditions"][1]["match"] = json!(matching);
            adults["conditions"][1]["value"] = json!(age);
        });
        let meaning = found[0].meaning.as_deref().unwrap();
        assert!(meaning.starts_with(words), "{matching} {age}: {meaning}");
    };
    check_age("ge", 16, "users enter and nobody leaves");
    check_age("ge", 21, "users leave and nobody enters");
    check_age("gt", 18, "users leave and nobody enters");
    check_age("le", 18, "users enter and leave");
    // Whoever leaves an audience enters what is for those outside it.
    let turned = |shop: &mut Value| {
        experiment(shop, "onboarding_tour")["audienceConditions"] = json!(["not", "18203"]);
    };
    let mut old: Value = serde_json::from_str(SHOP).unwrap();
    turned(&mut old);
    let mut new = old.clone();
    of_key(&mut new["typedAudiences"], "name", "Adults")["conditions"][1]["value"] = json!(21);
    let found = changes(&compiled(&old.to_string()), &compiled(&new.to_string()));
    assert!(found[0].meaning.as_deref().unwrap().starts_with("users enter and leave"), "{found:?}");
}

#[test]
fn a_key_of_several_experiments_stands_for_the_last() {
    let double = |shop: &mut Value| {
        let mut twin = button(shop).clone();
        twin["id"] = json!("77");
        shop["experiments"].as_array_mut().unwrap().push(twin);
    };
    let mut old: Value = serde_json::from_str(SHOP).unwrap();
    double(&mut old);
    let mut new = old.clone();
    new["experiments"].as_array_mut().unwrap().rotate_right(1);
    let found = changes(&compiled(&old.to_string()), &compiled(&new.to_string()));
    let said: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(said, ["experiment of key `checkout_button`: 77 -> 9300001201101"]);
}
