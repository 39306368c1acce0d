//! The tracking calls of the five systems, in the shape that their clients send, as text for `send.lua`.
//!
//! Must not know who sends them.

/// A call of a system: an event in it, and what is around all of them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct System {
    pub(crate) name: &'static str,
    pub(crate) path: &'static str,
    /// Whether a call can tell of more than one event.
    pub(crate) has_batches: bool,
    pub(crate) first: &'static str,
    pub(crate) event: &'static str,
    pub(crate) last: &'static str,
}

/// ThriveStack's and Segment's are of one kind, and both are here. `%T` is the time.
pub(crate) const SYSTEMS: [System; 6] = [
    System {
        name: "Optimizely `/v1/events`",
        path: "/v1/events",
        has_batches: true,
        first: r#"{"account_id":"21537940595","project_id":"21551520143","revision":"87","client_name":"python-sdk","client_version":"5.7.0","anonymize_ip":false,"enrich_decisions":true,"visitors":["#,
        event: r#"{"visitor_id":"user-%U","attributes":[],"snapshots":[{"events":[{"entity_id":"71001","uuid":"o-%R-%N","key":"purchase","timestamp":%T,"revenue":4200,"tags":{"revenue":4200}}]}]}"#,
        last: "]}",
    },
    System {
        name: "Flagger `/v3/ingest`",
        path: "/v3/ingest/key",
        has_batches: true,
        first: r#"{"id":"f-%R","entities":[],"exposures":[],"events":["#,
        event: r#"{"name":"Purchase","properties":{"category":"shoes"},"entity":{"id":"user-%U","type":"User"},"timestamp":%T}"#,
        last: "]}",
    },
    System {
        name: "Segment `/segment/v1/batch`",
        path: "/segment/v1/batch",
        has_batches: true,
        first: r#"{"writeKey":"key","batch":["#,
        event: r#"{"type":"track","userId":"user-%U","event":"Purchase","messageId":"s-%R-%N","properties":{"revenue":42.0}}"#,
        last: "]}",
    },
    System {
        name: "ThriveStack `/track`",
        path: "/track",
        has_batches: true,
        first: "[",
        event: r#"{"user_id":"user-%U","event_name":"purchase","message_id":"t-%R-%N","properties":{"revenue":42.0}}"#,
        last: "]",
    },
    System {
        name: "Countly `/i/bulk`",
        path: "/i/bulk",
        has_batches: true,
        first: r#"{"app_key":"key","requests":["#,
        event: r#"{"app_key":"key","device_id":"user-%U","timestamp":%T,"events":[{"key":"purchase","count":1,"sum":42,"id":"c-%R-%N"}]}"#,
        last: "]}",
    },
    System {
        name: "OnboardFlow `/api/v1/tracker/event/`",
        path: "/api/v1/tracker/event/",
        has_batches: false,
        first: "",
        event: r#"{"s":"key","event":"CUSTOM","value":"purchase","event_id":"%R","site_user":{"id":"user-%U","customer_id":"user-%U"}}"#,
        last: "",
    },
];

/// An exposure of a user to the experiment that counts purchases, as Optimizely's SDKs report it.
pub(crate) fn exposure(user: usize) -> String {
    format!(
        r#"{{"visitor_id":"user-{user}","attributes":[],"snapshots":[{{"decisions":[{{"campaign_id":"9300000801101","experiment_id":"9300001201101","variation_id":"1652302"}}],"events":[{{"entity_id":"9300000801101","uuid":"x-{user}","key":"campaign_activated"}}]}}]}}"#
    )
}
