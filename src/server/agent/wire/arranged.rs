//! Bodies about what is arranged for users: overrides, profiles, and events of another service.
//!
//! Must not know how they come about.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::clock::TimeMs;
use crate::server::slips::{MOST_LOOKED_AT, is_nearly};
use crate::server::wire::Whole;
use crate::server::wire::members::members;
use crate::store::Override;

/// All but the first three are extensions.
#[derive(Debug, Default)]
pub(in crate::server::agent) struct OverrideBody {
    pub(in crate::server::agent) user_id: Option<String>,
    pub(in crate::server::agent) experiment_key: Option<String>,
    pub(in crate::server::agent) variation_key: Option<String>,
    pub(in crate::server::agent) owner: Option<String>,
    pub(in crate::server::agent) reason: Option<String>,
    pub(in crate::server::agent) expires_at: Option<Whole<TimeMs>>,
    pub(in crate::server::agent) ttl: Option<Value>,
    /// Names of others. As with Agent they are not looked at, but for slips.
    others: Vec<String>,
}

members!(OverrideBody {
    "userId" => user_id,
    "experimentKey" => experiment_key,
    "variationKey" => variation_key,
    "owner" => owner,
    "reason" => reason,
    "expiresAt" => expires_at,
    "ttl" => ttl,
} own ["owner", "reason", "expiresAt", "ttl"] pass note);

impl OverrideBody {
    fn note(&mut self, name: &str) {
        if self.others.len() < MOST_LOOKED_AT {
            self.others.push(name.to_owned());
        }
    }

    /// What is said of fields that nobody reads and that look like an extension which is not there: an
    /// override that was to end must not stay in silence.
    pub(in crate::server::agent) fn slips(&self) -> impl Iterator<Item = &'static str> {
        let has_end = self.expires_at.is_some() || self.ttl.is_some();
        let extensions = [
            ("owner", self.owner.is_some(), "a field looks like owner and is not read"),
            ("reason", self.reason.is_some(), "a field looks like reason and is not read"),
            ("expiresat", has_end, "a field looks like expiresAt and is not read"),
            ("ttl", has_end, "a field looks like ttl and is not read"),
        ];
        let is_nearly = |own: &str| self.others.iter().any(|name| is_nearly(name, own));
        let said =
            extensions.into_iter().filter(move |(own, is_there, _)| !is_there && is_nearly(own));
        said.map(|(_, _, text)| text)
    }
}

/// What stands behind `messages` is an extension, and there only where it was given.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::server::agent) struct OverrideAnswer {
    user_id: Box<str>,
    experiment_key: Box<str>,
    variation_key: Box<str>,
    pub(in crate::server::agent) prev_variation_key: Box<str>,
    /// Null where there are none.
    pub(in crate::server::agent) messages: Option<Vec<&'static str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<Box<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Box<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<TimeMs>,
}

impl OverrideAnswer {
    pub(in crate::server::agent) fn of(wanted: &Override) -> Self {
        Self {
            user_id: wanted.user_id.clone(),
            experiment_key: wanted.experiment_key.clone(),
            variation_key: wanted.variation_key.clone(),
            prev_variation_key: Box::default(),
            messages: None,
            owner: wanted.owner.clone(),
            reason: wanted.reason.clone(),
            expires_at: wanted.expires_at_ms,
        }
    }
}

#[derive(Debug, Default)]
pub(in crate::server::agent) struct ProfileBody {
    pub(in crate::server::agent) user_id: Option<String>,
    /// By experiment ids.
    pub(in crate::server::agent) experiment_bucket_map: Option<BTreeMap<String, Bucketed>>,
}

members!(ProfileBody {
    "userId" => user_id,
    "experimentBucketMap" => experiment_bucket_map,
});

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::server::agent) struct ProfileAnswer {
    pub(in crate::server::agent) user_id: String,
    pub(in crate::server::agent) experiment_bucket_map: BTreeMap<String, Bucketed>,
}

/// The variation that a user was bucketed into.
#[derive(Debug, Default, Serialize)]
pub(in crate::server::agent) struct Bucketed {
    pub(in crate::server::agent) variation_id: Option<String>,
}

members!(Bucketed { "variation_id" => variation_id });

#[derive(Debug, Default)]
pub(in crate::server::agent) struct OdpEventBody {
    /// Read for its type alone.
    _kind: Option<String>,
    pub(in crate::server::agent) action: Option<String>,
    pub(in crate::server::agent) identifiers: Option<BTreeMap<String, String>>,
    _data: Option<Map<String, Value>>,
}

members!(OdpEventBody {
    "type" => _kind,
    "action" => action,
    "identifiers" => identifiers,
    "data" => _data,
});
