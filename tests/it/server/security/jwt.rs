//! JWTs as Optimizely Agent makes and takes them, and the clients that are given some.
//!
//! Must not know tokens of the settings. JWTs are put together here by hand, so that what is wrong with one
//! is not mended by a library.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};
use variate::settings::{Given, JwtSettings, OauthClientSettings, Scope};

use super::super::http::{Answer, Request, ask};
use super::super::{SHOP_KEY, wait_for};
use super::{Daemon, OTHER_KEY, TwoShops, bearer, token};

pub(super) const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";
const OLDER_SECRET: &[u8] = b"fedcba9876543210fedcba9876543210";
const ADMIN: &str = "a-token-for-people-01";
/// Far in the future.
const LATER: i64 = 4_102_444_800;

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn signed(header: &Value, claims: &Value, secret: &[u8]) -> String {
    let message = format!("{}.{}", part(header), part(claims));
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret);
    let tag = ring::hmac::sign(&key, message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag))
}

fn jwt(claims: &Value) -> String {
    signed(&json!({"alg": "HS256", "typ": "JWT"}), claims, SECRET)
}

/// One for the shop that is good until then.
pub(super) fn jwt_until(seconds: i64) -> String {
    jwt(&json!({"iss": "Optimizely", "exp": seconds, "sdk_keys": [SHOP_KEY]}))
}

fn for_keys(keys: &[&str]) -> Value {
    json!({"iss": "Optimizely", "exp": LATER, "sdk_keys": keys})
}

fn with_secrets(change: impl FnOnce(&mut JwtSettings)) -> TwoShops {
    TwoShops::with(|given| {
        let mut jwt = JwtSettings::new();
        jwt.hmac_secrets = vec![SECRET.to_vec(), OLDER_SECRET.to_vec()];
        change(&mut jwt);
        given.access.jwt = Some(jwt);
    })
}

fn config(shops: &TwoShops, key: &str, token: &str) -> u16 {
    let request = bearer("GET /v1/config", token).header("X-Optimizely-SDK-Key", key);
    ask(shops.api(), &request).status
}

#[test]
fn keys_in_the_claims_are_environments() {
    let shops = with_secrets(|_| {});
    let token = jwt(&for_keys(&[SHOP_KEY]));
    assert_eq!(config(&shops, SHOP_KEY, &token), 200);
    assert_eq!(config(&shops, OTHER_KEY, &token), 403);
    let both = jwt(&for_keys(&[SHOP_KEY, OTHER_KEY]));
    assert_eq!((config(&shops, SHOP_KEY, &both), config(&shops, OTHER_KEY, &both)), (200, 200));
    let track = bearer("POST /v1/track?eventKey=purchase", &token).body(r#"{"userId":"anna"}"#);
    assert_eq!(ask(shops.api(), &track).status, 200, "the only environment needs no header");
    assert_eq!(ask(shops.admin(), &bearer("GET /info", &token)).status, 403);
    let status = ask(shops.api(), &bearer("POST /v1/override", &token)).status;
    assert!([403, 404].contains(&status), "overrides need more: {status}");

    let admin = jwt(&json!({"iss": "Optimizely", "exp": LATER, "admin": true}));
    assert_eq!(ask(shops.admin(), &bearer("GET /info", &admin)).status, 200);
    assert_eq!(config(&shops, SHOP_KEY, &admin), 403);
    for header in ["Auth", "Jwt"] {
        let request = Request::new("GET /info").header(header, &admin);
        assert_eq!(ask(shops.admin(), &request).status, 200, "{header}");
    }
}

#[test]
fn what_is_wrong_with_a_jwt_is_seen() {
    let shops = with_secrets(|_| {});
    let good = for_keys(&[SHOP_KEY]);
    let hs256 = json!({"alg": "HS256"});
    let status = |token: &str| config(&shops, SHOP_KEY, token);
    assert_eq!(status(&signed(&hs256, &good, SECRET)), 200);
    assert_eq!(status(&signed(&hs256, &good, OLDER_SECRET)), 200, "any of the secrets");
    assert_eq!(status(&signed(&hs256, &good, b"another secret of thirty-two by")), 401);
    let with = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        jwt(&claims)
    };
    assert_eq!(status(&with("exp", json!(1_000))), 401, "over");
    assert_eq!(status(&with("exp", json!("4102444800"))), 401, "no number");
    assert_eq!(status(&with("exp", Value::Null)), 401, "no end");
    assert_eq!(status(&with("iss", json!("Somebody"))), 401);
    assert_eq!(status(&with("iss", Value::Null)), 401);
    assert_eq!(status(&with("nbf", json!(LATER))), 401, "not yet");
    assert_eq!(status(&with("sdk_keys", json!([]))), 403);
    assert_eq!(status(&with("sdk_keys", Value::Null)), 403);
    assert_eq!(status(&with("sdk_keys", json!(SHOP_KEY))), 401, "no list");
    assert_eq!(status(&with("aud", json!("somebody"))), 200, "as Agent");

    let none = format!("{}.{}.", part(&json!({"alg": "none"})), part(&good));
    assert_eq!(status(&none), 401);
    for alg in ["HS384", "HS512", "RS256", "ES256", "none", "hs256"] {
        assert_eq!(status(&signed(&json!({ "alg": alg }), &good, SECRET)), 401, "{alg}");
    }
    let token = jwt(&good);
    let (message, tag) = token.rsplit_once('.').unwrap();
    for wrong in
        ["", ".", "..", "...", "a.b.c", message, &format!("{message}."), &format!("{token}.{tag}")]
    {
        assert_eq!(status(wrong), 401, "{wrong:?}");
    }
    let (head, _) = message.split_once('.').unwrap();
    let more = part(&for_keys(&[SHOP_KEY, OTHER_KEY]));
    assert_eq!(
        status(&format!("{head}.{more}.{tag}")),
        401,
        "other claims with the same signature"
    );
}

