//! Tokens as Optimizely Agent makes and takes them: JWTs, and the clients that are given some.
//!
//! Must not know requests, nor how signatures are made.

use std::fmt;

use super::scope::Scope;
use crate::error::Error;
use crate::settings::values::Span;
use crate::source::SdkKey;

/// Shorter ones can be guessed.
const FEWEST_SECRET_BYTES: usize = 16;

/// Which JWTs are taken, and who is given some.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct JwtSettings {
    /// The secrets that they are signed with by HMAC; the first is the one that is signed with here.
    pub hmac_secrets: Vec<Vec<u8>>,
    /// For how long those that are made here are good. Default `30m`.
    pub ttl: Span,
    /// Where the keys are published that they are signed with; then the secrets are not looked at.
    pub jwks_url: Option<String>,
    /// How often the keys are asked for. Default `5m`.
    pub jwks_update_interval: Span,
    /// Who is given some at `/oauth/token`.
    pub clients: Vec<OauthClientSettings>,
}

/// Who is given JWTs.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OauthClientSettings {
    /// By this name.
    pub id: String,
    /// For a secret with this bcrypt hash.
    pub secret_hash: String,
    /// For the environments of these SDK keys, on the API's port.
    pub sdk_keys: Vec<SdkKey>,
    /// What for, in those environments. Default: to decide and to track.
    pub scopes: Vec<Scope>,
    /// For the administration, on its port.
    pub admin: bool,
}

impl JwtSettings {
    /// Nothing yet, and defaults.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            hmac_secrets: Vec::new(),
            ttl: Span::from_seconds(30 * 60),
            jwks_url: None,
            jwks_update_interval: Span::from_seconds(5 * 60),
            clients: Vec::new(),
        }
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        let problem = match &self.jwks_url {
            None if self.hmac_secrets.is_empty() => {
                "jwt has nothing to check signatures with: give hmac_secrets or jwks_url"
            }
            Some(_) if !self.clients.is_empty() => {
                "jwt has clients, whose tokens are signed by hmac_secrets, which are not looked at beside jwks_url: leave one of them out"
            }
            Some(_) if self.jwks_update_interval.as_ms() < 1000 => {
                "jwks_update_interval is too short: give 1s or more"
            }
            _ if self.hmac_secrets.iter().any(|secret| secret.len() < FEWEST_SECRET_BYTES) => {
                "one of hmac_secrets has fewer than 16 bytes and can be guessed: make one by openssl rand -base64 32"
            }
            _ if self.ttl.as_ms() < 1000 => "the ttl of jwt is too short: give 1s or more",
            _ => return self.clients.iter().try_for_each(OauthClientSettings::check),
        };
        Err(Error::settings(problem))
    }
}

impl Default for JwtSettings {
    fn default() -> Self {
        Self::new()
    }
}

impl OauthClientSettings {
    /// What JWTs are for that say nothing of it.
    pub(crate) const USUAL_SCOPES: [Scope; 2] = [Scope::Decide, Scope::Track];

    /// A client with nothing to ask for yet.
    #[must_use]
    pub fn new(id: String, secret_hash: String) -> Self {
        let scopes = Self::USUAL_SCOPES.to_vec();
        Self { id, secret_hash, sdk_keys: Vec::new(), scopes, admin: false }
    }

    fn check(&self) -> Result<(), Error> {
        if self.sdk_keys.is_empty() && !self.admin {
            return Err(Error::settings(format!(
                "the client {:?} may ask for nothing: give sdk_keys, or admin = true",
                self.id
            )));
        }
        if self.scopes.is_empty() || self.scopes.contains(&Scope::Admin) {
            return Err(Error::settings(format!(
                "the client {:?} has scopes that cannot be meant: give some of decide, track and override, and admin = true for the administration",
                self.id
            )));
        }
        if !is_bcrypt(&self.secret_hash) {
            return Err(Error::settings(format!(
                "the client {:?} has a secret_hash that is no bcrypt hash: write it as $2..., or its base64",
                self.id
            )));
        }
        Ok(())
    }
}

/// The form only: a version, a cost, and 53 signs of salt and hash.
fn is_bcrypt(hash: &str) -> bool {
    let mut parts = hash.split('$');
    let head = (parts.next(), parts.next(), parts.next(), parts.next(), parts.next());
    let (Some(""), Some(version), Some(cost), Some(rest), None) = head else { return false };
    let is_cost = cost.parse().is_ok_and(|cost: u32| (4..=16).contains(&cost));
    version.starts_with('2') && is_cost && rest.len() == 53
}

/// Without secrets.
impl fmt::Debug for JwtSettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("JwtSettings")
            .field("hmac_secrets", &self.hmac_secrets.len())
            .field("ttl", &self.ttl)
            .field("jwks_update_interval", &self.jwks_update_interval)
            .field("clients", &self.clients)
            .finish_non_exhaustive()
    }
}

/// Without the hash.
impl fmt::Debug for OauthClientSettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("OauthClientSettings")
            .field("id", &self.id)
            .field("admin", &self.admin)
            .finish_non_exhaustive()
    }
}
