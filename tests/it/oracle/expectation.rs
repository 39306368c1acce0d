//! Says what Variate must answer, from the answers of the two SDKs: theirs where they agree, and where they do not, the
//! one that the design names. Every departure has a cause with a name; what has none is reported as unclassified.
//! Must not know Variate's answer.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::alone;
use super::normal_form::{equal, with_null_campaigns};
use super::quirk::{Quirk, Side};

/// One call with all that tells why the SDKs disagree on it.
pub(super) struct Case<'a> {
    pub(super) quirk: Quirk,
    pub(super) call: &'a Value,
    pub(super) datafile: &'a Value,
    /// The only SDK that took the datafile, where the other one refused it.
    pub(super) only: Option<Side>,
}

/// What is right for one answer or one list of events.
pub(super) struct Expectation {
    /// Ours must equal one of these; none where nobody can tell.
    pub(super) candidates: Vec<Value>,
    /// Why the SDKs disagree; empty where they agree.
    pub(super) causes: BTreeSet<String>,
    /// Whether holdouts are left out of the candidates: Python decided otherwise than JavaScript, and does
    /// not report them.
    pub(super) lacks_holdouts: bool,
}

/// What is right for the answer to a call.
pub(super) fn of_answer(case: &Case<'_>, python: &Value, javascript: &Value) -> Expectation {
    if is_rollout_rule_as_experiment(case) && !equal(python, javascript) {
        return named("rollout rule's key as an experiment's", json!({"variationKey": null}));
    }
    if case.only == Some(Side::JavaScript) {
        return named(&alone_cause(case), alone::answer(case.call, case.datafile, javascript));
    }
    merge_both_ways(case, python, javascript)
}

/// What is right for the events of a call.
pub(super) fn of_events(case: &Case<'_>, python: &Value, javascript: &Value) -> Expectation {
    if is_rollout_rule_as_experiment(case) && !equal(python, javascript) {
        return named("rollout rule's key as an experiment's", json!([]));
    }
    if case.only == Some(Side::JavaScript) {
        let events = alone::events(case.call, javascript);
        return named(&alone_cause(case), with_null_campaigns(events));
    }
    if has_repeats(&case.call["flagKeys"]) && lengths_differ(python, javascript) {
        return named("the same flag key twice", javascript.clone());
    }
    let mut causes = BTreeSet::new();
    let kind = case.call["call"].as_str().unwrap_or_default();
    let holdouts_are_missing = matches!(kind, "isFeatureEnabled" | "getEnabledFeatures")
        && lengths_differ(python, javascript);
    let mut expectation = if holdouts_are_missing && case.only.is_none() {
        causes.insert("holdout impression in isFeatureEnabled".to_owned());
        with_holdouts_of_javascript(case, python, javascript)
    } else {
        merge_both_ways(case, python, javascript)
    };
    expectation.candidates = expectation.candidates.into_iter().map(with_null_campaigns).collect();
    expectation.causes.extend(causes);
    let is_silent_of_holdouts = matches!(kind, "isFeatureEnabled" | "getEnabledFeatures")
        && matches!(case.quirk.ours(), Some(Side::Python | Side::Either));
    if is_silent_of_holdouts && case.only.is_none() {
        let shown = expectation.candidates.iter().map(without_holdouts).collect();
        expectation.candidates = shown;
        expectation.lacks_holdouts = true;
    }
    expectation
}

fn alone_cause(case: &Case<'_>) -> String {
    format!("one SDK refuses the datafile: {:?}", case.quirk)
}

fn named(cause: &str, value: Value) -> Expectation {
    Expectation {
        candidates: vec![value],
        causes: BTreeSet::from([cause.to_owned()]),
        lacks_holdouts: false,
    }
}

/// `activate` and `getVariation` with the key of a rollout rule: null in the design, a variation in Python.
fn is_rollout_rule_as_experiment(case: &Case<'_>) -> bool {
    let key = &case.call["experimentKey"];
    let has = |experiments: &Value| {
        experiments.as_array().into_iter().flatten().any(|rule| rule["key"] == *key)
    };
    let in_lists = |list: &str| {
        case.datafile[list].as_array().into_iter().flatten().any(|item| has(&item["experiments"]))
    };
    matches!(case.call["call"].as_str(), Some("activate" | "getVariation"))
        && in_lists("rollouts")
        && !in_lists("groups")
        && !has(&case.datafile["experiments"])
}

