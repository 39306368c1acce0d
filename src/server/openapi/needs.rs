//! What each operation needs of who asks, as the guard has it in its table.
//!
//! Must not know tokens. Parts that are of tracking say themselves what proves who sends.

use serde_json::{Value, json};

use crate::server::guard::{Needs, needs};
use crate::server::listener::Side;

/// Writes it into each operation of a document.
pub(super) fn add(side: Side, document: &mut Value) {
    let paths = document.get_mut("paths").and_then(Value::as_object_mut);
    for (path, methods) in paths.into_iter().flatten() {
        // What is answered beside the router needs any token.
        let needs = of(side, path).unwrap_or(Needs::Token);
        let operations = methods.as_object_mut().into_iter().flatten();
        for (_, operation) in operations.filter(|(_, one)| one.get("operationId").is_some()) {
            add_to(operation, needs);
        }
    }
}

/// The table has paths as they are routed, where a part that goes on to the end is written with a star.
fn of(side: Side, path: &str) -> Option<Needs> {
    match (needs(side, path), path.rfind('{')) {
        (None, Some(last)) => {
            let (before, part) = path.split_at(last);
            needs(side, &format!("{before}{}", part.replacen('{', "{*", 1)))
        }
        (found, _) => found,
    }
}

fn add_to(operation: &mut Value, needs: Needs) {
    let Some(operation) = operation.as_object_mut() else { return };
    match needs {
        Needs::Nothing | Needs::OwnProof => {
            operation.entry("security").or_insert_with(|| json!([]));
            return;
        }
        Needs::NothingForLess => return,
        Needs::Token => {}
        Needs::Scope(scope) => {
            let needed = format!("Where there are tokens: one with the scope {scope}.");
            let said = operation.get("description").and_then(Value::as_str);
            let said = said.map_or_else(|| needed.clone(), |said| format!("{said} {needed}"));
            operation.insert("description".to_owned(), said.into());
        }
    }
    let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) else {
        return;
    };
    for (status, name) in [("401", "NoToken"), ("403", "OtherToken"), ("429", "TooOften")] {
        let reference = format!("#/components/responses/{name}");
        responses.entry(status).or_insert_with(|| json!({ "$ref": reference }));
    }
}
