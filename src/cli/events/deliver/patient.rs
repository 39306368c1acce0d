//! A sink that is asked again as long as the command runs, and whose records never grow too old.
//!
//! Must not know what kind of sink it is.

use std::time::Duration;

use crate::attribution::Record;
use crate::error::Error;
use crate::events::{Batch, Encoded, Pace, Sink, Undelivered};

/// How long an unavailable sink is left alone at most: somebody sits there and waits.
const LONGEST_BACK_OFF: Duration = Duration::from_secs(2);

pub(super) struct Patient(pub(super) Box<dyn Sink>);

impl Sink for Patient {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn pace(&self) -> Pace {
        Pace {
            batch_age: Duration::ZERO,
            longest_back_off: LONGEST_BACK_OFF,
            give_up_after: Duration::MAX,
            ..self.0.pace()
        }
    }

    fn deliver(&mut self, batch: &Batch) -> Result<(), Undelivered> {
        self.0.deliver(batch)
    }

    fn encode(&self, record: &Record) -> Option<Encoded> {
        self.0.encode(record)
    }

    fn open(&mut self, state: &str) -> Result<(), Error> {
        self.0.open(state)
    }

    fn state(&self) -> String {
        self.0.state()
    }

    fn warning(&mut self) -> Option<String> {
        self.0.warning()
    }
}
