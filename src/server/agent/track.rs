//! `POST /v1/track`: what a user did, acknowledged when it is stored.
//!
//! Must not know the attribution rule.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};

use super::chosen::{Chosen, user};
use super::wire::TrackAnswer;
use super::wire::track::TrackBody;
use crate::client::{Track, Tracked};
use crate::datafile::Datafile;
use crate::server::answer::{By, Json};
use crate::server::app::App;
use crate::server::asked::{Asked, Said};
use crate::server::refusal::Refusal;
use crate::server::slips::told;
use crate::server::wire::parts::CreditsAnswer;

pub(in crate::server) async fn track(
    State(app): State<Arc<App>>,
    Chosen(environment): Chosen,
    asked: Asked,
    Said(body): Said<TrackBody>,
) -> Result<Response, Refusal> {
    let slips = body.slips();
    let event_key = asked.first("eventKey");
    let missing = || Refusal::bad_request("missing required path parameter: eventKey");
    let event_key = event_key.ok_or_else(missing)?;
    let user_id = body.user_id.as_deref().unwrap_or_default();
    let event_id = body.event_id.as_deref().filter(|id| !id.is_empty());

    let snapshot = environment.client.snapshot();
    let mut call = Track::new(event_key);
    if let Some(id) = event_id {
        call = call.id(id);
    }
    if let Some(time_ms) = body.time_ms() {
        call = call.time_ms(time_ms);
    }
    if let Some(tags) = body.event_tags {
        call = call.tags(tags);
    }
    let tracked = user(&snapshot, user_id, body.user_attributes.as_ref()).track(call);
    let Tracked { is_known, duplicate, made_id, credits, reason, receipt, .. } = tracked;
    environment.stored(receipt).await?;
    environment.figures.tracked(&credits, reason);

    let revision = snapshot.datafile().map_or("", |datafile| Datafile::revision(datafile));
    let answer = TrackAnswer {
        user_id,
        event_key,
        error: (!is_known).then(|| format!("event with key \"{event_key}\" not found")),
        event_id: event_id.map(str::to_owned).or_else(|| made_id.map(|id| id.to_string())),
        credits: CreditsAnswer(&credits),
        reason: reason.map(|reason| reason.as_str()),
        duplicate,
        revision,
    };
    let response = By(&environment, revision, Json(answer)).into_response();
    Ok(told(&app, &environment, slips, response))
}
