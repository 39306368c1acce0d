//! Where tokens are sent, which environments they are for, and that they come before all work.
//!
//! Must not know paths beyond a few.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use variate::settings::{Given, Scope, ServeSettings};

use super::super::http::{Request, ask};
use super::super::{PATIENCE, SHOP_KEY};
use super::{ALL, ANNA, Daemon, OTHER_KEY, TwoShops, bearer, secret_of, token};

#[test]
fn a_token_is_sent_as_agent_and_ofrep_have_it() {
    let shops = TwoShops::guarded();
    let status = |name: &str, value: &str| {
        let request = Request::new("GET /v1/config").header(name, value);
        ask(shops.api(), &request.header("X-Optimizely-SDK-Key", SHOP_KEY)).status
    };
    for (name, value) in [
        ("Authorization", format!("Bearer {ALL}")),
        ("authorization", format!("bearer  {ALL}")),
        ("Auth", ALL.to_owned()),
        ("Jwt", ALL.to_owned()),
        ("X-API-Key", ALL.to_owned()),
    ] {
        assert_eq!(status(name, &value), 200, "{name}: {value}");
    }
    for (name, value) in [
        ("Authorization", ALL.to_owned()),
        ("Authorization", format!("Basic {}", STANDARD.encode(format!("anna:{ALL}")))),
        ("Authorization", format!("Token {ALL}")),
        ("Authorization", format!("Bearer {ALL} {ALL}")),
        ("Authorization", format!("Bearer {}", ALL.to_uppercase())),
        ("Cookie", format!("token={ALL}")),
        ("X-API-Key", format!("{ALL}\u{e9}")),
    ] {
        assert_eq!(status(name, &value), 401, "{name}: {value}");
    }
    let in_the_query = Request::new(&format!("GET /v1/config?token={ALL}&access_token={ALL}"));
    assert_eq!(ask(shops.api(), &in_the_query).status, 401);
}

#[test]
fn a_browser_may_send_it_to_the_administration_as_a_password() {
    let shops = TwoShops::guarded();
    let with = |text: &str| {
        let sent = format!("Basic {}", STANDARD.encode(text));
        ask(shops.admin(), &Request::new("GET /info").header("Authorization", &sent)).status
    };
    assert_eq!(with(&format!("anybody:{ALL}")), 200);
    assert_eq!(with(&format!(":{ALL}")), 200);
    assert_eq!(with(&format!("{ALL}:")), 401);
    assert_eq!(with(ALL), 401);
}

#[test]
fn a_token_is_for_its_environments() {
    let shops = TwoShops::guarded();
    let ask_for = |key: Option<&str>, secret: &str| {
        let mut request = bearer("POST /v1/decide?keys=search", secret).body(ANNA);
        if let Some(key) = key {
            request = request.header("X-Optimizely-SDK-Key", key);
        }
        ask(shops.api(), &request)
    };
    let (production, staging) = (secret_of(Scope::Decide), "all-of-staging-0123");
    let refused = ask_for(Some(OTHER_KEY), &production);
    let text = "the token is not for this environment: take one that is, or another SDK key";
    assert_eq!((refused.status, refused.json()), (403, serde_json::json!({ "error": text })));
    assert_eq!(ask_for(Some(SHOP_KEY), staging).status, 403);
    assert_eq!(ask_for(Some(SHOP_KEY), &production).status, 200);
    assert_eq!(ask_for(Some(OTHER_KEY), staging).status, 200);
    // A token for one environment chooses it.
    assert_eq!(ask_for(None, staging).status, 200);
    assert_eq!(ask_for(None, ALL).status, 400);
    assert_eq!(ask_for(Some("unknown"), staging).status, 403);
    let file = |key: &str| {
        ask(shops.api(), &bearer(&format!("GET /datafiles/{key}.json"), &production)).status
    };
    assert_eq!((file(SHOP_KEY), file(OTHER_KEY), file("unknown")), (200, 403, 403));
}

#[test]
fn without_a_token_nothing_is_looked_at() {
    let shops = TwoShops::guarded();
    // Neither the key of an environment, nor the query, nor the kind of body.
    for what in ["POST /v1/decide?keys=%ff", "POST /v1/track", "POST /v1/activate?type=x"] {
        let request = Request::new(what).header("X-Optimizely-SDK-Key", "../x").raw_body("no json");
        assert_eq!(ask(shops.api(), &request).status, 401, "{what}");
    }
    // The body is not waited for.
    let mut stream = TcpStream::connect(shops.api()).unwrap();
    stream.set_read_timeout(Some(PATIENCE / 4)).unwrap();
    let head = "POST /v1/decide HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{";
    stream.write_all(head.as_bytes()).unwrap();
    let mut answered = [0; 12];
    stream.read_exact(&mut answered).unwrap();
    assert_eq!(&answered, b"HTTP/1.1 401");
}

#[test]
fn tokens_that_cannot_be_meant_are_refused() {
    let fault = |for_environments: &[&str], scopes: &[Scope]| {
        let environments = vec![super::environment(super::SHOP)];
        let mut given = Given { environments, ..Given::default() };
        given.access.tokens = vec![token("x", ALL, for_environments, scopes)];
        ServeSettings::new(given).check().map_err(|error| error.to_string())
    };
    assert!(fault(&["*"], &Scope::ALL).is_ok());
    assert!(fault(&[], &[Scope::Admin]).is_ok());
    for (environments, scopes, text) in [
        (&[] as &[&str], &[Scope::Decide] as &[Scope], "is for no environment"),
        (&["production"], &[], "may be used for nothing"),
        (&["production"], &[Scope::Track, Scope::Admin], "the administration shows all"),
    ] {
        let problem = fault(environments, scopes).unwrap_err();
        assert!(problem.contains(text), "{problem}");
    }
    let folder = tempfile::tempdir().unwrap();
    let started = super::super::start(folder.path().join("store"), |given| {
        given.access.tokens = vec![token("x", ALL, &["prodution"], &[Scope::Decide])];
    });
    let problem = started.err().unwrap().to_string();
    assert!(
        problem.contains("\"prodution\", which is not there: name one of production"),
        "{problem}"
    );
}

#[test]
fn with_tokens_other_addresses_are_listened_on() {
    let open = |token_given: bool| {
        let folder = tempfile::tempdir().unwrap();
        let started = super::super::start(folder.path().join("store"), |given| {
            given.host = Some("0.0.0.0".to_owned());
            if token_given {
                given.access.tokens = vec![token("x", ALL, &["*"], &Scope::ALL)];
            }
        });
        started.map(drop).map_err(|error| error.to_string())
    };
    assert_eq!(open(true), Ok(()));
    assert!(open(false).unwrap_err().contains("nobody has to prove who they are"));
}

#[test]
fn with_nothing_said_nobody_needs_a_token() {
    let shop = Daemon::shop();
    assert_eq!(ask(shop.api(), &bearer("GET /v1/config", "whatever")).status, 200);
    assert_eq!(shop.ask_admin("GET /info").status, 200);
}
