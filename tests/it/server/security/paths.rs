//! Paths that are written to get around what is said about them.
//!
//! Must not know what they answer.

use super::super::http::{Request, ask, exchange};
use super::{TwoShops, UNKNOWN, bearer, secret_of};
use variate::settings::Scope;

/// Ways of writing `/v1/config` and `/events` that something in between might take for them.
const TRICKS: &[&str] = &[
    "//v1/config",
    "/v1//config",
    "/v1/config/",
    "/v1/config//",
    "/./v1/config",
    "/v1/./config",
    "/v1/../v1/config",
    "/health/../v1/config",
    "/health/..%2fv1/config",
    "/health%2f..%2fv1/config",
    "/%76%31/config",
    "/v1%2fconfig",
    "/v1%2Fconfig",
    "/v1/config%00",
    "/v1/config%20",
    "/v1/config;/health",
    "/health;/v1/config",
    "/v1/config?/health",
    "/v1/config#/health",
    "/V1/Config",
    "/v1/CONFIG",
    "/HEALTH",
    "/Health",
    "/health/",
    "//health",
    "/health%2f",
    "/ready/",
    "/v1/health",
    "/v1/config/health",
    "/datafiles/x/health",
    "/x/batch",
    "/\\v1\\config",
    "/oauth/token/../../v1/config",
    "/oauth/token/x",
    "/webhooks/optimizely/../../v1/config",
    "*",
];

#[test]
fn no_way_of_writing_a_path_leads_around() {
    let shops = TwoShops::guarded();
    for address in [shops.api(), shops.admin()] {
        for path in TRICKS {
            for method in ["GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "get", "X"] {
                let head = format!(
                    "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
                );
                let answered = exchange(address, head.as_bytes()).unwrap_or_default();
                let answered = String::from_utf8_lossy(&answered);
                let status = answered.get(9..12).unwrap_or("400");
                assert!(["400", "401"].contains(&status), "{method} {path}: {answered}");
            }
        }
    }
}

#[test]
fn whole_addresses_are_judged_by_their_path_and_host() {
    let shops = TwoShops::guarded();
    let status = |what: &str| {
        let head = format!("{what} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        String::from_utf8_lossy(&exchange(shops.api(), head.as_bytes()).unwrap())[9..12].to_owned()
    };
    assert_eq!(status("GET http://localhost/v1/config"), "401");
    assert_eq!(status("GET http://evil.example/v1/config"), "404");
    assert_eq!(status("GET http://localhost/health"), "200");
}

#[test]
fn a_path_that_is_not_there_tells_nothing_to_strangers() {
    let shops = TwoShops::guarded();
    for path in ["/nothing", "/v1/reset", "/datafiles/", "/v1/decide/x"] {
        let what = format!("GET {path}");
        assert_eq!(ask(shops.api(), &Request::new(&what)).body, UNKNOWN, "{path}");
        assert_eq!(
            ask(shops.api(), &bearer(&what, &secret_of(Scope::Track))).status,
            404,
            "{path}"
        );
    }
}
