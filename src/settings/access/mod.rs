//! The settings of who may ask: tokens, Optimizely Agent's JWTs, hosts, pages of other origins, and TLS.
//!
//! Must not know requests.

mod cors;
mod jwt;
mod rate;
mod scope;
mod token;

use std::net::IpAddr;
use std::path::PathBuf;

pub use self::cors::CorsSettings;
pub use self::jwt::{JwtSettings, OauthClientSettings};
pub use self::rate::Rate;
pub use self::scope::Scope;
pub(super) use self::token::SecretPlace;
pub use self::token::{Reach, TokenSettings};
use super::given::first_given;
use crate::error::Error;

/// Who may ask the daemon, and how. By default only this machine can, and nobody is asked who they are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AccessSettings {
    /// Tokens, each for some environments and kinds of requests. With any of them, or with JWTs, nobody is
    /// answered without one.
    pub tokens: Vec<TokenSettings>,
    /// Tokens as Optimizely Agent makes and takes them. Default: none are taken.
    pub jwt: Option<JwtSettings>,
    /// How many requests a token may make that has no rate of its own. Default: as many as it wants.
    pub token_rate: Option<Rate>,
    /// The names by which the daemon may be called, beside its own; `.example.com` stands for all below it,
    /// `.` for any. Default: none on a loopback address, any elsewhere.
    pub allowed_hosts: Vec<String>,
    /// Pages of which origins may ask the API from a browser. Default: none.
    pub cors: Option<CorsSettings>,
    /// The file of the certificates that the daemon proves itself with, its own first. Default: no TLS.
    pub tls_cert: Option<PathBuf>,
    /// The file of the key that belongs to it.
    pub tls_key: Option<PathBuf>,
}

impl AccessSettings {
    /// Whether those who ask have to prove who they are.
    #[must_use]
    pub const fn has_authentication(&self) -> bool {
        !self.tokens.is_empty() || self.jwt.is_some()
    }

    /// Whether connections are encrypted.
    #[must_use]
    pub const fn has_tls(&self) -> bool {
        self.tls_cert.is_some()
    }

    /// Lays these over others: what is given here counts.
    pub(super) fn over(self, lower: Self) -> Self {
        Self {
            tokens: first_given(self.tokens, lower.tokens),
            jwt: self.jwt.or(lower.jwt),
            token_rate: self.token_rate.or(lower.token_rate),
            allowed_hosts: first_given(self.allowed_hosts, lower.allowed_hosts),
            cors: self.cors.or(lower.cors),
            tls_cert: self.tls_cert.or(lower.tls_cert),
            tls_key: self.tls_key.or(lower.tls_key),
        }
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        if let Some(wrong) = self.allowed_hosts.iter().find(|host| !is_host(host)) {
            let remedy = "write a host as requests name it, without scheme, port, path, brackets and last dot, such as shop.example";
            return Err(Error::setting_value("allowed host", wrong, remedy));
        }
        if self.tls_cert.is_some() != self.tls_key.is_some() {
            return Err(Error::settings("TLS needs two files: give both tls_cert and tls_key"));
        }
        for (number, token) in self.tokens.iter().enumerate() {
            token.check()?;
            let mut others = self.tokens.iter().take(number);
            if others.clone().any(|other| other.name == token.name) {
                let problem = format!("two tokens are called {:?}: rename one", token.name);
                return Err(Error::settings(problem));
            }
            if let Some(other) = others.find(|other| other.sha256() == token.sha256()) {
                return Err(Error::settings(format!(
                    "the tokens {:?} and {:?} have the same secret, and only one could count: give one of them another",
                    other.name, token.name
                )));
            }
        }
        self.cors.as_ref().map_or(Ok(()), CorsSettings::check)?;
        self.jwt.as_ref().map_or(Ok(()), JwtSettings::check)
    }
}

/// Whether requests could name it: a name, one after a dot for all below it, a dot for any, or an address.
fn is_host(text: &str) -> bool {
    let is_of_a_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let mut labels = text.strip_prefix('.').unwrap_or(text).split('.');
    let is_name = labels.all(|label| !label.is_empty()) && text.bytes().all(is_of_a_name);
    text == "." || is_name || text.parse::<IpAddr>().is_ok()
}
