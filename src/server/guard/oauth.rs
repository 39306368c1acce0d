//! `POST /oauth/token`: a JWT for a client's secret, as Optimizely Agent gives it.
//!
//! Must not know what the JWT is for. Looking at a secret takes a quarter of a second of a processor, so
//! that only a few are looked at at once, beside those who answer requests; one that was right is known
//! again without it.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use parking_lot::Mutex;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use tokio::sync::Semaphore;

use super::wire::{OauthErrorAnswer, TokenAnswer};
use crate::server::answer::Json;
use crate::server::app::App;
use crate::server::body::whole;
use crate::server::listener::Side;
use crate::settings::OauthClientSettings;

const FORM: &str = "application/x-www-form-urlencoded";
const MOST_BYTES: u64 = 8 * 1024;
/// How many secrets are looked at at once, and how many wait for that.
const AT_ONCE: usize = 2;
const WAITING: usize = 32;
const SOON: HeaderValue = HeaderValue::from_static("1");
const NEVER_KEPT: HeaderValue = HeaderValue::from_static("no-store");

pub(in crate::server) fn routes(side: Side) -> Router<Arc<App>> {
    let answer = move |State(app): State<Arc<App>>, headers: HeaderMap, body: Body| async move {
        token(&app, side, &headers, body).await.unwrap_or_else(|refused| refused.into_response())
    };
    Router::new().route("/oauth/token", post(answer))
}

/// Looks at secrets.
#[derive(Debug)]
pub(in crate::server) struct Doorkeeper {
    at_once: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    /// The hash of the secret that was right for a hash in the settings.
    known: Mutex<HashMap<String, [u8; 32]>>,
}

impl Doorkeeper {
    pub(in crate::server) fn new() -> Self {
        Self {
            at_once: Arc::new(Semaphore::new(AT_ONCE)),
            waiting: Arc::new(Semaphore::new(WAITING)),
            known: Mutex::default(),
        }
    }

    /// Forgets what it knows, which may be of clients that are gone.
    pub(in crate::server) fn forget(&self) {
        self.known.lock().clear();
    }

    async fn knows(
        &self,
        client: &OauthClientSettings,
        secret: &str,
    ) -> Result<bool, OauthRefused> {
        let Ok(secret) = STANDARD.decode(secret) else { return Ok(false) };
        let sha256: [u8; 32] = Sha256::digest(&secret).into();
        let known = self.known.lock().get(&client.secret_hash).copied();
        if known.is_some_and(|known| bool::from(known.ct_eq(&sha256))) {
            return Ok(true);
        }
        let waiting = Arc::clone(&self.waiting).try_acquire_owned();
        let waiting = waiting.map_err(|_| OauthRefused::BUSY)?;
        let place = Arc::clone(&self.at_once).acquire_owned().await;
        let place = place.map_err(|_| OauthRefused::BUSY)?;
        let hash = client.secret_hash.clone();
        // It is looked at to the end, even if who asked has gone: so it keeps its places for as long.
        let checked = tokio::task::spawn_blocking(move || {
            let is_right = bcrypt::verify(&secret, &hash).unwrap_or(false);
            drop((waiting, place));
            is_right
        });
        let is_right = checked.await.unwrap_or(false);
        if is_right {
            self.known.lock().insert(client.secret_hash.clone(), sha256);
        }
        Ok(is_right)
    }
}

async fn token(
    app: &App,
    side: Side,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response, OauthRefused> {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case(FORM) {
        return Err(OauthRefused::NO_FORM);
    }
    let body = whole(body, MOST_BYTES).await.map_err(|_| OauthRefused::UNREADABLE)?;
    let form: HashMap<_, _> = form_urlencoded::parse(&body).collect();
    let given = |name: &str| form.get(name).filter(|value| !value.is_empty());
    match given("grant_type").map(|kind| &**kind) {
        Some("client_credentials") => {}
        Some(_) => return Err(OauthRefused::OTHER_GRANT),
        None => return Err(OauthRefused::NO_GRANT),
    }
    let id = given("client_id").ok_or(OauthRefused::NO_ID)?;
    let secret = given("client_secret").ok_or(OauthRefused::NO_SECRET)?;

    let jwts = app.guard.now().jwts.clone().ok_or(OauthRefused::UNKNOWN)?;
    let named = jwts.clients.iter().find(|client| client.id == **id);
    // Who is not known takes as long: it is not told by the time which clients there are.
    let client = named.or(jwts.clients.first()).ok_or(OauthRefused::UNKNOWN)?;
    let is_right = app.doorkeeper.knows(client, secret).await?;
    if !is_right || named.is_none() {
        let client = named.map_or("unknown", |client| &*client.id);
        tracing::warn!(client, "a client came with a wrong secret");
        return Err(OauthRefused::UNKNOWN);
    }
    let (access_token, expires_in) = jwts.make(client, side).ok_or(OauthRefused::UNKNOWN)?;
    let mut response =
        Json(TokenAnswer { access_token, token_type: "bearer", expires_in }).into_response();
    response.headers_mut().insert(CACHE_CONTROL, NEVER_KEPT);
    Ok(response)
}

/// Why no token is given, in the words of OAuth.
#[derive(Debug)]
struct OauthRefused {
    status: StatusCode,
    error: &'static str,
    description: &'static str,
}

impl OauthRefused {
    const NO_FORM: Self = Self {
        status: StatusCode::UNSUPPORTED_MEDIA_TYPE,
        error: "invalid_request",
        description: "the body must be a form: send Content-Type: application/x-www-form-urlencoded",
    };
    const UNREADABLE: Self = Self::invalid("the body cannot be read: send a small form");
    const NO_GRANT: Self = Self::invalid("there is no grant_type: send client_credentials");
    const OTHER_GRANT: Self = Self {
        status: StatusCode::BAD_REQUEST,
        error: "unsupported_grant_type",
        description: "only client_credentials is known",
    };
    const NO_ID: Self = Self::invalid("there is no client_id: send it");
    const NO_SECRET: Self = Self::invalid("there is no client_secret: send it");
    const UNKNOWN: Self = Self {
        status: StatusCode::UNAUTHORIZED,
        error: "invalid_client",
        description: "no such client with this secret gets tokens here",
    };
    const BUSY: Self = Self {
        status: StatusCode::SERVICE_UNAVAILABLE,
        error: "temporarily_unavailable",
        description: "too many ask for tokens: come again soon",
    };

    const fn invalid(description: &'static str) -> Self {
        Self { status: StatusCode::BAD_REQUEST, error: "invalid_request", description }
    }

    fn into_response(self) -> Response {
        let Self { status, error, description } = self;
        let answer = Json(OauthErrorAnswer { error, error_description: description });
        let mut response = (status, answer).into_response();
        response.headers_mut().insert(CACHE_CONTROL, NEVER_KEPT);
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(RETRY_AFTER, SOON);
        }
        response
    }
}
