//! What the answer of a destination means for the batch.
//!
//! Must not know who asked.
//!
//! | answer | meaning |
//! | --- | --- |
//! | 2xx | taken |
//! | 400, 409, 413, 422, 451 | what is in the batch was refused |
//! | 408, 425, 429, 5xx | unavailable, for as long as `Retry-After` says (seconds or a date) |
//! | 3xx | unavailable: redirects are not followed, since a wrong address is not a record's fault |
//! | any other 4xx (401, 403, 404, 405, 410, 415 ...) | unavailable: the address or the key is wrong, which is not a record's fault either |
//! | none: no connection, reset, timeout, no HTTP | unavailable |

use std::time::{Duration, UNIX_EPOCH};

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, LOCATION, RETRY_AFTER};

use super::destination::Destination;
use crate::clock::{TimeMs, system_time_ms};
use crate::error::Error;
use crate::events::hidden::without_secrets;
use crate::events::sink::Undelivered;

/// Statuses that blame what is in the request.
const REFUSALS: [StatusCode; 5] = [
    StatusCode::BAD_REQUEST,
    StatusCode::CONFLICT,
    StatusCode::PAYLOAD_TOO_LARGE,
    StatusCode::UNPROCESSABLE_ENTITY,
    StatusCode::UNAVAILABLE_FOR_LEGAL_REASONS,
];
/// So many characters of an answer are told.
const MOST_TOLD: usize = 300;

pub(super) fn judge(
    destination: &Destination,
    status: StatusCode,
    headers: &HeaderMap,
    text: &[u8],
) -> Result<(), Undelivered> {
    if status.is_success() {
        return Ok(());
    }
    let name = &destination.name;
    // Some tell back what they were asked for.
    let said = said(status, &destination.told(&String::from_utf8_lossy(text)));
    if REFUSALS.contains(&status) {
        return Err(Undelivered::refused(format!("{name} refused it: {said}")));
    }
    let remedy = destination.told(&remedy(status, headers));
    let cause = Error::destination(name, format!("answered {said}{remedy}"), None);
    Err(Undelivered::Unavailable { cause, retry_after: retry_after(headers, system_time_ms()) })
}

/// What is wrong where there is no answer, in words that say what to look at.
pub(super) fn problem_of(error: &reqwest::Error, timeout: Duration) -> String {
    if error.is_timeout() {
        let timeout_ms = timeout.as_millis();
        format!("did not answer within {timeout_ms} ms")
    } else if error.is_connect() {
        "cannot be reached: check the address, and that it is up".into()
    } else {
        "ended the connection without an answer".into()
    }
}

/// Status and answer, as far as people can read them.
fn said(status: StatusCode, text: &str) -> String {
    let words: Vec<&str> = text.split(|c: char| c.is_whitespace() || c.is_control()).collect();
    let words = words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    if words.is_empty() {
        return status.to_string();
    }
    match words.char_indices().nth(MOST_TOLD) {
        Some((end, _)) => format!("{status}: {}...", words.get(..end).unwrap_or_default()),
        None => format!("{status}: {words}"),
    }
}

fn remedy(status: StatusCode, headers: &HeaderMap) -> String {
    if status.is_redirection() {
        let target = headers.get(LOCATION).and_then(|target| target.to_str().ok());
        return target.map_or_else(
            || " (redirects are not followed: give the final address)".into(),
            |target| {
                let target = without_secrets(target);
                format!(" (redirects are not followed: give the address {target})")
            },
        );
    }
    let may_be_busy =
        [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_EARLY, StatusCode::TOO_MANY_REQUESTS];
    if status.is_client_error() && !may_be_busy.contains(&status) {
        return " (check the address and the key; delivery goes on when it is right)".into();
    }
    String::new()
}

/// How long the destination wants to be left alone: seconds, or a date.
fn retry_after(headers: &HeaderMap, now_ms: TimeMs) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    let date_ms = TimeMs::try_from(date.duration_since(UNIX_EPOCH).ok()?.as_millis()).ok()?;
    Some(Duration::from_millis(u64::try_from(date_ms.saturating_sub(now_ms)).unwrap_or_default()))
}
