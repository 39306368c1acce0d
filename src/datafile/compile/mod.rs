//! From the wire form to the compiled one: every reference resolved, every fault a finding.
//!
//! Must not know users and does no I/O.

mod allocation;
mod audiences;
mod condition;
mod conditions;
mod draft;
mod entities;
mod feature_rollout;
mod flags;
mod holdouts;
mod rules;
mod values;

use std::sync::Arc;

use hashbrown::HashMap;

use super::finding::Finding;
use super::findings::Findings;
use super::model::Datafile;
use super::project::{Project, Region};
use super::wire;
use crate::error::Error;
use crate::name::NameTable;

/// A compiled datafile and what was wrong with its text.
#[derive(Debug)]
#[non_exhaustive]
pub struct Compiled {
    /// The datafile, without the parts that are broken.
    pub datafile: Datafile,
    /// What was wrong: first what reading the text found, in the order of the datafile's parts, then
    /// what resolving its references found. At most 1000 are listed, and a last one tells of the rest.
    pub findings: Vec<Finding>,
}

impl Datafile {
    /// Compiles a datafile from its JSON text.
    ///
    /// # Errors
    ///
    /// Only if the text is not readable JSON, or its version is not `"2"`, `"3"` or `"4"`.
    pub fn compile(text: impl AsRef<[u8]>) -> Result<Compiled, Error> {
        let mut findings = Findings::default();
        let text = wire::utf8(text.as_ref(), &mut findings)?;
        let datafile = compile(text, &mut findings)?;
        Ok(Compiled { datafile, findings: findings.finish() })
    }
}

/// Compiles a datafile from its text without a byte-order mark.
pub(super) fn compile(text: &str, findings: &mut Findings) -> Result<Datafile, Error> {
    let wire = wire::read(text, findings)?;
    Ok(link(wire, text, findings))
}

/// Resolves the references of a datafile.
fn link(wire: wire::WireDatafile<'_>, text: &str, findings: &mut Findings) -> Datafile {
    let (attributes, attribute_by_key) = entities::attributes(wire.attributes, findings);
    let audiences = audiences::Table::new(wire.audiences, wire.typed_audiences, findings);
    let (mut drafts, group_drafts) =
        draft::Drafts::new(wire.experiments, wire.groups, wire.rollouts, findings);
    drafts.add_holdouts(wire.holdouts, wire.local_holdouts, findings);
    let wire_flags = flags::one_per_key(wire.flags, findings);
    let values = values::Values::new(&drafts, &wire_flags, &wire.legacy_variable_ids, findings);
    feature_rollout::extend(&mut drafts, &wire_flags);

    let mut rules = rules::compile(&drafts, &audiences, &values, &attributes, findings);
    let groups = entities::groups(group_drafts, &drafts, findings);
    let (flags, flag_by_key) = flags::compile(wire_flags, &drafts, &mut rules, findings);
    let (events, event_by_key) = entities::events(wire.events, &drafts, findings);
    let holdouts = holdouts::tie(&drafts, &mut rules, findings);
    Datafile {
        version: wire.version.into(),
        project: Arc::new(Project {
            account_id: wire.account_id.into(),
            project_id: wire.project_id.into(),
            revision: wire.revision.into(),
            region: region_of(wire.region.as_deref()),
            anonymizes_ip: wire.anonymizes_ip,
            filters_bots: wire.bot_filtering,
        }),
        sdk_key: wire.sdk_key.map(Into::into),
        environment_key: wire.environment_key.map(Into::into),
        sends_flag_decisions: wire.sends_flag_decisions,
        text: text.into(),
        attributes,
        audiences: audiences.into_list(),
        groups,
        rules,
        flags,
        event_by_id: entities::events_by_id(&events),
        events,
        integrations: entities::integrations(wire.integrations, findings),
        global_holdouts: holdouts.global,
        running_holdouts: holdouts.running,
        attribute_by_key: table(&attribute_by_key),
        experiment_by_key: table(&drafts.experiment_by_key),
        rule_by_id: drafts.rule_by_id,
        flag_by_key: table(&flag_by_key),
        event_by_key: table(&event_by_key),
    }
}

/// The form of a map that decisions look names up in.
fn table<T: Copy>(map: &HashMap<Box<str>, T>) -> NameTable<T> {
    map.iter().map(|(name, value)| (&**name, *value)).collect()
}

/// The region, in capitals or not as in Python; anything unknown is the United States.
fn region_of(name: Option<&str>) -> Region {
    if name.is_some_and(|name| name.eq_ignore_ascii_case("EU")) { Region::Eu } else { Region::Us }
}
