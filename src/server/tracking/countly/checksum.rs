//! Checksums: a hash over the query or the body as it was sent, with a salt behind it.
//!
//! Must not know what is signed. Only what the checksum is over counts: parameters beside it would be
//! anybody's.

use serde_json::Value;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::request::{Asked, Params};

/// The parameters that carry one; the first is the one that counts.
const NAMES: [Name; 2] = [
    Name { param: "checksum256", hash: |text| hex(&Sha256::digest(text)) },
    Name { param: "checksum", hash: |text| hex(&Sha1::digest(text)) },
];

#[derive(Clone, Copy)]
struct Name {
    param: &'static str,
    hash: fn(&[u8]) -> String,
}

/// Whether a parameter is a checksum.
pub(super) fn is_one(param: &str) -> bool {
    NAMES.iter().any(|name| name.param == param)
}

/// The parameters that a right checksum is over; the error says what is wrong with it.
pub(super) fn signed(asked: &Asked, salt: &str) -> Result<Params, &'static str> {
    let parts = [(&*asked.body, asked.of_body()), (asked.query.as_bytes(), asked.of_query())];
    let mut has_one = false;
    for (text, params) in parts {
        for name in NAMES {
            let Some(Value::String(given)) = params.get(name.param) else { continue };
            has_one = true;
            let is_right = is_right(text, name, given, salt);
            if is_right {
                return Ok(params);
            }
            break;
        }
    }
    Err(if has_one { "Request does not match checksum" } else { "Request does not have checksum" })
}

fn is_right(text: &[u8], name: Name, given: &str, salt: &str) -> bool {
    let own = format!("{}={given}", name.param);
    let text = String::from_utf8_lossy(text);
    let without = text.replacen(&format!("&{own}"), "", 1);
    // At the beginning, it has the separator behind it.
    let without = match without.strip_prefix(&own) {
        Some(rest) => rest.strip_prefix('&').unwrap_or(rest),
        None => &without,
    };
    let expect = (name.hash)(format!("{without}{salt}").as_bytes());
    bool::from(expect.as_bytes().ct_eq(given.to_ascii_lowercase().as_bytes()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
