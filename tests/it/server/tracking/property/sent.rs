//! What is sent of a history, and what is true of each part of it.
//!
//! Must not know the forms.

use serde_json::{Value, json};
use variate::clock::system_time_ms;

use super::facts::{Fact, When};
use super::shop::EVENTS;
use crate::server::http::Request;

const MINUTE_MS: i64 = 60_000;
/// From here back, times are whole minutes that clocks of senders may blur.
const BLURRED_BEFORE_MS: i64 = 60 * MINUTE_MS;

/// One request; what is in it arrives in this order.
#[derive(Debug, Clone)]
pub(super) struct Sent {
    pub(super) request: Request,
    pub(super) arrivals: Vec<Arrival>,
    pub(super) status: u16,
}

/// A fact as a request tells it.
#[derive(Debug, Clone)]
pub(super) struct Arrival {
    pub(super) fact: Fact,
    pub(super) at: At,
    /// Whether the same is known again when it is sent again.
    pub(super) is_known_again: bool,
}

/// When it was, as far as the form says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum At {
    Ms(i64),
    Receipt,
}

/// The names and times of one case.
#[derive(Debug, Clone)]
pub(super) struct Case {
    pub(super) prefix: String,
    pub(super) base_ms: i64,
}

impl Case {
    pub(super) fn new(number: usize) -> Self {
        let base_ms = (system_time_ms() - 10 * MINUTE_MS) / 1_000 * 1_000;
        Self { prefix: format!("case{number}"), base_ms }
    }

    pub(super) fn user(&self, user: &str) -> String {
        format!("{}-{user}", self.prefix)
    }

    pub(super) fn id(&self, fact: &Fact) -> String {
        format!("{}-{}", self.prefix, fact.number)
    }

    pub(super) fn ms(&self, fact: &Fact) -> Option<i64> {
        match fact.when {
            When::Receipt => None,
            When::At(ms) => Some(self.base_ms + ms),
            When::MinutesBefore(minutes) => {
                Some(self.base_ms - BLURRED_BEFORE_MS - minutes * MINUTE_MS)
            }
        }
    }

    /// What a time stands for that the daemon gives.
    pub(super) fn at(&self, ms: i64) -> At {
        let from_ms = self.base_ms - BLURRED_BEFORE_MS;
        if ms >= self.base_ms + 5 * MINUTE_MS {
            At::Receipt
        } else if ms >= from_ms + MINUTE_MS / 2 {
            At::Ms(ms)
        } else {
            // What was shown may be dated some seconds before it, and what was done some after it.
            let minutes = (ms - from_ms + MINUTE_MS / 2).div_euclid(MINUTE_MS);
            At::Ms(from_ms + minutes * MINUTE_MS)
        }
    }

    /// A fact whose time the form says as it is.
    pub(super) fn arrival(&self, fact: &Fact, is_known_again: bool) -> Arrival {
        let at = self.ms(fact).map_or(At::Receipt, At::Ms);
        Arrival { fact: fact.clone(), at, is_known_again }
    }
}

/// A number of tags that say which fact it was, and what is measured; revenue in cents, or in units.
pub(super) fn tags(fact: &Fact, is_in_units: bool) -> Value {
    let mut tags = json!({"fact": fact.number});
    if let Some(cents) = fact.measures.revenue_cents {
        tags["revenue"] = if is_in_units { json!(cents as f64 / 100.0) } else { json!(cents) };
    }
    if let Some(value) = fact.measures.value {
        tags["value"] = json!(value);
    }
    tags
}

/// What a foreign client may call an event.
pub(super) fn event_name(fact: &Fact, event: usize) -> String {
    let (id, key) = EVENTS[event];
    let words: Vec<String> =
        key.split('_').map(|word| word[..1].to_uppercase() + &word[1..]).collect();
    match fact.way(0, 4) {
        0 => words.join(" "),
        1 => words.concat(),
        2 => id.to_owned(),
        _ => key.to_owned(),
    }
}

/// JSON to a path.
pub(super) fn post(path: &str, body: &Value) -> Request {
    Request::new(&format!("POST {path}")).body(&body.to_string())
}
