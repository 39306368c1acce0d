//! Datafiles whose decisions tell their revision, and what can be seen of a client's source.

use std::time::Duration;

use serde_json::json;
use variate::Client;
use variate::source::SourceStatus;

/// Long enough for anything that works.
pub(super) const LONG: Duration = Duration::from_secs(30);

/// Whether a condition becomes true within a long time.
pub(super) fn comes_true(condition: impl Fn() -> bool) -> bool {
    let pause = Duration::from_millis(5);
    (0..LONG.as_millis() / pause.as_millis()).any(|_| {
        std::thread::sleep(pause);
        condition()
    })
}

/// A datafile in which everyone gets the variation `rREVISION` of the experiment `x`, and the flag `f` has
/// it as its variable.
pub(super) fn text(revision: &str) -> String {
    let mark = format!("r{revision}");
    json!({
        "version": "4", "accountId": "1", "projectId": "2", "revision": revision,
        "experiments": [{
            "id": "10", "key": "x", "layerId": "1", "status": "Running", "audienceIds": [], "forcedVariations": {},
            "variations": [{"id": "11", "key": mark, "featureEnabled": true, "variables": [{"id": "30", "value": mark}]}],
            "trafficAllocation": [{"entityId": "11", "endOfRange": 10_000}],
        }],
        "events": [{"id": "20", "key": "buy", "experimentIds": ["10"]}],
        "featureFlags": [{
            "id": "40", "key": "f", "rolloutId": "", "experimentIds": ["10"],
            "variables": [{"id": "30", "key": "mark", "type": "string", "defaultValue": "none"}],
        }],
    })
    .to_string()
}

/// What decisions say the revision is.
pub(super) fn decided(client: &Client) -> String {
    let activated = client.user("anna").get_variation("x");
    activated.variation_key().map_or("none", |mark| &mark[1..]).to_owned()
}

pub(super) fn status(client: &Client) -> SourceStatus {
    client.source_status().unwrap()
}

/// What a status says: readiness, revision and where it came from, what is held back, the problem that
/// there is now.
pub(super) fn said(status: &SourceStatus) -> String {
    let mut words = vec![status.readiness.to_string()];
    words.extend(status.revision.as_ref().map(|revision| format!("revision {revision}")));
    words.extend(status.came_from.map(|from| format!("from {from}")));
    words.extend(status.held_back.as_ref().map(|held| format!("holds back {}", held.revision)));
    if status.consecutive_failures > 0 {
        words.extend(status.last_problem.as_ref().map(|problem| format!("({problem})")));
    }
    words.join(" ")
}

/// Waits until the status says this and decisions agree with it.
#[track_caller]
pub(super) fn check(client: &Client, expect: &str) {
    let is_so = || {
        let status = status(client);
        let revision = status.revision.as_deref().unwrap_or("none");
        said(&status) == expect && decided(client) == revision
    };
    if !comes_true(is_so) {
        assert_eq!(said(&status(client)), expect);
        panic!("decisions are of revision {}, not as the status says: {expect}", decided(client));
    }
}
