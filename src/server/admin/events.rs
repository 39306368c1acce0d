//! `GET /events`: the records that are kept, delivered ones too, in their order.
//!
//! Must not know sinks. A line of JSON a record, as file sinks write it; `format=json` gives one object with
//! the numbers of the records. `after` is the number to go on from, `limit` how many are looked at, and
//! `type`, `environment`, `user` leave others out. The header `Variate-Next` says what `after` comes next.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponse as _, Response};
use serde_json::value::RawValue;

use super::wire::{EventsAnswer, NumberedRecord};
use crate::attribution::Record;
use crate::error::Error;
use crate::events::record_json;
use crate::server::answer::Json;
use crate::server::app::App;
use crate::server::asked::Asked;
use crate::server::refusal::Refusal;
use crate::store::DurableStore;

const NEXT: HeaderName = HeaderName::from_static("variate-next");
const NDJSON: HeaderValue = HeaderValue::from_static("application/x-ndjson");
const USUAL_LIMIT: u64 = 100;
const MOST_AT_ONCE: u64 = 10_000;

pub(super) async fn events(State(app): State<Arc<App>>, asked: Asked) -> Result<Response, Refusal> {
    let after = asked.number("after")?.unwrap_or(0);
    let limit = asked.number("limit")?.unwrap_or(USUAL_LIMIT).clamp(1, MOST_AT_ONCE);
    let is_json = match asked.first("format") {
        None | Some("ndjson") => false,
        Some("json") => true,
        Some(other) => {
            let text = format!("format {other:?} is unknown: use ndjson or json");
            return Err(Refusal::bad_request(text));
        }
    };
    let filter = Filter::new(&asked)?;
    let store = Arc::clone(&app.store);
    let read = tokio::task::spawn_blocking(move || page(&store, after, limit, &filter)).await;
    let page = read.map_err(|error| Refusal::unreadable(&Error::sink(error)))?;
    let page = page.map_err(|error| Refusal::unreadable(&error))?;
    let next = page.next;
    let mut response = if is_json { Json(page).into_response() } else { lines(&page) };
    response.headers_mut().insert(NEXT, next.into());
    Ok(response)
}

/// Which records are meant.
struct Filter {
    kind: Option<String>,
    environment: Option<String>,
    user_id: Option<String>,
}

impl Filter {
    fn new(asked: &Asked) -> Result<Self, Refusal> {
        let text = |name| asked.first(name).map(str::to_owned);
        let kind = text("type");
        match kind.as_deref() {
            None | Some("impression" | "conversion") => {}
            Some(other) => {
                let text = format!("type {other:?} is unknown: use impression or conversion");
                return Err(Refusal::bad_request(text));
            }
        }
        Ok(Self { kind, environment: text("environment"), user_id: text("user") })
    }

    fn takes(&self, record: &Record) -> bool {
        let kind = match record {
            Record::Impression(_) => "impression",
            Record::Conversion(_) => "conversion",
        };
        let about = record.about();
        self.kind.as_deref().is_none_or(|wanted| wanted == kind)
            && self.environment.as_deref().is_none_or(|wanted| wanted == &*about.environment)
            && self.user_id.as_deref().is_none_or(|wanted| wanted == &*about.user_id)
    }
}

fn page(
    store: &DurableStore,
    after: u64,
    limit: u64,
    filter: &Filter,
) -> Result<EventsAnswer, Error> {
    let retained = store.retained()?;
    let first = after.saturating_add(1).max(retained.oldest);
    let last = first.saturating_add(limit - 1).min(retained.latest);
    let found = if first > last { None } else { Some(store.retained_records(first, last)) };
    let found = found.unwrap_or_default();
    let wanted = found.records.iter().filter(|(_, record)| filter.takes(record));
    let numbered = wanted.filter_map(|(sequence, record)| {
        // What is written here is JSON.
        let record = RawValue::from_string(record_json(record)).ok()?;
        Some(NumberedRecord { sequence: *sequence, record })
    });
    Ok(EventsAnswer {
        records: numbered.collect(),
        // A page may be shorter than what was asked for.
        next: found.through.max(after),
        oldest: retained.oldest,
        latest: retained.latest,
        unreadable: found.unreadable,
    })
}

fn lines(page: &EventsAnswer) -> Response {
    let mut text = String::new();
    for numbered in &page.records {
        text.push_str(numbered.record.get());
        text.push('\n');
    }
    let mut response = Response::new(Body::from(text));
    response.headers_mut().insert(CONTENT_TYPE, NDJSON);
    response
}
