//! What a request says: parameters of the query and of the body, as one object.
//!
//! Must not know what they mean. The body goes before the query. Values of forms are text; who sends JSON
//! in them may have forgotten to encode it.

use std::borrow::Cow;

use axum::body::Bytes;
use axum::extract::Request;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use serde_json::{Map, Value};

use crate::server::app::App;
use crate::server::body::{Sent, to_its_end};
use crate::server::client_json;
use crate::server::refusal::Refusal;
use crate::server::unpacked::unpack;

/// So many values may be JSON that is not encoded; each costs a look at what follows.
const MOST_RAW_VALUES: usize = 8;

/// The parameters of a request, or of one of several in a bulk.
pub(super) type Params = Map<String, Value>;

/// A request that has been read.
#[derive(Debug)]
pub(super) struct Asked {
    /// As they were sent, for checksums; of a body that is too large as much as there is room for.
    pub(super) query: String,
    pub(super) body: Bytes,
    kind: Kind,
    /// Why not all of the body is in the parameters, if that is so.
    pub(super) cut: Option<Cut>,
}

/// Why nothing of a body counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    /// Only whose it is may be known, by what of it came first.
    TooLarge,
    /// It came in several parts, as pictures of users do; whoever puts anything else there loses it.
    Parts {
        /// The first of what would count in any other form, if there is such.
        lost: Option<&'static str>,
    },
}

/// What counts of a request, beside the person whom it is about.
const COUNTS: [&str; 4] = ["events", "requests", "old_device_id", "method"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Form,
    Json,
}

impl Asked {
    /// Reads a request to its end, whatever is in it: a client that is cut off would send it again for ever.
    pub(super) async fn read(app: &App, request: Request) -> Result<Self, Refusal> {
        let query = request.uri().query().unwrap_or_default().to_owned();
        let media = media(request.headers());
        let is_in_parts = media.starts_with("multipart/");
        let kind = if media == "application/json" { Kind::Json } else { Kind::Form };
        let (head, body) = request.into_parts();
        let most_bytes = app.settings.limits.body.bytes;
        let sent = match to_its_end(body, most_bytes).await? {
            Sent::Whole(body) => unpack_or_begin(&head.headers, body, most_bytes),
            beginning @ Sent::Beginning(_) => beginning,
        };
        let (body, cut) = match sent {
            Sent::Whole(body) | Sent::Beginning(body) if is_in_parts => {
                (Bytes::new(), Some(Cut::Parts { lost: counts_in_parts(&query, &body) }))
            }
            Sent::Whole(body) => (body, None),
            Sent::Beginning(body) => (whole_pairs(body), Some(Cut::TooLarge)),
        };
        Ok(Self { query, body, kind, cut })
    }

    /// All parameters; those of the body go before those of the query.
    pub(super) fn params(&self) -> Params {
        let mut params = self.of_query();
        params.extend(self.of_body());
        params
    }

    pub(super) fn of_query(&self) -> Params {
        form(&self.query)
    }

    pub(super) fn of_body(&self) -> Params {
        if self.kind == Kind::Json
            && let Ok(Value::Object(members)) = client_json::read(&self.body)
        {
            return members;
        }
        form(&String::from_utf8_lossy(&self.body))
    }
}

/// What was sent whole, without its packing; nothing of it where that is too large. What is not packed as it is said
/// to be is taken as it is: a client would send it again for ever, and most of it reads as nothing.
fn unpack_or_begin(headers: &HeaderMap, sent: Bytes, most_bytes: u64) -> Sent {
    match unpack(headers, sent.clone(), most_bytes) {
        Ok(body) => Sent::Whole(body),
        Err(refusal) if refusal.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            Sent::Beginning(Bytes::new())
        }
        Err(_) => Sent::Whole(sent),
    }
}

/// A list or an object: as such, or as text.
pub(super) fn json<'p>(params: &'p Params, name: &str) -> Option<Cow<'p, Value>> {
    match params.get(name)? {
        Value::Null => None,
        Value::String(text) if text.trim().is_empty() => None,
        Value::String(text) => {
            let read = client_json::read(text.as_bytes());
            Some(Cow::Owned(read.unwrap_or_else(|_| Value::String(text.clone()))))
        }
        value => Some(Cow::Borrowed(value)),
    }
}

