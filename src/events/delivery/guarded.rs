//! A sink whose panics are answers like others.
//!
//! Must not know what is done with the answers.

use std::any::Any;
use std::error::Error as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use crate::attribution::Record;
use crate::error::Error;
use crate::events::batch::{Batch, Encoded};
use crate::events::sink::{Pace, Sink, Undelivered};

/// How a sink answered, in words.
#[derive(Debug)]
pub(super) enum Answer {
    Taken,
    Unavailable { error: String, retry_after: Option<Duration> },
    Refused { reason: Box<str> },
}

/// What a sink that panicked leaves behind is its own affair: it is asked again like any other.
pub(super) struct Guarded(pub(super) Box<dyn Sink>);

impl Guarded {
    pub(super) fn name(&self) -> Result<String, Error> {
        guard(|| self.0.name().to_owned())
            .map_err(|panic| Error::sink_call("a sink does not tell its name", panic))
    }

    pub(super) fn pace(&self, name: &str) -> Result<Pace, Error> {
        guard(|| self.0.pace()).map_err(|panic| {
            Error::sink_call(format!("sink {name:?} does not tell its pace"), panic)
        })
    }

    pub(super) fn open(&mut self, name: &str, state: &str) -> Result<(), Error> {
        guard(|| self.0.open(state)).unwrap_or_else(|panic| {
            Err(Error::sink_call(format!("sink {name:?} could not be opened"), panic))
        })
    }

    /// Its state; `None` if it panics.
    pub(super) fn state(&self) -> Option<String> {
        guard(|| self.0.state()).ok()
    }

    pub(super) fn warning(&mut self) -> Option<String> {
        guard(|| self.0.warning()).unwrap_or_else(Some)
    }

    pub(super) fn encode(&self, record: &Record) -> Result<Option<Encoded>, String> {
        guard(|| self.0.encode(record))
    }

    pub(super) fn deliver(&mut self, batch: &Batch) -> Answer {
        match guard(|| self.0.deliver(batch)) {
            Ok(Ok(())) => Answer::Taken,
            Ok(Err(Undelivered::Unavailable { cause, retry_after })) => {
                Answer::Unavailable { error: text_with_causes(&cause), retry_after }
            }
            Ok(Err(Undelivered::Refused { reason })) => Answer::Refused { reason },
            Err(error) => Answer::Unavailable { error, retry_after: None },
        }
    }
}

fn guard<T>(call: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(call))
        .map_err(|panic| format!("the sink panicked: {}", text_of_panic(&*panic)))
}

pub(super) fn text_with_causes(error: &Error) -> String {
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
