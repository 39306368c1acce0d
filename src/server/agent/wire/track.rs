//! The body of `POST /v1/track`: Agent's, and extensions (`eventId`, `timestamp`).
//!
//! Must not know what becomes of it. As with Agent, what is not known is not looked at, but for whether it
//! looks like an extension: Agent's own clients send none.

use serde_json::{Map, Value};

use crate::clock::TimeMs;
use crate::server::slips::Slip;
use crate::server::wire::Whole;
use crate::server::wire::members::members;

#[derive(Debug, Default)]
pub(in crate::server) struct TrackBody {
    pub(in crate::server::agent) user_id: Option<String>,
    pub(in crate::server::agent) user_attributes: Option<Map<String, Value>>,
    pub(in crate::server::agent) event_tags: Option<Map<String, Value>>,
    pub(in crate::server::agent) event_id: Option<String>,
    timestamp: Option<Whole<TimeMs>>,
    /// What a field looks like that is none of these.
    slips: [Option<Slip>; 2],
}

members!(TrackBody {
    "userId" => user_id,
    "userAttributes" => user_attributes,
    "eventTags" => event_tags,
    "eventId" => event_id,
    "timestamp" => timestamp,
} own ["eventId", "timestamp"] pass note);

impl TrackBody {
    /// What looks like a slip: where an extension is there, nothing else was meant to be it.
    pub(in crate::server::agent) fn slips(&self) -> impl Iterator<Item = Slip> + use<> {
        let [event_id, timestamp] = self.slips;
        let event_id = event_id.filter(|_| self.event_id.is_none());
        let timestamp = timestamp.filter(|_| self.timestamp.is_none());
        event_id.into_iter().chain(timestamp).chain(Slip::of_time(self.time_ms()))
    }

    /// When it was.
    pub(in crate::server::agent) fn time_ms(&self) -> Option<TimeMs> {
        self.timestamp.map(|Whole(time_ms)| time_ms)
    }

    fn note(&mut self, name: &str) {
        let slip = Slip::of_field(name);
        let [event_id, timestamp] = &mut self.slips;
        match slip {
            Some(Slip::EventId) => *event_id = slip,
            Some(Slip::Timestamp | Slip::Seconds) => *timestamp = slip,
            None => {}
        }
    }
}
