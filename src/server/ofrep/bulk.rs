//! `POST /ofrep/v1/evaluate/flags`: all flags, for clients that keep them and ask again.
//!
//! Must not know how a decision is made. It exposes nobody to anything unless that is set: clients have all
//! flags long before they use one. An answer is tagged by all that it depends on, since some clients ask
//! with the tag of another context.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use tokio::time::timeout;

use super::asking::{Asking, principal};
use super::context::Context;
use super::events::streams_of;
use super::fault::Fault;
use super::flag::{Answering, was_refused};
use super::single::options;
use super::wire::{BulkAnswer, BulkMetadata, FlagAnswer};
use crate::client::{Decision, Snapshot, Unsettled};
use crate::datafile::Datafile;
use crate::server::answer::{By, JSON};
use crate::server::app::App;
use crate::server::asked::Asked;
use crate::server::datafiles::published;
use crate::server::environment::Environment;
use crate::server::etag::{etag, is_among};
use crate::server::refusal::Refusal;
use crate::store::Receipt;

/// Which datafile a stream told of, where that made the client ask.
const CONFIG_ETAG: &str = "flagConfigEtag";
/// Whoever keeps it asks each time whether it is still the one, and never for somebody else.
const ASK_FIRST: HeaderValue = HeaderValue::from_static("private, no-cache");
/// An answer waits so long for the disk, where it exposes.
const A_MOMENT: Duration = Duration::from_millis(250);

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
        is_only: app.environments.only().is_some(),
        snapshot: &snapshot,
        config: config_tag(environment, datafile),
        answering: Answering {
            datafile,
            context: &context,
            settings: &app.settings.ofrep,
            has_profiles: environment.profiles.is_some(),
        },
    };
    let response = bulk.answer(&query, headers).await;
    Ok(By(environment, datafile.revision(), response).into_response())
}

struct Bulk<'a> {
    environment: &'a Environment,
    is_only: bool,
    snapshot: &'a Snapshot<'a>,
    /// Of the datafile, as streams tell it.
    config: HeaderValue,
    answering: Answering<'a>,
}

impl Bulk<'_> {
    async fn answer(&self, query: &Asked, headers: &HeaderMap) -> Response {
        let user = self.answering.context.user(self.snapshot);
        let options = options(self.answering.context);
        let unsettled = user.decide_all_unsettled(self.answering.datafile, options);
        let body = self.body(unsettled.iter().map(Unsettled::decision));
        let tag = self.tag(headers, &body);
        let (mut response, is_recorded) = if self.is_as_told(query) && is_among(&tag, headers) {
            // Who is told that nothing has changed was exposed to it before.
            self.settle(unsettled, false);
            (StatusCode::NOT_MODIFIED.into_response(), true)
        } else {
            let is_shown = self.answering.settings.bulk_activates;
            self.whole(self.settle(unsettled, is_shown), body).await
        };
        let head = response.headers_mut();
        head.insert(CACHE_CONTROL, ASK_FIRST);
        // With the tag, who asks again would not be exposed again.
        if is_recorded {
            head.insert(ETAG, tag);
        }
        response
    }

    /// The whole answer is what exposes, where bulk evaluations do. Says also whether all of that is stored.
    async fn whole(&self, mut decisions: Vec<Decision>, mut body: Vec<u8>) -> (Response, bool) {
        let is_stored = self.are_stored(&mut decisions).await;
        let is_recorded = !decisions.iter().any(was_refused);
        if !is_recorded {
            body = self.body(decisions.iter());
        }
        let mut response = Response::new(Body::from(body));
        response.headers_mut().insert(CONTENT_TYPE, JSON);
        (response, is_recorded && is_stored)
    }

    /// Waits until all that was recorded is stored, but no more than a moment: an answer never needs the disk.
    /// What was not stored says so.
    async fn are_stored(&self, decisions: &mut [Decision]) -> bool {
        let receipts = decisions.iter_mut().flat_map(|decision| &mut decision.receipts);
        let storing = async {
            for receipt in receipts {
                if let Err(cause) = (&mut *receipt).await {
                    *receipt = Receipt::refused(cause);
                }
            }
        };
        timeout(A_MOMENT, storing).await.is_ok()
    }

    /// Of a flag without a value nobody is shown anything, whatever is shown of the others.
    fn settle(&self, unsettled: Vec<Unsettled<'_, '_>>, is_shown: bool) -> Vec<Decision> {
        let settled = unsettled.into_iter().map(|one| {
            let is_exposed = is_shown && self.answering.success(one.decision()).is_ok();
            one.settle(is_exposed)
        });
        settled.inspect(|decision| self.environment.figures.decided(decision)).collect()
    }

    fn body<'d>(&self, decisions: impl Iterator<Item = &'d Decision>) -> Vec<u8> {
        let flag = |decision: &'d Decision| match self.answering.success(decision) {
            Ok(answer) => FlagAnswer::Success(answer),
            Err(no_value) => FlagAnswer::Failure(no_value.among_others(&decision.flag_key)),
        };
        let answer = BulkAnswer {
            flags: decisions.map(flag).collect(),
            metadata: BulkMetadata {
                environment: self.environment.name(),
                revision: self.datafile().revision(),
            },
            event_streams: streams_of(self.environment, self.is_only, self.answering.settings),
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
            // Who was told when nobody was exposed was not exposed.
            if self.answering.settings.bulk_activates { b"shown" } else { b"" },
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
