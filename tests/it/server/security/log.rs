//! What the log tells at the usual level: nothing of users, nothing secret.
//!
//! Must not know what it tells beside.

use crate::events::server::{Answer, Server};

use super::super::SHOP;
use super::super::http::{Request, ask};
use super::super::process::serve;
use super::super::wait_for;
use super::bearer;

const TOKEN: &str = "a-token-that-is-secret-0123";
const USER: &str = "anna-the-user";

#[test]
fn neither_users_nor_secrets_are_logged() {
    let folder = tempfile::tempdir().unwrap();
    let settings = folder.path().join("variate.toml");
    let hash = bcrypt::hash("another secret", 4).unwrap();
    let text = format!(
        "webhook_secret = \"a-webhook-secret\"\n[jwt]\nhmac_secrets = [\"QS1zaWduaW5nLXNlY3JldC1vZi1zb21lLXNpemU=\"]\n[[jwt.client]]\nid = \"service\"\nsecret_hash = \"{hash}\"\nadmin = true\n[[token]]\nname = \"x\"\nsecret = \"{TOKEN}\"\nenvironments = [\"*\"]\nscopes = [\"decide\", \"track\", \"admin\"]\n"
    );
    std::fs::write(&settings, text).unwrap();
    let config = settings.to_str().unwrap();
    let served = serve(folder.path(), &["--datafile", SHOP, "--config", config]);
    let body =
        format!(r#"{{"userId":"{USER}","userAttributes":{{"email":"{USER}@example.com"}}}}"#);
    for what in [
        "POST /v1/decide",
        "POST /v1/track?eventKey=purchase",
        "POST /v1/track?eventKey=unknown",
        "POST /v1/activate?experimentKey=checkout_button",
        "POST /v1/nothing",
        "GET /v1/config",
        &format!("GET /datafiles/{USER}.json"),
        &format!("GET /v1/decide?token={TOKEN}"),
    ] {
        for token in [TOKEN, "a-wrong-token-that-is-secret"] {
            ask(served.api, &bearer(what, token).body(&body));
            ask(served.admin, &bearer(what, token).body(&body));
        }
        ask(served.api, &bearer(what, TOKEN).raw_body(&format!("{{\"userId\":\"{USER}\",")));
    }
    let form = format!("grant_type=client_credentials&client_id=service&client_secret={TOKEN}=");
    let request = Request::new("POST /oauth/token");
    ask(
        served.admin,
        &request.header("Content-Type", "application/x-www-form-urlencoded").raw_body(&form),
    );
    ask(served.admin, &bearer(&format!("GET /events?user={USER}"), TOKEN));
    let (code, said) = served.stop();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("stopped"), "{said}");
    for secret in [USER, TOKEN, "a-wrong-token", "a-webhook-secret", "QS1zaWduaW5n", &hash] {
        assert!(!said.contains(secret), "{secret} in:\n{said}");
    }
}

/// Some destinations quote what they do not like.
#[test]
fn what_a_destination_says_of_a_user_is_for_the_store_alone() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(|_, request| {
        let said = format!("no such user in {}", request.body);
        let length = said.len();
        let head = format!("HTTP/1.1 422 Unprocessable Entity\r\nContent-Length: {length}");
        Answer::Bytes(format!("{head}\r\nConnection: close\r\n\r\n{said}").into_bytes())
    });
    let sink = format!("webhook:{}", server.url("/hook"));
    let served = serve(folder.path(), &["--datafile", SHOP, "--sink", &sink]);
    let body = format!(r#"{{"userId":"{USER}"}}"#);
    let activate = Request::new("POST /v1/activate?experimentKey=checkout_button");
    ask(served.api, &activate.body(&body));
    let told = |what: &str| ask(served.admin, &Request::new(what)).body;
    wait_for("the dead letter", || told("GET /events/dead").contains(USER).then_some(()));
    let public = told("GET /problems") + &told("GET /");
    assert!(public.contains("422 Unprocessable Entity"), "{public}");
    assert!(told("GET /events/dead").contains("it said: no such user"));
    let (_, said) = served.stop();
    assert!(said.contains("422 Unprocessable Entity"), "{said}");
    assert!(!(public + &said).contains(USER));
}
