//! JWTs as Optimizely Agent makes and takes them.
//!
//! Must not know how keys that are published are got. Kept of Agent's are the claims: `iss`, `exp`,
//! `sdk_keys` for deciding and tracking in their environments, `admin` for the administration; OAuth's `scope`
//! says `override` where that may be done, too, or `track` where nothing else may.

use std::sync::Arc;

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde_json::Value;

use super::caller::{Caller, Environments, Rights};
use super::ciphers;
use super::jwks::Published;
use super::rates::Buckets;
use super::refused::Refused;
use super::wire::{ClaimsMade, ClaimsRead};
use crate::clock::{TimeMs, system_time_ms};
use crate::error::Error;
use crate::server::listener::Side;
use crate::settings::{JwtSettings, OauthClientSettings, Rate, Scope};
use crate::source::SdkKey;

const ISSUER: &str = "Optimizely";

#[derive(Debug)]
pub(in crate::server) struct Jwts {
    keys: Keys,
    ttl_seconds: i64,
    pub(super) clients: Vec<OauthClientSettings>,
    buckets: Option<Buckets>,
}

#[derive(Debug)]
enum Keys {
    Hmac { signing: EncodingKey, checking: Vec<DecodingKey> },
    Published(Arc<Published>),
}

impl Jwts {
    pub(super) fn new(
        settings: &JwtSettings,
        rate: Option<Rate>,
        before: Option<&Self>,
    ) -> Result<Self, Error> {
        ciphers::install();
        let keys = match (&settings.jwks_url, settings.hmac_secrets.first()) {
            (Some(url), _) => {
                let interval = settings.jwks_update_interval.as_duration();
                let before = before.and_then(Self::published).map(|keys| &**keys);
                Keys::Published(Arc::new(Published::new(url, interval, before)?))
            }
            (None, Some(first)) => Keys::Hmac {
                signing: EncodingKey::from_secret(first),
                checking: settings
                    .hmac_secrets
                    .iter()
                    .map(|secret| DecodingKey::from_secret(secret))
                    .collect(),
            },
            (None, None) => {
                return Err(Error::settings("jwt has neither hmac_secrets nor jwks_url: give one"));
            }
        };
        Ok(Self {
            keys,
            ttl_seconds: settings.ttl.as_ms() / 1000,
            clients: settings.clients.clone(),
            buckets: rate.map(Buckets::new),
        })
    }

    /// Where keys are published, if they are.
    pub(super) const fn published(&self) -> Option<&Arc<Published>> {
        match &self.keys {
            Keys::Hmac { .. } => None,
            Keys::Published(published) => Some(published),
        }
    }

    /// Who has this JWT; `None` for one that is not good, or none at all.
    pub(super) fn caller(&self, credential: &str) -> Option<Result<Caller, Refused>> {
        let claims = self.claims(credential)?;
        if let Some(buckets) = &self.buckets {
            let keys = || claims.sdk_keys.as_deref().unwrap_or_default().join(",");
            let name = claims.sub.clone().unwrap_or_else(keys);
            if let Err(refused) = buckets.take(&name) {
                return Some(Err(refused));
            }
        }
        Some(Ok(claims.caller()))
    }

    /// The same, without using it; and until when it is good.
    pub(super) fn known(&self, credential: &str) -> Option<(Caller, Option<TimeMs>)> {
        let claims = self.claims(credential)?;
        Some((claims.caller(), Some(claims.until_ms())))
    }

    fn claims(&self, credential: &str) -> Option<ClaimsRead> {
        match &self.keys {
            Keys::Hmac { checking, .. } => {
                let validation = validation(vec![Algorithm::HS256]);
                checking.iter().find_map(|key| {
                    decode(credential, key, &validation).ok().map(|token| token.claims)
                })
            }
            Keys::Published(published) => {
                let (key, algorithms) = published.key_of(credential)?;
                decode(credential, &key, &validation(algorithms)).ok().map(|token| token.claims)
            }
        }
    }

    /// Makes one for a client, by what it may ask for at this port: the token, and for how many seconds.
    pub(super) fn make(&self, client: &OauthClientSettings, side: Side) -> Option<(String, i64)> {
        let Keys::Hmac { signing, .. } = &self.keys else { return None };
        let (sdk_keys, admin) = match side {
            Side::Api if !client.sdk_keys.is_empty() => {
                (Some(client.sdk_keys.iter().map(SdkKey::with_token).collect()), None)
            }
            Side::Admin if client.admin => (None, Some(true)),
            _ => return None,
        };
        let exp = system_time_ms() / 1000 + self.ttl_seconds;
        let is_usual = client.scopes == OauthClientSettings::USUAL_SCOPES || sdk_keys.is_none();
        let scope = (!is_usual).then(|| {
            client.scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(" ")
        });
        let claims = ClaimsMade { iss: ISSUER, exp, sub: &client.id, sdk_keys, scope, admin };
        let token = encode(&Header::new(Algorithm::HS256), &claims, signing).ok()?;
        Some((token, self.ttl_seconds))
    }
}

impl ClaimsRead {
    fn caller(&self) -> Caller {
        let texts = self.sdk_keys.as_deref().unwrap_or_default();
        let keys: Vec<SdkKey> = texts.iter().filter_map(|key| key.parse().ok()).collect();
        let mut scopes = if keys.is_empty() { Vec::new() } else { self.scopes() };
        if self.admin == Some(true) {
            scopes.push(Scope::Admin);
        }
        Caller::with(Rights { is_known: true, scopes, environments: Environments::Keys(keys) })
    }

    /// What it is for in its environments: what it says of that in our words, else what Agent's are for.
    /// Others give JWTs words of their own, and nobody gets the administration so.
    fn scopes(&self) -> Vec<Scope> {
        let said = self.scope.as_ref().and_then(Value::as_str).unwrap_or_default();
        let words = said.split_ascii_whitespace().filter_map(|word| word.parse().ok());
        let named: Vec<Scope> = words.filter(|scope| *scope != Scope::Admin).collect();
        if named.is_empty() { OauthClientSettings::USUAL_SCOPES.to_vec() } else { named }
    }

    /// Its end. What is no number, or too large a one, is never: its signature was looked at before.
    fn until_ms(&self) -> TimeMs {
        let until_seconds = self.exp.as_ref().and_then(|exp| {
            exp.as_i64().or_else(|| format!("{:.0}", exp.as_f64()?.floor()).parse().ok())
        });
        until_seconds.map_or(TimeMs::MAX, |seconds: i64| seconds.saturating_mul(1000))
    }
}

/// An issuer and an end are needed; as with Agent, whom it is for is not looked at.
fn validation(algorithms: Vec<Algorithm>) -> Validation {
    let mut validation = Validation { algorithms, ..Validation::default() };
    validation.set_required_spec_claims(&["exp", "iss"]);
    validation.set_issuer(&[ISSUER]);
    validation.validate_aud = false;
    validation.validate_nbf = true;
    validation.leeway = 0;
    validation
}
