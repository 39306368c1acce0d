//! Which environment a request is for, by its header.
//!
//! Must not know what is asked of it. It is chosen before the body is looked at.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::HeaderName;
use axum::http::request::Parts;
use serde_json::{Map, Value};

use crate::attribution::Origin;
use crate::client::{Snapshot, UserContext};
use crate::server::app::App;
use crate::server::environment::Environment;
use crate::server::guard::Caller;
use crate::server::refusal::Refusal;

const SDK_KEY: HeaderName = HeaderName::from_static("x-optimizely-sdk-key");

/// The environment that the header `X-Optimizely-SDK-Key` chooses.
#[derive(Debug)]
pub(super) struct Chosen(pub(super) Arc<Environment>);

impl FromRequestParts<Arc<App>> for Chosen {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Refusal> {
        let Ok(caller) = Caller::from_request_parts(parts, app).await;
        let key = parts.headers.get(SDK_KEY).map(|key| key.as_bytes());
        app.environments.chosen(key, &caller).map(|environment| Self(Arc::clone(environment)))
    }
}

/// A user as a body gives one.
pub(super) fn user<'a>(
    snapshot: &'a Snapshot<'_>,
    user_id: &'a str,
    attributes: Option<&'a Map<String, Value>>,
) -> UserContext<'a> {
    let user = snapshot.user(user_id).from_origin(Origin::Agent);
    let attributes = attributes.into_iter().flatten();
    attributes.fold(user, |user, (key, value)| user.with(key, value))
}
