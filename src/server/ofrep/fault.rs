//! What is said where a flag has no value, or a request cannot be read.
//!
//! Must not know how that is found out.

use std::borrow::Cow;

use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use super::wire::FailureAnswer;
use crate::server::answer::Json;
use crate::server::refusal::Refusal;

/// Why there is no answer, in the words of OpenFeature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Code {
    ParseError,
    TargetingKeyMissing,
    InvalidContext,
    FlagNotFound,
    General,
}

impl Code {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::ParseError => "PARSE_ERROR",
            Self::TargetingKeyMissing => "TARGETING_KEY_MISSING",
            Self::InvalidContext => "INVALID_CONTEXT",
            Self::FlagNotFound => "FLAG_NOT_FOUND",
            Self::General => "GENERAL",
        }
    }
}

/// A request that is not answered as asked.
#[derive(Debug)]
pub(super) struct Fault {
    status: StatusCode,
    code: Code,
    details: Cow<'static, str>,
    /// The flag or event that was asked for, if one was.
    key: Option<String>,
    come_again: Option<HeaderValue>,
}

impl Fault {
    pub(super) fn new(code: Code, details: impl Into<Cow<'static, str>>) -> Self {
        let status = match code {
            Code::FlagNotFound => StatusCode::NOT_FOUND,
            _ => StatusCode::BAD_REQUEST,
        };
        Self { status, code, details: details.into(), key: None, come_again: None }
    }

    pub(super) fn not_found(details: impl Into<Cow<'static, str>>) -> Self {
        Self { status: StatusCode::NOT_FOUND, ..Self::new(Code::General, details) }
    }

    /// There is no environment for who asks.
    pub(super) fn no_environment(refusal: Refusal) -> Self {
        Self { code: Code::General, ..refusal.into() }
    }

    /// The environment has had no datafile yet.
    pub(super) fn not_ready() -> Self {
        Refusal::not_ready().into()
    }

    /// Says which flag or event it is about.
    pub(super) fn about(self, key: &str) -> Self {
        Self { key: Some(key.to_owned()), ..self }
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        let (status, details, come_again) = refusal.into_parts();
        let is_about_text =
            matches!(status, StatusCode::BAD_REQUEST | StatusCode::UNSUPPORTED_MEDIA_TYPE);
        let code = if is_about_text { Code::ParseError } else { Code::General };
        Self { status, code, details, key: None, come_again }
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let answer = Json(FailureAnswer {
            key: self.key.as_deref(),
            error_code: self.code.as_str(),
            error_details: Cow::Borrowed(&self.details),
        });
        let mut response = (self.status, answer).into_response();
        if let Some(come_again) = self.come_again {
            response.headers_mut().insert(RETRY_AFTER, come_again);
        }
        response
    }
}
