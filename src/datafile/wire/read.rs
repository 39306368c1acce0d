//! Readers of the datafile itself and of everything in it but rules.
//!
//! Must not know the compiled form.

use std::borrow::Cow;

use super::form::{
    Reference, Text, WireAttribute, WireAudience, WireDatafile, WireEvent, WireFlag, WireGroup,
    WireIntegration, WireRollout, WireVariable, Written,
};
use super::node::{Kind, Node};
use super::object::{Object, id_of, wrong_type};
use super::rule::{read_allocation, read_rule};
use crate::datafile::findings::{Findings, quoted, shortened};
use crate::datafile::place::Place;
use crate::error::Error;

/// The text of a datafile, without a byte-order mark.
pub(in crate::datafile) fn utf8<'a>(
    bytes: &'a [u8],
    findings: &mut Findings,
) -> Result<&'a str, Error> {
    let text = std::str::from_utf8(bytes)
        .map_err(|source| Error::datafile_encoding(source.valid_up_to(), source))?;
    let Some(rest) = text.strip_prefix('\u{feff}') else { return Ok(text) };
    let message = "the text begins with a byte-order mark, which was skipped";
    findings.note(
        "byte-order-mark",
        &Place::default(),
        message,
        "save it without one, other readers refuse it",
    );
    Ok(rest)
}

/// Reads a datafile.
///
/// # Errors
///
/// The text is not JSON, not an object, or of a version that is not supported.
pub(in crate::datafile) fn read<'a>(
    text: &'a str,
    findings: &mut Findings,
) -> Result<WireDatafile<'a>, Error> {
    let root = Node::parse(text, Place::default())
        .map_err(|source| Error::datafile_syntax(source.line(), source.column(), source))?;
    let object =
        root.as_object(findings).ok_or_else(|| Error::datafile_shape(root.kind().name()))?;
    let version = read_version(&object, findings)?;
    let mut header = |name| {
        if object.get(name).is_none() {
            object.missing(name, "events will carry an empty one", findings);
        }
        object.id(name, findings).unwrap_or_default()
    };
    let (account_id, project_id, revision) =
        (header("accountId"), header("projectId"), header("revision"));
    Ok(WireDatafile {
        version,
        account_id,
        project_id,
        revision,
        sdk_key: object.string("sdkKey", findings),
        environment_key: object.string("environmentKey", findings),
        region: object.string("region", findings),
        anonymizes_ip: object.switch("anonymizeIP", findings),
        bot_filtering: object.boolean("botFiltering", findings),
        sends_flag_decisions: object.switch("sendFlagDecisions", findings),
        attributes: read_list(&object, "attributes", findings, read_attribute),
        audiences: read_list(&object, "audiences", findings, read_audience),
        typed_audiences: read_list(&object, "typedAudiences", findings, read_audience),
        experiments: read_list(&object, "experiments", findings, read_rule),
        groups: read_list(&object, "groups", findings, read_group),
        rollouts: read_list(&object, "rollouts", findings, read_rollout),
        holdouts: read_list(&object, "holdouts", findings, read_rule),
        local_holdouts: read_list(&object, "localHoldouts", findings, read_rule),
        legacy_variable_ids: read_list(&object, "variables", findings, |one, findings| {
            one.id("id", findings)
        }),
        flags: read_list(&object, "featureFlags", findings, read_flag),
        events: read_list(&object, "events", findings, read_event),
        integrations: read_list(&object, "integrations", findings, read_integration),
    })
}

fn read_version<'a>(object: &Object<'a>, findings: &mut Findings) -> Result<Text<'a>, Error> {
    let Some(node) = object.get("version") else {
        return Err(Error::datafile_version("(none given)"));
    };
    match node.as_string(findings) {
        Some(version) if matches!(&*version, "2" | "3" | "4") => Ok(version),
        Some(version) => Err(Error::datafile_version(quoted(&version))),
        None => Err(Error::datafile_version(format!(
            "{} ({})",
            shortened(node.text()),
            node.kind().name()
        ))),
    }
}

/// Reads the elements of an array of objects, without those that cannot be read.
pub(super) fn read_list<'a, T>(
    object: &Object<'a>,
    name: &str,
    findings: &mut Findings,
    read_one: impl Fn(&Object<'a>, &mut Findings) -> Option<T>,
) -> Vec<T> {
    let mut list = Vec::new();
    for node in object.array(name, findings) {
        match node.as_object(findings) {
            Some(object) => list.extend(read_one(&object, findings)),
            None => wrong_type(&node, "an object", "the element was left out", findings),
        }
    }
    list
}

/// Reads an array of ids.
pub(super) fn read_references<'a>(
    object: &Object<'a>,
    name: &str,
    findings: &mut Findings,
) -> Vec<Reference<'a>> {
    let mut references = Vec::new();
    for node in object.array(name, findings) {
        let place = node.place().clone();
        references.extend(id_of(&node, findings).map(|name| Reference { name, place }));
    }
    references
}

