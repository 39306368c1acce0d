//! A datafile as it is published: what tells it from others, and since when it is.
//!
//! Must not know who asks for it.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use axum::http::header::{IF_MODIFIED_SINCE, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue};
use sha2::{Digest as _, Sha256};

use crate::datafile::Datafile;

/// So many bytes of a hash tell datafiles apart.
const HASH_BYTES: usize = 16;

/// A datafile as it is published.
#[derive(Debug)]
pub(super) struct Published {
    pub(super) datafile: Arc<Datafile>,
    pub(super) etag: HeaderValue,
    pub(super) last_modified: HeaderValue,
    pub(super) since_seconds: u64,
}

impl Published {
    /// Published now, after another one: of two datafiles within a second, the second is dated a second
    /// later, or who asks by time alone would never get it.
    pub(super) fn new(datafile: Arc<Datafile>, before: Option<&Self>, now_seconds: u64) -> Self {
        let earliest = before.map_or(0, |before| before.since_seconds + 1);
        let since_seconds = now_seconds.max(earliest);
        let since = UNIX_EPOCH + Duration::from_secs(since_seconds);
        Self {
            etag: etag(datafile.text().as_bytes()),
            last_modified: header(&httpdate::fmt_http_date(since)),
            datafile,
            since_seconds,
        }
    }

    /// Whether who asks has it already. A tag, where there is one, is all that counts.
    pub(super) fn is_known(&self, headers: &HeaderMap) -> bool {
        if headers.contains_key(IF_NONE_MATCH) {
            return is_among(&self.etag, headers);
        }
        let since = headers.get(IF_MODIFIED_SINCE).and_then(|since| since.to_str().ok());
        let since = since.and_then(|since| httpdate::parse_http_date(since).ok());
        since.is_some_and(|since| since >= UNIX_EPOCH + Duration::from_secs(self.since_seconds))
    }
}

/// The tag of a text.
pub(super) fn etag(text: &[u8]) -> HeaderValue {
    let hash = Sha256::digest(text);
    let digits: String = hash.iter().take(HASH_BYTES).map(|byte| format!("{byte:02x}")).collect();
    header(&format!("\"{digits}\""))
}

/// Whether `If-None-Match` names a tag.
pub(super) fn is_among(etag: &HeaderValue, headers: &HeaderMap) -> bool {
    let named = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut tags = named.flat_map(|value| value.split(',')).map(str::trim);
    tags.any(|tag| {
        tag == "*" || tag.strip_prefix("W/").unwrap_or(tag).as_bytes() == etag.as_bytes()
    })
}

/// What is made here is fit for a header.
fn header(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    //! Which conditions are met.

    use std::sync::Arc;

    use axum::http::{HeaderMap, HeaderName, HeaderValue};

    use super::{Published, etag};
    use crate::datafile::Datafile;

    const AT: u64 = 784_111_777; // Sun, 06 Nov 1994 08:49:37 GMT

    #[track_caller]
    fn check(name: &'static str, value: &str, expect: bool) {
        let text = r#"{"version":"4","accountId":"1","projectId":"2","revision":"1"}"#;
        let Ok(compiled) = Datafile::compile(text) else { return assert_eq!(text, "", "compiles") };
        let published = Published::new(Arc::new(compiled.datafile), None, AT);
        assert_eq!(published.etag, etag(text.as_bytes()));
        let value = value.replace("TAG", published.etag.to_str().unwrap_or_default());
        let mut headers = HeaderMap::new();
        let value = HeaderValue::from_str(&value).unwrap_or(HeaderValue::from_static("?"));
        headers.insert(HeaderName::from_static(name), value);
        assert_eq!(published.is_known(&headers), expect, "{name}: {headers:?}");
    }

    #[test]
    fn conditions() {
        check("if-none-match", "TAG", true);
        check("if-none-match", "W/TAG", true);
        check("if-none-match", "\"other\", TAG", true);
        check("if-none-match", "*", true);
        check("if-none-match", "\"other\"", false);
        check("if-none-match", "", false);
        check("if-modified-since", "Sun, 06 Nov 1994 08:49:37 GMT", true);
        check("if-modified-since", "Sun, 06 Nov 1994 08:49:38 GMT", true);
        check("if-modified-since", "Sun, 06 Nov 1994 08:49:36 GMT", false);
        check("if-modified-since", "yesterday", false);
        check("x-other", "TAG", false);
    }
}
