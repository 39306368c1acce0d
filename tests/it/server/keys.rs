//! Which environment a key chooses, and what unknown keys get.
//!
//! Must not know what is asked of environments.

use super::http::{Request, ask};
use super::{Daemon, SHOP, SHOP_KEY, environment};

const FORBIDDEN: &str = "{\"error\":\"unable to fetch fresh datafile (consider rechecking SDK key), status code: 403 Forbidden\"}\n";

/// The status and, where it is no answer, the body that a key gets.
#[track_caller]
fn check(daemon: &Daemon, key: Option<&str>, expect: (u16, &str)) {
    let mut request = Request::new("POST /v1/decide?keys=search").body(r#"{"userId":"anna"}"#);
    if let Some(key) = key {
        request = request.header("X-Optimizely-SDK-Key", key);
    }
    let answer = ask(daemon.api(), &request);
    let body = if answer.status == 200 { "" } else { &answer.body };
    assert_eq!((answer.status, body), expect, "{key:?}");
}

const MISSING: (u16, &str) =
    (400, "{\"error\":\"missing required X-Optimizely-SDK-Key header\"}\n");
const FAILED: (u16, &str) = (400, "{\"error\":\"sdkKey failed validation\"}\n");

#[test]
fn with_one_environment_the_key_may_be_left_out_but_not_wrong() {
    let shop = Daemon::shop();
    check(&shop, None, (200, ""));
    check(&shop, Some(SHOP_KEY), (200, ""));
    check(&shop, Some(&format!("{SHOP_KEY}:anything")), (200, ""));
    check(&shop, Some("unknown"), (403, FORBIDDEN));
    for wrong in ["with-dash", "a:b:c", ":", "ä", "../x", "a b"] {
        check(&shop, Some(wrong), FAILED);
    }
}

#[test]
fn with_several_environments_the_key_decides() {
    let folder = tempfile::tempdir().unwrap();
    let other = folder.path().join("other.json");
    let text = std::fs::read_to_string(SHOP).unwrap();
    std::fs::write(&other, text.replace(SHOP_KEY, "other").replace("\"87\"", "\"5\"")).unwrap();
    let daemon = Daemon::with(|given| {
        let mut with_token = environment(&format!("guarded={}", other.display()));
        with_token.sdk_key = Some("guarded:t0ken".parse().unwrap());
        let named = environment(&format!("staging={}", other.display()));
        given.environments.extend([named, with_token]);
    });
    check(&daemon, None, MISSING);
    check(&daemon, Some(""), MISSING);
    check(&daemon, Some(SHOP_KEY), (200, ""));
    check(&daemon, Some("other"), (200, ""));
    check(&daemon, Some("guarded:t0ken"), (200, ""));
    for wrong in ["guarded", "guarded:token", "guarded:t0ken1", "t0ken", "production", "staging"] {
        check(&daemon, Some(wrong), (403, FORBIDDEN));
    }
    let request = Request::new("GET /v1/datafile").header("X-Optimizely-SDK-Key", "other");
    assert_eq!(ask(daemon.api(), &request).header("variate-revision"), Some("5"));
}

#[test]
fn the_key_is_looked_at_before_the_body() {
    let shop = Daemon::shop();
    let request = Request::new("POST /v1/decide")
        .header("X-Optimizely-SDK-Key", "unknown")
        .raw_body("no json");
    assert_eq!(ask(shop.api(), &request).status, 403);
}