fn read_attribute<'a>(object: &Object<'a>, findings: &mut Findings) -> Option<WireAttribute<'a>> {
    let id = object.needed_id("id", "attribute", findings)?;
    let key = object.needed_id("key", "attribute", findings)?;
    Some(WireAttribute { place: object.place().clone(), id, key })
}

fn read_audience<'a>(object: &Object<'a>, findings: &mut Findings) -> Option<WireAudience<'a>> {
    let id = object.needed_id("id", "audience", findings)?;
    let name = object.string("name", findings).unwrap_or_default();
    let conditions = object.get("conditions").cloned();
    Some(WireAudience { place: object.place().clone(), id, name, conditions })
}

fn read_event<'a>(object: &Object<'a>, findings: &mut Findings) -> Option<WireEvent<'a>> {
    let id = object.needed_id("id", "event", findings)?;
    let key = object.needed_id("key", "event", findings)?;
    let experiment_ids = read_references(object, "experimentIds", findings);
    Some(WireEvent { place: object.place().clone(), id, key, experiment_ids })
}

fn read_integration<'a>(
    object: &Object<'a>,
    findings: &mut Findings,
) -> Option<WireIntegration<'a>> {
    let key = object.needed_id("key", "integration", findings)?;
    let host = object.string("host", findings);
    let public_key = object.string("publicKey", findings);
    Some(WireIntegration { place: object.place().clone(), key, host, public_key })
}

fn read_group<'a>(object: &Object<'a>, findings: &mut Findings) -> Option<WireGroup<'a>> {
    let id = object.needed_id("id", "group", findings)?;
    let is_exclusive = object.string("policy", findings).is_some_and(|policy| policy == "random");
    if is_exclusive && object.get("trafficAllocation").is_none() {
        object.missing("trafficAllocation", "nobody is in an experiment of the group", findings);
    }
    let allocation = read_allocation(object, findings);
    let experiments = read_list(object, "experiments", findings, read_rule);
    Some(WireGroup { place: object.place().clone(), id, is_exclusive, allocation, experiments })
}

fn read_rollout<'a>(object: &Object<'a>, findings: &mut Findings) -> Option<WireRollout<'a>> {
    let id = object.needed_id("id", "rollout", findings)?;
    let rules = read_list(object, "experiments", findings, read_rule);
    Some(WireRollout { place: object.place().clone(), id, rules })
}

fn read_flag<'a>(object: &Object<'a>, findings: &mut Findings) -> Option<WireFlag<'a>> {
    let key = object.needed_id("key", "flag", findings)?;
    if object.get("id").is_none() {
        object.missing("id", "it was taken as empty", findings);
    }
    let rollout_id = object.get("rolloutId").and_then(|node| {
        let name = id_of(node, findings).filter(|id| !id.is_empty())?;
        Some(Reference { name, place: node.place().clone() })
    });
    Some(WireFlag {
        place: object.place().clone(),
        id: object.id("id", findings).unwrap_or_default(),
        key,
        experiment_ids: read_references(object, "experimentIds", findings),
        rollout_id,
        variables: read_list(object, "variables", findings, read_variable),
    })
}

fn read_variable<'a>(object: &Object<'a>, findings: &mut Findings) -> Option<WireVariable<'a>> {
    let id = object.needed_id("id", "variable", findings)?;
    let key = object.needed_id("key", "variable", findings)?;
    if object.get("type").is_none() {
        object.missing("type", "the variable is served as text", findings);
    }
    if object.get("defaultValue").is_none() {
        object.missing("defaultValue", "the variable has no value by default", findings);
    }
    let type_name = object.string("type", findings);
    // A sub-type says nothing where there is no type, as in the SDKs.
    let sub_type = object.string("subType", findings).filter(|_| type_name.is_some());
    let type_name = type_name.unwrap_or(Cow::Borrowed("string"));
    let default = object.get("defaultValue").and_then(|node| value_text(node, findings));
    Some(WireVariable { place: object.place().clone(), id, key, type_name, sub_type, default })
}

/// The text of a variable's value; a number is taken as it is written.
pub(super) fn value_text<'a>(node: &Node<'a>, findings: &mut Findings) -> Option<Written<'a>> {
    if node.kind() == Kind::Number {
        let message = "this is a number, not a string, it was taken as its text";
        findings.warning("wrong-type", node.place(), message, "write it in quotation marks");
        return Some(Written { text: Cow::Borrowed(node.text()), is_number: true });
    }
    let text = node.as_string(findings);
    if text.is_none() {
        wrong_type(node, "a string", "the value was left out", findings);
    }
    text.map(|text| Written { text, is_number: false })
}
