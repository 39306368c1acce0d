//! Who asks: what they may do, and in which environments.
//!
//! Must not know how they proved it.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::Extensions;
use axum::http::request::Parts;

use crate::server::environment::{Environment, Fit};
use crate::settings::{Reach, Scope};
use crate::source::SdkKey;

/// Who asks.
#[derive(Debug, Clone, Default)]
pub(in crate::server) struct Caller(Option<Arc<Rights>>);

#[derive(Debug)]
pub(super) struct Rights {
    pub(super) is_known: bool,
    pub(super) scopes: Vec<Scope>,
    pub(super) environments: Environments,
}

/// In which environments.
#[derive(Debug)]
pub(super) enum Environments {
    /// Those of a token.
    Named(Reach),
    /// Those that these keys choose.
    Keys(Vec<SdkKey>),
}

impl Caller {
    /// Where nobody has to prove who they are.
    pub(super) fn everyone() -> Self {
        let environments = Environments::Named(Reach::All);
        Self::with(Rights { is_known: false, scopes: Scope::ALL.to_vec(), environments })
    }

    pub(super) fn with(rights: Rights) -> Self {
        Self(Some(Arc::new(rights)))
    }

    /// Who was let in with a request.
    pub(in crate::server) fn of(extensions: &Extensions) -> Self {
        extensions.get::<Self>().cloned().unwrap_or_default()
    }

    /// Whether they may do such things.
    pub(super) fn has(&self, scope: Scope) -> bool {
        self.0.as_ref().is_some_and(|rights| rights.scopes.contains(&scope))
    }

    /// Whether they may do so in this environment.
    pub(in crate::server) fn reaches(&self, environment: &Environment) -> bool {
        match self.0.as_ref().map(|rights| &rights.environments) {
            None => false,
            Some(Environments::Named(Reach::All)) => true,
            Some(Environments::Named(Reach::Of(names))) => {
                names.iter().any(|name| name == environment.name())
            }
            Some(Environments::Keys(keys)) => {
                keys.iter().any(|key| environment.fit(key) == Fit::Yes)
            }
        }
    }

    /// Whether they proved who they are. What they proved it with is no key of an environment.
    pub(in crate::server) fn is_known(&self) -> bool {
        self.0.as_ref().is_some_and(|rights| rights.is_known)
    }
}

/// Who was let in; who was not looked at reaches nothing.
impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.extensions))
    }
}
