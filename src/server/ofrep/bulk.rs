//! `POST /ofrep/v1/evaluate/flags`: all flags, for clients that keep them and ask again.
//!
//! Must not know how a decision is made. It exposes nobody to anything unless that is set: clients have all
//! flags long before they use one. An answer is tagged by all that it depends on, since some clients ask
//! with the tag of another context.

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};

use super::asking::{Asking, principal};
use super::context::Context;
use super::events::streams_of;
use super::fault::Fault;
use super::flag::{Answering, was_refused};
use super::single::options;
use super::wire::{BulkAnswer, BulkMetadata, FlagAnswer};
use crate::client::{DecideOptions, Decision, Snapshot};
use crate::datafile::Datafile;
use crate::server::answer::{By, JSON};
use crate::server::app::App;
use crate::server::asked::Asked;
use crate::server::datafiles::published;
use crate::server::environment::Environment;
use crate::server::etag::{etag, is_among};
use crate::server::refusal::Refusal;

/// Which datafile a stream told of, where that made the client ask.
const CONFIG_ETAG: &str = "flagConfigEtag";
/// Whoever keeps it asks each time whether it is still the one, and never for somebody else.
const ASK_FIRST: HeaderValue = HeaderValue::from_static("private, no-cache");

pub(super) async fn evaluate(
    State(app): State<Arc<App>>,
    query: Result<Asked, Refusal>,
    request: Request,
) -> Result<Response, Fault> {
    let query = query?;
    let mut asking = Asking::read(&app, request).await?;
    let context = Context::taken_from(&mut asking.body)?;
    let Asking { environment, headers, .. } = &asking;
    let snapshot = environment.client.snapshot();
    let datafile = snapshot.datafile().ok_or_else(Fault::not_ready)?;
    let bulk = Bulk {
        environment,
        snapshot: &snapshot,
        config: config_tag(environment, datafile),
        answering: Answering { datafile, context: &context, settings: &app.settings.ofrep },
    };
    let response = bulk.answer(&query, headers);
    Ok(By(environment, datafile.revision(), response).into_response())
}

/// In their order, those that expose in the place of those that do not.
fn with(mut exposed: HashMap<String, Decision>, decisions: Vec<Decision>) -> Vec<Decision> {
    decisions.into_iter().map(|one| exposed.remove(&one.flag_key).unwrap_or(one)).collect()
}

struct Bulk<'a> {
    environment: &'a Environment,
    snapshot: &'a Snapshot<'a>,
    /// Of the datafile, as streams tell it.
    config: HeaderValue,
    answering: Answering<'a>,
}

impl Bulk<'_> {
    fn answer(&self, query: &Asked, headers: &HeaderMap) -> Response {
        let decisions = self.decide(DecideOptions::DISABLE_DECISION_EVENT);
        decisions.iter().for_each(|decision| self.environment.figures.decided(decision));
        let body = self.body(&decisions);
        let tag = self.tag(headers, &body);
        let (mut response, is_recorded) = if self.is_as_told(query) && is_among(&tag, headers) {
            (StatusCode::NOT_MODIFIED.into_response(), true)
        } else {
            self.whole(decisions, body)
        };
        let head = response.headers_mut();
        head.insert(CACHE_CONTROL, ASK_FIRST);
        // With the tag, who asks again would not be exposed again.
        if is_recorded {
            head.insert(ETAG, tag);
        }
        response
    }

    /// The whole answer is what exposes, where bulk evaluations do: who is told that nothing has changed
    /// was exposed to it before. Says also whether the store took all of it.
    fn whole(&self, decisions: Vec<Decision>, mut body: Vec<u8>) -> (Response, bool) {
        let mut is_recorded = true;
        if self.answering.settings.bulk_activates {
            let exposed = self.expose(&decisions);
            exposed.values().for_each(|decision| self.environment.figures.exposed(decision));
            is_recorded = !exposed.values().any(was_refused);
            body = self.body(&with(exposed, decisions));
        }
        let mut response = Response::new(Body::from(body));
        response.headers_mut().insert(CONTENT_TYPE, JSON);
        (response, is_recorded)
    }

    /// Decides flags that have a value once more, by their keys: without one, nobody is shown anything of it.
    fn expose(&self, decisions: &[Decision]) -> HashMap<String, Decision> {
        let with_value = decisions.iter().filter(|one| self.answering.success(one).is_ok());
        let keys: Vec<&str> = with_value.map(|one| one.flag_key.as_str()).collect();
        let user = self.answering.context.user(self.snapshot);
        let exposed = user.decide_for_keys(&keys, options(self.answering.context));
        exposed.into_iter().map(|decision| (decision.flag_key.clone(), decision)).collect()
    }

    fn decide(&self, options: DecideOptions) -> Vec<Decision> {
        self.answering.context.user(self.snapshot).decide_all(options)
    }

    fn body(&self, decisions: &[Decision]) -> Vec<u8> {
        let flag = |decision| match self.answering.success(decision) {
            Ok(answer) => FlagAnswer::Success(answer),
            Err(no_value) => FlagAnswer::Failure(no_value.among_others(&decision.flag_key)),
        };
        let answer = BulkAnswer {
            flags: decisions.iter().map(flag).collect(),
            metadata: BulkMetadata {
                environment: self.environment.name(),
                revision: self.datafile().revision(),
            },
            event_streams: streams_of(self.environment, self.answering.settings),
        };
        // There is nothing in it that JSON does not know.
        let mut body = serde_json::to_vec(&answer).unwrap_or_default();
        body.push(b'\n');
        body
    }

    fn datafile(&self) -> &Datafile {
        self.answering.datafile
    }

    /// Over the datafile, the context, who asks, and the answer itself.
    fn tag(&self, headers: &HeaderMap, body: &[u8]) -> HeaderValue {
        let mut parts = principal(headers);
        parts.extend([
            self.environment.name().as_bytes(),
            self.config.as_bytes(),
            self.answering.context.canonical.as_bytes(),
            body,
        ]);
        // With their lengths, so that no two lists of parts are the same text.
        let mut text = Vec::new();
        for part in parts {
            text.extend(part.len().to_be_bytes());
            text.extend(part);
        }
        etag(&text)
    }

    /// Whether the datafile in force is the one that a stream told the client of, if one did. If not, it
    /// has to see for itself.
    fn is_as_told(&self, query: &Asked) -> bool {
        let own = self.config.as_bytes();
        let told = query.first(CONFIG_ETAG).map(|told| told.strip_prefix("W/").unwrap_or(told));
        told.is_none_or(|told| told.as_bytes() == own || format!("\"{told}\"").as_bytes() == own)
    }
}

/// The tag of a datafile, which is most often the published one.
fn config_tag(environment: &Environment, datafile: &Arc<Datafile>) -> HeaderValue {
    match published(environment) {
        Some(published) if Arc::ptr_eq(&published.datafile, datafile) => published.etag.clone(),
        _ => etag(datafile.text().as_bytes()),
    }
}
