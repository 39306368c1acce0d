//! Which environment a request is for, by its header.
//!
//! Must not know what is asked of it. It is chosen before the body is looked at.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, StatusCode};
use serde_json::{Map, Value};

use crate::attribution::Origin;
use crate::client::{Snapshot, UserContext};
use crate::server::app::App;
use crate::server::environment::Environment;
use crate::server::guard::Caller;
use crate::server::refusal::Refusal;

const SDK_KEY: HeaderName = HeaderName::from_static("x-optimizely-sdk-key");

/// So much of a user is in one answer at most, over all its parts.
const MOST_REPEATED_BYTES: usize = 8 << 20;

/// The environment that the header `X-Optimizely-SDK-Key` chooses.
#[derive(Debug)]
pub(in crate::server) struct Chosen(pub(super) Arc<Environment>);

impl Chosen {
    /// The one that who asks may ask.
    pub(in crate::server) fn by(
        app: &App,
        headers: &HeaderMap,
        caller: &Caller,
    ) -> Result<Self, Refusal> {
        let key = headers.get(SDK_KEY).map(|key| key.as_bytes());
        let chosen = app.environments.chosen(key, caller);
        let chosen = chosen.inspect_err(|refusal| {
            if refusal.is_unknown_key() {
                app.misses_environment();
            }
        });
        chosen.map(|environment| Self(Arc::clone(environment)))
    }
}

impl FromRequestParts<Arc<App>> for Chosen {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Refusal> {
        Self::by(app, &parts.headers, &Caller::of(&parts.extensions))
    }
}

/// Answers name the user in each of their parts. Who asks for many with much must not fill the memory.
pub(super) fn check_repeated(
    parts: usize,
    user_id: &str,
    attributes: Option<&Map<String, Value>>,
) -> Result<(), Refusal> {
    let attributes = attributes.into_iter().flatten();
    let of_attributes: usize = attributes.map(|(key, value)| key.len() + size(value)).sum();
    if parts.saturating_mul(user_id.len() + of_attributes) <= MOST_REPEATED_BYTES {
        return Ok(());
    }
    let text = format!(
        "the answer would repeat more than {MOST_REPEATED_BYTES} bytes of the user: ask for fewer keys at once"
    );
    Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, text))
}

/// About how long a value is as JSON; how deep it is, its reader has bounded.
fn size(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len() + 2,
        Value::Array(values) => values.iter().map(|value| size(value) + 1).sum::<usize>() + 2,
        Value::Object(members) => {
            members.iter().map(|(key, value)| key.len() + size(value) + 4).sum::<usize>() + 2
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => 8,
    }
}

/// A user as a body gives one.
pub(super) fn user<'a>(
    snapshot: &'a Snapshot<'_>,
    user_id: &'a str,
    attributes: Option<&'a Map<String, Value>>,
) -> UserContext<'a> {
    let user = snapshot.user(user_id).from_origin(Origin::Agent);
    user.with_all(attributes.into_iter().flatten())
}
