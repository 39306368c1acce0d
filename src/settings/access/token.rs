//! A token: who it is for, and what they may do with it.
//!
//! Must not know requests. Of a token only its hash is kept.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::rate::Rate;
use super::scope::Scope;
use crate::error::Error;

/// Shorter ones can be guessed.
const FEWEST_SIGNS: usize = 16;

/// Which environments a token is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// All of them, also those to come: `*`.
    All,
    /// Those of these names.
    Of(Vec<String>),
}

/// A token.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenSettings {
    /// What it is called where something is wrong with it.
    pub name: String,
    /// Which environments it is for.
    pub reach: Reach,
    /// What it may be used for.
    pub scopes: Vec<Scope>,
    /// How many requests it may make. Default: as all tokens.
    pub rate: Option<Rate>,
    sha256: [u8; 32],
    place: SecretPlace,
}

/// Where the secret of a token stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::settings) enum SecretPlace {
    /// In the settings.
    Told,
    /// Nowhere: its hash is in the settings.
    Hashed,
    File(PathBuf),
}

impl TokenSettings {
    /// A token that is told.
    ///
    /// # Errors
    ///
    /// If it can be guessed, or has a sign that no header can.
    pub fn new(name: &str, secret: &str, reach: Reach, scopes: &[Scope]) -> Result<Self, Error> {
        if secret.len() < FEWEST_SIGNS || !secret.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Error::settings(format!(
                "the token {name:?} has a secret of fewer than {FEWEST_SIGNS} signs or with unfit ones: make one by openssl rand -hex 32"
            )));
        }
        let sha256 = Sha256::digest(secret.as_bytes()).into();
        let (name, scopes) = (name.to_owned(), scopes.to_vec());
        Ok(Self { name, reach, scopes, rate: None, sha256, place: SecretPlace::Told })
    }

    /// A token that stands in a file, alone.
    pub(in crate::settings) fn from_file(name: &str, path: &Path) -> Result<Self, Error> {
        let text = fs::read_to_string(path).map_err(|error| {
            Error::settings(format!(
                "the secret of the token {name:?} cannot be read from {} ({error}): check the path and its rights",
                path.display()
            ))
        })?;
        let token = Self::new(name, text.trim_end(), Reach::Of(Vec::new()), &[])?;
        Ok(Self { place: SecretPlace::File(path.to_owned()), ..token })
    }

    /// A token of which only the SHA-256 is known, as 64 hexadecimal digits.
    pub(in crate::settings) fn from_sha256(name: &str, digits: &str) -> Result<Self, Error> {
        let wrong = || {
            Error::settings(format!(
                "the token {name:?} has no SHA-256 in secret_sha256: write the 64 digits that printf %s SECRET | sha256sum gives"
            ))
        };
        if digits.len() != 64 {
            return Err(wrong());
        }
        let mut sha256 = [0; 32];
        for (byte, pair) in sha256.iter_mut().zip(digits.as_bytes().chunks(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| wrong())?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| wrong())?;
        }
        let (name, reach, scopes) = (name.to_owned(), Reach::Of(Vec::new()), Vec::new());
        Ok(Self { name, reach, scopes, rate: None, sha256, place: SecretPlace::Hashed })
    }

    /// Where its secret stands.
    pub(in crate::settings) const fn secret_place(&self) -> &SecretPlace {
        &self.place
    }

    /// The SHA-256 of the token.
    pub(crate) const fn sha256(&self) -> &[u8; 32] {
        &self.sha256
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        let problem = match &self.reach {
            _ if self.scopes.is_empty() => {
                "may be used for nothing: give scopes, of decide, track, override and admin"
            }
            Reach::Of(names) if names.is_empty() && self.scopes != [Scope::Admin] => {
                "is for no environment: give environments, such as [\"production\"], or [\"*\"] for all"
            }
            Reach::Of(names) if !names.is_empty() && self.scopes.contains(&Scope::Admin) => {
                "is for some environments only, and the administration shows all: give environments = [\"*\"], or leave the scope admin to another token"
            }
            _ => return Ok(()),
        };
        Err(Error::settings(format!("the token {:?} {problem}", self.name)))
    }
}

/// Without the hash.
impl fmt::Debug for TokenSettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("TokenSettings")
            .field("name", &self.name)
            .field("reach", &self.reach)
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}
