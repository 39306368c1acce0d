//! One good request of each system, which exposes a user and tells an event of it.
//!
//! Must not know what may be wrong with it.

use serde_json::{Map, Value, json};

use super::super::iso;
use crate::server::Daemon;
use crate::server::http::{Answer, Request, ask};

/// Who was shown something and did something, and when.
pub(super) struct Who {
    pub(super) user: String,
    pub(super) at_ms: i64,
}

/// A system's request.
pub(super) struct Form {
    path: &'static str,
    valid: fn(&Who) -> Value,
    /// The field that is made too large.
    text: &'static str,
    is_form: bool,
    /// Whether an exposure has to come from elsewhere.
    is_exposed_before: bool,
    /// Statuses after which the client does not send the same again for ever.
    statuses: &'static [u16],
}

impl Who {
    pub(super) fn new(user: &str, at_ms: i64) -> Self {
        Self { user: user.to_owned(), at_ms }
    }

    fn shown_at(&self) -> i64 {
        self.at_ms - 5_000
    }
}

impl Form {
    pub(super) fn valid(&self, who: &Who) -> Value {
        (self.valid)(who)
    }

    pub(super) fn larger(&self, who: &Who, bytes: usize) -> Value {
        let mut request = self.valid(who);
        *request.pointer_mut(self.text).unwrap() = json!("x".repeat(bytes));
        request
    }

    /// Exposes the user where the form cannot.
    pub(super) fn prepare(&self, daemon: &Daemon, who: &Who) {
        if self.is_exposed_before {
            let mut request = optimizely(who);
            request["visitors"].as_array_mut().unwrap().truncate(1);
            assert_eq!(OPTIMIZELY.send(daemon, &request).status, 204);
        }
    }

    pub(super) fn send(&self, daemon: &Daemon, body: &Value) -> Answer {
        let request = Request::new(&format!("POST {}", self.path));
        let request = if self.is_form {
            let kind = "application/x-www-form-urlencoded";
            request.header("Content-Type", kind).raw_body(&form(body.as_object().unwrap()))
        } else {
            request.body(&body.to_string())
        };
        ask(daemon.api(), &request)
    }

    /// Countly's SDKs look for a result besides.
    pub(super) fn is_final(&self, answer: &Answer) -> bool {
        self.statuses.contains(&answer.status)
            && (!self.is_form || answer.status != 200 || answer.json()["result"].is_string())
    }
}

fn form(params: &Map<String, Value>) -> String {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    };
    let pairs = params.iter().map(|(name, value)| (name, text(value)));
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// 413: the Python SDK sends once, the one for Node twice more.
pub(super) const OPTIMIZELY: Form = Form {
    path: "/v1/events",
    valid: optimizely,
    text: "/visitors/1/snapshots/0/events/0/tags/category",
    is_form: false,
    is_exposed_before: false,
    statuses: &[204, 413],
};

fn optimizely(who: &Who) -> Value {
    let country = json!({"entity_id": "29001", "key": "country", "type": "custom", "value": "SE"});
    json!({
        "account_id": "21537940595", "project_id": "21551520143", "revision": "1",
        "client_name": "python-sdk", "client_version": "5.7.0", "anonymize_ip": false,
        "enrich_decisions": true, "visitors": [
            {"visitor_id": who.user, "attributes": [], "snapshots": [{
                "decisions": [{
                    "campaign_id": "9300000801101", "experiment_id": "9300001201101", "variation_id": "1652302",
                    "metadata": {"flag_key": "", "rule_key": "checkout_button", "rule_type": "experiment", "enabled": true},
                }],
                "events": [{
                    "entity_id": "9300000801101", "uuid": format!("x-{}", who.user),
                    "key": "campaign_activated", "timestamp": who.shown_at(),
                }],
            }]},
            {"visitor_id": who.user, "attributes": [country], "snapshots": [{"events": [{
                "entity_id": "71001", "uuid": format!("e-{}", who.user), "key": "purchase",
                "timestamp": who.at_ms, "revenue": 4200, "value": 1.5,
                "tags": {"revenue": 4200, "value": 1.5, "category": "shoes"},
            }]}]},
        ],
    })
}

/// All but 200 is sent again, for ever.
pub(super) const FLAGGER: Form = Form {
    path: "/v3/ingest/key",
    valid: flagger,
    text: "/events/0/properties/plan",
    is_form: false,
    is_exposed_before: false,
    statuses: &[200],
};

