//! What looks like a slip in what is told of an event, and how who sent it and who looks after the daemon are told.
//!
//! Must not know interfaces: each says whether it takes as it was given what looks like a slip, since a time that
//! looks wrong may be meant. What is told never repeats what was sent.

use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;

use super::app::App;
use super::environment::Environment;
use super::problems::ProblemKind;
use crate::clock::TimeMs;

/// For who tries a call by hand; other clients do not look at it.
pub(super) const WARNING: HeaderName = HeaderName::from_static("variate-warning");
/// The beginning of 2001: in seconds, times are before it until the year 33000.
const SECONDS_END_MS: TimeMs = 978_307_200_000;
/// Of so many signs of a name, one may be another.
const SIGNS_FOR_A_SLIP: usize = 4;
/// So many fields that are not known are looked at, of one body.
pub(super) const MOST_LOOKED_AT: usize = 32;

/// Whether a name is nearly one of ours, which is given in small letters alone.
pub(super) fn is_nearly(name: &str, own: &str) -> bool {
    let signs = name.chars().filter(|sign| sign.is_alphanumeric());
    let given: String = signs.take(32).flat_map(char::to_lowercase).collect();
    strsim::osa_distance(&given, own) <= own.len().div_euclid(SIGNS_FOR_A_SLIP)
}

/// What looks like a slip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slip {
    /// A field that is nearly `eventId`, and none that is.
    EventId,
    /// A field that is nearly `timestamp`, and none that is.
    Timestamp,
    /// A time of long ago, that is of these days in seconds.
    Seconds,
}

impl Slip {
    /// What a field is nearly that nobody reads.
    pub(super) fn of_field(name: &str) -> Option<Self> {
        match name {
            name if is_nearly(name, "eventid") => Some(Self::EventId),
            name if is_nearly(name, "timestamp") => Some(Self::Timestamp),
            _ => None,
        }
    }

    /// What the time of an event looks like.
    pub(super) fn of_time(time_ms: Option<TimeMs>) -> Option<Self> {
        time_ms.filter(|time_ms| (1..SECONDS_END_MS).contains(time_ms)).map(|_| Self::Seconds)
    }

    const fn text(self) -> &'static str {
        match self {
            Self::EventId => {
                "a field looks like eventId and is not read: write eventId, or what is sent twice counts twice"
            }
            Self::Timestamp => {
                "a field looks like timestamp and is not read: write timestamp, in milliseconds since 1970"
            }
            Self::Seconds => {
                "a timestamp is before 2001: it is taken as milliseconds since 1970, and seconds may be meant"
            }
        }
    }
}

/// Tells of slips, in the answer and in the list of problems, which counts them.
pub(super) fn told(
    app: &App,
    environment: &Environment,
    slips: impl IntoIterator<Item = Slip>,
    mut response: Response,
) -> Response {
    for slip in slips {
        app.problems.note(ProblemKind::Request, environment.name(), slip.text());
        response.headers_mut().append(WARNING, HeaderValue::from_static(slip.text()));
    }
    response
}

#[cfg(test)]
mod tests {
    //! What looks like a slip, and what does not.

    use super::Slip;

    #[test]
    fn fields() {
        let check = |name: &str, expect: Option<Slip>| {
            assert_eq!(Slip::of_field(name), expect, "{name}");
        };
        for name in ["eventID", "event_id", "EventId", "evnetId", "eventIds", "event-id", "eventd"]
        {
            check(name, Some(Slip::EventId));
        }
        for name in ["timeStamp", "timestmap", "time_stamp", "timestamp_ms", "Timestamp"] {
            check(name, Some(Slip::Timestamp));
        }
        for name in ["", "id", "event", "eventKey", "eventType", "time", "userId", "sessionId"] {
            check(name, None);
        }
        check(&"x".repeat(100_000), None);
    }

    #[test]
    fn times() {
        let check = |time_ms: i64, is_slip: bool| {
            assert_eq!(Slip::of_time(Some(time_ms)).is_some(), is_slip, "{time_ms}");
        };
        check(1_790_000_000, true);
        check(978_307_199_999, true);
        check(978_307_200_000, false);
        check(1_790_000_000_000, false);
        check(0, false);
        check(-1, false);
        assert_eq!(Slip::of_time(None), None);
    }
}
