//! Where all that a source gives is judged, put in force, kept and written down.
//!
//! Must not know how or when the source is asked. Whoever puts something in force does so with the book
//! in hand, so that datafiles come into force one after the other; the status can be read meanwhile.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::acceptance::{Order, Verdict, judge};
use super::status::{CameFrom, SourceStatus};
use super::supplied::{Fetched, FetchedText, LastGood, Supplied, Taker, Trouble, Validators};
use super::tally::Tally;
use crate::clock::{Clock, TimeMs};
use crate::datafile::{Compiled, Datafile};
use crate::error::Error;

/// What a desk is told of its source.
#[derive(Debug)]
pub(super) struct About {
    /// What it is called, without secrets.
    pub(super) name: Box<str>,
    /// What tells it from every other source.
    pub(super) fingerprint: Box<str>,
    pub(super) gives: CameFrom,
    pub(super) order: Order,
    pub(super) stale_after_ms: u64,
}

#[derive(Debug)]
pub(super) struct Desk {
    about: About,
    clock: Arc<Clock>,
    book: Mutex<Book>,
    tally: Mutex<Tally>,
}

#[derive(Debug, Default)]
struct Book {
    in_force: Option<Supplied>,
    held_back: Option<Supplied>,
    /// Whether the text in force is what the next start begins with.
    is_kept: bool,
    taker: Option<Taker>,
}

/// How asking a source ended.
#[derive(Debug)]
pub(super) enum Settled {
    Well,
    Badly { retry_after: Option<Duration> },
}

impl Desk {
    pub(super) fn new(about: About, clock: Arc<Clock>) -> Self {
        let tally = Mutex::new(Tally::new(&about.name, about.stale_after_ms));
        Self { about, clock, book: Mutex::default(), tally }
    }

    pub(super) fn name(&self) -> &str {
        &self.about.name
    }

    pub(super) fn status(&self) -> SourceStatus {
        let now_ms = self.clock.now_ms();
        self.tally.lock().status(now_ms)
    }

    pub(super) fn datafile(&self) -> Option<Arc<Datafile>> {
        self.book.lock().in_force.as_ref().map(|supplied| Arc::clone(&supplied.datafile))
    }

    /// What came with the text in force.
    pub(super) fn validators(&self) -> Validators {
        let book = self.book.lock();
        book.in_force.as_ref().map(|supplied| supplied.validators.clone()).unwrap_or_default()
    }

    /// Begins with a datafile that is the program's own, where there is nothing better.
    pub(super) fn fall_back(&self, datafile: Arc<Datafile>) {
        let mut book = self.book.lock();
        if book.in_force.is_none() {
            let now_ms = self.clock.now_ms();
            let supplied = Supplied {
                datafile,
                finding_count: 0,
                came_from: CameFrom::Embedded,
                fetched_at_ms: now_ms,
                validators: Validators::default(),
            };
            self.put(&mut book, supplied, now_ms);
        }
    }

    /// Begins with the last good text of an earlier run, if this source gave it and has given nothing
    /// itself; by the same rules as if it came from there now.
    pub(super) fn restore(&self, last_good: LastGood) {
        let LastGood { text, fetched_at_ms, source, validators, .. } = last_good;
        let mut book = self.book.lock();
        if source != self.about.fingerprint {
            return;
        }
        let in_force = book.in_force.as_ref();
        if in_force.is_some_and(|supplied| supplied.came_from == self.about.gives) {
            book.is_kept = in_force.is_some_and(|supplied| supplied.datafile.text() == &*text);
            return;
        }
        let now_ms = self.clock.now_ms();
        let in_force = in_force.map(|supplied| &*supplied.datafile);
        match judge(text.as_bytes(), in_force, None, self.about.order) {
            Verdict::Taken(compiled) => {
                let supplied = Supplied::new(compiled, CameFrom::Store, fetched_at_ms);
                self.put(&mut book, Supplied { validators, ..supplied }, now_ms);
            }
            Verdict::Unchanged => {
                book.confirm(CameFrom::Store, Some(validators));
                self.tally_in_force(&book);
            }
            // Lower than what the program brings along: not worth waiting for somebody to accept it.
            Verdict::HeldBack(_) | Verdict::StillHeldBack => return,
            Verdict::Refused(error) => {
                let text = format!("the datafile in the store cannot be used: {error}");
                return self.tally.lock().note_keep_problem(now_ms, Some(text));
            }
        }
        book.is_kept = true;
        self.tally.lock().note_earlier_success(fetched_at_ms, now_ms);
    }

    /// From now on datafiles go to the taker, and what is in force already is kept.
    pub(super) fn open(&self, taker: Taker) {
        let mut book = self.book.lock();
        book.taker = Some(taker);
        self.keep(&mut book, self.clock.now_ms());
    }

    pub(super) fn note_attempt(&self) {
        let now_ms = self.clock.now_ms();
        self.tally.lock().note_attempt(now_ms);
    }

    pub(super) fn note_next_attempt(&self, delay: Duration) {
        let delay_ms = TimeMs::try_from(delay.as_millis()).unwrap_or(TimeMs::MAX);
        let at_ms = self.clock.now_ms().saturating_add(delay_ms);
        self.tally.lock().note_next_attempt(at_ms);
    }

    pub(super) fn note_failure(&self, text: String) {
        let now_ms = self.clock.now_ms();
        self.tally.lock().note_failure(now_ms, text);
    }