fn secret_text() -> String {
    STANDARD.encode(SECRET)
}

fn clients(jwt: &mut JwtSettings) {
    // The cost that the settings have is theirs; this one is for tests.
    let hash = bcrypt::hash(SECRET, 4).unwrap();
    let mut service = OauthClientSettings::new("service".to_owned(), hash.clone());
    service.sdk_keys = vec![SHOP_KEY.parse().unwrap()];
    let mut people = OauthClientSettings::new("people".to_owned(), hash);
    people.admin = true;
    jwt.clients = vec![service, people];
}

fn ask_for_token(address: SocketAddr, form: &str) -> Answer {
    let request = Request::new("POST /oauth/token");
    ask(
        address,
        &request.header("Content-Type", "application/x-www-form-urlencoded").raw_body(form),
    )
}

fn form(client: &str, secret: &str) -> String {
    let secret = secret.replace('+', "%2B").replace('=', "%3D");
    format!("grant_type=client_credentials&client_id={client}&client_secret={secret}")
}

#[test]
fn a_client_is_given_what_it_may_ask_for() {
    let shops = with_secrets(|jwt| {
        clients(jwt);
        jwt.ttl = "90s".parse().unwrap();
    });
    for _ in 0..2 {
        let answer = ask_for_token(shops.api(), &form("service", &secret_text()));
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let given = answer.json();
        assert_eq!((&given["token_type"], &given["expires_in"]), (&json!("bearer"), &json!(90)));
        let token = given["access_token"].as_str().unwrap();
        assert_eq!(config(&shops, SHOP_KEY, token), 200);
        assert_eq!(config(&shops, OTHER_KEY, token), 403);
        let claims = token.split('.').nth(1).unwrap();
        let claims: Value =
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
        assert_eq!(
            (&claims["iss"], &claims["sdk_keys"]),
            (&json!("Optimizely"), &json!([SHOP_KEY]))
        );
    }
    let admin = ask_for_token(shops.admin(), &form("people", &secret_text())).json();
    let token = admin["access_token"].as_str().unwrap();
    assert_eq!(ask(shops.admin(), &bearer("GET /info", token)).status, 200);
    assert_eq!(config(&shops, SHOP_KEY, token), 403);
    for (address, client) in [(shops.api(), "people"), (shops.admin(), "service")] {
        assert_eq!(ask_for_token(address, &form(client, &secret_text())).status, 401, "{client}");
    }
}

