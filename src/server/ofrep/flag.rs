//! One decided flag in an answer, or why it has no value.
//!
//! Must not know requests. A fault of one flag is no fault of others.

use std::borrow::Cow;
use std::sync::Arc;

use super::anonymous::depends_on_user;
use super::context::Context;
use super::fault::{Code, Fault};
use super::reason::reason;
use super::value::value;
use super::wire::{FailureAnswer, MetadataAnswer, SuccessAnswer};
use crate::client::Decision;
use crate::datafile::Datafile;
use crate::settings::OfrepSettings;

/// What flags are answered by.
#[derive(Clone, Copy)]
pub(super) struct Answering<'a> {
    pub(super) datafile: &'a Arc<Datafile>,
    pub(super) context: &'a Context,
    pub(super) settings: &'a OfrepSettings,
    /// Whether users stay in the variations that they were bucketed into.
    pub(super) has_profiles: bool,
}

/// Why a flag has no value.
#[derive(Debug)]
pub(super) struct NoValue {
    pub(super) code: Code,
    pub(super) details: Cow<'static, str>,
}

impl<'a> Answering<'a> {
    /// Whether a flag cannot be decided without an id, and there is none.
    pub(super) fn is_missing_key(&self, flag_key: &str) -> bool {
        let flag = self.datafile.flag_by_key(flag_key);
        self.context.targeting_key.is_none()
            && flag.is_some_and(|flag| depends_on_user(self.datafile, flag))
    }

    /// The answer of a decided flag.
    pub(super) fn success<'d>(&self, decision: &'d Decision) -> Result<SuccessAnswer<'d>, NoValue> {
        let no_value = |code, details| NoValue { code, details };
        let key = &decision.flag_key;
        let Some(flag) = self.datafile.flag_by_key(key) else {
            let details =
                format!("there is no flag {key:?}: look at the key, and at the environment");
            return Err(no_value(Code::FlagNotFound, details.into()));
        };
        if self.is_missing_key(key) {
            let details = "different users get different answers: send {\"context\": {\"targetingKey\": \"the user's id\"}}";
            return Err(no_value(Code::TargetingKeyMissing, details.into()));
        }
        if decision.is_error {
            return Err(no_value(Code::General, decision.reasons.join(" ").into()));
        }
        let value = value(decision, self.settings)
            .map_err(|details| no_value(Code::ParseError, details))?;
        Ok(SuccessAnswer {
            key,
            value,
            reason: reason(self, flag, decision),
            variant: decision.variation_key.as_deref().unwrap_or_default(),
            metadata: MetadataAnswer { recorded: was_refused(decision).then_some(false) },
        })
    }
}

/// Whether the store did not take an impression of a decision.
pub(super) fn was_refused(decision: &Decision) -> bool {
    decision.receipts.iter().any(|receipt| receipt.refusal().is_some())
}

impl NoValue {
    /// As it stands among others.
    pub(super) fn among_others(self, key: &str) -> FailureAnswer<'_> {
        let Self { code, details } = self;
        FailureAnswer { key: Some(key), error_code: code.as_str(), error_details: details }
    }
}

impl From<NoValue> for Fault {
    fn from(NoValue { code, details }: NoValue) -> Self {
        Self::new(code, details)
    }
}
