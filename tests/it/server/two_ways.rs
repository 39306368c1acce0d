//! The calls that are asked most are answered without the router, and by it where there is more around it: who asks
//! sees no difference.
//!
//! Must not know what they answer.

use uuid::Uuid;
use variate::settings::{CorsSettings, Reach, Scope, TokenSettings};

use super::Daemon;
use super::http::{Answer, Request, ask};

const TOKEN: &str = "a-token-for-all-calls";
const LOOKS_ONLY: &str = "a-token-that-records-nothing";
const ANNA: &str =
    r#"{"userId":"anna","userAttributes":{"country":"SE","age":34},"eventId":"order-1"}"#;
/// What is said around the answers, and what is another each time.
const BESIDE: [&str; 5] =
    ["access-control-expose-headers", "date", "variate-datafile-age", "vary", "x-request-id"];

fn daemon(cors: Option<CorsSettings>) -> Daemon {
    Daemon::with(|given| {
        let token = |name, secret, scopes: &[Scope]| {
            TokenSettings::new(name, secret, Reach::All, scopes).unwrap()
        };
        let mut seldom = token("seldom", "a-token-used-once", &Scope::ALL);
        seldom.rate = Some("1/h".parse().unwrap());
        given.access.tokens = vec![
            token("all", TOKEN, &Scope::ALL),
            token("looks", LOOKS_ONLY, &[Scope::Admin]),
            seldom,
        ];
        given.body_limit = Some("1KiB".parse().unwrap());
        given.access.cors = cors;
    })
}

/// Status, headers and body, without what is another each time.
fn seen(answer: &Answer) -> (u16, Vec<(String, String)>, String) {
    assert!(answer.header("x-request-id").is_some(), "{answer:?}");
    let headers = answer.headers().iter().map(|(name, value)| (name.to_lowercase(), value.clone()));
    let headers = headers.filter(|(name, _)| !BESIDE.contains(&name.as_str()));
    // Seconds may pass between the two.
    let soon = |(name, value): (String, String)| {
        let value = if name == "retry-after" { "soon".to_owned() } else { value };
        (name, value)
    };
    let mut headers: Vec<_> = headers.map(soon).collect();
    headers.sort();
    let id = serde_json::from_str::<serde_json::Value>(&answer.body).ok();
    let id = id.and_then(|body| body.get("eventId")?.as_str().map(str::to_owned));
    let body = match id.filter(|id| Uuid::parse_str(id).is_ok()) {
        Some(made) => answer.body.replace(&made, "made"),
        None => answer.body.clone(),
    };
    (answer.status, headers, body)
}

/// Requests to one path, good and bad, and the status that each gets.
fn requests(path: &str, query: &str) -> Vec<(u16, Request)> {
    let what = |query: &str| Request::new(&format!("POST {path}{query}"));
    let by =
        |request: Request, token: &str| request.header("Authorization", &format!("Bearer {token}"));
    let good = || by(what(query), TOKEN);
    let large = format!(r#"{{"userId":"{}"}}"#, "x".repeat(2_000));
    let chunked = format!("{:x}\r\n{large}\r\n0\r\n\r\n", large.len());
    vec![
        (200, good().body(ANNA)),
        (200, good().body(ANNA)),
        (200, good().header("Content-Type", "Application/JSON; charset=utf-8").raw_body(ANNA)),
        (400, good().body("{")),
        (400, good().body(r#"{"userId":7}"#)),
        (415, good().raw_body(ANNA)),
        (415, good().header("Content-Type", "text/plain").raw_body(ANNA)),
        (413, good().body(&large)),
        (
            413,
            good()
                .header("Content-Type", "application/json")
                .header("Transfer-Encoding", "chunked")
                .unframed(chunked.as_bytes()),
        ),
        (403, good().header("X-Optimizely-SDK-Key", "nobodys").body(ANNA)),
        (401, what(query).body(ANNA)),
        (401, by(what(query), "wrong-token-0123456").body(ANNA)),
        (401, by(what(query), "wrong-token-0123456").body(&large)),
        (403, by(what(query), LOOKS_ONLY).body(ANNA)),
        (403, good().header("Origin", "https://evil.example").body(ANNA)),
        (404, good().header("X-Forwarded-Host", "evil.example").body(ANNA)),
        (404, by(what("/"), TOKEN).body(ANNA)),
        (405, by(Request::new(&format!("GET {path}{query}")), TOKEN)),
        (405, by(Request::new(&format!("DELETE {path}{query}")), TOKEN).body(ANNA)),
    ]
}

#[test]
fn with_more_around_the_router_the_answers_are_the_same() {
    let (direct, routed) =
        (daemon(None), daemon(Some(CorsSettings::new(vec!["https://shop.example".to_owned()]))));
    let check = |status: Option<u16>, request: &Request| {
        let answers = [&direct, &routed].map(|daemon| ask(daemon.api(), request));
        let [alone, around] = &answers;
        assert_eq!(seen(alone), seen(around), "{request:?}");
        assert!(status.is_none_or(|status| status == alone.status), "{status:?} {alone:?}");
        let vary = answers.each_ref().map(|answer| answer.header("vary").is_some());
        assert_eq!(vary, [false, true], "the second has more around it: {answers:?}");
        alone.status
    };
    for (path, query) in [
        ("/v1/decide", "?keys=search"),
        ("/v1/activate", "?experimentKey=checkout_button"),
        ("/v1/track", "?eventKey=purchase"),
    ] {
        for (status, request) in requests(path, query) {
            check(Some(status), &request);
        }
        let ask_by = |token: &str, query: &str| {
            let request = Request::new(&format!("POST {path}{query}"));
            request.header("Authorization", &format!("Bearer {token}"))
        };
        // What these get is the matter of each.
        check(None, &ask_by(TOKEN, query));
        for query in
            ["", "?", "?keys=&eventKey=&experimentKey=", "?keys=n&eventKey=n&experimentKey=n"]
        {
            check(None, &ask_by(TOKEN, query).body(ANNA));
        }
        let mut last = 0;
        for _ in 0..2 {
            last = check(None, &ask_by("a-token-used-once", query).body(ANNA));
        }
        assert_eq!(last, 429);
    }
    let given = Request::new("POST /v1/decide").header("X-Request-Id", "mine-1");
    for daemon in [&direct, &routed] {
        assert_eq!(ask(daemon.api(), &given).header("x-request-id"), Some("mine-1"));
    }
}
