//! Why somebody is not let in, and how they are told.
//!
//! Must not know who it was: what they sent is not repeated.

use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::server::listener::Side;
use crate::server::problems::{ProblemKind, Problems};
use crate::server::refusal::{Heard, Refusal};
use crate::settings::Scope;

const BEARER: HeaderValue = HeaderValue::from_static("Bearer realm=\"variate\"");
/// People look at the administration with browsers, which ask for a password: the token.
const BASIC: HeaderValue = HeaderValue::from_static("Basic realm=\"variate\"");

/// What who runs the daemon hears of a host that is not this one.
const OTHER_HOST: &str = "requests for a host of another name are refused (invalid request host): if it is meant, name it in allowed_hosts";

#[derive(Debug)]
pub(in crate::server) enum Refused {
    /// A host that is not this one.
    Host,
    /// A page of another origin that changes something.
    Origin,
    /// No token, or none that is known.
    Unknown(Side),
    /// A token that is not for this.
    Scope(Scope),
    /// A token that was used too often.
    TooOften { wait_seconds: u64 },
    /// A path that nobody said anything about.
    NoLine,
}

impl Refused {
    /// Tells the operator of what looks like a setting that is missing.
    pub(in crate::server) fn note(&self, problems: &Problems) {
        if matches!(self, Self::Host) {
            problems.note(ProblemKind::Request, "", OTHER_HOST);
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let plain = |status, text: String| Refusal::new(status, text).into_response();
        match self {
            // As Optimizely Agent says it.
            Self::Host => {
                let refusal = Refusal::new(StatusCode::NOT_FOUND, "invalid request host");
                refusal.told(OTHER_HOST).heard(Heard::As("other-host")).into_response()
            }
            Self::Origin => {
                let text = "a page of another origin asked for this: name its origin in the settings, as cors";
                let refusal = Refusal::new(StatusCode::FORBIDDEN, text);
                refusal.heard(Heard::As("other-origin")).into_response()
            }
            Self::Unknown(side) => {
                let text = "no token that is known: send one as Authorization: Bearer TOKEN";
                let mut response = plain(StatusCode::UNAUTHORIZED, text.to_owned());
                response.headers_mut().append(WWW_AUTHENTICATE, BEARER);
                if side == Side::Admin {
                    response.headers_mut().append(WWW_AUTHENTICATE, BASIC);
                }
                response
            }
            Self::Scope(scope) => {
                let text =
                    format!("the token may not be used for this: take one with scope {scope}");
                plain(StatusCode::FORBIDDEN, text)
            }
            Self::TooOften { wait_seconds } => {
                let text = "the token was used too often: wait, as Retry-After says";
                let mut response = plain(StatusCode::TOO_MANY_REQUESTS, text.to_owned());
                response.headers_mut().insert(RETRY_AFTER, wait_seconds.into());
                response
            }
            Self::NoLine => {
                let text =
                    "nobody may ask for this: it has no line in the table of what paths need";
                plain(StatusCode::FORBIDDEN, text.to_owned())
            }
        }
    }
}
