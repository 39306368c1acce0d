//! Rule: `qualified` goes with the type `third_party_dimension`, everything else with `custom_attribute`.
//!
//! The official SDKs disagree on other pairs: Python's answers them, JavaScript's never does.
//!
//! Must not know values. Types and matches that are not known are found when compiling.

use super::context::Context;
use crate::datafile::findings::{Findings, quoted};

pub(super) fn lint(context: &Context<'_>, findings: &mut Findings) {
    context.each_condition(&mut |_, condition| {
        let mut ignored = Findings::default();
        let kind = condition.string("type", &mut ignored).unwrap_or_default();
        let name = condition.string("match", &mut ignored).unwrap_or_else(|| "exact".into());
        let wanted = if name == "qualified" { "third_party_dimension" } else { "custom_attribute" };
        let is_other =
            matches!(&*kind, "third_party_dimension" | "custom_attribute") && kind != wanted;
        let place = condition.place().field("type");
        if !is_other || context.is_reported(&condition.place().field("match")) {
            return;
        }
        let message = || {
            format!(
                "the match {} does not go with this type: some SDKs never answer it",
                quoted(&name)
            )
        };
        let remedy = format!("make the type {wanted:?}");
        findings.warning("type-mismatch", &place, message, &remedy);
    });
}
