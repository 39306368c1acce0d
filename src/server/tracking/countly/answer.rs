//! Answers as Countly's SDKs know them.
//!
//! Must not know what was asked.

use std::borrow::Cow;

use axum::body::Body;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::SYSTEM;
use crate::server::answer::JSON;
use crate::server::refusal::{Heard, Refusal, Why};
use crate::server::tracking::keys::NoKey;
use crate::server::tracking::unused::Reason;

const MISSING: &str = "Missing parameter \"app_key\" or \"device_id\"";

/// What an SDK is told.
#[derive(Debug)]
pub(super) enum Answer {
    /// Success, in words.
    Said(&'static str),
    /// Success, although nothing came of it.
    Ignored(&'static str),
    /// What was asked for.
    Holds(Value),
    /// Something that may be different the next time.
    Refused(Refusal),
    /// The same in the words of Countly; and what who runs the daemon hears.
    Faulty(&'static str, Why),
}

impl Answer {
    /// Nobody is named who asks.
    pub(super) const NOBODY: Self = {
        let heard = Heard::As(Reason::NoUser.as_str());
        Self::Faulty(MISSING, Why { heard, text: Cow::Borrowed(MISSING) })
    };

    /// Any word is success that comes with this status.
    pub(super) const fn success(result: &'static str) -> Self {
        Self::Said(result)
    }

    pub(super) const fn bad_request(result: &'static str) -> Self {
        Self::Faulty(result, Why { heard: Heard::ByStatus, text: Cow::Borrowed(result) })
    }

    /// The same of what is counted already.
    pub(super) const fn noted_bad_request(result: &'static str) -> Self {
        Self::Faulty(result, Why { heard: Heard::Already, text: Cow::Borrowed(result) })
    }

    pub(super) const fn ignored(why: &'static str) -> Self {
        Self::Ignored(why)
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<NoKey> for Answer {
    fn from(no_key: NoKey) -> Self {
        let result = match no_key {
            NoKey::Missing => MISSING,
            NoKey::Unknown => "App does not exist",
        };
        let heard = Heard::As(Reason::UnknownKey.as_str());
        Self::Faulty(result, Why { heard, text: no_key.text(SYSTEM).into() })
    }
}

/// Without an end of the line, as the documents have it.
impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let (mut retry_after, mut why) = (None, None);
        let (status, body) = match self {
            Self::Said(result) => (StatusCode::OK, json!({"result": result})),
            Self::Ignored(why) => {
                let info = format!("Request ignored: {why}");
                (StatusCode::OK, json!({"result": "Success", "info": info}))
            }
            Self::Holds(body) => (StatusCode::OK, body),
            Self::Refused(refusal) => {
                why = Some(refusal.why());
                let (status, text, soon) = refusal.into_parts();
                retry_after = soon;
                (status, json!({"result": text}))
            }
            Self::Faulty(result, heard) => {
                why = Some(heard);
                (StatusCode::BAD_REQUEST, json!({"result": result}))
            }
        };
        let mut response = (status, Body::from(body.to_string())).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, JSON);
        if let Some(soon) = retry_after {
            headers.insert(RETRY_AFTER, soon);
        }
        if let Some(why) = why {
            response.extensions_mut().insert(why);
        }
        response
    }
}
