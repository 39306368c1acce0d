//! Checksums: what is signed counts, what is not is acknowledged and let go.
//!
//! Must not know what is signed.

use serde_json::json;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use variate::settings::{TrackingKey, TrackingSystem};

use super::super::{credits, unused};
use super::{Daemon, SUCCESS, activate, form, get, post, purchase, shop_with};

const SALT: &str = "pepper";
const MISMATCH: &str = "{\"result\":\"Request does not match checksum\"}";

fn salted() -> Daemon {
    let shop = shop_with(|given| {
        let mut key = TrackingKey::new(TrackingSystem::Countly, "k", "production");
        key.salt = Some(SALT.to_owned());
        given.tracking.keys = vec![key];
    });
    activate(&shop, "anna");
    shop
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn sha256(text: &str) -> String {
    hex(&Sha256::digest(format!("{text}{SALT}")))
}

fn event() -> String {
    form(&[("app_key", "k"), ("device_id", "anna"), ("events", &purchase().to_string())])
}

#[test]
fn right_checksums_are_believed() {
    let shop = salted();
    let text = event();
    let sha1 = hex(&Sha1::digest(format!("{text}{SALT}")));
    let sha256 = sha256(&text);
    for (number, signed) in [
        format!("{text}&checksum256={sha256}"),
        format!("{text}&checksum256={}", sha256.to_uppercase()),
        format!("checksum256={sha256}&{text}"),
        format!("{text}&checksum={}", sha1.to_uppercase()),
    ]
    .iter()
    .enumerate()
    {
        for answer in [post(&shop, "/i", signed), get(&shop, "/i", signed)] {
            assert_eq!((answer.status, &*answer.body), SUCCESS, "{signed}");
        }
        assert_eq!(credits(&shop).len(), 2 * (number + 1), "{signed}");
    }
    let bulk = form(&[
        ("app_key", "k"),
        ("requests", &json!([{"device_id": "anna", "events": purchase()}]).to_string()),
    ]);
    let answer = post(&shop, "/i/bulk", &format!("{bulk}&checksum256={}", self::sha256(&bulk)));
    assert_eq!((answer.status, &*answer.body), SUCCESS);
    assert_eq!(credits(&shop).len(), 9);
    assert_eq!(unused(&shop, "countly", "wrong-checksum"), 0);
}

/// As countly-sdk-nodejs 24.10.4 made it, with the salt `pepper`.
#[test]
fn one_that_a_client_made_is_believed() {
    let text = "app_key=k&device_id=anna&begin_session=1";
    let made = "checksum256=".to_owned() + &sha256(text);
    let shop = salted();
    assert_eq!(get(&shop, "/i", &format!("{text}&{made}")).body, SUCCESS.1);
    assert_eq!(unused(&shop, "countly", "wrong-checksum"), 0);
}

#[test]
fn others_are_acknowledged_and_let_go() {
    let shop = salted();
    let text = event();
    let right = sha256(&text);
    let beside = form(&[("events", &purchase().to_string())]);
    let mismatches = [
        format!("{text}&checksum256={}", sha256("other")),
        format!("{text}&checksum256="),
        format!("{text}&x=1&checksum256={right}"),
        format!("{text}&checksum={right}"),
    ];
    for signed in &mismatches {
        let answer = post(&shop, "/i", signed);
        assert_eq!((answer.status, &*answer.body), (200, MISMATCH), "{signed}");
    }
    let answer = post(&shop, "/i", &text);
    assert_eq!(
        (answer.status, &*answer.body),
        (200, "{\"result\":\"Request does not have checksum\"}")
    );
    // Only what is signed counts: who has seen one signed request cannot add to it.
    let signed = "app_key=k&device_id=anna";
    let query = format!("{signed}&checksum256={}", sha256(signed));
    let answer = post(&shop, &format!("/i?{query}"), &beside);
    assert_eq!((answer.status, &*answer.body), SUCCESS);
    let bulk = form(&[
        ("app_key", "k"),
        ("requests", &json!([{"device_id": "anna", "events": purchase()}]).to_string()),
    ]);
    assert_eq!(post(&shop, "/i/bulk", &bulk).status, 200);
    assert_eq!(credits(&shop), Vec::<String>::new());
    assert_eq!(unused(&shop, "countly", "wrong-checksum"), 6);
    // Who asks keeps nothing for later, and must not take this for values.
    let asked = format!("{signed}&method=rc");
    assert_eq!(get(&shop, "/o/sdk", &asked).status, 400);
    let asked = format!("{asked}&checksum256={}", sha256(&asked));
    assert_eq!(get(&shop, "/o/sdk", &asked).status, 200);
}
