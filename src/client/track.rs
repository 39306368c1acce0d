//! Tracking: what a user did, and which experiments it is credited to.
//!
//! Must not know the attribution rule.

use serde_json::{Map, Value};
use uuid::Uuid;

use super::capture::Stamp;
use super::user::UserContext;
use crate::attribution::{Credit, Event, NotCredited};
use crate::clock::TimeMs;
use crate::error::Error;
use crate::store::Receipt;
use crate::value::parse_double;

const REVENUE: &str = "revenue";
const VALUE: &str = "value";
/// Both SDKs leave these out where they are null; other tags go out as they are, as do all that measure nothing.
const LEFT_OUT_IF_NULL: [&str; 4] = [REVENUE, VALUE, "tags", "decisions"];

/// What [`UserContext::track`] is told: an event key, and what may go with it.
///
/// Who is used to `track(name, properties, entity)`, as Flagger has it, sets the entity once, which is the
/// user, and gives the properties as tags:
///
/// ```
/// # fn main() -> Result<(), variate::Error> {
/// # let text = include_bytes!("../../datafiles/shop.json");
/// # let client = variate::Client::from_datafile(text)?;
/// use serde_json::json;
/// use variate::Track;
///
/// let entity = client.user("543").with("country", "SE");
/// entity.activate("checkout_button");
/// let properties = json!({"plan": "Gold", "referrer": "https://www.google.com", "shirt_size": "medium"});
/// let properties = properties.as_object().cloned().unwrap_or_default();
/// let tracked = entity.track(Track::new("purchase").tags(properties));
/// assert_eq!(&*tracked.credits[0].experiment.experiment_key, "checkout_button");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Track<'a> {
    event_key: &'a str,
    stamp: Stamp<'a>,
    tags: Option<Map<String, Value>>,
    measured: Option<Measured>,
    count: Option<u64>,
    duration_seconds: Option<f64>,
}

/// Revenue and value, wherever they come from.
#[derive(Debug, Clone, Copy, Default)]
struct Measured {
    revenue_cents: Option<i64>,
    value: Option<f64>,
}

impl<'a> Track<'a> {
    /// An event of the datafile.
    pub fn new(event_key: &'a str) -> Self {
        Self {
            event_key,
            stamp: Stamp::default(),
            tags: None,
            measured: None,
            count: None,
            duration_seconds: None,
        }
    }

    /// Gives the event an id: a repeat with the same id is acknowledged as a duplicate and not counted.
    /// Ids are unique in the environment, not per user; an empty one is none.
    pub fn id(mut self, id: &'a str) -> Self {
        self.stamp.id = Some(id);
        self
    }

    /// Gives the event a time, in milliseconds since the epoch.
    pub fn time_ms(mut self, time_ms: TimeMs) -> Self {
        self.stamp.time_ms = Some(time_ms);
        self
    }

    /// Revenue in cents: the tag `revenue`.
    pub fn revenue_cents(self, cents: i64) -> Self {
        self.tag(REVENUE, cents)
    }

    /// The value that the event measures: the tag `value`.
    pub fn value(self, value: f64) -> Self {
        self.tag(VALUE, value)
    }

    /// For who takes tags from others, to whom `revenue` and `value` may mean anything: says what the event measures,
    /// revenue in cents and a value, beside its tags. Then neither is read of these, whatever they are called, and all
    /// of them go out, also what is null.
    ///
    /// ```
    /// # fn main() -> Result<(), variate::Error> {
    /// # let client = variate::Client::from_datafile(include_bytes!("../../datafiles/shop.json"))?;
    /// # let anna = client.user("anna");
    /// use variate::Track;
    ///
    /// let theirs = Track::new("purchase").tag("value", "high").tag("revenue", 7);
    /// anna.track(theirs.measuring(None, Some(12.5)));
    /// # Ok(())
    /// # }
    /// ```
    pub const fn measuring(mut self, revenue_cents: Option<i64>, value: Option<f64>) -> Self {
        self.measured = Some(Measured { revenue_cents, value });
        self
    }

    /// Adds a tag. Tags go out as they are.
    pub fn tag(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.tags.get_or_insert_default().insert(key.to_owned(), value.into());
        self
    }

