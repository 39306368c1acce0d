//! The engines, each behind the same [`Case`]s: one file for each, which knows its configuration format
//! and its fastest sensible call.
//!
//! Must not know measuring.

mod eppo;
mod launchdarkly;
mod optimizely;
mod variate;
mod yggdrasil;

use anyhow::Result;
use serde_json::{Value, json};

use crate::case::Case;
use crate::work::{AGE, Audience, CONTROL, COUNTRY, TREATMENT, keys};

/// The name of ours in reports.
pub(crate) const OURS: &str = "variate";

/// All cases of all engines.
pub(crate) fn cases() -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    for audience in Audience::BOTH {
        cases.extend(variate::cases(audience)?);
        cases.extend(yggdrasil::cases(audience)?);
        cases.extend(optimizely::cases(audience)?);
        cases.extend(eppo::cases(audience)?);
        cases.extend(launchdarkly::cases(audience)?);
    }
    Ok(cases)
}

/// The datafile of the two engines that read Optimizely's: a flag for each experiment.
fn datafile(audience: Audience) -> String {
    let audiences: &[&str] = if audience.is_some() { &["7001"] } else { &[] };
    let variation = |number: usize, digit: usize, key: &str| json!({ "id": format!("85000{number:03}{digit}"), "key": key, "featureEnabled": true, "variables": [] });
    let experiment = |(number, key): (usize, String)| {
        let range = |digit: usize, end: u32| json!({ "entityId": format!("85000{number:03}{digit}"), "endOfRange": end });
        json!({
            "id": format!("9300000{number:03}"), "key": key, "layerId": format!("9200000{number:03}"),
            "status": "Running", "forcedVariations": {}, "audienceIds": audiences,
            "variations": [variation(number, 0, CONTROL), variation(number, 1, TREATMENT)],
            "trafficAllocation": [range(0, 5_000), range(1, 10_000)],
        })
    };
    let flag = |(number, key): (usize, String)| {
        json!({
            "id": format!("4400000{number:03}"), "key": key, "rolloutId": "",
            "experimentIds": [format!("9300000{number:03}")], "variables": [],
        })
    };
    let condition = |name: &str, how: &str, value: Value| json!({ "type": "custom_attribute", "name": name, "match": how, "value": value });
    json!({
        "version": "4", "accountId": "12001", "projectId": "13001", "revision": "1",
        "sdkKey": "peers", "environmentKey": "production",
        "anonymizeIP": true, "botFiltering": false, "sendFlagDecisions": true,
        "attributes": [{ "id": "6001", "key": COUNTRY.0 }, { "id": "6002", "key": AGE.0 }],
        "audiences": [],
        "typedAudiences": [{
            "id": "7001", "name": "Grown up in the country",
            "conditions": [
                "and",
                condition(COUNTRY.0, "exact", COUNTRY.1.into()),
                condition(AGE.0, "gt", AGE.1.into()),
            ],
        }],
        "events": [{ "id": "5001", "key": "purchase", "experimentIds": [] }],
        "groups": [], "rollouts": [], "variables": [],
        "experiments": keys().map(experiment).collect::<Vec<_>>(),
        "featureFlags": keys().map(flag).collect::<Vec<_>>(),
    })
    .to_string()
}
