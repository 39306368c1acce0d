//! What the thread of one sink does: read a batch, hand it over until it is taken, go on.
//!
//! Must not know the other sinks, but for what none of them needs any more.

use std::any::Any;
use std::error::Error as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use super::progress::Progress;
use crate::attribution::Record;
use crate::error::Error;
use crate::events::sink::Sink;
use crate::store::{Cursor, Step, Store};

/// The most records that a sink gets at once.
const LARGEST_BATCH: usize = 500;
/// How long an idle thread sleeps in the store, which cannot be woken for the end of the delivery.
const IDLE: Duration = Duration::from_millis(50);
/// How long a thread lets records gather after it has taken all that waited: each look at the store
/// disturbs those who fill it.
const GATHERING: Duration = Duration::from_millis(1);
const SHORTEST_BACK_OFF: Duration = Duration::from_millis(100);
const LONGEST_BACK_OFF: Duration = Duration::from_secs(30);

pub(super) struct Carrier {
    pub(super) place: usize,
    /// Its name in the store, which is its own among the sinks.
    pub(super) name: Box<str>,
    pub(super) sink: Box<dyn Sink>,
    pub(super) store: Arc<dyn Store>,
    pub(super) progress: Arc<Progress>,
}

impl Carrier {
    pub(super) fn run(mut self) {
        while !self.progress.is_stopping() {
            let hurries = self.progress.hurries();
            let after = self.progress.through(self.place);
            let batch = match self.store.outbox(after, LARGEST_BATCH, IDLE) {
                Ok(batch) => batch,
                Err(error) => {
                    self.pause(&error);
                    continue;
                }
            };
            let Some(&(through, _)) = batch.last() else { continue };
            let records: Vec<_> = batch.into_iter().map(|(_, record)| record).collect();
            if self.hand_over(&records) {
                let cursor = Cursor { through, state: Box::default() };
                let step = Step { cursor, ..Step::default() };
                match self.store.advance(&self.name, step) {
                    Ok(()) => self.progress.note_delivered(self.place, through, records.len()),
                    Err(error) => self.pause(&error),
                }
                if records.len() < LARGEST_BATCH {
                    self.progress.back_off(GATHERING, hurries);
                }
            }
        }
    }

    /// Waits a while because the store cannot be used.
    fn pause(&self, error: &Error) {
        self.progress.note_failure(self.place, text_with_causes(error));
        self.progress
            .back_off(LONGEST_BACK_OFF.min(SHORTEST_BACK_OFF * 10), self.progress.hurries());
    }

    /// Asks the sink until it takes the records; false if the delivery ends before.
    fn hand_over(&mut self, records: &[Arc<Record>]) -> bool {
        let mut delay = SHORTEST_BACK_OFF;
        loop {
            let hurries = self.progress.hurries();
            let Err(error) = self.deliver(records) else { return true };
            self.progress.note_failure(self.place, error);
            let is_hurried = self.progress.back_off(delay, hurries);
            if self.progress.is_stopping() {
                return false;
            }
            delay = if is_hurried { SHORTEST_BACK_OFF } else { (delay * 2).min(LONGEST_BACK_OFF) };
        }
    }

    fn deliver(&mut self, records: &[Arc<Record>]) -> Result<(), String> {
        // A sink that panicked is asked again like any other: what it left behind is its own affair.
        match catch_unwind(AssertUnwindSafe(|| self.sink.deliver(records))) {
            Ok(delivered) => delivered.map_err(|error| text_with_causes(&error)),
            Err(panic) => Err(format!("the sink panicked: {}", text_of_panic(&*panic))),
        }
    }
}

fn text_with_causes(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

fn text_of_panic(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a word")
}
