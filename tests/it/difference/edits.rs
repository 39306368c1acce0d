//! Edits of the shop, each of one kind.
//!
//! Must not know what they lead to.

use serde_json::{Value, json};

use super::SHOP;

/// A name and what is done to the shop.
pub(super) type Edit = (&'static str, fn(&mut Value));

pub(super) const EDITS: &[Edit] = &[
    ("traffic changed", |shop| {
        experiment(shop, "checkout_button")["trafficAllocation"][0]["endOfRange"] = json!(3000);
    }),
    ("experiment id recreated", |shop| {
        experiment(shop, "free_shipping_banner")["id"] = json!("9300001201192");
    }),
    ("audience changed", |shop| {
        let adults = of_key(&mut shop["typedAudiences"], "name", "Adults");
        adults["conditions"][1]["value"] = json!(40);
    }),
    ("paused", |shop| experiment(shop, "express_checkout_release")["status"] = json!("Paused")),
    ("group range changed", |shop| {
        shop["groups"][0]["trafficAllocation"][0]["endOfRange"] = json!(2500);
    }),
    ("holdout added", |shop| {
        let holdout = json!({
            "id": "173099",
            "key": "holdout_next",
            "status": "Running",
            "audienceIds": [],
            "variations": [{"id": "1652999", "key": "out", "featureEnabled": false}],
            "trafficAllocation": [{"entityId": "1652999", "endOfRange": 700}],
        });
        shop["holdouts"].as_array_mut().unwrap().push(holdout);
    }),
    ("whitelist", |shop| {
        let listed = json!({"user-7-3": "orange", "user-7-4": "green", "user-7-5": "purple"});
        experiment(shop, "checkout_button")["forcedVariations"] = listed;
    }),
    ("variation removed", |shop| {
        let grid = grouped(shop, "homepage_grid");
        grid["variations"].as_array_mut().unwrap().pop();
    }),
    ("bandit opened", |shop| {
        experiment(shop, "personal_discount")["cmab"]["trafficAllocation"] = json!(8000);
    }),
    ("experiment removed, another added", |shop| {
        let mut added = experiment(shop, "gift_wrap").clone();
        for (field, value) in [("id", "9300001201199"), ("key", "wrapping"), ("status", "Running")]
        {
            added[field] = json!(value);
        }
        let experiments = shop["experiments"].as_array_mut().unwrap();
        experiments.retain(|one| one["key"] != "search_ranking" && one["key"] != "gift_wrap");
        experiments.push(added);
    }),
    ("another experiment behind one of its key", |shop| {
        let mut hiding = experiment(shop, "checkout_button").clone();
        hiding["id"] = json!("9300001201299");
        hiding["forcedVariations"] = json!({});
        shop["experiments"].as_array_mut().unwrap().push(hiding);
    }),
    ("rollout rules swapped", |shop| {
        let rules = shop["rollouts"][4]["experiments"].as_array_mut().unwrap();
        rules.swap(1, 2);
    }),
];

/// The shop after some edits.
pub(super) fn shop_after<'e>(edits: impl IntoIterator<Item = &'e Edit>) -> String {
    let mut shop: Value = serde_json::from_str(SHOP).unwrap();
    edits.into_iter().for_each(|(_, edit)| edit(&mut shop));
    shop.to_string()
}

pub(super) fn experiment<'s>(shop: &'s mut Value, key: &str) -> &'s mut Value {
    of_key(&mut shop["experiments"], "key", key)
}

fn grouped<'s>(shop: &'s mut Value, key: &str) -> &'s mut Value {
    of_key(&mut shop["groups"][0]["experiments"], "key", key)
}

pub(super) fn of_key<'s>(list: &'s mut Value, field: &str, key: &str) -> &'s mut Value {
    let mut found = list.as_array_mut().unwrap().iter_mut();
    found.find(|one| one[field] == key).unwrap()
}
