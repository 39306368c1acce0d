//! Which records and dead letters are meant, by whoever looks after a store.
//!
//! Must not know where they come from, nor how a filter was written.

use crate::attribution::Record;
use crate::clock::TimeMs;
use crate::store::DeadLetter;

/// What a record tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RecordKind {
    Impression,
    Conversion,
}

/// Which records and dead letters are meant: all of it must hold.
#[derive(Debug, Clone, Default)]
pub(crate) struct RecordFilter {
    pub(crate) environment: Option<String>,
    pub(crate) user: Option<String>,
    pub(crate) kind: Option<RecordKind>,
    /// The key of an event.
    pub(crate) event: Option<String>,
    /// The key or the id of an experiment.
    pub(crate) experiment: Option<String>,
    pub(crate) since_ms: Option<TimeMs>,
    pub(crate) until_ms: Option<TimeMs>,
    pub(crate) sink: Option<String>,
    /// Records up to this number are not meant: the sink that was asked for has them.
    pub(crate) delivered: u64,
}

impl RecordKind {
    /// By its word in records.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        match word {
            "impression" => Some(Self::Impression),
            "conversion" => Some(Self::Conversion),
            _ => None,
        }
    }

    /// Its word in records.
    #[cfg(feature = "cli")]
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Impression => "impression",
            Self::Conversion => "conversion",
        }
    }
}

impl RecordFilter {
    /// Whether everything is meant.
    pub(crate) fn is_open(&self) -> bool {
        let has_time = self.since_ms.is_some() || self.until_ms.is_some();
        !self.asks_for_content() && !has_time && self.sink.is_none()
    }

    /// The first record that may be meant.
    pub(crate) const fn first(&self) -> u64 {
        self.delivered.saturating_add(1)
    }

    pub(crate) fn takes(&self, record: &Record) -> bool {
        self.takes_time(record.about().received_at_ms) && self.takes_content(record)
    }

    pub(crate) fn takes_letter(&self, letter: &DeadLetter) -> bool {
        let is_of_sink = match (&self.sink, &letter.sink) {
            (Some(asked), Some(sink)) => **asked == **sink,
            // What was shed did not reach any.
            _ => true,
        };
        let takes_record = || match &letter.record {
            Some(record) => self.takes_content(record),
            None => !self.asks_for_content(),
        };
        is_of_sink && self.takes_time(letter.at_ms) && takes_record()
    }

    fn takes_time(&self, time_ms: TimeMs) -> bool {
        self.since_ms.is_none_or(|since_ms| since_ms <= time_ms)
            && self.until_ms.is_none_or(|until_ms| time_ms < until_ms)
    }

    fn asks_for_content(&self) -> bool {
        let texts = [&self.environment, &self.user, &self.event, &self.experiment];
        texts.iter().any(|text| text.is_some()) || self.kind.is_some()
    }

    fn takes_content(&self, record: &Record) -> bool {
        let kind = match record {
            Record::Impression(_) => RecordKind::Impression,
            Record::Conversion(_) => RecordKind::Conversion,
        };
        let about = record.about();
        let is_it = |asked: &Option<String>, is: &str| {
            asked.as_ref().is_none_or(|asked| asked.as_str() == is)
        };
        is_it(&self.environment, &about.environment)
            && is_it(&self.user, &about.user_id)
            && self.kind.is_none_or(|asked| asked == kind)
            && self.event.as_ref().is_none_or(|key| is_of_event(record, key))
            && self.experiment.as_ref().is_none_or(|asked| is_of_experiment(record, asked))
    }
}

fn is_of_event(record: &Record, key: &str) -> bool {
    matches!(record, Record::Conversion(record) if *record.event.key == *key)
}

fn is_of_experiment(record: &Record, asked: &str) -> bool {
    let mut experiments = match record {
        Record::Impression(record) => record.shown.iter().collect::<Vec<_>>(),
        Record::Conversion(record) => {
            record.credits.iter().map(|credit| &credit.experiment).collect()
        }
    }
    .into_iter();
    experiments.any(|of| *of.experiment_key == *asked || *of.experiment_id == *asked)
}