    pub(super) fn note_keep_problem(&self, text: String) {
        let now_ms = self.clock.now_ms();
        self.tally.lock().note_keep_problem(now_ms, Some(text));
    }

    pub(super) fn note_watch_problem(&self, text: Option<String>) {
        let now_ms = self.clock.now_ms();
        self.tally.lock().note_watch_problem(now_ms, text);
    }

    /// Settles what asking the source gave.
    pub(super) fn settle(&self, fetched: Result<Fetched, Trouble>) -> Settled {
        let mut book = self.book.lock();
        let now_ms = self.clock.now_ms();
        let taken = match fetched {
            #[cfg(feature = "http")]
            Ok(Fetched::Confirmed) => {
                book.confirm(self.about.gives, None);
                Ok(None)
            }
            Ok(Fetched::Text(text)) => self.judge_text(&mut book, text, now_ms),
            Err(trouble) => Err(trouble),
        };
        let taken = match taken {
            Ok(taken) => taken,
            Err(Trouble { text, retry_after }) => {
                self.tally.lock().note_failure(now_ms, text);
                return Settled::Badly { retry_after };
            }
        };
        self.tally.lock().note_success(now_ms);
        match taken {
            Some(supplied) => self.put(&mut book, supplied, now_ms),
            None => self.tally_in_force(&book),
        }
        self.keep(&mut book, now_ms);
        Settled::Well
    }

    /// Puts in force what is held back, if it is of this revision.
    pub(super) fn accept(&self, revision: &str) -> bool {
        let mut book = self.book.lock();
        let Some(supplied) =
            book.held_back.take_if(|held_back| held_back.datafile.revision() == revision)
        else {
            return false;
        };
        let now_ms = self.clock.now_ms();
        self.put(&mut book, supplied, now_ms);
        self.keep(&mut book, now_ms);
        true
    }

    /// Gives what is to be put in force.
    fn judge_text(
        &self,
        book: &mut Book,
        text: FetchedText,
        now_ms: TimeMs,
    ) -> Result<Option<Supplied>, Trouble> {
        let FetchedText { bytes, validators, said_to_be } = text;
        let supplied = |compiled: Compiled| {
            let supplied = Supplied::new(compiled, self.about.gives, now_ms);
            Supplied { validators: validators.clone(), ..supplied }
        };
        let verdict = judge(&bytes, book.datafile(), book.datafile_held_back(), self.about.order);
        match verdict {
            Verdict::Unchanged => book.confirm(self.about.gives, Some(validators)),
            Verdict::Taken(compiled) => return Ok(Some(supplied(compiled))),
            Verdict::HeldBack(compiled) => book.held_back = Some(supplied(compiled)),
            Verdict::StillHeldBack => {}
            Verdict::Refused(error) => return Err(self.refusal(&error, said_to_be)),
        }
        Ok(None)
    }

    fn refusal(&self, error: &Error, said_to_be: Option<String>) -> Trouble {
        let came = said_to_be.map(|what| format!(" (it came as {what})")).unwrap_or_default();
        Trouble::new(format!("{} gave what cannot be used{came}: {error}", self.about.name))
    }

    /// The status says it first: whoever sees the datafile finds it there.
    fn put(&self, book: &mut Book, supplied: Supplied, now_ms: TimeMs) {
        let datafile = Arc::clone(&supplied.datafile);
        book.in_force = Some(supplied);
        book.held_back = None;
        book.is_kept = false;
        self.tally.lock().note_change(now_ms);
        self.tally_in_force(book);
        if let Some(taker) = &mut book.taker {
            (taker.put_in_force)(datafile);
        }
    }

    /// Keeps the text in force for the next start, unless that was done, or it is the program's own.
    fn keep(&self, book: &mut Book, now_ms: TimeMs) {
        let Book { in_force: Some(supplied), is_kept: false, taker: Some(taker), .. } = book else {
            return;
        };
        if supplied.came_from == CameFrom::Embedded {
            return;
        }
        let last_good = LastGood {
            text: supplied.datafile.text().into(),
            revision: supplied.datafile.revision().into(),
            fetched_at_ms: supplied.fetched_at_ms,
            source: self.about.fingerprint.clone(),
            validators: supplied.validators.clone(),
        };
        let kept = (taker.keep)(last_good);
        book.is_kept = kept.is_ok();
        let problem = kept.err().map(|error| {
            format!("the datafile is in force, but is not there after a restart: {error}")
        });
        self.tally.lock().note_keep_problem(now_ms, problem);
    }

    fn tally_in_force(&self, book: &Book) {
        let mut tally = self.tally.lock();
        if let Some(supplied) = &book.in_force {
            tally.note_in_force(supplied);
        }
        tally.note_held_back(book.held_back.as_ref());
    }
}

impl Book {
    fn datafile(&self) -> Option<&Datafile> {
        self.in_force.as_ref().map(|supplied| &*supplied.datafile)
    }

    fn datafile_held_back(&self) -> Option<&Datafile> {
        self.held_back.as_ref().map(|supplied| &*supplied.datafile)
    }

    /// The source says again what is in force: nothing else waits to be accepted any more.
    fn confirm(&mut self, came_from: CameFrom, validators: Option<Validators>) {
        self.held_back = None;
        if let Some(supplied) = &mut self.in_force {
            supplied.came_from = came_from;
            if let Some(validators) = validators {
                supplied.validators = validators;
            }
        }
    }
}
