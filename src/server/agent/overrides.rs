//! `POST /v1/override`: a variation for one user, as long as somebody wants it.
//!
//! Must not know where overrides are kept. Who, why and until when are extensions of the body: `owner`,
//! `reason`, and `expiresAt` (milliseconds since the epoch) or `ttl` (milliseconds, or a span such as `1h`).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRequest as _, State};
use axum::http::Request;
use axum::response::{IntoResponse as _, Response};
use serde_json::Value;

use super::chosen::Chosen;
use super::wire::arranged::{OverrideAnswer, OverrideBody};
use crate::clock::{TimeMs, system_time_ms};
use crate::datafile::Datafile;
use crate::error::Error;
use crate::server::answer::{Json, switched_off};
use crate::server::app::App;
use crate::server::asked::Said;
use crate::server::refusal::Refusal;
use crate::server::wire::{Whole, whole};
use crate::settings::Span;
use crate::store::Override;

/// What is switched off.
pub(in crate::server) const SWITCHED_OFF: &str = "Overrides not enabled";
/// Longer texts are refused: all overrides are in memory.
const LONGEST_TEXT: usize = 1000;

pub(super) async fn set(
    State(app): State<Arc<App>>,
    Chosen(environment): Chosen,
    request: Request<Body>,
) -> Result<Response, Refusal> {
    if !app.settings.agent.overrides {
        return Ok(switched_off(&app, SWITCHED_OFF, "agent.overrides"));
    }
    let Said(body) = Said::<OverrideBody>::from_request(request, &app).await?;
    let slips: Vec<_> = body.slips().collect();
    let wanted = wanted(body, system_time_ms())?;
    let mut messages = Vec::new();
    let is_removed = wanted.variation_key.is_empty();
    if !is_removed {
        messages.extend(fault(environment.client.datafile().as_deref(), &wanted));
    }
    let mut answer = OverrideAnswer::of(&wanted);
    // On a task of its own: who goes away meanwhile leaves store and memory alike.
    let its = Arc::clone(&environment);
    let doing = tokio::spawn(async move {
        if is_removed {
            let (user_id, experiment_key) = (&wanted.user_id, &wanted.experiment_key);
            its.remove_override(&app.store, user_id, experiment_key).await
        } else {
            its.set_override(&app.store, wanted).await
        }
    });
    let done = async {
        doing.await.unwrap_or_else(|error| Err(environment.not_stored(&Error::sink(error))))
    };
    let before = environment.in_time(done).await?;
    match (is_removed, before.is_some()) {
        (false, true) => messages.push("updating previous override"),
        (false, false) => {}
        (true, true) => messages.push("removing previous override"),
        (true, false) => messages.push("no pre-existing override"),
    }
    messages.extend(slips);
    answer.prev_variation_key = before.map(|before| before.variation_key).unwrap_or_default();
    answer.messages = Some(messages).filter(|messages| !messages.is_empty());
    Ok(Json(answer).into_response())
}

/// What Agent says where an override cannot count. It is kept all the same: the datafile may change.
fn fault(datafile: Option<&Datafile>, wanted: &Override) -> Option<&'static str> {
    let Some(datafile) = datafile else {
        return Some("override cannot be validated via configuration");
    };
    let Some(experiment) = datafile.experiment_by_key(&wanted.experiment_key) else {
        return Some("experimentKey not found in configuration");
    };
    let variation = experiment.variation_by_key(&wanted.variation_key);
    variation.is_none().then_some("variationKey not found in configuration")
}

fn wanted(body: OverrideBody, now_ms: TimeMs) -> Result<Override, Refusal> {
    let OverrideBody { user_id, experiment_key, variation_key, owner, reason, .. } = body;
    let user_id = user_id.unwrap_or_default();
    let experiment_key = experiment_key.unwrap_or_default();
    for (name, text) in [("userId", &user_id), ("experimentKey", &experiment_key)] {
        if text.is_empty() {
            return Err(Refusal::bad_request(format!("{name} cannot be empty")));
        }
    }
    let expires_at_ms = expires_at_ms(body.expires_at, body.ttl.as_ref(), now_ms)?;
    let wanted = Override {
        user_id: user_id.into(),
        experiment_key: experiment_key.into(),
        variation_key: variation_key.unwrap_or_default().into(),
        owner: owner.filter(|owner| !owner.is_empty()).map(Into::into),
        reason: reason.filter(|reason| !reason.is_empty()).map(Into::into),
        set_at_ms: now_ms,
        expires_at_ms,
    };
    let texts = [
        ("userId", &*wanted.user_id),
        ("experimentKey", &wanted.experiment_key),
        ("variationKey", &wanted.variation_key),
        ("owner", wanted.owner.as_deref().unwrap_or_default()),
        ("reason", wanted.reason.as_deref().unwrap_or_default()),
    ];
    match texts.iter().find(|(_, text)| text.len() > LONGEST_TEXT) {
        Some((name, _)) => Err(Refusal::bad_request(format!(
            "{name} is longer than {LONGEST_TEXT} bytes: give a shorter one"
        ))),
        None => Ok(wanted),
    }
}

fn expires_at_ms(
    expires_at: Option<Whole<TimeMs>>,
    ttl: Option<&Value>,
    now_ms: TimeMs,
) -> Result<Option<TimeMs>, Refusal> {
    let wrong_ttl = || {
        Refusal::bad_request(
            "ttl cannot be used: give milliseconds, or a span such as 30m, 1h or 2d",
        )
    };
    let ttl_ms = match ttl {
        None => None,
        Some(Value::String(text)) => Some(text.parse::<Span>().map_err(|_| wrong_ttl())?.as_ms()),
        Some(ttl) => Some(whole(ttl).ok().flatten().ok_or_else(wrong_ttl)?),
    };
    let wanted = match (expires_at, ttl_ms) {
        (Some(_), Some(_)) => {
            return Err(Refusal::bad_request("expiresAt and ttl say the same: give one of them"));
        }
        (None, Some(ttl_ms)) => Some(now_ms.saturating_add(ttl_ms)),
        (expires_at, None) => expires_at.map(|Whole(at_ms)| at_ms),
    };
    if wanted.is_some_and(|at_ms| at_ms <= now_ms) {
        return Err(Refusal::bad_request(
            "the override would be over already: give a later time, in milliseconds since the epoch",
        ));
    }
    Ok(wanted)
}
