//! What an answer, or none, says about asking again.
//!
//! Must not know what was asked.

use std::time::{Duration, UNIX_EPOCH};

use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};

use crate::clock::TimeMs;

/// What is wrong where there is no answer, in words that say what to look at.
pub(crate) fn problem_of(error: &reqwest::Error, timeout: Duration) -> String {
    if error.is_timeout() {
        let timeout_ms = timeout.as_millis();
        format!("did not answer within {timeout_ms} ms")
    } else if error.is_connect() {
        "cannot be reached: check the address, and that it is up".into()
    } else {
        "ended the connection without an answer".into()
    }
}

/// How long the other side wants to be left alone: seconds, or a date, which is by its own clock where
/// it tells what that says.
pub(crate) fn retry_after(headers: &HeaderMap, now_ms: TimeMs) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until_ms = date_ms(headers, RETRY_AFTER)?;
    let left_ms = until_ms.saturating_sub(date_ms(headers, DATE).unwrap_or(now_ms));
    Some(Duration::from_millis(u64::try_from(left_ms).unwrap_or_default()))
}

fn date_ms(headers: &HeaderMap, name: HeaderName) -> Option<TimeMs> {
    let date = httpdate::parse_http_date(headers.get(name)?.to_str().ok()?.trim()).ok()?;
    TimeMs::try_from(date.duration_since(UNIX_EPOCH).ok()?.as_millis()).ok()
}

#[cfg(test)]
mod tests {
    //! Forms of `Retry-After`.

    use std::time::Duration;

    use reqwest::header::{HeaderMap, HeaderValue};

    use super::retry_after;

    #[track_caller]
    fn check(headers: &[(&'static str, &'static str)], expect: Option<u64>) {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, HeaderValue::from_static(value));
        }
        let now_ms = 784_111_777_000; // Sun, 06 Nov 1994 08:49:37 GMT
        assert_eq!(retry_after(&map, now_ms), expect.map(Duration::from_secs), "{headers:?}");
    }

    #[test]
    fn seconds_and_dates_are_understood() {
        check(&[], None);
        check(&[("retry-after", " 120 ")], Some(120));
        check(&[("retry-after", "soon")], None);
        check(&[("retry-after", "-1")], None);
        check(&[("retry-after", "Sun, 06 Nov 1994 08:50:07 GMT")], Some(30));
        check(&[("retry-after", "Sunday, 06-Nov-94 08:50:07 GMT")], Some(30));
        check(&[("retry-after", "Sun, 06 Nov 1994 08:00:00 GMT")], Some(0));
        let skewed = ("date", "Sat, 06 Nov 2094 08:49:37 GMT");
        check(&[("retry-after", "Sat, 06 Nov 2094 08:49:47 GMT"), skewed], Some(10));
        check(&[("retry-after", "7"), skewed], Some(7));
    }
}
