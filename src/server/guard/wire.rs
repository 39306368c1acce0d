//! Claims of JWTs, and what is answered at `/oauth/token`.
//!
//! Must not know who is given what.

use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};

/// What is read of a JWT; whether it has ended and who made it is looked at where its signature is.
#[derive(Debug, Deserialize)]
pub(super) struct ClaimsRead {
    pub(super) sdk_keys: Option<Vec<String>>,
    pub(super) admin: Option<bool>,
    pub(super) sub: Option<String>,
    pub(super) scope: Option<Value>,
    pub(super) exp: Option<Number>,
}

#[derive(Debug, Serialize)]
pub(super) struct ClaimsMade<'a> {
    pub(super) iss: &'static str,
    pub(super) exp: i64,
    pub(super) sub: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sdk_keys: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) scope: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) admin: Option<bool>,
}

#[derive(Debug, Serialize)]
pub(super) struct TokenAnswer {
    pub(super) access_token: String,
    pub(super) token_type: &'static str,
    pub(super) expires_in: i64,
}

#[derive(Debug, Serialize)]
pub(super) struct OauthErrorAnswer {
    pub(super) error: &'static str,
    pub(super) error_description: &'static str,
}
