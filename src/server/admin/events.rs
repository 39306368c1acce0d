//! `GET /events`: the records that are kept, delivered ones too, in their order.
//!
//! Must not know sinks. A line of JSON a record, as file sinks write it; `format=json` gives one object with
//! the numbers of the records. `after` is the number to go on from, `limit` how many are looked at, and
//! the filters leave others out. The header `Variate-Next` says what `after` comes next.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponse as _, Response};
use serde_json::value::RawValue;

use super::asked_for::{filter, placed};
use super::reading::work;
use super::wire::{EventsAnswer, NumberedRecord};
use crate::attribution::Record;
use crate::error::Error;
use crate::events::{RecordFilter, record_json};
use crate::server::answer::Json;
use crate::server::app::App;
use crate::server::asked::Asked;
use crate::server::refusal::Refusal;
use crate::store::DurableStore;

const NEXT: HeaderName = HeaderName::from_static("variate-next");
pub(super) const NDJSON: HeaderValue = HeaderValue::from_static("application/x-ndjson");
const USUAL_LIMIT: u64 = 100;
const MOST_AT_ONCE: u64 = 10_000;

pub(super) async fn events(State(app): State<Arc<App>>, asked: Asked) -> Result<Response, Refusal> {
    let after = asked.number("after")?.unwrap_or(0);
    let limit = asked.number("limit")?.unwrap_or(USUAL_LIMIT).clamp(1, MOST_AT_ONCE);
    let is_json = match asked.all("format").next() {
        None | Some("ndjson") => false,
        Some("json") => true,
        Some(other) => {
            let text = format!("format {other:?} is unknown: use ndjson or json");
            return Err(Refusal::bad_request(text));
        }
    };
    let filter = filter(&asked, &["after", "limit", "format"])?;
    let page = work(&app, move |app| {
        let filter = placed(app, filter)?;
        let page = page(&app.store, after, limit, &filter);
        page.map_err(|error| Refusal::unreadable(&error))
    })
    .await?;
    let next = page.next;
    let mut response = if is_json {
        Json(page).into_response()
    } else {
        lines(page.records.iter().map(|numbered| numbered.record.get()))
    };
    response.headers_mut().insert(NEXT, next.into());
    Ok(response)
}

fn page(
    store: &DurableStore,
    after: u64,
    limit: u64,
    filter: &RecordFilter,
) -> Result<EventsAnswer, Error> {
    let retained = store.retained()?;
    let first = after.saturating_add(1).max(retained.oldest).max(filter.first());
    let last = first.saturating_add(limit - 1).min(retained.latest);
    let found = if first > last { None } else { Some(store.retained_records(first, last)) };
    let found = found.unwrap_or_default();
    let wanted = found.records.iter().filter(|(_, record)| filter.takes(record));
    Ok(EventsAnswer {
        records: wanted.filter_map(|(sequence, record)| numbered(*sequence, record)).collect(),
        // A page may be shorter than what was asked for.
        next: found.through.max(after),
        oldest: retained.oldest,
        latest: retained.latest,
        unreadable: found.unreadable,
    })
}

pub(super) fn numbered(sequence: u64, record: &Record) -> Option<NumberedRecord> {
    // What is written here is JSON.
    let record = RawValue::from_string(record_json(record)).ok()?;
    Some(NumberedRecord { sequence, record })
}

/// A line each.
pub(super) fn lines<'l>(records: impl Iterator<Item = &'l str>) -> Response {
    let mut text = String::new();
    for record in records {
        text.push_str(record);
        text.push('\n');
    }
    let mut response = Response::new(Body::from(text));
    response.headers_mut().insert(CONTENT_TYPE, NDJSON);
    response
}
