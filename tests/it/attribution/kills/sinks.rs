//! The sinks of the writer: a file that is exact, and two that post to a destination which fails.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use variate::attribution::Record;
use variate::error::Error;
use variate::events::{
    AttributionMode, Batch, Encoded, EventApiSettings, EventApiSink, FileSettings, FileSink, Pace,
    Sink, Undelivered, WebhookSettings, WebhookSink,
};

use super::writer::say;

pub(super) const WEBHOOK: &str = "/hook";
pub(super) const EVENT_API: &str = "/v1/events";
/// How long a request may take.
pub(super) const TIMEOUT: Duration = Duration::from_millis(150);
/// Every event is at every sink, credited or not.
pub(super) const MODE: AttributionMode = AttributionMode::Backend;
/// The file is rotated all the time.
const FILE_BYTES: u64 = 300_000;

/// The file, as long as it is not rotated.
pub(super) fn file(folder: &Path) -> PathBuf {
    folder.join("records.ndjson")
}

/// Of batches as large as these, in records.
pub(super) fn sinks(folder: &Path, port: u16, sizes: [usize; 3]) -> Vec<Box<dyn Sink>> {
    let pace = |size: usize| Pace {
        batch_records: size,
        batch_bytes: 200_000,
        first_back_off: Duration::from_millis(1),
        longest_back_off: Duration::from_millis(30),
        ..Pace::default()
    };
    let most_bytes = Some(FILE_BYTES);
    let settings = FileSettings { mode: MODE, most_bytes, pace: pace(sizes[0]), is_daily: false };
    let exact = Watched { path: file(folder), sink: FileSink::with(file(folder), settings) };
    let address = |path: &str| format!("http://127.0.0.1:{port}{path}");
    let hook = WebhookSettings {
        mode: MODE,
        timeout: TIMEOUT,
        pace: pace(sizes[1]),
        ..WebhookSettings::new(address(WEBHOOK))
    };
    let api = EventApiSettings {
        url: Some(address(EVENT_API)),
        mode: MODE,
        timeout: TIMEOUT,
        pace: pace(sizes[2]),
    };
    let (hook, api) = (WebhookSink::new(hook).unwrap(), EventApiSink::new(api).unwrap());
    vec![Box::new(exact), Box::new(hook), Box::new(api)]
}

/// Says when the file had a batch already: the process before was killed before the store learned of it.
struct Watched {
    path: PathBuf,
    sink: FileSink,
}

impl Watched {
    fn length(&self) -> u64 {
        fs::metadata(&self.path).map_or(0, |found| found.len())
    }
}

impl Sink for Watched {
    fn name(&self) -> &str {
        self.sink.name()
    }

    fn deliver(&mut self, batch: &Batch) -> Result<(), Undelivered> {
        let before = self.length();
        self.sink.deliver(batch)?;
        if self.length() == before && batch.records().next().is_some() {
            say("passed", "");
        }
        Ok(())
    }

    fn encode(&self, record: &Record) -> Option<Encoded> {
        self.sink.encode(record)
    }

    fn pace(&self) -> Pace {
        self.sink.pace()
    }

    fn open(&mut self, state: &str) -> Result<(), Error> {
        self.sink.open(state)
    }

    fn state(&self) -> String {
        self.sink.state()
    }
}