#[test]
fn scopes_say_what_else_may_be_done_in_the_environments() {
    let shops = TwoShops::with(|given| {
        let mut jwt = JwtSettings::new();
        jwt.hmac_secrets = vec![SECRET.to_vec()];
        clients(&mut jwt);
        let mut sets = jwt.clients[0].clone();
        (sets.id, sets.scopes) = ("sets".to_owned(), vec![Scope::Track, Scope::Override]);
        jwt.clients.push(sets);
        given.access.jwt = Some(jwt);
        given.agent.overrides = Some(true);
    });
    let may = |token: &str| {
        let ask = |what: &str| ask(shops.api(), &bearer(what, token).body("{}")).status != 403;
        let admin = ask_admin(&shops, token) != 403;
        let calls = ["POST /v1/decide", "POST /v1/track?eventKey=purchase", "POST /v1/override"];
        (calls.map(ask), admin)
    };
    let said = |scope: Value| {
        let mut claims = for_keys(&[SHOP_KEY]);
        claims["scope"] = scope;
        may(&jwt(&claims))
    };
    let usual = ([true, true, false], false);
    assert_eq!(may(&jwt(&for_keys(&[SHOP_KEY]))), usual);
    assert_eq!(said(json!("openid profile")), usual, "words of others");
    assert_eq!(said(json!(["override"])), usual, "no text");
    assert_eq!(said(json!("admin")), usual, "nobody gets the administration so");
    assert_eq!(said(json!("decide track override")), ([true, true, true], false));
    assert_eq!(said(json!("openid track")), ([false, true, false], false));
    let nothing = jwt(&json!({"iss": "Optimizely", "exp": LATER, "scope": "override"}));
    assert_eq!(may(&nothing), ([false; 3], false), "no environment");
    let made = |client: &str| {
        let answer = ask_for_token(shops.api(), &form(client, &secret_text())).json();
        may(answer["access_token"].as_str().unwrap())
    };
    assert_eq!((made("service"), made("sets")), (usual, ([false, true, true], false)));
}

fn ask_admin(shops: &TwoShops, token: &str) -> u16 {
    ask(shops.admin(), &bearer("GET /info", token)).status
}

/// Whoever has no secret is not told by the time which clients there are.
#[test]
fn an_unknown_client_takes_as_long_as_a_known_one() {
    let shops = with_secrets(|jwt| {
        clients(jwt);
        let slow = bcrypt::hash(SECRET, 9).unwrap();
        jwt.clients.iter_mut().for_each(|client| client.secret_hash.clone_from(&slow));
    });
    let took = |client: &str| {
        let wrong = form(client, &STANDARD.encode(OLDER_SECRET));
        let least = (0..3).map(|_| {
            let watch = variate::clock::Stopwatch::start();
            assert_eq!(ask_for_token(shops.api(), &wrong).status, 401, "{client}");
            watch.elapsed()
        });
        least.min().unwrap()
    };
    let (known, unknown) = (took("service"), took("nobody"));
    assert!(unknown > known / 2, "{unknown:?} against {known:?}");
    let right = form("nobody", &secret_text());
    assert_eq!(ask_for_token(shops.api(), &right).status, 401, "with the secret of another one");
}

