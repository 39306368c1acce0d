//! Pages of which origins may ask from a browser.
//!
//! Must not know requests.

use crate::error::Error;
use crate::settings::values::Span;

/// Any origin, method or header.
const ANY: &str = "*";

/// Pages of which origins may ask the API from a browser, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CorsSettings {
    /// The origins, such as `https://shop.example`; `*` is any.
    pub origins: Vec<String>,
    /// The methods. Default `HEAD`, `GET`, `POST`.
    pub methods: Vec<String>,
    /// The headers that may be sent. Default: those that the interfaces of the API know.
    pub headers: Vec<String>,
    /// Whether browsers send cookies and what they know of passwords. Default: no.
    pub credentials: bool,
    /// For how long browsers need not ask again. Default `300s`.
    pub max_age: Span,
}

impl CorsSettings {
    /// Those origins, and defaults for the rest.
    #[must_use]
    pub fn new(origins: Vec<String>) -> Self {
        let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
        Self {
            origins,
            methods: words(&["HEAD", "GET", "POST"]),
            headers: words(&[
                "Accept",
                "Auth",
                "Authorization",
                "Content-Type",
                "If-None-Match",
                "Jwt",
                "X-API-Key",
                "X-Optimizely-SDK-Key",
                "X-Request-Id",
                "X-Retry-Count",
            ]),
            credentials: false,
            max_age: Span::from_seconds(300),
        }
    }

    /// Whether pages of any origin may ask.
    #[must_use]
    pub fn is_for_any_origin(&self) -> bool {
        self.origins.iter().any(|origin| origin == ANY)
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        let lists = [&self.origins, &self.methods, &self.headers];
        let has_any = lists.iter().any(|list| list.iter().any(|word| word == ANY));
        if self.credentials && has_any {
            return Err(Error::settings(
                "cors with credentials cannot be for any origin, method or header: name them instead of *",
            ));
        }
        if self.origins.is_empty() {
            return Err(Error::settings(
                "cors has no origin: give origins, such as [\"https://shop.example\"]",
            ));
        }
        let is_origin = |origin: &&String| {
            let host = origin.split_once("://").map(|(_, host)| host);
            let is_whole = host.is_some_and(|host| !host.is_empty() && !host.contains('/'));
            // Browsers send it in small letters.
            *origin == ANY || is_whole && !origin.bytes().any(|byte| byte.is_ascii_uppercase())
        };
        match self.origins.iter().find(|origin| !is_origin(origin)) {
            Some(wrong) => Err(Error::setting_value(
                "origin",
                wrong,
                "write a scheme and a host in small letters, without a path, such as https://shop.example",
            )),
            None => Ok(()),
        }
    }
}
