//! `GET /events/tail`: the latest records, the latest last, a line of JSON each.
//!
//! Must not know sinks. Where filters leave nearly all of them out, it looks back as far as it has time.

use std::collections::VecDeque;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use super::asked_for::{filter, placed};
use super::events::lines;
use super::reading::{Look, work};
use crate::error::Error;
use crate::events::{RecordFilter, record_json};
use crate::server::app::App;
use crate::server::asked::Asked;
use crate::server::refusal::Refusal;

const USUAL_LIMIT: u64 = 10;
const MOST_AT_ONCE: u64 = 1000;
/// Records are looked at in stretches of so many.
const STRETCH: u64 = 1024;

pub(super) async fn tail(State(app): State<Arc<App>>, asked: Asked) -> Result<Response, Refusal> {
    let limit = asked.number("limit")?.unwrap_or(USUAL_LIMIT).min(MOST_AT_ONCE);
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let filter = filter(&asked, &["limit"])?;
    let latest = work(&app, move |app| {
        let filter = placed(app, filter)?;
        latest(app, &filter, limit).map_err(|error| Refusal::unreadable(&error))
    })
    .await?;
    Ok(lines(latest.iter().map(String::as_str)))
}

fn latest(app: &App, filter: &RecordFilter, limit: usize) -> Result<VecDeque<String>, Error> {
    let look = Look::start(app);
    let retained = app.store.retained()?;
    let oldest = filter.first().max(retained.oldest);
    let mut found = VecDeque::new();
    let mut end = retained.latest.saturating_add(1);
    while found.len() < limit && oldest < end && !look.is_over() {
        let first = end.saturating_sub(STRETCH).max(oldest);
        let mut meant = VecDeque::new();
        let mut next = first;
        while next < end {
            let looked_at = app.store.retained_records(next, end - 1);
            let records = looked_at.records.iter().filter(|(_, record)| filter.takes(record));
            meant.extend(records.map(|(_, record)| record_json(record)));
            let excess = meant.len().saturating_sub(limit - found.len());
            meant.drain(..excess);
            next = looked_at.through.saturating_add(1);
        }
        meant.into_iter().rev().for_each(|record| found.push_front(record));
        end = first;
    }
    Ok(found)
}
