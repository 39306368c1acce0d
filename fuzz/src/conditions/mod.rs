//! Condition trees: the compiled program answers as three-valued logic does, evaluated plainly.
//!
//! Must not know how trees are compiled. A tree is drawn from bytes, written into a datafile as an
//! audience, and asked three ways: the program over the compiled conditions, the decision of an
//! experiment whose audience conditions are a tree over such audiences, and the explained decision.

mod draw;
mod leaf;
mod plain;

use arbitrary::Unstructured;
use serde_json::{Value, json};
use variate::datafile::{Audience, Datafile};
use variate::decide::{Explanation, Given, Silent, User, experiment};
use variate::targeting::Program;

use draw::{Case, EXPERIMENT_ID, EXPERIMENT_KEY};
use plain::Given as PlainUser;

/// Checks the trees and the user that are drawn from these bytes.
pub fn check(bytes: &[u8]) {
    let Ok(case) = Case::draw(&mut Unstructured::new(bytes)) else { return };
    let text = datafile_text(&case);
    let compiled = Datafile::compile(&text).expect("a datafile of the right form");
    let datafile = compiled.datafile;
    let attributes = case.user.attributes();
    let segments = case.user.segments();
    let user = User::known("anna", &attributes, segments.as_deref());
    let seen = PlainUser { attributes: &attributes, segments: segments.as_deref() };
    let mut answers = Vec::new();
    for (place, audience) in case.audiences.iter().enumerate() {
        let expected = plain::conditions(&audience.tree, &seen);
        let id = draw::audience_id(place);
        let found = datafile.audiences().iter().find(|found| found.id() == id);
        check_audience(found.expect("an audience per tree"), &user, expected);
        answers.push(expected);
    }
    let expected = plain::rule(&case.rule, &answers);
    check_decision(&datafile, &user, expected, &text);
}

/// Asked whether it is true and whether it is false, the program says what plain logic says.
fn check_audience(audience: &Audience, user: &User<'_>, expected: Option<bool>) {
    for wanted in [true, false] {
        let program = Program::new(audience.conditions(), wanted);
        let holds = program.holds(|condition, value| {
            condition.evaluate(user.attributes(), user.segments()) == Some(value)
        });
        let said = audience.conditions_text();
        assert_eq!(holds, expected == Some(wanted), "{wanted} of {said} with {user:?}");
        assert!(!program.always_holds() || holds, "{said}");
    }
}

fn check_decision(datafile: &Datafile, user: &User<'_>, expected: bool, text: &str) {
    let index = datafile.experiment_index(EXPERIMENT_KEY).expect("the experiment of the case");
    let given = Given::default();
    let decision = experiment(datafile, index, user, &given, &mut Silent);
    assert_eq!(decision.variation.is_some(), expected, "{text}\nwith {user:?}");
    let (explained, explanation) = Explanation::of_experiment(datafile, index, user, &given);
    assert_eq!(explained, decision, "{text}\nwith {user:?}");
    assert!(!explanation.to_string().is_empty() && explanation.to_json().is_array());
}

fn datafile_text(case: &Case) -> String {
    let mut typed = Vec::new();
    let mut untyped = Vec::new();
    for (place, audience) in case.audiences.iter().enumerate() {
        let conditions = audience.tree.to_json();
        let id = draw::audience_id(place);
        if audience.is_typed {
            typed.push(json!({"id": id, "name": id, "conditions": conditions}));
        } else {
            let inner = conditions.to_string();
            untyped.push(json!({"id": id, "name": id, "conditions": inner}));
        }
    }
    json!({
        "version": "4", "accountId": "1", "projectId": "2", "revision": "3",
        "audiences": untyped, "typedAudiences": typed, "experiments": [experiment_of(case)],
    })
    .to_string()
}

/// An experiment that gives all its traffic one variation, so that only the audience decides.
fn experiment_of(case: &Case) -> Value {
    let mut experiment = json!({
        "id": EXPERIMENT_ID, "key": EXPERIMENT_KEY, "status": "Running", "layerId": "9",
        "variations": [{"id": "11", "key": "in"}],
        "trafficAllocation": [{"entityId": "11", "endOfRange": 10000}],
        "audienceIds": case.rule.ids(), "forcedVariations": {},
    });
    if let Some(conditions) = case.rule.conditions_json() {
        experiment["audienceConditions"] = conditions;
    }
    experiment
}
