//! The body of `POST /v1/track`: Agent's, and extensions (`eventId`, `timestamp`).
//!
//! Must not know what becomes of it. As with Agent, what is not known is not looked at, but for whether it
//! looks like an extension: Agent's own clients send none.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::{Map, Value};

use crate::clock::TimeMs;
use crate::server::slips::Slip;
use crate::server::wire::whole_or_null;

#[derive(Debug, Default)]
pub(in crate::server) struct TrackBody {
    pub(in crate::server::agent) user_id: Option<String>,
    pub(in crate::server::agent) user_attributes: Option<Map<String, Value>>,
    pub(in crate::server::agent) event_tags: Option<Map<String, Value>>,
    pub(in crate::server::agent) event_id: Option<String>,
    pub(in crate::server::agent) timestamp: Option<TimeMs>,
    /// What a field looks like that is none of these.
    slips: [Option<Slip>; 2],
}

impl TrackBody {
    /// What looks like a slip: where an extension is there, nothing else was meant to be it.
    pub(in crate::server::agent) fn slips(&self) -> impl Iterator<Item = Slip> + use<> {
        let [event_id, timestamp] = self.slips;
        let event_id = event_id.filter(|_| self.event_id.is_none());
        let timestamp = timestamp.filter(|_| self.timestamp.is_none());
        event_id.into_iter().chain(timestamp).chain(Slip::of_time(self.timestamp))
    }

    fn note(&mut self, slip: Slip) {
        let [event_id, timestamp] = &mut self.slips;
        match slip {
            Slip::EventId => *event_id = Some(slip),
            Slip::Timestamp | Slip::Seconds => *timestamp = Some(slip),
        }
    }
}

impl<'de> Deserialize<'de> for TrackBody {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Reading)
    }
}

#[derive(serde::Deserialize)]
#[serde(transparent)]
struct Time(#[serde(deserialize_with = "whole_or_null")] Option<TimeMs>);

/// A field, by its name.
enum Field {
    UserId,
    UserAttributes,
    EventTags,
    EventId,
    Timestamp,
    Other(Option<Slip>),
}

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_identifier(Naming)
    }
}

struct Naming;

impl Visitor<'_> for Naming {
    type Value = Field;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the name of a field")
    }

    fn visit_str<E>(self, name: &str) -> Result<Field, E> {
        Ok(match name {
            "userId" => Field::UserId,
            "userAttributes" => Field::UserAttributes,
            "eventTags" => Field::EventTags,
            "eventId" => Field::EventId,
            "timestamp" => Field::Timestamp,
            other => Field::Other(Slip::of_field(other)),
        })
    }
}

struct Reading;

impl<'de> Visitor<'de> for Reading {
    type Value = TrackBody;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    /// Of a field given twice, the last counts.
    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<TrackBody, A::Error> {
        let mut body = TrackBody::default();
        while let Some(field) = fields.next_key()? {
            match field {
                Field::UserId => body.user_id = fields.next_value()?,
                Field::UserAttributes => body.user_attributes = fields.next_value()?,
                Field::EventTags => body.event_tags = fields.next_value()?,
                Field::EventId => body.event_id = fields.next_value()?,
                Field::Timestamp => body.timestamp = fields.next_value::<Time>()?.0,
                Field::Other(slip) => {
                    fields.next_value::<IgnoredAny>()?;
                    slip.into_iter().for_each(|slip| body.note(slip));
                }
            }
        }
        Ok(body)
    }
}
