//! Hosts and origins: what pages of browsers can reach.
//!
//! Must not know tokens.

use std::net::SocketAddr;

use variate::settings::CorsSettings;

use super::super::http::{Request, ask, exchange};
use super::Daemon;

/// Status and the part behind the head of what such a host is answered.
fn named(address: SocketAddr, what: &str, headers: &str) -> (String, String) {
    let head = format!("{what} HTTP/1.1\r\n{headers}Connection: close\r\n\r\n");
    let answered = exchange(address, head.as_bytes()).unwrap();
    let answered = String::from_utf8_lossy(&answered).into_owned();
    let body = answered.split_once("\r\n\r\n").map(|(_, body)| body.to_owned());
    (answered[9..12].to_owned(), body.unwrap_or_default())
}

#[test]
fn on_this_machine_only_its_names_are_answered() {
    let shop = Daemon::shop();
    for address in [shop.api(), shop.admin()] {
        let path = if address == shop.api() { "GET /v1/config" } else { "GET /info" };
        let port = address.port();
        for host in ["localhost", "127.0.0.1", "[::1]", &format!("localhost:{port}")] {
            assert_eq!(named(address, path, &format!("Host: {host}\r\n")).0, "200", "{host}");
        }
        let refused = ("404".to_owned(), "{\"error\":\"invalid request host\"}\n".to_owned());
        for host in ["evil.example", "localhost.evil.example", &format!("evil.example:{port}"), ""]
        {
            assert_eq!(named(address, path, &format!("Host: {host}\r\n")), refused, "{host}");
        }
        for headers in [
            "Host: localhost\r\nX-Forwarded-Host: evil.example\r\n",
            "Host: evil.example\r\nX-Forwarded-Host: localhost\r\n",
            "Host: localhost\r\nForwarded: host=evil.example\r\n",
        ] {
            assert_eq!(named(address, path, headers), refused, "{headers}");
        }
        // Whatever looks whether it is alive calls it by its address.
        assert_eq!(named(address, "GET /health", "Host: 10.0.0.7\r\n").0, "200");
        let ready = named(address, "GET /ready", "Host: evil.example\r\n").1;
        assert_eq!(ready, "{\"status\":\"ready\"}\n");
    }
}

#[test]
fn names_can_be_added() {
    let shop = Daemon::with(|given| {
        given.access.allowed_hosts = vec!["shop.example".to_owned(), ".internal".to_owned()];
    });
    let status = |host: &str| named(shop.api(), "GET /v1/config", &format!("Host: {host}\r\n")).0;
    for host in ["shop.example", "SHOP.example:80", "a.internal", "localhost"] {
        assert_eq!(status(host), "200", "{host}");
    }
    for host in ["other.example", "internal", "xinternal"] {
        assert_eq!(status(host), "404", "{host}");
    }
    let problems = shop.ask_admin("GET /problems").json();
    let problem = &problems["problems"][0];
    assert!(problem["text"].as_str().unwrap().contains("allowed_hosts"), "{problems}");
    assert_eq!(problem["count"], 3, "{problems}");
}

#[test]
fn a_page_of_another_origin_changes_nothing() {
    let shop = Daemon::shop();
    let post = |origin: &str| {
        let request = Request::new("POST /v1/track?eventKey=purchase").header("Origin", origin);
        ask(shop.api(), &request.body(r#"{"userId":"anna"}"#)).status
    };
    assert_eq!(post("http://localhost"), 200);
    for origin in ["https://evil.example", "null", "http://localhost:9", "localhost"] {
        assert_eq!(post(origin), 403, "{origin}");
    }
    // What is recorded by a GET is not to be recorded by a picture on any page.
    let get = "GET /i?app_key=x&device_id=anna&events=%5B%7B%22key%22%3A%22purchase%22%7D%5D";
    for (header, value, expect) in [
        ("Sec-Fetch-Site", "cross-site", 403),
        ("Origin", "https://evil.example", 403),
        ("Sec-Fetch-Site", "none", 200),
    ] {
        assert_eq!(ask(shop.api(), &Request::new(get).header(header, value)).status, expect);
    }
    let stored = shop.ask_admin("GET /events").body.lines().count();
    assert_eq!(stored, 2);
    for what in ["POST /events", "DELETE /users/anna", "POST /oauth/token"] {
        let request = Request::new(what).header("Origin", "https://evil.example");
        assert!([403, 404].contains(&ask(shop.admin(), &request).status), "{what}");
    }
}

#[test]
fn browsers_are_told_what_pages_may_ask() {
    const SHOP: &str = "https://shop.example";
    let shop = Daemon::with(|given| {
        given.access.cors = Some(CorsSettings::new(vec![SHOP.to_owned()]));
    });
    let asked = |what: &str, origin: &str| {
        let request = Request::new(what).header("Origin", origin);
        let request = request.header("Access-Control-Request-Method", "POST");
        ask(shop.api(), &request.body(r#"{"userId":"anna"}"#))
    };
    let preflight = asked("OPTIONS /v1/decide", SHOP);
    assert_eq!(preflight.status, 200);
    assert_eq!(preflight.header("access-control-allow-origin"), Some(SHOP));
    assert_eq!(preflight.header("access-control-allow-methods"), Some("HEAD,GET,POST"));
    assert_eq!(preflight.header("access-control-max-age"), Some("300"));
    let headers = preflight.header("access-control-allow-headers").unwrap();
    for needed in
        ["content-type", "authorization", "x-optimizely-sdk-key", "x-api-key", "if-none-match"]
    {
        assert!(headers.split(',').any(|header| header == needed), "{needed} in {headers}");
    }
    let answer = asked("POST /v1/decide?keys=search", SHOP);
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, Some(SHOP)));
    let exposed = answer.header("access-control-expose-headers").unwrap();
    assert!(exposed.contains("etag") && exposed.contains("x-request-id"), "{exposed}");
    assert_eq!(answer.header("access-control-allow-credentials"), None);

    let batch = asked("POST /v1/batch", SHOP);
    assert_eq!((batch.status, batch.header("access-control-allow-origin")), (200, Some(SHOP)));
    assert_eq!(batch.header("access-control-expose-headers"), Some(exposed));
    let preflight = asked("OPTIONS /v1/batch", SHOP);
    assert_eq!(
        (preflight.status, preflight.header("access-control-allow-origin")),
        (200, Some(SHOP))
    );

    let other = asked("OPTIONS /v1/decide", "https://evil.example");
    assert_eq!(other.header("access-control-allow-origin"), None);
    assert_eq!(asked("POST /v1/decide", "https://evil.example").status, 403);
    let request = Request::new("GET /info").header("Origin", SHOP);
    let admin = ask(shop.admin(), &request);
    assert_eq!(admin.header("access-control-allow-origin"), None, "never the administration");
    let request = Request::new("POST /environments/production/refresh").header("Origin", SHOP);
    assert_eq!(ask(shop.admin(), &request).status, 403, "nor may they change anything there");
}

#[test]
fn by_default_no_page_may_ask() {
    let shop = Daemon::shop();
    let request = Request::new("OPTIONS /v1/decide").header("Origin", "https://shop.example");
    let answer = ask(shop.api(), &request.header("Access-Control-Request-Method", "POST"));
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (405, None));
}

#[test]
fn any_origin_with_credentials_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let started = super::super::start(folder.path().join("store"), |given| {
        let mut cors = CorsSettings::new(vec!["*".to_owned()]);
        cors.credentials = true;
        given.access.cors = Some(cors);
    });
    assert!(started.err().unwrap().to_string().contains("name them instead of *"));
}