#[test]
fn what_is_wrong_with_a_question_for_a_token_is_told_in_the_words_of_oauth() {
    let shops = with_secrets(clients);
    let good = form("service", &secret_text());
    let check = |form: &str, status: u16, error: &str| {
        let answer = ask_for_token(shops.api(), form);
        assert_eq!((answer.status, &answer.json()["error"]), (status, &json!(error)), "{form}");
        assert!(answer.body.ends_with('\n'), "{answer:?}");
    };
    check("", 400, "invalid_request");
    check("client_id=service&client_secret=x", 400, "invalid_request");
    check(&good.replace("client_credentials", "password"), 400, "unsupported_grant_type");
    check("grant_type=client_credentials&client_secret=x", 400, "invalid_request");
    check("grant_type=client_credentials&client_id=service", 400, "invalid_request");
    check(&form("unknown", &secret_text()), 401, "invalid_client");
    check(&form("service", &STANDARD.encode(OLDER_SECRET)), 401, "invalid_client");
    check(&form("service", "no base64!"), 401, "invalid_client");
    check(&form("service", std::str::from_utf8(SECRET).unwrap()), 401, "invalid_client");
    check(&"x".repeat(100_000), 400, "invalid_request");
    let json = Request::new("POST /oauth/token").body("{}");
    let answer = ask(shops.api(), &json);
    assert_eq!((answer.status, &answer.json()["error"]), (415, &json!("invalid_request")));
    let shop = Daemon::shop();
    assert_eq!(ask_for_token(shop.api(), &good).status, 401, "nobody is given any");
}

#[test]
fn many_wrong_secrets_hold_nobody_up() {
    let shops = with_secrets(clients);
    let right = form("service", &secret_text());
    assert_eq!(ask_for_token(shops.api(), &right).status, 200);
    let wrong = form("service", &STANDARD.encode(OLDER_SECRET));
    std::thread::scope(|scope| {
        let asking: Vec<_> =
            (0..100).map(|_| scope.spawn(|| ask_for_token(shops.api(), &wrong).status)).collect();
        assert_eq!(ask_for_token(shops.api(), &right).status, 200);
        assert_eq!(ask(shops.api(), &Request::new("GET /health")).status, 200);
        for asked in asking {
            assert!([401, 503].contains(&asked.join().unwrap()));
        }
    });
}

/// A server that publishes keys, until it is told to fail.
struct Publisher {
    address: SocketAddr,
    /// Status and body.
    said: Arc<Mutex<(&'static str, String)>>,
}

impl Publisher {
    fn of(keys: &Value) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let said = Arc::new(Mutex::new(("200 OK", keys.to_string())));
        let saying = Arc::clone(&said);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                assert!(stream.read(&mut [0; 4096]).unwrap() > 0);
                let (status, body) = saying.lock().unwrap().clone();
                let length = body.len();
                let head = format!(
                    "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
                );
                stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
            }
        });
        Self { address, said }
    }

    fn say(&self, status: &'static str, body: &str) {
        *self.said.lock().unwrap() = (status, body.to_owned());
    }
}

