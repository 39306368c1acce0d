//! What pages of other origins are told they may ask.
//!
//! Must not know who asks.

use std::time::Duration;

use axum::http::header::{ETAG, RETRY_AFTER};
use axum::http::{HeaderName, HeaderValue, Method};
use tower_http::cors::{AllowHeaders, AllowMethods, AllowOrigin, CorsLayer};

use crate::error::Error;
use crate::server::around::REQUEST_ID;
use crate::server::slips::WARNING;
use crate::settings::CorsSettings;

/// As the settings have it.
pub(in crate::server) fn layer(settings: &CorsSettings) -> Result<CorsLayer, Error> {
    let CorsSettings { origins, methods, headers, credentials, max_age, .. } = settings;
    let is_any = |words: &[String]| words.iter().any(|word| word == "*");
    let origins = if is_any(origins) {
        AllowOrigin::any()
    } else {
        AllowOrigin::list(all("origin", origins, |word| HeaderValue::from_str(word).ok())?)
    };
    let methods = if is_any(methods) {
        AllowMethods::any()
    } else {
        AllowMethods::list(all("method", methods, |word| word.parse::<Method>().ok())?)
    };
    let headers = if is_any(headers) {
        AllowHeaders::any()
    } else {
        AllowHeaders::list(all("header", headers, |word| word.parse::<HeaderName>().ok())?)
    };
    let max_age: Duration = max_age.as_duration();
    Ok(CorsLayer::new()
        .allow_origin(origins)
        .allow_methods(methods)
        .allow_headers(headers)
        .allow_credentials(*credentials)
        .expose_headers([ETAG, REQUEST_ID, RETRY_AFTER, WARNING])
        .max_age(max_age))
}

fn all<T>(
    what: &'static str,
    words: &[String],
    read: impl Fn(&str) -> Option<T>,
) -> Result<Vec<T>, Error> {
    let one = |word: &String| {
        read(word).ok_or_else(|| {
            Error::setting_value(what, word, "no header can say it: write it in plain letters")
        })
    };
    words.iter().map(one).collect()
}
