//! Datafiles: what compiling them gives, what is reported, and what hostile ones cannot do.

mod broken;
mod compiled;
mod hostile;
mod lint;
mod shapes;

use serde_json::{Value, json};
use variate::datafile::{Compiled, Datafile};

/// Compiles a datafile that must be accepted.
fn compile(datafile: &Value) -> Compiled {
    compile_text(&datafile.to_string())
}

fn compile_text(text: &str) -> Compiled {
    Datafile::compile(text.as_bytes())
        .unwrap_or_else(|error| panic!("refused: {error}\n{text:.300}"))
}

/// The findings of a datafile as `code path` lines.
fn findings(compiled: &Compiled) -> Vec<String> {
    compiled.findings.iter().map(|finding| format!("{} {}", finding.code, finding.path)).collect()
}

/// A datafile with these sections.
fn datafile(sections: Value) -> Value {
    let mut datafile = json!({"version": "4", "accountId": "1", "projectId": "2", "revision": "3"});
    let fields = datafile.as_object_mut().expect("an object");
    fields.extend(sections.as_object().expect("sections are an object").clone());
    datafile
}

/// A running experiment with two variations, `a` and `b`, and these further fields.
fn experiment(id: &str, key: &str, fields: Value) -> Value {
    let mut experiment = json!({
        "id": id, "key": key, "status": "Running", "layerId": format!("{id}9"), "audienceIds": [],
        "variations": [{"id": format!("{id}1"), "key": "a"}, {"id": format!("{id}2"), "key": "b"}],
        "trafficAllocation": [
            {"entityId": format!("{id}1"), "endOfRange": 5000},
            {"entityId": format!("{id}2"), "endOfRange": 10000},
        ],
        "forcedVariations": {},
    });
    experiment
        .as_object_mut()
        .expect("an object")
        .extend(fields.as_object().expect("fields are an object").clone());
    experiment
}
