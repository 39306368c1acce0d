//! Rule: an audience is named by a rule, and a rollout by a flag.
//!
//! Worth knowing, no more. No fault: the filler audience for SDKs that know no typed ones.
//!
//! Must not know conditions.

use hashbrown::HashSet;

use super::context::Context;
use crate::datafile::findings::{Findings, quoted};
use crate::datafile::model::{Audiences, FILLER_AUDIENCE_ID};

pub(super) fn lint(context: &Context<'_>, findings: &mut Findings) {
    let mut used = HashSet::new();
    for (_, rule) in &context.rules {
        match &rule.audiences {
            Audiences::Everyone => {}
            Audiences::One(index) => _ = used.insert(index.place() as usize),
            Audiences::Tree(tree, _) => {
                used.extend(tree.leaves().map(|index| index.place() as usize))
            }
        }
    }
    for (index, (wire, audience)) in context.audiences.iter().enumerate() {
        if used.contains(&index) || *audience.id == *FILLER_AUDIENCE_ID {
            continue;
        }
        let message = || format!("no rule names the audience {}", quoted(&audience.name));
        findings.note("unused-audience", &wire.place, message, "name it in a rule, or take it out");
    }
    let named: HashSet<&str> = context
        .wire
        .flags
        .iter()
        .filter_map(|flag| Some(&*flag.rollout_id.as_ref()?.name))
        .collect();
    for rollout in context.wire.rollouts.iter().filter(|rollout| !rollout.rules.is_empty()) {
        if !named.contains(&*rollout.id) {
            let message = || {
                format!(
                    "no flag names the rollout {}, so nobody gets to its rules",
                    quoted(&rollout.id)
                )
            };
            let remedy = "name it in a flag's \"rolloutId\", or take it out";
            findings.note("unreachable-rule", &rollout.place, message, remedy);
        }
    }
}