fn has_repeats(names: &Value) -> bool {
    let names: Vec<&Value> = names.as_array().into_iter().flatten().collect();
    names
        .iter()
        .enumerate()
        .any(|(index, name)| names.iter().take(index).any(|earlier| earlier == name))
}

fn lengths_differ(left: &Value, right: &Value) -> bool {
    left.as_array().map(Vec::len) != right.as_array().map(Vec::len)
}

/// Python sends no holdout impression from `isFeatureEnabled`: compare the others and put JavaScript's back,
/// in the order of the flags. Where a quirk makes the SDKs decide differently, JavaScript's holdouts say
/// nothing of ours, so none are compared.
fn with_holdouts_of_javascript(case: &Case<'_>, python: &Value, javascript: &Value) -> Expectation {
    let all = events(javascript);
    let others = without_holdouts(javascript);
    let are_paired = events(python).len() == events(&others).len();
    let mut expectation = merge_both_ways(case, python, &others);
    expectation.lacks_holdouts = !are_paired;
    for candidate in &mut expectation.candidates {
        let mut whole = events(candidate);
        if are_paired {
            whole.extend(all.iter().filter(|event| is_holdout(event)).cloned());
            let order = case.datafile["featureFlags"].as_array().cloned().unwrap_or_default();
            whole.sort_by_key(|event| {
                order.iter().position(|flag| flag["key"] == flag_key(event).as_str())
            });
        }
        if case.quirk == Quirk::RegionInSmallLetters {
            // Python's reading of the region, also where only JavaScript sent something.
            let url = json!("https://eu.logx.optimizely.com/v1/events");
            whole.iter_mut().for_each(|event| event["url"] = url.clone());
        }
        *candidate = Value::Array(whole);
    }
    expectation
}

/// The events that report no holdout.
pub(super) fn without_holdouts(list: &Value) -> Value {
    Value::Array(events(list).into_iter().filter(|event| !is_holdout(event)).collect())
}

fn events(list: &Value) -> Vec<Value> {
    list.as_array().cloned().unwrap_or_default()
}

fn metadata<'a>(event: &'a Value, name: &str) -> Option<&'a Value> {
    event.pointer("/body/visitors/0/snapshots/0/decisions/0/metadata")?.get(name)
}

fn is_holdout(event: &Value) -> bool {
    metadata(event, "rule_type").is_some_and(|kind| kind == "holdout")
}

fn flag_key(event: &Value) -> String {
    metadata(event, "flag_key").and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn merge_both_ways(case: &Case<'_>, python: &Value, javascript: &Value) -> Expectation {
    let sides: &[Option<Side>] = match case.only.or(case.quirk.ours()) {
        None => &[None],
        Some(Side::Python) => &[Some(Side::Python)],
        Some(Side::JavaScript) => &[Some(Side::JavaScript)],
        Some(Side::Either) => &[Some(Side::Python), Some(Side::JavaScript)],
    };
    let mut expectation =
        Expectation { candidates: Vec::new(), causes: BTreeSet::new(), lacks_holdouts: false };
    for side in sides {
        let mut merge = Merge { case, side: *side, path: Vec::new(), causes: BTreeSet::new() };
        let merged = merge.merge(Some(python), Some(javascript));
        expectation.causes.extend(merge.causes);
        if let Ok(Some(value)) = merged {
            expectation.candidates.push(value);
        }
    }
    expectation
}

/// A place where the SDKs differ for no known reason.
struct Unclassified;

struct Merge<'a> {
    case: &'a Case<'a>,
    side: Option<Side>,
    path: Vec<String>,
    causes: BTreeSet<String>,
}

