//! The settings of who may ask, as TOML.
//!
//! Must not know defaults, nor how its errors are worded. Errors do not repeat secrets.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Read, value};
use crate::error::Error;
use crate::settings::access::{
    CorsSettings, JwtSettings, OauthClientSettings, Rate, Reach, Scope, TokenSettings,
};
use crate::settings::values::Span;
use crate::source::SdkKey;

#[derive(serde::Deserialize)]
#[serde(try_from = "WireToken")]
pub(super) struct ReadToken(pub(super) TokenSettings);

#[derive(serde::Deserialize)]
#[serde(try_from = "WireJwt")]
pub(super) struct ReadJwt(pub(super) JwtSettings);

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct WireToken {
    name: String,
    secret: Option<String>,
    secret_sha256: Option<String>,
    secret_file: Option<PathBuf>,
    environments: Option<Vec<String>>,
    scopes: Vec<Read<Scope>>,
    rate: Option<Read<Rate>>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct WireJwt {
    hmac_secrets: Option<Vec<String>>,
    ttl: Option<Read<Span>>,
    jwks_url: Option<String>,
    jwks_update_interval: Option<Read<Span>>,
    #[serde(default)]
    client: Vec<WireClient>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct WireClient {
    id: String,
    secret_hash: String,
    #[serde(default)]
    sdk_keys: Vec<Read<SdkKey>>,
    scopes: Option<Vec<Read<Scope>>>,
    #[serde(default)]
    admin: bool,
}

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireCors {
    origins: Vec<String>,
    methods: Option<Vec<String>>,
    headers: Option<Vec<String>>,
    credentials: Option<bool>,
    max_age: Option<Read<Span>>,
}

impl TryFrom<WireToken> for ReadToken {
    type Error = Error;

    fn try_from(wire: WireToken) -> Result<Self, Error> {
        let name = &wire.name;
        let mut token = match (wire.secret, wire.secret_sha256, wire.secret_file) {
            (Some(secret), None, None) => TokenSettings::new(name, &secret, Reach::All, &[])?,
            (None, Some(digits), None) => TokenSettings::from_sha256(name, &digits)?,
            (None, None, Some(path)) => TokenSettings::from_file(name, &path)?,
            _ => {
                return Err(Error::settings(format!(
                    "the token {name:?} needs one secret: give one of secret, secret_sha256 and secret_file"
                )));
            }
        };
        let names = wire.environments.unwrap_or_default();
        let is_for_all = names.iter().any(|name| name == "*");
        token.reach = if is_for_all { Reach::All } else { Reach::Of(names) };
        token.scopes = wire.scopes.into_iter().map(|Read(scope)| scope).collect();
        token.rate = value(wire.rate);
        Ok(Self(token))
    }
}

impl TryFrom<WireJwt> for ReadJwt {
    type Error = Error;

    fn try_from(wire: WireJwt) -> Result<Self, Error> {
        let usual = JwtSettings::new();
        let secrets = wire.hmac_secrets.unwrap_or_default().into_iter().map(|secret| {
            let problem = "one of hmac_secrets is no base64: make one by openssl rand -base64 32";
            STANDARD.decode(secret).map_err(|_| Error::settings(problem))
        });
        Ok(Self(JwtSettings {
            hmac_secrets: secrets.collect::<Result<_, _>>()?,
            ttl: value(wire.ttl).unwrap_or(usual.ttl),
            jwks_url: wire.jwks_url,
            jwks_update_interval: value(wire.jwks_update_interval)
                .unwrap_or(usual.jwks_update_interval),
            clients: wire.client.into_iter().map(Into::into).collect(),
        }))
    }
}

impl From<WireClient> for OauthClientSettings {
    fn from(wire: WireClient) -> Self {
        // Agent keeps the base64 of the hash, which begins with $ itself.
        let read = STANDARD.decode(&wire.secret_hash).ok();
        let hash = read.and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or(wire.secret_hash);
        let usual = Self::new(wire.id, hash);
        let scopes =
            wire.scopes.map(|scopes| scopes.into_iter().map(|Read(scope)| scope).collect());
        Self {
            sdk_keys: wire.sdk_keys.into_iter().map(|Read(key)| key).collect(),
            scopes: scopes.unwrap_or(usual.scopes),
            admin: wire.admin,
            id: usual.id,
            secret_hash: usual.secret_hash,
        }
    }
}

impl From<WireCors> for CorsSettings {
    fn from(wire: WireCors) -> Self {
        let usual = Self::new(wire.origins);
        Self {
            methods: wire.methods.unwrap_or(usual.methods),
            headers: wire.headers.unwrap_or(usual.headers),
            credentials: wire.credentials.unwrap_or(usual.credentials),
            max_age: value(wire.max_age).unwrap_or(usual.max_age),
            origins: usual.origins,
        }
    }
}