    /// Adds all tags of a JSON object.
    pub fn tags(mut self, tags: Map<String, Value>) -> Self {
        self.tags.get_or_insert_default().extend(tags);
        self
    }

    /// How often it happened, where one event stands for several.
    pub fn count(mut self, count: u64) -> Self {
        self.count = Some(count);
        self
    }

    /// How long it took, in seconds.
    pub fn duration_seconds(mut self, seconds: f64) -> Self {
        self.duration_seconds = Some(seconds);
        self
    }
}

impl<'a> From<&'a str> for Track<'a> {
    fn from(event_key: &'a str) -> Self {
        Self::new(event_key)
    }
}

impl<'a> From<&'a String> for Track<'a> {
    fn from(event_key: &'a String) -> Self {
        Self::new(event_key)
    }
}

/// What became of a tracked event.
#[derive(Debug)]
#[non_exhaustive]
pub struct Tracked {
    /// Whether the datafile knows the event. What it does not know is not recorded.
    pub is_known: bool,
    /// Whether the id was seen before: acknowledged, and not counted.
    pub duplicate: bool,
    /// The id that was made for it, where the caller gave none and it was taken.
    pub made_id: Option<Uuid>,
    /// The experiments and holdouts that the event counts for, with the variation that was shown; if the
    /// receipt is a refusal, what it would have counted for.
    pub credits: Vec<Credit>,
    /// Why there are no credits, where there are none; nothing where the receipt says why.
    pub reason: Option<NotCredited>,
    /// Tells when it is stored.
    pub receipt: Receipt,
}

impl UserContext<'_> {
    /// Records an event and credits it to the experiments that the user was activated in before.
    pub fn track<'k>(&self, call: impl Into<Track<'k>>) -> Tracked {
        let Track { event_key, stamp, mut tags, measured, count, duration_seconds } = call.into();
        if measured.is_none()
            && let Some(tags) = &mut tags
        {
            tags.retain(|key, tag| !(tag.is_null() && LEFT_OUT_IF_NULL.contains(&key.as_str())));
        }
        let in_force = self.in_force();
        let Some(datafile) = in_force.datafile() else {
            return Tracked {
                reason: None,
                ..Tracked::unknown(Receipt::refused(Error::not_ready()))
            };
        };
        let Some(event) = datafile.event_index(event_key) else {
            return Tracked::unknown(Receipt::stored());
        };
        let measured =
            measured.unwrap_or_else(|| tags.as_ref().map(Measured::of).unwrap_or_default());
        let event = Event {
            envelope: self.envelope(datafile, stamp),
            event,
            attributes: (!self.attributes().is_empty()).then(|| self.recorded_attributes(datafile)),
            revenue_cents: measured.revenue_cents,
            value: measured.value.filter(|value| value.is_finite()),
            tags,
            count,
            duration_seconds,
        };
        let recorded = self.record_event(event_key, event);
        let outcome = recorded.outcome;
        Tracked {
            is_known: true,
            duplicate: outcome.duplicate,
            made_id: outcome.made_id,
            credits: outcome.credits,
            reason: outcome.reason,
            receipt: recorded.receipt,
        }
    }
}

impl Measured {
    fn of(tags: &Map<String, Value>) -> Self {
        Self {
            revenue_cents: tags.get(REVENUE).and_then(revenue_cents),
            value: tags.get(VALUE).and_then(measured_value),
        }
    }
}

impl Tracked {
    fn unknown(receipt: Receipt) -> Self {
        let reason = Some(NotCredited::UnknownEvent);
        Self {
            is_known: false,
            duplicate: false,
            made_id: None,
            credits: Vec::new(),
            reason,
            receipt,
        }
    }
}

/// Revenue is a whole number of cents; 12.0 is not one.
fn revenue_cents(tag: &Value) -> Option<i64> {
    tag.as_i64()
}

/// A finite number, or text that is one.
fn measured_value(tag: &Value) -> Option<f64> {
    match tag {
        Value::Number(number) => number.as_f64().filter(|number| number.is_finite()),
        Value::String(text) => parse_double(text),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}
