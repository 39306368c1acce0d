//! Countly: what its SDKs send, and what becomes of it.
//!
//! Must not know other systems.

mod bad;
mod bulk;
mod clients;
mod events;
mod remote;
mod signed;

use serde_json::{Value, json};
use variate::settings::Given;

use super::super::http::{Answer, Request, ask};
use super::super::{Daemon, environment};

const SUCCESS: (u16, &str) = (200, "{\"result\":\"Success\"}");
const APP: (&str, &str) = ("app_key", "APP_KEY");

/// The shop, whose event `purchase` is Countly's `item purchase`.
fn shop() -> Daemon {
    shop_with(|_| {})
}

fn shop_with(change: impl FnOnce(&mut Given)) -> Daemon {
    Daemon::with(|given| {
        given.tracking.events.insert("item purchase".to_owned(), "purchase".to_owned());
        change(given);
    })
}

/// A form as SDKs encode it.
fn form(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// Sends a form, byte for byte.
fn post(daemon: &Daemon, path: &str, body: &str) -> Answer {
    let request = Request::new(&format!("POST {path}"));
    let request = request.header("Content-Type", "application/x-www-form-urlencoded");
    ask(daemon.api(), &request.raw_body(body))
}

fn get(daemon: &Daemon, path: &str, query: &str) -> Answer {
    ask(daemon.api(), &Request::new(&format!("GET {path}?{query}")))
}

/// Tells events of a device with success.
#[track_caller]
fn tell(daemon: &Daemon, device: &str, more: &[(&str, &str)], events: &Value) {
    let events = events.to_string();
    let pairs = [&[APP, ("device_id", device), ("events", &events)], more].concat();
    let answer = post(daemon, "/i", &form(&pairs));
    assert_eq!((answer.status, &*answer.body), SUCCESS, "{pairs:?}");
}

/// Activates a user in the checkout button through Agent's interface.
#[track_caller]
fn activate(daemon: &Daemon, user: &str) {
    let body = json!({"userId": user}).to_string();
    let answer = daemon.ask("POST /v1/activate?experimentKey=checkout_button", &body);
    assert_eq!(answer.status, 200, "{}", answer.body);
}

fn purchase() -> Value {
    json!([{"key": "item purchase", "count": 1}])
}

fn now_ms() -> i64 {
    variate::clock::system_time_ms()
}
