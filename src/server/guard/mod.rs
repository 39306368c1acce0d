//! Who may ask what: looked at before anything else of a request is.
//!
//! Must not know what is answered. `lines` says what each path needs, and a path without a line is refused.
//! What is in force is one value that is replaced whole.

mod caller;
mod ciphers;
mod cors;
mod hosts;
mod jwks;
mod jwt;
mod layer;
mod lines;
mod oauth;
mod rates;
mod refused;
mod stay;
mod tls;
mod tokens;
mod wire;

use std::sync::Arc;

use axum::http::Request;

pub(super) use self::caller::Caller;
pub(super) use self::cors::layer as cors;
pub(super) use self::hosts::Hosts;
pub(super) use self::jwks::run as ask_for_keys;
pub(super) use self::layer::Guarding;
pub(super) use self::lines::{Needs, needs};
pub(super) use self::oauth::{Doorkeeper, routes as oauth};
pub(super) use self::stay::Stay;
pub(super) use self::tls::Tls;

use self::jwt::Jwts;
use self::refused::Refused;
use self::tokens::{Tokens, credential};
use super::listener::Side;
use crate::clock::TimeMs;
use crate::error::Error;
use crate::settings::ServeSettings;

/// Who may ask what, as it is in force.
#[derive(Debug)]
pub(super) struct Guard {
    hosts: Hosts,
    tokens: Tokens,
    pub(super) jwts: Option<Arc<Jwts>>,
    /// Whether those who ask have to prove who they are.
    is_closed: bool,
    everyone: Caller,
}

impl Guard {
    /// As the settings have it. Keys that are published stay known where they come from the same place.
    pub(super) fn new(
        settings: &ServeSettings,
        hosts: Hosts,
        before: Option<&Self>,
    ) -> Result<Self, Error> {
        let access = &settings.access;
        let keys = before.and_then(|before| before.jwts.as_deref());
        let jwts = access.jwt.as_ref().map(|jwt| Jwts::new(jwt, access.token_rate, keys));
        Ok(Self {
            hosts,
            tokens: Tokens::new(&access.tokens, access.token_rate),
            jwts: jwts.transpose()?.map(Arc::new),
            is_closed: access.has_authentication(),
            everyone: Caller::everyone(),
        })
    }

    /// Whether a request may go on whose path is routed so; `None` for who need not be known.
    pub(super) fn admit<B>(
        &self,
        side: Side,
        routed: Option<&str>,
        request: &Request<B>,
    ) -> Result<Option<Caller>, Refused> {
        let needs = match routed {
            Some(path) => needs(side, path).ok_or(Refused::NoLine)?,
            // Only who may ask at all is told that nothing is there.
            None => Needs::Token,
        };
        match needs {
            Needs::Nothing => Ok(None),
            // Who asks whether it is ready, and may know more, is told more.
            Needs::NothingForLess => Ok(self.caller(side, request).ok()),
            Needs::OwnProof => self.hosts.check_recording(side, request).map(|()| None),
            Needs::Token => self.caller(side, request).map(Some),
            Needs::Scope(scope) => {
                let caller = self.caller(side, request)?;
                if caller.has(scope) { Ok(Some(caller)) } else { Err(Refused::Scope(scope)) }
            }
        }
    }

    /// Who has this, and until when it is good as far as that is known; `None` for what is not good now. It
    /// does not count as used.
    fn known(&self, credential: Option<&str>) -> Option<(Caller, Option<TimeMs>)> {
        if !self.is_closed {
            return Some((self.everyone.clone(), None));
        }
        let credential = credential?;
        let of_token = self.tokens.known(credential).map(|caller| (caller, None));
        of_token.or_else(|| self.jwts.as_ref()?.known(credential))
    }

    /// Who asks, by what they send along.
    fn caller<B>(&self, side: Side, request: &Request<B>) -> Result<Caller, Refused> {
        self.hosts.check(side, request)?;
        if !self.is_closed {
            return Ok(self.everyone.clone());
        }
        let unknown = || Refused::Unknown(side);
        let credential = credential(side, request.headers()).ok_or_else(unknown)?;
        if let Some(known) = self.tokens.caller(&credential) {
            return known;
        }
        let jwts = self.jwts.as_ref().ok_or_else(unknown)?;
        jwts.caller(&credential).unwrap_or_else(|| Err(unknown()))
    }
}