fn flagger(who: &Who) -> Value {
    let entity = json!({
        "id": who.user, "type": "User", "name": "Ann", "attributes": {"country": "SE"},
        "group": {"id": "g", "type": "Company"},
    });
    json!({
        "id": format!("p-{}", who.user), "entities": [entity],
        "exposures": [{
            "codename": "checkout_button", "hashkey": "9300001201101", "variation": "orange",
            "entity": entity, "methodCalled": "getVariation", "timestamp": iso(who.shown_at()),
        }],
        "events": [{
            "name": "Purchase", "properties": {"plan": "Gold", "revenue": 4200, "value": 1.5},
            "entity": entity, "timestamp": iso(who.at_ms),
        }],
        "sdkInfo": {"name": "js", "version": "3.0.16"}, "detectedFlags": ["search"],
    })
}

/// 429 and 5xx are sent again, 400 is dropped.
pub(super) const SEGMENT: Form = Form {
    path: "/segment/v1/batch",
    valid: segment,
    text: "/batch/1/properties/sku",
    is_form: false,
    is_exposed_before: false,
    statuses: &[200, 400],
};

fn segment(who: &Who) -> Value {
    let properties = json!({
        "experiment_id": "9300001201101", "experiment_name": "checkout_button",
        "variation_id": "1652302", "variation_name": "orange",
    });
    json!({
        "batch": [
            {"type": "track", "userId": who.user, "messageId": format!("x-{}", who.user),
             "originalTimestamp": iso(who.shown_at()), "event": "Experiment Viewed", "properties": properties},
            {"type": "track", "userId": who.user, "anonymousId": "browser",
             "messageId": format!("e-{}", who.user), "timestamp": iso(who.at_ms),
             "event": "Purchase", "context": {"traits": {"country": "SE"}}, "integrations": {},
             "properties": {"revenue": 19.99, "currency": "EUR", "value": "1.5", "sku": "a-1"}},
        ],
        "sentAt": iso(who.at_ms + 1_000), "writeKey": "k", "context": {"traits": {"age": 34}},
    })
}

/// Sent once, whatever the answer is.
pub(super) const THRIVESTACK: Form = Form {
    path: "/track",
    valid: thrivestack,
    text: "/1/properties/sku",
    is_form: false,
    is_exposed_before: false,
    statuses: &[200, 400, 413],
};

fn thrivestack(who: &Who) -> Value {
    json!([
        {"event_name": "Experiment Viewed", "user_id": who.user, "timestamp": iso(who.shown_at()),
         "properties": {"experiment_name": "checkout_button", "variation_name": "orange"}},
        {"event_name": "purchase", "user_id": who.user, "timestamp": iso(who.at_ms),
         "properties": {"revenue": 49.9, "currency": "USD", "value": 2, "sku": "a-1"},
         "context": {"group_id": "g", "country": "SE", "traits": {"age": 34}}},
    ])
}

/// Whatever is not 200 with a result is sent again, before all else. So it has to be without a key, which the
/// settings may name soon.
pub(super) const COUNTLY: Form = Form {
    path: "/i",
    valid: countly,
    text: "/events/0/segmentation/item_name",
    is_form: true,
    is_exposed_before: false,
    statuses: &[200, 400],
};

fn countly(who: &Who) -> Value {
    json!({
        "app_key": "key", "device_id": who.user, "timestamp": who.shown_at().to_string(),
        "hour": "23", "dow": "5", "tz": "0", "sdk_name": "web", "sdk_version": "26.1.1", "t": "0", "rr": "3",
        "method": "ab_enroll_variant", "key": "checkout_button", "variant": "orange",
        "metrics": {"_os": "Ubuntu"}, "user_details": {"name": "Ann", "custom": {"country": "SE"}},
        "old_device_id": "", "events": [{
            "key": "purchase", "count": 1, "sum": 1.5, "dur": 2, "timestamp": who.at_ms,
            "hour": 23, "dow": 5, "id": format!("e-{}", who.user), "cvid": "",
            "segmentation": {"item_name": "rolex", "size": 7},
        }],
    })
}

pub(super) const COUNTLY_BULK: Form = Form {
    path: "/i/bulk",
    valid: countly_bulk,
    text: "/requests/0/events/0/segmentation/item_name",
    is_form: true,
    is_exposed_before: false,
    statuses: &[200, 400],
};

fn countly_bulk(who: &Who) -> Value {
    let mut request = countly(who);
    request.as_object_mut().unwrap().remove("app_key");
    json!({"app_key": "key", "requests": [request]})
}

/// Sent once, whatever the answer is.
pub(super) const ONBOARDFLOW: Form = Form {
    path: "/api/v1/tracker/event/",
    valid: onboardflow,
    text: "/meta/title",
    is_form: false,
    is_exposed_before: true,
    statuses: &[200, 400, 413],
};

fn onboardflow(who: &Who) -> Value {
    json!({
        "s": "key", "event": "CUSTOM", "value": "purchase", "event_date": who.at_ms / 1_000,
        "site_user": {"id": who.user, "customer_id": "c", "custom_properties": {"country": "SE"}},
        "meta": {"title": "Cart", "revenue": 9.5}, "session_id": "s-1",
    })
}
