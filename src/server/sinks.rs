//! The sinks of the settings, each in the mode of the environment that a record is of.
//!
//! Must not know what any of them does with records.

use crate::attribution::Record;
use crate::error::Error;
use crate::events::{AttributionMode, Batch, Encoded, Pace, Sink, SinkTarget, Undelivered};
use crate::settings::{ServeSettings, SinkSettings};
use crate::store::is_own_file;

/// All sinks, in the order of the settings. `modes` are those of environments that have one of their own,
/// by their names.
pub(super) fn build(
    settings: &ServeSettings,
    modes: &[(Box<str>, AttributionMode)],
) -> Result<Vec<Box<dyn Sink>>, Error> {
    let own = |sink: &SinkSettings| match &sink.to {
        SinkTarget::File(path) if is_own_file(path, &settings.data_dir) => {
            let text = format!(
                "sink {} would write into a file of the store: give another name or place",
                sink.to
            );
            Err(Error::settings(text))
        }
        _ => one(settings, sink, modes),
    };
    settings.sinks.iter().map(own).collect()
}

fn one(
    settings: &ServeSettings,
    sink: &SinkSettings,
    modes: &[(Box<str>, AttributionMode)],
) -> Result<Box<dyn Sink>, Error> {
    let secret = sink.secret.as_deref().or(settings.webhook_secret.as_deref());
    let in_mode = |mode| sink.build(mode, secret);
    let usual = sink.attribution.unwrap_or(settings.attribution);
    let others: Vec<Box<str>> = match sink.attribution {
        Some(_) => Vec::new(),
        None => {
            modes.iter().filter(|(_, mode)| *mode != usual).map(|(name, _)| name.clone()).collect()
        }
    };
    if others.is_empty() {
        return in_mode(usual);
    }
    let other = match usual {
        AttributionMode::Activated => AttributionMode::Backend,
        AttributionMode::Backend => AttributionMode::Activated,
    };
    Ok(Box::new(Divided { usual: in_mode(usual)?, other: in_mode(other)?, others }))
}

/// One sink for environments of both modes. How a record is written depends on the mode and is asked of
/// either; where it goes does not, so that only one is ever opened and given batches.
struct Divided {
    usual: Box<dyn Sink>,
    /// Only writes.
    other: Box<dyn Sink>,
    /// The environments that are in its mode.
    others: Vec<Box<str>>,
}

impl Sink for Divided {
    fn name(&self) -> &str {
        self.usual.name()
    }

    fn deliver(&mut self, batch: &Batch) -> Result<(), Undelivered> {
        self.usual.deliver(batch)
    }

    fn encode(&self, record: &Record) -> Option<Encoded> {
        let environment = &*record.about().environment;
        let is_other = self.others.iter().any(|name| **name == *environment);
        if is_other { self.other.encode(record) } else { self.usual.encode(record) }
    }

    fn pace(&self) -> Pace {
        self.usual.pace()
    }

    fn open(&mut self, state: &str) -> Result<(), Error> {
        self.usual.open(state)
    }

    fn state(&self) -> String {
        self.usual.state()
    }

    fn warning(&mut self) -> Option<String> {
        self.usual.warning()
    }
}
