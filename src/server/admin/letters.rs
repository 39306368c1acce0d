//! `GET /events/dead`, `POST /events/dead/retry`, `POST /events/dead/drop`: what sinks did not take.
//!
//! Must not know how letters are kept. Many are gone through in parts: each answer says whether it is all,
//! and where to go on.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};

use super::asked_for::{filter, kind, placed};
use super::reading::{Look, work};
use super::told::Told;
use super::wire::{DroppedAnswer, LettersAnswer, LettersBody, RetriedAnswer};
use crate::error::Error;
use crate::events::{LetterJson, RecordFilter};
use crate::server::answer::Json;
use crate::server::app::App;
use crate::server::asked::Asked;
use crate::server::refusal::Refusal;
use crate::store::{DeadLetter, Outbox as _};

const USUAL_LIMIT: u64 = 100;
const MOST_AT_ONCE: u64 = 1000;
/// As many letters are read at once, and as many are asked for or dropped in one commit.
const LETTERS_AT_ONCE: usize = 1000;

pub(super) async fn list(State(app): State<Arc<App>>, asked: Asked) -> Result<Response, Refusal> {
    let after = asked.number("after")?.unwrap_or(0);
    let limit = asked.number("limit")?.unwrap_or(USUAL_LIMIT).clamp(1, MOST_AT_ONCE);
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let filter = filter(&asked, &["after", "limit"])?;
    let answer = work(&app, move |app| {
        let filter = placed(app, filter)?;
        let mut dead_letters = Vec::new();
        let through = go_through(app, after, &filter, &mut |letter| {
            dead_letters.push(LetterJson::new(&letter));
            Ok(dead_letters.len() < limit)
        });
        let through = through.map_err(|error| Refusal::unreadable(&error))?;
        Ok(LettersAnswer { dead_letters, next: through.next, is_complete: through.is_complete })
    });
    Ok(Json(answer.await?).into_response())
}

pub(super) async fn retry(
    State(app): State<Arc<App>>,
    Told(body): Told<LettersBody>,
) -> Result<Response, Refusal> {
    let answer = work(&app, move |app| {
        let Chosen { whole, gone, unknown, through } = choose(app, &body)?;
        let retried = app.delivery.retry_dead_letters(&whole);
        let retried = retried.map_err(|error| app.not_stored(&error))?;
        let Through { next, is_complete } = through;
        Ok(RetriedAnswer { retried, gone, unknown, next, is_complete })
    });
    Ok(Json(answer.await?).into_response())
}

pub(super) async fn drop_letters(
    State(app): State<Arc<App>>,
    Told(body): Told<LettersBody>,
) -> Result<Response, Refusal> {
    let answer = work(&app, move |app| {
        let Chosen { mut whole, gone, unknown, through } = choose(app, &body)?;
        whole.extend(gone);
        let dropped = app.store.drop_dead_letters(&whole);
        let dropped = dropped.map_err(|error| app.not_stored(&error))?;
        let Through { next, is_complete } = through;
        Ok(DroppedAnswer { dropped, unknown, next, is_complete })
    });
    Ok(Json(answer.await?).into_response())
}

/// How far letters were gone through.
struct Through {
    next: u64,
    is_complete: bool,
}

/// Letters that a body means.
struct Chosen {
    /// Those with a record.
    whole: Vec<u64>,
    /// Those that stand for records that are gone.
    gone: Vec<u64>,
    /// Numbers that no letter has.
    unknown: Vec<u64>,
    through: Through,
}

impl Chosen {
    fn add(&mut self, letter: &DeadLetter) {
        let chosen = if letter.record.is_some() { &mut self.whole } else { &mut self.gone };
        chosen.push(letter.number);
    }
}

fn choose(app: &App, body: &LettersBody) -> Result<Chosen, Refusal> {
    let filter = placed(app, filter_of(body)?)?;
    let numbers: BTreeSet<u64> = body.numbers.iter().flatten().copied().collect();
    if body.all == Some(false) {
        return Err(Refusal::bad_request("all is false: give true, or leave it out"));
    }
    let is_all = body.all.is_some();
    if numbers.is_empty() && !is_all && filter.is_open() {
        return Err(Refusal::bad_request(
            "which dead letters? give numbers, a filter such as sink, or all: true",
        ));
    }
    let is_by_number = body.numbers.is_some();
    if is_by_number && (is_all || body.after.is_some() || !filter.is_open()) {
        return Err(Refusal::bad_request("give numbers, or a filter, or all: true: not several"));
    }
    if numbers.len() > LETTERS_AT_ONCE {
        let text = format!("these are more than {LETTERS_AT_ONCE} numbers: give fewer at once");
        return Err(Refusal::bad_request(text));
    }
    let chosen = if numbers.is_empty() {
        by_filter(app, body.after.unwrap_or(0), &filter)
    } else {
        by_number(app, numbers)
    };
    chosen.map_err(|error| Refusal::unreadable(&error))
}

fn filter_of(body: &LettersBody) -> Result<RecordFilter, Refusal> {
    Ok(RecordFilter {
        environment: body.environment.clone(),
        user: body.user.clone(),
        kind: body.r#type.as_deref().map(kind).transpose()?,
        event: body.event.clone(),
        experiment: body.experiment.clone(),
        since_ms: body.since,
        until_ms: body.until,
        sink: body.sink.clone(),
        delivered: 0,
    })
}

fn by_number(app: &App, numbers: BTreeSet<u64>) -> Result<Chosen, Error> {
    let through = Through { next: 0, is_complete: true };
    let mut chosen = Chosen { whole: Vec::new(), gone: Vec::new(), unknown: Vec::new(), through };
    for number in numbers {
        let found = match number.checked_sub(1) {
            Some(before) => app.store.dead_letters(before, 1)?.pop(),
            None => None,
        };
        match found.filter(|letter| letter.number == number) {
            Some(letter) => chosen.add(&letter),
            None => chosen.unknown.push(number),
        }
    }
    Ok(chosen)
}

fn by_filter(app: &App, after: u64, filter: &RecordFilter) -> Result<Chosen, Error> {
    let through = Through { next: after, is_complete: true };
    let mut chosen = Chosen { whole: Vec::new(), gone: Vec::new(), unknown: Vec::new(), through };
    let mut count = 0;
    chosen.through = go_through(app, after, filter, &mut |letter| {
        chosen.add(&letter);
        count += 1;
        Ok(count < LETTERS_AT_ONCE)
    })?;
    Ok(chosen)
}

/// Gives letters that are meant, until whoever takes them has enough, or the time is over.
fn go_through(
    app: &App,
    after: u64,
    filter: &RecordFilter,
    take: &mut dyn FnMut(DeadLetter) -> Result<bool, Error>,
) -> Result<Through, Error> {
    let look = Look::start(app);
    let mut next = after;
    loop {
        let letters = app.store.dead_letters(next, LETTERS_AT_ONCE)?;
        if letters.is_empty() {
            return Ok(Through { next, is_complete: true });
        }
        for letter in letters {
            next = letter.number;
            if filter.takes_letter(&letter) && !take(letter)? {
                let is_complete = app.store.dead_letters(next, 1)?.is_empty();
                return Ok(Through { next, is_complete });
            }
        }
        if look.is_over() {
            return Ok(Through { next, is_complete: false });
        }
    }
}
