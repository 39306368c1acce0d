//! Names as they stand on the disk.
//!
//! Must not know their numbers.

use serde::{Deserialize, Serialize};

use crate::attribution::{Project, Shown};
use crate::datafile::Region;

#[derive(Debug, Serialize, Deserialize)]
pub(in crate::store::durable) struct StoredShown<'a> {
    experiment_id: &'a str,
    experiment_key: &'a str,
    campaign_id: &'a str,
    variation_id: &'a str,
    variation_key: &'a str,
}

#[derive(Debug, Serialize, Deserialize)]
pub(in crate::store::durable) struct StoredProject<'a> {
    account_id: &'a str,
    project_id: &'a str,
    revision: &'a str,
    is_in_europe: bool,
    anonymizes_ip: bool,
    filters_bots: Option<bool>,
}

pub(in crate::store::durable) fn stored_shown(shown: &Shown) -> StoredShown<'_> {
    StoredShown {
        experiment_id: &shown.experiment_id,
        experiment_key: &shown.experiment_key,
        campaign_id: &shown.campaign_id,
        variation_id: &shown.variation_id,
        variation_key: &shown.variation_key,
    }
}

pub(in crate::store::durable) fn shown(stored: &StoredShown<'_>) -> Shown {
    Shown {
        experiment_id: stored.experiment_id.into(),
        experiment_key: stored.experiment_key.into(),
        campaign_id: stored.campaign_id.into(),
        variation_id: stored.variation_id.into(),
        variation_key: stored.variation_key.into(),
    }
}

pub(in crate::store::durable) fn stored_project(project: &Project) -> StoredProject<'_> {
    StoredProject {
        account_id: &project.account_id,
        project_id: &project.project_id,
        revision: &project.revision,
        is_in_europe: project.region == Region::Eu,
        anonymizes_ip: project.anonymizes_ip,
        filters_bots: project.filters_bots,
    }
}

pub(in crate::store::durable) fn project(stored: &StoredProject<'_>) -> Project {
    Project {
        account_id: stored.account_id.into(),
        project_id: stored.project_id.into(),
        revision: stored.revision.into(),
        region: if stored.is_in_europe { Region::Eu } else { Region::Us },
        anonymizes_ip: stored.anonymizes_ip,
        filters_bots: stored.filters_bots,
    }
}
