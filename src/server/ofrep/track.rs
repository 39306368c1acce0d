//! `POST /ofrep/v1/track/{key}`: what a user did, acknowledged when it is stored. An extension: its parts
//! are those of OpenFeature's tracking, a name, a context and details.
//!
//! Must not know the attribution rule.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Map, Value};

use super::asking::{Asking, Keyed};
use super::context::Context;
use super::fault::{Code, Fault};
use super::wire::TrackAnswer;
use crate::client::{Track, Tracked};
use crate::datafile::Datafile;
use crate::server::answer::{By, Json};
use crate::server::app::App;
use crate::server::slips::{MOST_LOOKED_AT, Slip, told};
use crate::server::wire::parts::CreditsAnswer;
use crate::server::wire::whole;

pub(super) async fn track(State(app): State<Arc<App>>, keyed: Keyed) -> Result<Response, Fault> {
    let Keyed { key, asking, context } = keyed;
    record(&app, &key, asking, &context).await.map_err(|fault| fault.about(&key))
}

async fn record(
    app: &App,
    key: &str,
    mut asking: Asking,
    context: &Context,
) -> Result<Response, Fault> {
    if context.targeting_key.is_none() {
        let details = "somebody did it: send {\"context\": {\"targetingKey\": \"the user's id\"}}";
        return Err(Fault::new(Code::TargetingKeyMissing, details));
    }
    let said = Said::taken_from(&mut asking.body)?;
    let environment = &asking.environment;
    let snapshot = environment.client.snapshot();
    let tracked = context.user(&snapshot).track(said.call(key));
    let Tracked { is_known, duplicate, made_id, credits, reason, receipt, .. } = tracked;
    environment.stored(receipt).await?;
    environment.figures.tracked(&credits, reason);
    if !is_known {
        let details = format!("there is no event {key:?}: look at the key, and at the environment");
        return Err(Fault::not_found(details));
    }
    let revision = snapshot.datafile().map_or("", |datafile| Datafile::revision(datafile));
    let made_id = made_id.map(|id| id.to_string());
    let answer = TrackAnswer {
        key,
        event_id: said.event_id.as_deref().or(made_id.as_deref()),
        credits: CreditsAnswer(&credits),
        reason: reason.map(|reason| reason.as_str()),
        duplicate,
        revision,
    };
    let response = By(environment, revision, Json(answer)).into_response();
    Ok(told(app, environment, said.slips(&asking.body), response))
}

/// What is said of an event beside its name and its user.
struct Said {
    details: Map<String, Value>,
    event_id: Option<String>,
    time_ms: Option<i64>,
}

impl Said {
    fn taken_from(body: &mut Map<String, Value>) -> Result<Self, Fault> {
        let wrong = |details: &'static str| Err(Fault::new(Code::ParseError, details));
        let details = match body.remove("details") {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(details)) => details,
            Some(_) => {
                return wrong("the details are no object: send {\"details\": {\"value\": 1}}");
            }
        };
        let event_id = match body.remove("eventId") {
            None | Some(Value::Null) => None,
            Some(Value::String(id)) => Some(id).filter(|id| !id.is_empty()),
            Some(_) => return wrong("the eventId is no text: send it in quotes"),
        };
        let time_ms = match body.remove("timestamp") {
            None | Some(Value::Null) => None,
            Some(time) => match whole::<_, i64>(&time) {
                Ok(time_ms) => time_ms,
                Err(_) => {
                    return wrong("the timestamp is no whole number: send milliseconds since 1970");
                }
            },
        };
        Ok(Self { details, event_id, time_ms })
    }

    /// What is left of the body is not looked at, but for what looks like a slip in what is.
    fn slips(&self, left: &Map<String, Value>) -> impl Iterator<Item = Slip> {
        let (has_id, has_time) = (self.event_id.is_some(), self.time_ms.is_some());
        let is_missing = move |slip: &Slip| match slip {
            Slip::EventId => !has_id,
            Slip::Timestamp | Slip::Seconds => !has_time,
        };
        let of_field = |name: &String| Slip::of_field(name);
        let of_fields = left.keys().take(MOST_LOOKED_AT).filter_map(of_field).filter(is_missing);
        of_fields.take(1).chain(Slip::of_time(self.time_ms))
    }

    /// The details are the tags; `value` and `revenue` among them mean what they mean there.
    fn call<'a>(&'a self, key: &'a str) -> Track<'a> {
        let mut call = Track::new(key);
        if let Some(id) = &self.event_id {
            call = call.id(id);
        }
        if let Some(time_ms) = self.time_ms {
            call = call.time_ms(time_ms);
        }
        if !self.details.is_empty() {
            call = call.tags(self.details.clone());
        }
        call
    }
}
