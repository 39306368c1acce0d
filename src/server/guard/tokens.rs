//! Tokens of the settings, and where requests carry one.
//!
//! Must not know JWTs. What is compared are hashes, all of them each time, so that the time it takes tells
//! nothing.

use std::borrow::Cow;

use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderName};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq as _};

use super::caller::{Caller, Environments, Rights};
use super::rates::Bucket;
use super::refused::Refused;
use crate::server::listener::Side;
use crate::settings::{Rate, TokenSettings};

/// Of Optimizely Agent.
const AUTH: HeaderName = HeaderName::from_static("auth");
const JWT: HeaderName = HeaderName::from_static("jwt");
/// Of OFREP.
const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

#[derive(Debug)]
pub(super) struct Tokens(Vec<Token>);

#[derive(Debug)]
struct Token {
    sha256: [u8; 32],
    caller: Caller,
    bucket: Option<Bucket>,
}

impl Tokens {
    /// `rate` is that of tokens without one of their own.
    pub(super) fn new(settings: &[TokenSettings], rate: Option<Rate>) -> Self {
        let token = |token: &TokenSettings| Token {
            sha256: *token.sha256(),
            caller: Caller::with(Rights {
                is_known: true,
                scopes: token.scopes.clone(),
                environments: Environments::Named(token.reach.clone()),
            }),
            bucket: token.rate.or(rate).map(Bucket::new),
        };
        Self(settings.iter().map(token).collect())
    }

    /// Who has this token; `None` for one that is unknown.
    pub(super) fn caller(&self, credential: &str) -> Option<Result<Caller, Refused>> {
        let token = self.find(credential)?;
        let taken = token.bucket.as_ref().map_or(Ok(()), Bucket::take);
        Some(taken.map(|()| token.caller.clone()))
    }

    /// The same, without using it.
    pub(super) fn known(&self, credential: &str) -> Option<Caller> {
        self.find(credential).map(|token| token.caller.clone())
    }

    fn find(&self, credential: &str) -> Option<&Token> {
        let sha256: [u8; 32] = Sha256::digest(credential.as_bytes()).into();
        let mut found = None;
        for token in &self.0 {
            let is_this: Choice = token.sha256.ct_eq(&sha256);
            if bool::from(is_this) {
                found = Some(token);
            }
        }
        found
    }
}

/// What a request proves itself with.
pub(super) fn credential(side: Side, headers: &HeaderMap) -> Option<Cow<'_, str>> {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some((scheme, rest)) = text(AUTHORIZATION).and_then(|value| value.split_once(' ')) {
        let rest = rest.trim();
        if scheme.eq_ignore_ascii_case("bearer") {
            return Some(rest.into());
        }
        if side == Side::Admin && scheme.eq_ignore_ascii_case("basic") {
            return password(rest).map(Cow::Owned);
        }
    }
    let other = [AUTH, JWT, API_KEY].into_iter().find_map(text)?;
    let other = other.trim();
    Some(other.strip_prefix("Bearer ").unwrap_or(other).into())
}

/// The password of what browsers send; the user is as one likes.
fn password(encoded: &str) -> Option<String> {
    let text = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    text.split_once(':').map(|(_, password)| password.to_owned())
}
