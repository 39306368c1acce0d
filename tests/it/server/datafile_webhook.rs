//! Optimizely's webhook: whom it is believed, and what comes of it.
//!
//! Must not know sources.

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::json;
use sha1::Sha1;

use super::http::{Request, ask};
use super::{Daemon, SHOP, SHOP_KEY, environment, wait_for};

const SHOP_PROJECT: u64 = 21_551_520_143;

fn message(project_id: u64) -> String {
    json!({
        "project_id": project_id,
        "timestamp": 1_700_000_000,
        "event": "project.datafile_updated",
        "data": {"revision": 88, "origin_url": "https://example.com/a.json", "cdn_url": "https://example.com/b.json", "environment": "Production"},
    })
    .to_string()
}

fn signature(secret: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    let digits: String =
        mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha1={digits}")
}

/// The status that a message with a signature gets.
fn told(daemon: &Daemon, body: &str, signature: Option<&str>) -> u16 {
    let mut request = Request::new("POST /webhooks/optimizely").body(body);
    if let Some(signature) = signature {
        request = request.header("X-Hub-Signature", signature);
    }
    ask(daemon.api(), &request).status
}

#[test]
fn only_who_knows_the_secret_is_believed() {
    let daemon = Daemon::with(|given| {
        given.agent.datafile_webhook_secret = Some("s3cret".to_owned());
    });
    let body = message(SHOP_PROJECT);
    let right = signature("s3cret", &body);
    assert_eq!(told(&daemon, &body, Some(&right)), 204);
    assert_eq!(told(&daemon, &message(1), None), 204, "a project that is not here");
    for wrong in [
        None,
        Some(""),
        Some("sha1="),
        Some("sha1=zz"),
        Some(&right[5..]),
        Some(&right[..right.len() - 2]),
        Some(&*signature("other", &body)),
        Some(&*signature("s3cret", &message(2))),
    ] {
        let mut request = Request::new("POST /webhooks/optimizely").body(&body);
        if let Some(wrong) = wrong {
            request = request.header("X-Hub-Signature", wrong);
        }
        let answer = ask(daemon.api(), &request);
        let expect = "{\"error\":\"Computed signature does not match signature in request. Ignoring message.\"}\n";
        assert_eq!((answer.status, answer.body.as_str()), (400, expect), "{wrong:?}");
    }
    for no_message in ["", "{", "[]", "{}", r#"{"project_id":null}"#] {
        let answer = ask(daemon.api(), &Request::new("POST /webhooks/optimizely").body(no_message));
        let expect = "{\"error\":\"Unable to parse webhook message.\"}\n";
        assert_eq!((answer.status, answer.body.as_str()), (400, expect), "{no_message:?}");
    }
    let large = format!("{{\"project_id\":1,\"x\":\"{}\"}}", "x".repeat(70_000));
    assert_eq!(told(&daemon, &large, None), 413);
    assert_eq!(daemon.ask("GET /webhooks/optimizely", "").status, 405);
}

#[test]
fn without_a_secret_nobody_is_believed_and_an_own_secret_comes_first() {
    let shop = Daemon::shop();
    let body = message(SHOP_PROJECT);
    assert_eq!(told(&shop, &body, Some(&signature("", &body))), 204, "not set up");
    let daemon = Daemon::with(|given| {
        given.agent.datafile_webhook_secret = Some("of all".to_owned());
        let mut own = environment(SHOP);
        own.datafile_webhook_secret = Some("its own".to_owned());
        given.environments = vec![own];
    });
    assert_eq!(told(&daemon, &body, Some(&signature("of all", &body))), 400);
    assert_eq!(told(&daemon, &body, Some(&signature("its own", &body))), 204);
}

/// The address is asked once an hour, so that what is seen at once is the webhook's doing.
#[test]
fn the_datafile_is_got_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(SHOP).unwrap();
    let path = folder.path().join("shop.json");
    std::fs::write(&path, &text).unwrap();
    let origin =
        Daemon::with(|given| given.environments = vec![environment(path.to_str().unwrap())]);
    let address = format!("http://{}/datafiles/{SHOP_KEY}.json", origin.api());
    let daemon = Daemon::with(|given| {
        given.agent.datafile_webhook_secret = Some("s3cret".to_owned());
        given.poll_interval = Some("1h".parse().unwrap());
        given.environments = vec![environment(&address)];
    });
    let wait_for_revision = |daemon: &Daemon, wanted: &str| {
        wait_for(wanted, || {
            let answer = daemon.ask("GET /v1/config", "");
            (answer.header("variate-revision") == Some(wanted)).then_some(())
        });
    };
    wait_for_revision(&daemon, "87");
    std::fs::write(&path, text.replace("\"87\"", "\"88\"")).unwrap();
    wait_for_revision(&origin, "88");
    let unsigned = message(SHOP_PROJECT);
    assert_eq!(told(&daemon, &unsigned, None), 400);
    std::thread::sleep(std::time::Duration::from_millis(300));
    wait_for_revision(&daemon, "87");
    let body = message(SHOP_PROJECT);
    assert_eq!(told(&daemon, &body, Some(&signature("s3cret", &body))), 204);
    wait_for_revision(&daemon, "88");
}
