//! Answers as Countly's SDKs know them.
//!
//! Must not know what was asked.

use std::borrow::Cow;

use axum::body::Body;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::server::answer::JSON;
use crate::server::refusal::Refusal;
use crate::server::tracking::keys::NoKey;

/// What an SDK is told.
#[derive(Debug)]
pub(super) enum Answer {
    /// A result in words.
    Said(StatusCode, Cow<'static, str>),
    /// Success, although nothing came of it.
    Ignored(&'static str),
    /// What was asked for.
    Holds(Value),
    /// Something that may be different the next time.
    Refused(Refusal),
}

impl Answer {
    pub(super) const MISSING: Self =
        Self::bad_request("Missing parameter \"app_key\" or \"device_id\"");

    /// Any word is success that comes with this status.
    pub(super) const fn success(result: &'static str) -> Self {
        Self::Said(StatusCode::OK, Cow::Borrowed(result))
    }

    pub(super) const fn bad_request(result: &'static str) -> Self {
        Self::Said(StatusCode::BAD_REQUEST, Cow::Borrowed(result))
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
        match no_key {
            NoKey::Missing => Self::MISSING,
            NoKey::Unknown => Self::bad_request("App does not exist"),
        }
    }
}

/// Without an end of the line, as the documents have it.
impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut retry_after = None;
        let (status, body) = match self {
            Self::Said(status, result) => (status, json!({"result": result})),
            Self::Ignored(why) => {
                let info = format!("Request ignored: {why}");
                (StatusCode::OK, json!({"result": "Success", "info": info}))
            }
            Self::Holds(body) => (StatusCode::OK, body),
            Self::Refused(refusal) => {
                let (status, text, soon) = refusal.into_parts();
                retry_after = soon;
                (status, json!({"result": text}))
            }
        };
        let mut response = (status, Body::from(body.to_string())).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, JSON);
        if let Some(soon) = retry_after {
            headers.insert(RETRY_AFTER, soon);
        }
        response
    }
}
