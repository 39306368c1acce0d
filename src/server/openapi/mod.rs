//! `GET /openapi.json`: what can be asked of a listener, for programs.
//!
//! Must not know how anything is answered. The document is put together of parts, one for each interface, that
//! stand beside this file, and of what each operation `needs`; a test holds that every route is in it, and the other
//! way round.

mod needs;

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use axum::routing::get;
use serde_json::Value;

use super::answer::JSON;
use super::app::App;
use super::listener::Side;
use super::refusal::Refusal;

const OF_ALL: &str = include_str!("common.json");
const OF_ACCESS: &str = include_str!("access.json");
/// What the API answers; a new interface adds its part here.
const OF_API: &[&str] = &[
    OF_ALL,
    include_str!("api.json"),
    include_str!("agent.json"),
    include_str!("arranged.json"),
    include_str!("datafiles.json"),
    include_str!("ofrep.json"),
    include_str!("tracking.json"),
    OF_ACCESS,
];
const OF_ADMIN: &[&str] =
    &[OF_ALL, include_str!("admin.json"), include_str!("overrides.json"), OF_ACCESS];

static API: LazyLock<Option<Bytes>> = LazyLock::new(|| document(Side::Api, OF_API));
static ADMIN: LazyLock<Option<Bytes>> = LazyLock::new(|| document(Side::Admin, OF_ADMIN));

pub(super) fn routes(side: Side) -> Router<Arc<App>> {
    let answer = move || async move {
        let document = match side {
            Side::Api => &*API,
            Side::Admin => &*ADMIN,
        };
        let document = document.clone().ok_or_else(Refusal::defect)?;
        let mut response = Response::new(Body::from(document));
        response.headers_mut().insert(CONTENT_TYPE, JSON);
        Ok::<_, Refusal>(response)
    };
    Router::new().route("/openapi.json", get(answer))
}

/// The parts as one; `None` where one of them is no JSON.
fn document(side: Side, parts: &[&str]) -> Option<Bytes> {
    let mut whole = Value::Null;
    for part in parts {
        add(&mut whole, serde_json::from_str(part).ok()?);
    }
    needs::add(side, &mut whole);
    if let Some(version) = whole.pointer_mut("/info/version") {
        *version = Value::from(env!("CARGO_PKG_VERSION"));
    }
    let mut text = whole.to_string().into_bytes();
    text.push(b'\n');
    Some(text.into())
}

/// Objects are put together, member by member, and lists one behind the other; of all else the later stands.
fn add(whole: &mut Value, part: Value) {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => {
            for (name, value) in part {
                add(whole.entry(name).or_insert(Value::Null), value);
            }
        }
        (Value::Array(whole), Value::Array(part)) => whole.extend(part),
        (whole, part) => *whole = part,
    }
}
