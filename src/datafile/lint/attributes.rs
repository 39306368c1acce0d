//! Rule: conditions look at attributes that the datafile declares.
//!
//! Conditions work on undeclared ones, too, but events do not carry them, and mostly the name is
//! misspelt. No fault: reserved names (`$opt_...`), and segments, which are no attributes.
//!
//! Must not know values.

use hashbrown::{HashMap, HashSet};

use super::context::Context;
use crate::datafile::findings::{Findings, quoted};
use crate::datafile::model::RESERVED;

pub(super) fn lint(context: &Context<'_>, findings: &mut Findings) {
    let declared: HashSet<&str> =
        context.datafile.attributes.iter().map(|attribute| &*attribute.key).collect();
    let by_lowercase: HashMap<String, &str> =
        declared.iter().map(|key| (key.to_lowercase(), *key)).collect();
    let mut reported = HashSet::new();
    context.each_condition(&mut |audience, condition| {
        let mut ignored = Findings::default();
        let Some(name) = condition.string("name", &mut ignored) else { return };
        let kind = condition.string("type", &mut ignored);
        let is_segment = condition.string("match", &mut ignored).as_deref() == Some("qualified");
        let is_attribute = kind.as_deref() == Some("custom_attribute") && !is_segment;
        let is_known = declared.contains(&*name) || name.starts_with(RESERVED);
        if !is_attribute || is_known || !reported.insert((audience, name.to_string())) {
            return;
        }
        let message = || {
            format!("the attribute {} is not declared, so events will not carry it", quoted(&name))
        };
        let place = condition.place().field("name");
        match by_lowercase.get(&name.to_lowercase()) {
            Some(other) => {
                let remedy = format!("write {}, as it is declared", quoted(other));
                findings.warning("undeclared-attribute", &place, message, &remedy);
            }
            None => {
                let remedy = "add it to \"attributes\", or mend its name";
                findings.warning("undeclared-attribute", &place, message, remedy);
            }
        }
    });
}
