//! The explanation of a decision for people: its whole trace, with who arranged what was arranged.
//!
//! Must not know who asks for it.

use serde_json::{Value, json};

use crate::client::{Decision, UserContext};
use crate::store::Override;

/// Why a user got what was decided; `None` if that was not asked for, or there is no such flag.
pub(super) fn explained(user: &UserContext<'_>, decision: &Decision) -> Option<Value> {
    let mut explanation = decision.explanation.as_ref()?.to_json();
    let overrides = user.overrides();
    if !overrides.is_empty() {
        add_overrides(&mut explanation, &overrides);
    }
    Some(explanation)
}

/// A step that an override decided says whose it is, why, and until when.
fn add_overrides(steps: &mut Value, overrides: &[Override]) {
    for step in steps.as_array_mut().into_iter().flatten() {
        let experiment = step.get("experiment").and_then(Value::as_str);
        let is_forced = step.get("step").and_then(Value::as_str) == Some("forced-variation");
        let decided = overrides.iter().find(|one| Some(&*one.experiment_key) == experiment);
        if let (true, Some(one)) = (is_forced, decided) {
            step["override"] = json!({
                "owner": one.owner,
                "reason": one.reason,
                "setAt": one.set_at_ms,
                "expiresAt": one.expires_at_ms,
            });
        }
        if let Some(parts) = step.get_mut("parts") {
            add_overrides(parts, overrides);
        }
    }
}
