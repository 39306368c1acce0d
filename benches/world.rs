//! What the benches decide on: a generated datafile of 100 experiments with their flags, people, clients.
//!
//! Must not know what is measured.

use serde_json::{Value, json};
use variate::{Client, Error, UserContext};

/// How many experiments there are, each with a flag of the same key.
pub(crate) const EXPERIMENTS: usize = 100;
/// The experiment that is asked for, somewhere in the middle.
pub(crate) const ASKED: &str = "experiment_042";
/// An event that is tied to it.
pub(crate) const EVENT: &str = "purchase";
/// What a server knows of everybody: raw values.
pub(crate) const COUNTRY: (&str, &str) = ("country", "us");
pub(crate) const AGE: (&str, i64) = ("age", 25);

/// Whether experiments have the audience `country == "us" AND age > 18`, which everybody is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Audience {
    Everyone,
    TwoConditions,
}

/// The text of a datafile with so many experiments, each split in halves.
pub(crate) fn datafile_text(experiments: usize, audience: Audience) -> String {
    let audience_ids: &[&str] = if audience == Audience::TwoConditions { &["7001"] } else { &[] };
    let rule = |number: usize| {
        let variation = |digit: usize, key: &str| {
            let id = format!("85{number:06}{digit}");
            json!({ "id": id, "key": key, "featureEnabled": digit == 1, "variables": [] })
        };
        let range = |digit: usize, end: u32| json!({ "entityId": format!("85{number:06}{digit}"), "endOfRange": end });
        json!({
            "id": format!("93{number:08}"), "key": key(number), "layerId": format!("92{number:08}"),
            "status": "Running", "forcedVariations": {}, "audienceIds": audience_ids,
            "variations": [variation(0, "control"), variation(1, "treatment")],
            "trafficAllocation": [range(0, 5_000), range(1, 10_000)],
        })
    };
    let flag = |number: usize| {
        json!({
            "id": format!("44{number:08}"), "key": key(number), "rolloutId": "",
            "experimentIds": [format!("93{number:08}")], "variables": [],
        })
    };
    let condition = |name: &str, how: &str, value: Value| json!({ "type": "custom_attribute", "name": name, "match": how, "value": value });
    let conditions = json!([
        "and",
        condition(COUNTRY.0, "exact", COUNTRY.1.into()),
        condition(AGE.0, "gt", 18.into())
    ]);
    json!({
        "version": "4", "accountId": "12001", "projectId": "13001", "revision": "1",
        "sdkKey": "benches", "environmentKey": "production",
        "anonymizeIP": true, "botFiltering": false, "sendFlagDecisions": true,
        "attributes": [{ "id": "6001", "key": COUNTRY.0 }, { "id": "6002", "key": AGE.0 }],
        "audiences": [],
        "typedAudiences": [{ "id": "7001", "name": "Grown up", "conditions": conditions }],
        "events": [{ "id": "5001", "key": EVENT, "experimentIds": ["9300000042"] }],
        "experiments": (0..experiments).map(rule).collect::<Vec<_>>(),
        "featureFlags": (0..experiments).map(flag).collect::<Vec<_>>(),
        "groups": [], "rollouts": [],
    })
    .to_string()
}

fn key(number: usize) -> String {
    format!("experiment_{number:03}")
}

/// A client of a datafile of [`EXPERIMENTS`], without sinks.
pub(crate) fn client(audience: Audience) -> Result<Client, Error> {
    Client::from_datafile(datafile_text(EXPERIMENTS, audience))
}

/// Ids of 14 bytes.
pub(crate) fn ids(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("u{:013}", number * 7_919)).collect()
}

/// Adds what is known of somebody, from raw values.
#[inline]
pub(crate) fn known(user: UserContext<'_>, audience: Audience) -> UserContext<'_> {
    match audience {
        Audience::Everyone => user,
        Audience::TwoConditions => user.with(COUNTRY.0, COUNTRY.1).with(AGE.0, AGE.1),
    }
}
