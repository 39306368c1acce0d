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

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, LOCATION};

use super::destination::Destination;
use crate::clock::system_time_ms;
use crate::error::Error;
use crate::events::hidden::{ITS_WORDS, without_secrets};
use crate::events::sink::Undelivered;
use crate::web::retry_after;

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
    let name = destination.name();
    // Some tell back what they were asked for.
    let said = said(&destination.told(&String::from_utf8_lossy(text)));
    if REFUSALS.contains(&status) {
        return Err(Undelivered::refused(format!("{name} refused it: {status}{said}")));
    }
    let remedy = destination.told(&remedy(status, headers));
    let cause = Error::destination(name, format!("answered {status}{remedy}{said}"), None);
    Err(Undelivered::Unavailable { cause, retry_after: retry_after(headers, system_time_ms()) })
}

/// What it said, as far as people can read it, behind everything else.
fn said(text: &str) -> String {
    let words: Vec<&str> = text.split(|c: char| c.is_whitespace() || c.is_control()).collect();
    let words = words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    if words.is_empty() {
        return words;
    }
    match words.char_indices().nth(MOST_TOLD) {
        Some((end, _)) => format!("{ITS_WORDS}{}...", words.get(..end).unwrap_or_default()),
        None => format!("{ITS_WORDS}{words}"),
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
