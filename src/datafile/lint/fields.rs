//! Rule: a field has a name that is read.
//!
//! Readers ignore fields that they do not know, so a misspelt one is as good as absent. Datafiles hold many
//! fields that nothing here reads, so one is reported only if it is nearly called like one that is
//! read and that its object lacks. Of the fields that were taken out of the format, those that
//! people still rely on are reported.
//!
//! Must not know what fields mean.

use super::context::Context;
use crate::datafile::findings::{Findings, quoted};
use crate::datafile::place::Place;
use crate::datafile::wire::{Kind, Node, Object};

/// An object of the datafile: the fields that it may have, and the objects in some of them.
struct Form {
    /// Also those that are written and not read, so that they are taken for nothing else.
    fields: &'static [&'static str],
    parts: &'static [(&'static str, &'static Form)],
}

const fn form(fields: &'static [&'static str]) -> Form {
    Form { fields, parts: &[] }
}

const RANGE: Form = form(&["entityId", "endOfRange"]);
const VALUE: Form = form(&["id", "value"]);
const VARIABLE: Form = form(&["id", "key", "type", "subType", "defaultValue", "status"]);
const AUDIENCE: Form = form(&["id", "name", "conditions"]);
const CONDITION: Form = form(&["name", "type", "match", "value"]);
const BANDIT: Form = form(&["attributeIds", "trafficAllocation"]);
const EVENT: Form = form(&["id", "key", "experimentIds"]);
const ATTRIBUTE: Form = form(&["id", "key"]);
const INTEGRATION: Form = form(&["key", "host", "publicKey"]);
const VARIATION: Form = Form {
    fields: &["id", "key", "name", "featureEnabled", "variables"],
    parts: &[("variables", &VALUE)],
};
const RULE: Form = Form {
    fields: &[
        "id",
        "key",
        "name",
        "layerId",
        "status",
        "type",
        "audienceIds",
        "audienceConditions",
        "variations",
        "trafficAllocation",
        "forcedVariations",
        "cmab",
        "includedRules",
        "includedFlags",
        "excludedFlags",
        "excludeTargetedDeliveries",
    ],
    parts: &[("variations", &VARIATION), ("trafficAllocation", &RANGE), ("cmab", &BANDIT)],
};
const GROUP: Form = Form {
    fields: &["id", "policy", "trafficAllocation", "experiments"],
    parts: &[("trafficAllocation", &RANGE), ("experiments", &RULE)],
};
const ROLLOUT: Form = Form { fields: &["id", "experiments"], parts: &[("experiments", &RULE)] };
const FLAG: Form = Form {
    fields: &["id", "key", "rolloutId", "experimentIds", "variables"],
    parts: &[("variables", &VARIABLE)],
};
const DATAFILE: Form = Form {
    fields: &[
        "version",
        "accountId",
        "projectId",
        "revision",
        "sdkKey",
        "environmentKey",
        "region",
        "anonymizeIP",
        "botFiltering",
        "sendFlagDecisions",
        "attributes",
        "audiences",
        "typedAudiences",
        "experiments",
        "groups",
        "rollouts",
        "holdouts",
        "localHoldouts",
        "variables",
        "featureFlags",
        "events",
        "integrations",
    ],
    parts: &[
        ("attributes", &ATTRIBUTE),
        ("audiences", &AUDIENCE),
        ("typedAudiences", &AUDIENCE),
        ("experiments", &RULE),
        ("groups", &GROUP),
        ("rollouts", &ROLLOUT),
        ("holdouts", &RULE),
        ("localHoldouts", &RULE),
        ("featureFlags", &FLAG),
        ("events", &EVENT),
        ("integrations", &INTEGRATION),
    ],
};

/// Fields of holdouts that were in the format for a while, and that nothing reads any more.
const WITHDRAWN: [&str; 2] = ["includedFlags", "excludedFlags"];

pub(super) fn lint(context: &Context<'_>, findings: &mut Findings) {
    let Ok(root) = Node::parse(&context.datafile.text, Place::default()) else { return };
    let Some(root) = root.as_object(&mut Findings::default()) else { return };
    object(&root, &DATAFILE, findings);
    context.each_condition(&mut |_, condition| misspelt(condition, &CONDITION, findings));
    for holdouts in ["holdouts", "localHoldouts"] {
        for holdout in root.array(holdouts, &mut Findings::default()) {
            let holdout = holdout.as_object(&mut Findings::default());
            holdout.iter().for_each(|holdout| withdrawn(holdout, findings));
        }
    }
}

/// Looks at an object, or at each object of an array.
fn look(node: &Node<'_>, form: &Form, findings: &mut Findings) {
    match node.kind() {
        Kind::Object => {
            let found = node.as_object(&mut Findings::default());
            found.iter().for_each(|found| object(found, form, findings));
        }
        Kind::Array => {
            for item in node.as_array().unwrap_or_default() {
                if let Some(found) = item.as_object(&mut Findings::default()) {
                    object(&found, form, findings);
                }
            }
        }
        _ => {}
    }
}

fn object(object: &Object<'_>, form: &Form, findings: &mut Findings) {
    misspelt(object, form, findings);
    for (name, part) in form.parts {
        if let Some(node) = object.get(name) {
            look(node, part, findings);
        }
    }
}

fn misspelt(object: &Object<'_>, form: &Form, findings: &mut Findings) {
    for (name, node) in object.fields() {
        if form.fields.contains(&name) {
            continue;
        }
        let is_meant = |known: &&&str| object.get(known).is_none() && is_alike(name, known);
        if let Some(meant) = form.fields.iter().find(is_meant) {
            let message = || format!("no field is called {}, so it is ignored", quoted(name));
            let remedy = format!("did you mean {}?", quoted(meant));
            findings.warning("misspelt-field", node.place(), message, &remedy);
        }
    }
}

/// Whether two names differ in how words are joined only, or in a slip or two.
fn is_alike(name: &str, known: &str) -> bool {
    let most_slips = if known.len() <= 4 { 1 } else { 2 };
    // Of what is written, underscores and the like may be any number; the rest is near or it is not.
    if name.len() > known.len().saturating_mul(2) {
        return false;
    }
    let folded = |name: &str| {
        name.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase()
    };
    strsim::osa_distance(&folded(name), &folded(known)) <= most_slips
}

fn withdrawn(holdout: &Object<'_>, findings: &mut Findings) {
    for name in WITHDRAWN {
        let Some(node) = holdout.get(name) else { continue };
        if node.as_array().is_none_or(|flags| !flags.is_empty()) {
            let message = || {
                format!("nothing reads {} any more, flags are not told apart by it", quoted(name))
            };
            let remedy = "name the rules in \"includedRules\" of a holdout in \"localHoldouts\", or take the field out";
            findings.warning("ignored-field", node.place(), message, remedy);
        }
    }
}