fn media(headers: &HeaderMap) -> String {
    let media = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// What came whole of a form that is cut.
fn whole_pairs(mut begun: Bytes) -> Bytes {
    begun.truncate(begun.iter().rposition(|byte| *byte == b'&').unwrap_or_default());
    begun
}

/// What would count of a request in parts; their names stand before them, as text.
fn counts_in_parts(query: &str, body: &[u8]) -> Option<&'static str> {
    let of_query = form(query);
    let body = String::from_utf8_lossy(body);
    let is_part = |name: &str| {
        body.contains(&format!("name=\"{name}\"")) || body.contains(&format!("name={name}\r"))
    };
    COUNTS.into_iter().find(|name| of_query.contains_key(*name) || is_part(name))
}

fn form(text: &str) -> Params {
    let mut params = Params::new();
    let mut raw_values = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let (pair, after) = rest.split_once('&').unwrap_or((rest, ""));
        if raw_values < MOST_RAW_VALUES && RawValue::may_begin(pair) {
            raw_values += 1;
            if let Some(raw) = RawValue::at(rest, pair.len()) {
                params.insert(raw.name, raw.value);
                rest = raw.after;
                continue;
            }
        }
        for (name, value) in form_urlencoded::parse(pair.as_bytes()) {
            params.insert(name.into_owned(), Value::String(value.into_owned()));
        }
        rest = after;
    }
    params
}

/// A value that was not encoded, and has a `&` inside.
struct RawValue<'t> {
    name: String,
    value: Value,
    after: &'t str,
}

impl<'t> RawValue<'t> {
    /// Whether what would be a pair may be the beginning of one.
    fn may_begin(pair: &str) -> bool {
        pair.split_once('=').is_some_and(|(_, value)| value.starts_with(['[', '{']))
    }

    /// The one at the beginning of a text, where a pair of this length, which may begin one, would end within
    /// it.
    fn at(text: &'t str, pair_length: usize) -> Option<Self> {
        let (name, value) = text.split_once('=')?;
        if pair_length == text.len() {
            return None;
        }
        let (read, end) = client_json::read_first(value)?;
        let after = value.get(end..)?;
        let is_longer = name.len() + 1 + end > pair_length;
        let after = if after.is_empty() { after } else { after.strip_prefix('&')? };
        is_longer.then(|| Self { name: name.to_owned(), value: read, after })
    }
}

#[cfg(test)]
mod tests {
    //! How forms are read.

    use serde_json::json;

    use super::{Params, form, json as json_of};

    #[track_caller]
    fn check(text: &str, expect: serde_json::Value) {
        let params: Params = form(text);
        assert_eq!(serde_json::Value::Object(params), expect, "{text}");
    }

    #[test]
    fn values_are_text() {
        check("", json!({}));
        check("a=1&b=x%20y&a=2", json!({"a": "2", "b": "x y"}));
        check("a=1+1&&b", json!({"a": "1 1", "b": ""}));
        check("a=%7B%22b%22%3A1%7D", json!({"a": "{\"b\":1}"}));
        check("a=[1,2]", json!({"a": "[1,2]"}));
    }

    #[test]
    fn json_that_is_not_encoded_may_have_what_separates() {
        check(r#"a=["x&b=1"]&c=2"#, json!({"a": ["x&b=1"], "c": "2"}));
        check(r#"c=2&a={"k":"x&y"}"#, json!({"a": {"k": "x&y"}, "c": "2"}));
        check(r#"a=["x&c=2"#, json!({"a": "[\"x", "c": "2"}));
        check(r#"a=["x&y"]z&c=2"#, json!({"a": "[\"x", "y\"]z": "", "c": "2"}));
    }

    #[test]
    fn json_is_read_from_text_or_is_there() {
        let params = form(r#"a=[1]&b=&c=[1"#);
        assert_eq!(json_of(&params, "a").unwrap().into_owned(), json!([1]));
        assert_eq!(json_of(&params, "b"), None);
        assert_eq!(json_of(&params, "c").unwrap().into_owned(), json!("[1"));
    }
}
