//! What is said of an address that gave nothing that can be used: what is wrong and what to look at.
//!
//! Must not know how it was asked. Neither the answer's text nor an address in it is told: they may hold
//! secrets.

use std::error::Error;
use std::time::Duration;

use reqwest::StatusCode;

use crate::source::supplied::Trouble;
use crate::web::problem_of;

/// An address, as it is spoken of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Words<'a> {
    pub(super) name: &'a str,
    pub(super) has_key: bool,
    pub(super) timeout: Duration,
}

impl Words<'_> {
    pub(super) fn trouble(&self, problem: &str) -> Trouble {
        Trouble::new(format!("{} {problem}", self.name))
    }

    /// No answer, or not all of it.
    pub(super) fn failed(&self, error: reqwest::Error) -> Trouble {
        let error = error.without_url();
        if error.is_redirect() {
            return self.trouble(
                "redirects too often, or from https to http: give the address that it leads to",
            );
        }
        if error.is_timeout() {
            let timeout_ms = self.timeout.as_millis();
            return self.trouble(&format!(
                "was not done within {timeout_ms} ms: look at the network and at who answers, and where a program of yours sets that time, allow more"
            ));
        }
        if error.is_decode() || error.is_body() {
            return self.trouble(
                "sent a datafile that is cut off or cannot be unpacked: it is asked again",
            );
        }
        if error.is_builder() {
            return self.trouble("cannot be asked: check the address");
        }
        if error.is_connect() {
            let cause = root_of(&error);
            return self.trouble(&format!(
                "cannot be reached ({cause}): check the address, and that it is up"
            ));
        }
        self.trouble(&problem_of(&error, self.timeout))
    }

    /// More than may be.
    pub(super) fn too_large(&self, most_bytes: u64) -> Trouble {
        self.trouble(&format!(
            "sent more than {most_bytes} bytes, the most that is taken: look whether it is the datafile, and where a program of yours sets that limit, raise it"
        ))
    }

    /// A status that is no success.
    pub(super) fn refused(&self, status: StatusCode) -> String {
        let what = if self.has_key { "the SDK key and its token" } else { "the address" };
        let remedy = match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND => {
                format!(": check {what}")
            }
            StatusCode::NOT_MODIFIED => ", although it was not asked for changes only".to_owned(),
            status if status.is_success() => ", which is no datafile: check the address".to_owned(),
            _ => ": it is asked again".to_owned(),
        };
        format!("{} answered {status}{remedy}", self.name)
    }
}

/// The innermost cause, which says whether it is the name, the connection or the certificate.
fn root_of(error: &dyn Error) -> String {
    let mut root = error;
    while let Some(cause) = root.source() {
        root = cause;
    }
    root.to_string()
}
