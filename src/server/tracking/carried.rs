//! The keys that a request carries, in whichever of the usual places.
//!
//! Must not know which systems there are, nor what a key means.

use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, Uri};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::reading::text;

/// Headers that are a key, and nothing else.
const HEADERS: [&str; 2] = ["x-api-key", "key"];
/// Members of bodies and parameters of queries that are a key.
const NAMES: [&str; 4] = ["writeKey", "api_key", "apiKey", "write_key"];

/// Where a key may stand.
#[derive(Debug)]
pub(super) struct Places {
    headers: HeaderMap,
    uri: Uri,
}

impl Places {
    /// Kept while the body is read.
    pub(super) fn of<B>(request: &axum::http::Request<B>) -> Self {
        Self { headers: request.headers().clone(), uri: request.uri().clone() }
    }

    /// All that stands where a key may: headers first, since a key in a body is often in a header as well.
    pub(super) fn keys(&self, body: Option<&Map<String, Value>>) -> Vec<String> {
        let mut keys: Vec<String> = self.authorization().into_iter().collect();
        let header = |name: &&str| Some(self.headers.get(*name)?.to_str().ok()?.trim().to_owned());
        keys.extend(HEADERS.iter().filter_map(header));
        let member = |name: &&str| text(body?, name).map(str::to_owned);
        keys.extend(NAMES.iter().filter_map(member));
        let query = self.uri.query().unwrap_or_default().as_bytes();
        let asked = form_urlencoded::parse(query).filter(|(name, _)| NAMES.contains(&&**name));
        keys.extend(asked.map(|(_, key)| key.into_owned()));
        keys.retain(|key| !key.is_empty());
        keys
    }

    /// `Bearer KEY`, `Token KEY`, or Basic with the key for a name and no password.
    pub(super) fn authorization(&self) -> Option<String> {
        let header = self.headers.get(AUTHORIZATION)?.to_str().ok()?.trim();
        let (scheme, key) = header.split_once(' ')?;
        let key = key.trim();
        let is = |name: &str| scheme.eq_ignore_ascii_case(name);
        if is("Bearer") || is("Token") {
            return Some(key.to_owned());
        }
        let decoded = is("Basic").then(|| STANDARD.decode(key).ok())??;
        let decoded = String::from_utf8(decoded).ok()?;
        decoded.split(':').next().map(str::to_owned)
    }
}

#[cfg(test)]
mod tests {
    //! Where keys are found.

    use axum::http::Request;
    use serde_json::{Value, json};

    use super::Places;

    fn check(header: (&str, &str), path: &str, body: &Value, expect: &[&str]) {
        let request = Request::builder().uri(path);
        let request =
            if header.0.is_empty() { request } else { request.header(header.0, header.1) };
        let places = Places::of(&request.body(()).unwrap());
        assert_eq!(places.keys(body.as_object()), expect, "{header:?} {path} {body}");
    }

    #[test]
    fn keys_are_found_wherever_clients_put_them() {
        let none = Value::Null;
        check(("", ""), "/track", &none, &[]);
        check(("Authorization", "Bearer k"), "/track", &none, &["k"]);
        check(("Authorization", "token  k "), "/track", &none, &["k"]);
        check(("Authorization", "Basic azo="), "/track", &none, &["k"]);
        check(("Authorization", "Basic azpw"), "/track", &none, &["k"]);
        check(("Authorization", "Basic %"), "/track", &none, &[]);
        check(("Authorization", "Basic Og=="), "/track", &none, &[]);
        check(("Authorization", "Digest k"), "/track", &none, &[]);
        check(("Authorization", "k"), "/track", &none, &[]);
        check(("X-API-Key", "k"), "/track", &none, &["k"]);
        check(("KEY", "k"), "/track", &none, &["k"]);
        check(("", ""), "/track?api_key=a%20b&other=c", &none, &["a b"]);
        check(("", ""), "/track", &json!({"api_key": "k", "user_id": "u"}), &["k"]);
        check(("Authorization", "Bearer jwt"), "/v1", &json!({"writeKey": "k"}), &["jwt", "k"]);
        check(("", ""), "/track", &json!({"writeKey": 7, "api_key": ""}), &[]);
    }
}