#[test]
fn keys_that_are_published_check_signatures_and_the_last_ones_stay() {
    let random = SystemRandom::new();
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random);
    let key = key.unwrap();
    let point = key.public_key().as_ref();
    let keys = json!({"keys": [
        {"kty": "EC", "crv": "P-256", "kid": "one", "use": "sig", "alg": "ES256",
         "x": URL_SAFE_NO_PAD.encode(&point[1..33]), "y": URL_SAFE_NO_PAD.encode(&point[33..65])},
        {"kty": "oct", "kid": "secret", "k": URL_SAFE_NO_PAD.encode(SECRET)},
    ]});
    let publisher = Publisher::of(&keys);
    let shops = TwoShops::with(|given| {
        let mut jwt = JwtSettings::new();
        jwt.jwks_url = Some(format!("http://{}/keys", publisher.address));
        jwt.jwks_update_interval = "1s".parse().unwrap();
        given.access.jwt = Some(jwt);
        given.access.tokens = vec![token("people", ADMIN, &[], &[Scope::Admin])];
    });
    let signed_by_key = |header: Value, claims: &Value| {
        let message = format!("{}.{}", part(&header), part(claims));
        let signature = key.sign(&random, message.as_bytes()).unwrap();
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    };
    let good = signed_by_key(json!({"alg": "ES256", "kid": "one"}), &for_keys(&[SHOP_KEY]));
    wait_for("the keys", || (config(&shops, SHOP_KEY, &good) == 200).then_some(()));
    let point = point.to_vec();
    for (what, token) in [
        ("no name", signed_by_key(json!({"alg": "ES256"}), &for_keys(&[SHOP_KEY]))),
        (
            "another name",
            signed_by_key(json!({"alg": "ES256", "kid": "two"}), &for_keys(&[SHOP_KEY])),
        ),
        ("the secret that is not looked at", jwt(&for_keys(&[SHOP_KEY]))),
        (
            "the public key as a secret",
            signed(&json!({"alg": "HS256", "kid": "one"}), &for_keys(&[SHOP_KEY]), &point),
        ),
        (
            "a published secret",
            signed(&json!({"alg": "HS256", "kid": "secret"}), &for_keys(&[SHOP_KEY]), SECRET),
        ),
    ] {
        assert_eq!(config(&shops, SHOP_KEY, &token), 401, "{what}");
    }
    let other = keys.to_string().replace("ES256", "ES384");
    publisher.say("200 OK", &other);
    wait_for("another algorithm", || (config(&shops, SHOP_KEY, &good) == 401).then_some(()));
    publisher.say("200 OK", &other.replace("\"alg\":\"ES384\",", ""));
    wait_for("any algorithm", || (config(&shops, SHOP_KEY, &good) == 200).then_some(()));
    publisher.say("200 OK", &other);
    wait_for("another algorithm", || (config(&shops, SHOP_KEY, &good) == 401).then_some(()));
    let both = [&keys["keys"][0], &serde_json::from_str::<Value>(&other).unwrap()["keys"][0]];
    publisher.say("200 OK", &json!({ "keys": both }).to_string());
    wait_for("a key for each", || (config(&shops, SHOP_KEY, &good) == 200).then_some(()));
    publisher.say("200 OK", &keys.to_string().replace("ES256", "ESP256"));
    std::thread::sleep(std::time::Duration::from_millis(1500));
    assert_eq!(config(&shops, SHOP_KEY, &good), 200, "an algorithm that nobody knows is no limit");
    publisher.say("500 x", "x");
    let problem = |text: &str| {
        wait_for(text, || {
            let problems = ask(shops.admin(), &bearer("GET /problems", ADMIN)).json();
            let mut problems = problems["problems"].as_array().unwrap().iter();
            let is_it = |one: &&Value| one["text"].as_str().unwrap().contains(text);
            problems.find(is_it).filter(|one| one["kind"] == "keys").map(drop)
        });
    };
    problem("answered 500");
    std::thread::sleep(std::time::Duration::from_millis(1500));
    assert_eq!(config(&shops, SHOP_KEY, &good), 200, "the last good keys stay");
    publisher.say("200 OK", "{\"keys\":[]}");
    wait_for("no key", || (config(&shops, SHOP_KEY, &good) == 401).then_some(()));
    problem("so that no token is good");
}

#[test]
fn settings_of_jwts_that_cannot_be_meant_are_refused() {
    let fault = |change: fn(&mut JwtSettings)| {
        let environments = vec![super::environment(super::SHOP)];
        let mut given = Given { environments, ..Given::default() };
        let mut jwt = JwtSettings::new();
        change(&mut jwt);
        given.access.jwt = Some(jwt);
        let checked = variate::settings::ServeSettings::new(given).check();
        checked.map_err(|error| error.to_string()).unwrap_err()
    };
    let check = |change: fn(&mut JwtSettings), text: &str| {
        let problem = fault(change);
        assert!(problem.contains(text), "{problem}");
    };
    check(|_| {}, "give hmac_secrets or jwks_url");
    check(|jwt| jwt.hmac_secrets = vec![b"short".to_vec()], "can be guessed");
    check(
        |jwt| {
            jwt.jwks_url = Some("https://example.com".to_owned());
            clients(jwt);
        },
        "leave one of them out",
    );
    check(
        |jwt| {
            jwt.hmac_secrets = vec![SECRET.to_vec()];
            jwt.clients = vec![OauthClientSettings::new("x".to_owned(), "x".to_owned())];
            jwt.clients[0].admin = true;
        },
        "no bcrypt hash",
    );
    check(
        |jwt| {
            jwt.hmac_secrets = vec![SECRET.to_vec()];
            clients(jwt);
            jwt.clients[0].scopes = vec![Scope::Admin];
        },
        "admin = true for the administration",
    );
}
