//! `GET /events/verify`: whether what a running daemon can look at is whole.
//!
//! Must not know how things are kept. Records, dead letters, sinks and datafiles can be looked at while it runs;
//! rows, ids, totals and journals only when nobody writes: `variate events verify --store` does that. Many records
//! are gone through in parts: `next` says where to go on.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};

use super::reading::{Look, read};
use super::wire::VerifiedAnswer;
use crate::error::Error;
use crate::server::answer::Json;
use crate::server::app::App;
use crate::server::asked::Asked;
use crate::server::refusal::{Refusal, error_chain};
use crate::store::{Outbox as _, Retained};

/// Records are looked at in stretches of so many.
const STRETCH: u64 = 1024;
const LETTERS_AT_ONCE: usize = 1000;
const NOT_LOOKED_AT: [&str; 4] = ["rows", "ids", "totals", "journals"];

pub(super) async fn verify(State(app): State<Arc<App>>, asked: Asked) -> Result<Response, Refusal> {
    asked.only(&[&["after"]])?;
    let after = asked.number("after")?.unwrap_or(0);
    let verified = read(&app, move |app| verified(app, after)).await?;
    Ok(Json(verified).into_response())
}

fn verified(app: &App, after: u64) -> Result<VerifiedAnswer, Error> {
    let retained = app.store.retained()?;
    let mut answer = VerifiedAnswer {
        is_sound: true,
        is_complete: false,
        next: after,
        records: 0,
        dead_letters: 0,
        sinks: 0,
        datafiles: 0,
        faults: Vec::new(),
        not_looked_at: NOT_LOOKED_AT,
    };
    // What is beside the records is looked at once, with the first of them.
    if after == 0 {
        look_beside(app, &retained, &mut answer)?;
    }
    look_at_records(app, &retained, &mut answer);
    answer.is_sound = answer.faults.is_empty();
    Ok(answer)
}

fn look_at_records(app: &App, retained: &Retained, answer: &mut VerifiedAnswer) {
    let look = Look::start(app);
    let mut first = answer.next.saturating_add(1).max(retained.oldest);
    while first <= retained.latest {
        let last = first.saturating_add(STRETCH - 1).min(retained.latest);
        let found = app.store.retained_records(first, last);
        let through = found.through.min(last);
        let expected = through.saturating_add(1).saturating_sub(first);
        let there = found.records.len() as u64;
        answer.records += there;
        let missing = expected.saturating_sub(there).saturating_sub(found.unreadable);
        // The oldest may have been tidied away meanwhile.
        let is_tidied = app.store.retained().is_ok_and(|now| now.oldest > first);
        if found.unreadable > 0 {
            let count = found.unreadable;
            answer
                .faults
                .push(format!("{count} of the records {first} to {through} cannot be read"));
        }
        if missing > 0 && !is_tidied {
            answer
                .faults
                .push(format!("{missing} of the records {first} to {through} are missing"));
        }
        answer.next = through;
        first = through.saturating_add(1);
        if look.is_over() && first <= retained.latest {
            return;
        }
    }
    answer.is_complete = true;
}

fn look_beside(app: &App, retained: &Retained, answer: &mut VerifiedAnswer) -> Result<(), Error> {
    for (sink, cursor) in app.store.cursors()? {
        answer.sinks += 1;
        // Sinks go on while this is looked at: only the store's latest now is beyond them.
        if cursor.through > retained.latest.max(app.store.latest()) {
            answer.faults.push(format!("sink {sink} is beyond the latest record"));
        }
    }
    match app.store.kept_datafiles() {
        Ok(kept) => answer.datafiles = kept.len() as u64,
        Err(error) => answer.faults.push(error_chain(&error)),
    }
    let look = Look::start(app);
    let mut after = 0;
    while !look.is_over() {
        match app.store.dead_letters(after, LETTERS_AT_ONCE) {
            Ok(letters) => {
                let Some(last) = letters.last() else { break };
                after = last.number;
                answer.dead_letters += letters.len() as u64;
            }
            Err(error) => {
                answer.faults.push(error_chain(&error));
                break;
            }
        }
    }
    Ok(())
}
