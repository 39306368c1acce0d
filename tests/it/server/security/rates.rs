//! How often a token may be used.
//!
//! Must not know paths.

use variate::settings::Scope;

use super::super::http::ask;
use super::{ALL, Daemon, bearer, token};

#[test]
fn a_token_may_be_used_so_often() {
    let shop = Daemon::with(|given| {
        let mut narrow = token("narrow", "a-narrow-token-0123", &["*"], &Scope::ALL);
        narrow.rate = Some("5/h".parse().unwrap());
        given.access.tokens = vec![narrow, token("wide", ALL, &["*"], &Scope::ALL)];
    });
    let ask_with = |secret: &str| ask(shop.api(), &bearer("GET /v1/config", secret));
    for _ in 0..5 {
        assert_eq!(ask_with("a-narrow-token-0123").status, 200);
    }
    let refused = ask_with("a-narrow-token-0123");
    assert_eq!(refused.status, 429);
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((600..=721).contains(&wait), "one comes back every 720 seconds: {wait}");
    assert!(refused.json()["error"].is_string());
    assert_eq!(ask_with(ALL).status, 200, "others are not held back by it");
    assert_eq!(ask_with("wrong").status, 401);
}

#[test]
fn what_was_used_comes_back() {
    let shop = Daemon::with(|given| {
        given.access.token_rate = Some("2/s".parse().unwrap());
        given.access.tokens = vec![token("narrow", ALL, &["*"], &Scope::ALL)];
    });
    let status = || ask(shop.api(), &bearer("GET /v1/config", ALL)).status;
    super::super::wait_for("the end of the bucket", || (status() == 429).then_some(()));
    super::super::wait_for("more of it", || (status() == 200).then_some(()));
}
