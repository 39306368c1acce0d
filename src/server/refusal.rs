//! Requests that are not answered as asked: a status, and why.
//!
//! Must not know what was asked. Bodies are those of Optimizely Agent: an object with `error`, and the end
//! of the line.

use std::borrow::Cow;

use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use super::answer::Json;
use super::wire::ErrorAnswer;
use crate::error::Error;

/// As Optimizely Agent says it, which would fetch.
const UNKNOWN_KEY: &str =
    "unable to fetch fresh datafile (consider rechecking SDK key), status code: 403 Forbidden";
const BROKEN_OFF: &str = "error reading request body";
const NO_JSON: &str = "the body is no JSON";
/// How long who was refused for want of room should wait, in seconds.
const SOON: HeaderValue = HeaderValue::from_static("1");

/// Why a request is not answered as asked.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    text: Cow<'static, str>,
    may_come_again: bool,
    /// Whether it is answered so on purpose, whatever its status says.
    is_meant: bool,
    heard: Heard,
    /// What who runs the daemon hears instead of the text.
    told: Option<&'static str>,
}

/// What goes with the answer of a refusal, for who runs the daemon.
#[derive(Debug, Clone)]
pub(super) struct Why {
    pub(super) heard: Heard,
    /// Without keys and users, as all texts of refusals.
    pub(super) text: Cow<'static, str>,
}

/// What a refusal is counted as, where refusals are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard {
    /// As what its status says.
    ByStatus,
    /// Something else that has a word.
    As(&'static str),
    /// As nothing more: it has been counted and told.
    Already,
}

/// Goes with an answer that is meant as it is: its status is no sign of a failure.
#[derive(Debug, Clone, Copy)]
pub(super) struct Meant;

impl Refusal {
    pub(super) fn new(status: StatusCode, text: impl Into<Cow<'static, str>>) -> Self {
        let text = text.into();
        let (may_come_again, is_meant) = (false, false);
        Self { status, text, may_come_again, is_meant, heard: Heard::ByStatus, told: None }
    }

    /// What Agent answers where a part of it is not set up, which is a status of failures.
    pub(super) fn not_set_up(text: &'static str) -> Self {
        Self { is_meant: true, ..Self::new(StatusCode::INTERNAL_SERVER_ERROR, text) }
    }

    pub(super) const fn status(&self) -> StatusCode {
        self.status
    }

    pub(super) fn heard(self, heard: Heard) -> Self {
        Self { heard, ..self }
    }

    pub(super) fn told(self, text: &'static str) -> Self {
        Self { told: Some(text), ..self }
    }

    pub(super) fn why(&self) -> Why {
        let text = self.told.map_or_else(|| self.text.clone(), Cow::Borrowed);
        Why { heard: self.heard, text }
    }

    pub(super) fn bad_request(text: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, text)
    }

    /// There is no more room for what is asked for.
    pub(super) fn too_many(text: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, text)
    }

    /// Where it is none is for who sent it: told besides, each broken body would be another problem.
    pub(super) fn no_json(error: &serde_json::Error) -> Self {
        Self::bad_request(format!("{NO_JSON}: {error}")).told(NO_JSON)
    }

    pub(super) fn unreadable_body() -> Self {
        Self::bad_request("error parsing request body")
    }

    /// Its body ends too soon: nobody hears the answer, and it is no fault of what was sent, which may come again.
    pub(super) fn broken_off() -> Self {
        Self::bad_request(BROKEN_OFF).heard(Heard::Already)
    }

    pub(super) fn is_broken_off(&self) -> bool {
        self.text == BROKEN_OFF
    }

    pub(super) fn missing_user() -> Self {
        Self::bad_request("missing \"userId\" in request payload")
    }

    pub(super) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "there is nothing here: look at the path")
    }

    pub(super) fn wrong_method() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "this cannot be asked so: look at the method")
    }

    pub(super) fn too_slow() -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, "the request took too long: send it faster")
    }

    /// What a key gets that no environment has: never a fetch.
    pub(super) fn unknown_key() -> Self {
        Self::new(StatusCode::FORBIDDEN, UNKNOWN_KEY)
    }

    pub(super) fn is_unknown_key(&self) -> bool {
        self.text == UNKNOWN_KEY
    }

    /// What a token gets that is not for the environment that was chosen.
    pub(super) fn other_environment() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "the token is not for this environment: take one that is, or another SDK key",
        )
    }

    /// The environment has had no datafile yet.
    pub(super) fn not_ready() -> Self {
        Self::unavailable("there is no datafile yet: ask again soon")
    }

    /// What was to be recorded is not stored. The cause may name folders, so that it is for who runs the daemon:
    /// `Problems::note_not_stored`.
    pub(super) fn not_stored(cause: &Error) -> Self {
        if cause.is_not_ready() {
            return Self::not_ready();
        }
        Self::unavailable("this was not stored, and nothing of it is kept: send it again soon")
    }

    /// The same of several activations, some of which may be stored.
    pub(super) fn not_all_stored() -> Self {
        Self::unavailable("not all of this was stored: send it again soon")
    }

    /// The disk takes too long: it may be stored yet.
    pub(super) fn not_stored_in_time() -> Self {
        Self::unavailable(
            "this was not stored in time, and may be stored yet: send it again soon, with the same id if it has one",
        )
    }

    /// All of it came, and then it took too long: it may be done yet.
    pub(super) fn not_done_in_time() -> Self {
        Self::unavailable(
            "this took too long here, and may be done yet: send it again soon, with the same id if it has one",
        )
    }

    /// A batch has no time left for an operation.
    pub(super) fn no_time_left() -> Self {
        Self::unavailable(
            "there was no time left in the batch for this: send it again soon, and fewer at once",
        )
    }

    /// It must not break the connection, nor say what it was.
    pub(super) fn defect() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "this is a defect: report it with the request that shows it",
        )
    }

    /// What a path or body names is not there.
    pub(super) fn not_there(text: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::NOT_FOUND, text)
    }

    pub(super) fn too_many_waits() -> Self {
        Self::unavailable("many wait for a source already: ask without wait, or again soon")
    }

    pub(super) fn too_many_exports() -> Self {
        Self::unavailable("others are exporting: ask again when they are done")
    }

    /// It is too late for what may take long.
    pub(super) fn stopping() -> Self {
        Self::unavailable("the daemon is stopping: ask again when it is back")
    }

    /// The store could not be read.
    pub(super) fn unreadable(cause: &Error) -> Self {
        tracing::error!(error = error_chain(cause), "the store could not be read");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "the store cannot be read: look at the log")
    }

    pub(super) fn too_many_streams() -> Self {
        Self::unavailable("there are as many streams as are allowed: come again later")
    }

    /// What is said and how, for interfaces that say it in a form of their own.
    pub(super) fn into_parts(self) -> (StatusCode, Cow<'static, str>, Option<HeaderValue>) {
        (self.status, self.text, self.may_come_again.then_some(SOON))
    }

    fn unavailable(text: &'static str) -> Self {
        let refusal = Self::new(StatusCode::SERVICE_UNAVAILABLE, text);
        Self { may_come_again: true, ..refusal }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(&ErrorAnswer { error: &self.text })).into_response();
        if self.may_come_again {
            response.headers_mut().insert(RETRY_AFTER, SOON);
        }
        if self.is_meant {
            response.extensions_mut().insert(Meant);
        }
        response.extensions_mut().insert(self.why());
        response
    }
}

/// An error and its causes, in one line.
pub(super) fn error_chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
