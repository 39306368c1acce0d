//! `POST /webhooks/optimizely`: Optimizely tells that there is a new datafile, and signs it.
//!
//! Must not know how datafiles are got: an environment is asked to look at once. Who signs with an
//! environment's secret is believed, and nobody else; no other token is asked for.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, Request, StatusCode};
use axum::routing::post;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;

use super::app::App;
use super::body::whole;
use super::refusal::Refusal;
use super::wire::hook::HookBody;

const SIGNATURE: HeaderName = HeaderName::from_static("x-hub-signature");
const BEFORE_THE_DIGITS: &str = "sha1=";
/// What is told takes a few hundred.
const MOST_BYTES: u64 = 64 * 1024;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/webhooks/optimizely", post(told))
}

async fn told(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    request: Request<Body>,
) -> Result<StatusCode, Refusal> {
    let most_bytes = MOST_BYTES.min(app.settings.limits.body.bytes);
    let body = whole(request.into_body(), most_bytes).await?;
    let told: HookBody = serde_json::from_slice(&body)
        .map_err(|_| Refusal::bad_request("Unable to parse webhook message."))?;
    let project_id = told.project_id();
    let of_project = app.environments.iter().filter_map(|environment| {
        let secret = environment.datafile_webhook_secret()?;
        // One that has no datafile yet may be of any project.
        let datafile = environment.client.datafile();
        let is_of_it = datafile.is_none_or(|datafile| datafile.project_id() == project_id);
        is_of_it.then_some((environment, secret))
    });
    let of_project: Vec<_> = of_project.collect();
    if of_project.is_empty() {
        tracing::debug!("a webhook told of a project that no environment with a secret is of");
        return Ok(StatusCode::NO_CONTENT);
    }
    let signature = headers.get(SIGNATURE).and_then(|given| digits(given.as_bytes()));
    let signature = signature.unwrap_or_default();
    let is_signed = |secret: &str| is_signed(secret.as_bytes(), &body, &signature);
    let believed: Vec<_> = of_project.into_iter().filter(|(_, secret)| is_signed(secret)).collect();
    if believed.is_empty() {
        return Err(Refusal::bad_request(
            "Computed signature does not match signature in request. Ignoring message.",
        ));
    }
    for (environment, _) in believed {
        tracing::info!(environment = environment.name(), "told of a new datafile");
        environment.client.refresh();
    }
    Ok(StatusCode::NO_CONTENT)
}

/// In constant time.
fn is_signed(secret: &[u8], body: &[u8], signature: &[u8]) -> bool {
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(secret) else { return false };
    mac.update(body);
    mac.verify_slice(signature).is_ok()
}

/// The bytes behind `sha1=` and hexadecimal digits.
fn digits(given: &[u8]) -> Option<Vec<u8>> {
    let digits = std::str::from_utf8(given).ok()?.strip_prefix(BEFORE_THE_DIGITS)?;
    let digit =
        |digit: &u8| char::from(*digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pair = |pair: &[u8]| match pair {
        [high, low] => Some(digit(high)? * 16 + digit(low)?),
        _ => None,
    };
    digits.as_bytes().chunks(2).map(pair).collect()
}

#[cfg(test)]
mod tests {
    //! A signature made elsewhere (RFC 2202, test case 2), and what is none.

    use super::{digits, is_signed};

    #[test]
    fn signatures() {
        let check = |signature: &str, expect: bool| {
            let signature = digits(signature.as_bytes()).unwrap_or_default();
            assert_eq!(is_signed(b"Jefe", b"what do ya want for nothing?", &signature), expect);
        };
        check("sha1=effcdf6ae5eb2fa2d27416d5f184df9c259a7c79", true);
        check("sha1=EFFCDF6AE5EB2FA2D27416D5F184DF9C259A7C79", true);
        check("sha1=effcdf6ae5eb2fa2d27416d5f184df9c259a7c78", false);
        check("sha1=effcdf6ae5eb2fa2d27416d5f184df9c259a7c", false);
        check("sha1=effcdf6ae5eb2fa2d27416d5f184df9c259a7c79f", false);
        check("effcdf6ae5eb2fa2d27416d5f184df9c259a7c79", false);
        check("sha256=effcdf6ae5eb2fa2d27416d5f184df9c259a7c79", false);
        check("sha1=", false);
        check("", false);
    }
}