impl Merge<'_> {
    fn merge(
        &mut self,
        python: Option<&Value>,
        javascript: Option<&Value>,
    ) -> Result<Option<Value>, Unclassified> {
        match (python, javascript) {
            (Some(left), Some(right)) if equal(left, right) => Ok(Some(left.clone())),
            (Some(Value::Object(left)), Some(Value::Object(right))) => {
                self.merge_objects(left, right).map(Some)
            }
            (Some(Value::Array(left)), Some(Value::Array(right))) if left.len() == right.len() => {
                let mut merged = Vec::new();
                for (index, (left, right)) in left.iter().zip(right).enumerate() {
                    self.path.push(index.to_string());
                    merged.extend(self.merge(Some(left), Some(right))?);
                    self.path.pop();
                }
                Ok(Some(Value::Array(merged)))
            }
            _ => self.choose(python, javascript),
        }
    }

    fn merge_objects(
        &mut self,
        left: &Map<String, Value>,
        right: &Map<String, Value>,
    ) -> Result<Value, Unclassified> {
        let mut merged = Map::new();
        let names: BTreeSet<&String> = left.keys().chain(right.keys()).collect();
        for name in names {
            self.path.push(name.clone());
            if let Some(value) = self.merge(left.get(name), right.get(name))? {
                merged.insert(name.clone(), value);
            }
            self.path.pop();
        }
        Ok(Value::Object(merged))
    }

    fn choose(
        &mut self,
        python: Option<&Value>,
        javascript: Option<&Value>,
    ) -> Result<Option<Value>, Unclassified> {
        if let Some((cause, side)) = self.rule(python, javascript) {
            self.causes.insert(cause.to_owned());
            return Ok(if side == Side::Python { python } else { javascript }.cloned());
        }
        let cause = match self.case.only {
            Some(_) => alone_cause(self.case),
            None => format!("{:?}", self.case.quirk),
        };
        match self.side {
            Some(side) => {
                self.causes.insert(cause);
                Ok(if side == Side::Python { python } else { javascript }.cloned())
            }
            None => {
                self.causes.insert(format!("unclassified at {}", self.path.join("/")));
                Err(Unclassified)
            }
        }
    }

    /// The disagreements that need no quirk in the datafile.
    fn rule(
        &self,
        python: Option<&Value>,
        javascript: Option<&Value>,
    ) -> Option<(&'static str, Side)> {
        let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
        let (null, none) = (Some(&Value::Null), None);
        // Where a quirk makes whole decisions differ, a part of one says nothing by itself.
        let free = self.side.is_none();
        let kind = self.case.call["call"].as_str().unwrap_or_default();
        match path.as_slice() {
            [.., "campaign_id" | "entity_id"]
                if python == Some(&json!("")) && javascript == null =>
            {
                Some(("campaign id of a decision without an experiment", Side::JavaScript))
            }
            // An experiment of two flags may serve the last rule's variation of the other one.
            [.., "metadata", "variation_key"] if free && python == Some(&json!("")) => {
                Some(("variation that the flag does not have", Side::JavaScript))
            }
            [.., "decisions", _, "variation_id"] if free && python == null => {
                Some(("variation that the flag does not have", Side::JavaScript))
            }
            [.., "events", _, "tags", _] if python == null && javascript == none => {
                Some(("tags with null", Side::Python))
            }
            [.., "events", _, "revenue"] if python == none => {
                Some(("revenue tag that is no integer", Side::Python))
            }
            [.., "events", _, "value"] if python == none => {
                Some(("value tag that is no number", Side::Python))
            }
            ["ok"] if kind == "setForcedVariation" && self.case.call["variationKey"].is_null() => {
                Some(("nothing to clear in setForcedVariation", Side::Python))
            }
            ["raised"] => None,
            _ => match self.variable_type().as_deref() {
                Some("boolean") if python == Some(&json!(false)) && javascript == null => {
                    Some(("boolean variable that is neither true nor false", Side::JavaScript))
                }
                Some("integer") if free => Some(("integer variable", Side::Python)),
                Some("double") if python == null && self.case.quirk != Quirk::EnabledHoldout => {
                    Some(("double variable", Side::Python))
                }
                _ => None,
            },
        }
    }

    /// The type of the variable that the path leads to, if it leads to one.
    fn variable_type(&self) -> Option<String> {
        let call = self.case.call;
        let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
        let (flag, variable) = match path.as_slice() {
            ["value"] => (call["flagKey"].as_str()?, call["variableKey"].as_str()?),
            ["variables", variable] => (call["flagKey"].as_str()?, *variable),
            ["decisions", flag, "variables", variable] => (*flag, *variable),
            _ => return None,
        };
        let by_key = |list: &Value, key: &str| {
            list.as_array()?.iter().find(|item| item["key"] == key).cloned()
        };
        let found =
            by_key(&by_key(&self.case.datafile["featureFlags"], flag)?["variables"], variable)?;
        found["type"].as_str().map(str::to_owned)
    }
}
