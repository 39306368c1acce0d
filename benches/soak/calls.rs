//! What is asked, and what may be answered.
//!
//! Must not know connections.

use axum::http::header::ETAG;
use axum::http::{HeaderMap, Method, StatusCode};
use rand::RngExt as _;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use crate::datafiles::{EVENT, FLAGS, revision_of};

/// So many users there are.
const USERS: u64 = 20_000;

/// What can be asked, and how often of a hundred times.
pub(crate) const KINDS: [(Kind, u32); 11] = [
    (Kind::Decide, 22),
    (Kind::DecideQuietly, 10),
    (Kind::DecideAll, 5),
    (Kind::Activate, 18),
    (Kind::Track, 17),
    (Kind::OfrepOne, 10),
    (Kind::OfrepAll, 5),
    (Kind::Datafile, 3),
    (Kind::SdkDatafile, 3),
    (Kind::Config, 3),
    (Kind::Batch, 4),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Decide,
    DecideQuietly,
    DecideAll,
    Activate,
    Track,
    OfrepOne,
    OfrepAll,
    Datafile,
    SdkDatafile,
    Config,
    Batch,
}

/// A request.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) kind: Kind,
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) body: Option<Value>,
    /// What the answer may be the same as: then it says so, and nothing else.
    pub(crate) if_none_match: Option<String>,
}

/// What an answer says.
#[derive(Debug, Default)]
pub(crate) struct Said {
    pub(crate) revision: Option<u64>,
    pub(crate) etag: Option<String>,
    /// Whether an event counted for something: then its record goes to the sink.
    pub(crate) is_credited: bool,
}

impl Kind {
    pub(crate) fn any(random: &mut StdRng) -> Self {
        let mut left = random.random_range(0..100);
        for (kind, share) in KINDS {
            if left < share {
                return kind;
            }
            left -= share;
        }
        Self::Decide
    }

    /// A request of this kind. `event` is the number of the event that it tracks, if it tracks one.
    pub(crate) fn call(self, sdk_key: &str, event: u64, random: &mut StdRng) -> Call {
        let flag = random.random_range(1..=FLAGS);
        let user = format!("user-{}", random.random_range(0..USERS));
        let attributes = json!({"country": "SE", "age": 34});
        let body = json!({"userId": user, "userAttributes": attributes});
        let quietly = json!({
            "userId": user, "userAttributes": attributes,
            "decideOptions": ["DISABLE_DECISION_EVENT"],
        });
        let context = json!({"context": {"targetingKey": user, "country": "SE"}});
        let (path, body) = match self {
            Self::Decide => (format!("/v1/decide?keys=flag_{flag}"), Some(body)),
            Self::DecideQuietly => (format!("/v1/decide?keys=flag_{flag}"), Some(quietly)),
            Self::DecideAll => ("/v1/decide".to_owned(), Some(quietly)),
            Self::Activate => (format!("/v1/activate?experimentKey=experiment_{flag}"), Some(body)),
            Self::Track => {
                let body = json!({
                    "userId": user, "userAttributes": attributes, "eventId": event_id(event),
                });
                (format!("/v1/track?eventKey={EVENT}"), Some(body))
            }
            Self::OfrepOne => (format!("/ofrep/v1/evaluate/flags/flag_{flag}"), Some(context)),
            Self::OfrepAll => ("/ofrep/v1/evaluate/flags".to_owned(), Some(context)),
            Self::Datafile => ("/v1/datafile".to_owned(), None),
            Self::SdkDatafile => (format!("/datafiles/{sdk_key}.json"), None),
            Self::Config => ("/v1/config".to_owned(), None),
            Self::Batch => ("/v1/batch".to_owned(), Some(batch(sdk_key, flag, &body))),
        };
        let method = if body.is_some() { Method::POST } else { Method::GET };
        Call { kind: self, method, path, body, if_none_match: None }
    }

    /// Whether the answer of one user is not that of another.
    pub(crate) const fn is_for_everybody(self) -> bool {
        matches!(self, Self::SdkDatafile)
    }
}

/// The id of an event, as records have it.
pub(crate) fn event_id(number: u64) -> String {
    format!("soak-{number:010}")
}

fn batch(sdk_key: &str, flag: u64, body: &Value) -> Value {
    let operation = |url: &str, name: &str, value: String| {
        json!({
            "method": "POST", "url": url, "operationID": name, "body": body,
            "params": {name: value}, "headers": {"X-Optimizely-SDK-Key": sdk_key},
        })
    };
    json!({"operations": [
        operation("/v1/decide", "keys", format!("flag_{flag}")),
        operation("/v1/activate", "experimentKey", format!("experiment_{flag}")),
        operation("/v1/track", "eventKey", EVENT.to_owned()),
    ]})
}

impl Call {
    /// What is said, if it is an answer to this; else what is wrong with it.
    pub(crate) fn judge(
        &self,
        status: StatusCode,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Said, String> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let told = text("variate-revision").and_then(|revision| revision.parse::<u64>().ok());
        let etag = text(ETAG.as_str()).map(str::to_owned);
        if status == StatusCode::NOT_MODIFIED && self.if_none_match.is_some() {
            let is_same = etag == self.if_none_match && body.is_empty();
            let said = Said { revision: told, etag, is_credited: false };
            return if is_same { Ok(said) } else { Err("is not the same".to_owned()) };
        }
        if status != StatusCode::OK {
            return Err("is not expected".to_owned());
        }
        let answer: Value =
            serde_json::from_slice(body).map_err(|error| format!("is no JSON: {error}"))?;
        let credits = answer.get("credits").and_then(Value::as_array);
        let is_credited = credits.is_some_and(|credits| !credits.is_empty());
        if self.kind == Kind::Batch {
            judge_batch(&answer)?;
            return Ok(Said::default());
        }
        let shown = revision_of(&answer).map_err(|problem| format!("is torn: {problem}"))?;
        if let (Some(told), Some(shown)) = (told, shown)
            && told != shown
        {
            return Err(format!("is torn: it says {told}, and is of {shown}"));
        }
        let revision = told.or(shown).ok_or("is of no revision")?;
        if shown.is_none() {
            return Err("shows nothing of its revision".to_owned());
        }
        Ok(Said { revision: Some(revision), etag, is_credited })
    }
}

/// Each operation is answered, and by one revision.
fn judge_batch(answer: &Value) -> Result<(), String> {
    let operations =
        answer.get("response").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if operations.len() != 3 {
        return Err("does not have three answers".to_owned());
    }
    for operation in operations {
        if operation["status"] != 200 {
            return Err(format!("has another status in {operation}"));
        }
        let shown = revision_of(&operation["body"]);
        shown.map_err(|problem| format!("is torn: {problem} in {operation}"))?;
    }
    Ok(())
}
