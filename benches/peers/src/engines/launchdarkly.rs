//! `launchdarkly-server-sdk-evaluation` 2.2.1: `evaluate` with the flag by reference.
//!
//! It makes no events: those are the SDK's around it, so it has no exposure here. Version 2.2.2 wants a
//! newer compiler.

use std::collections::HashMap;
use std::hint::black_box;

use anyhow::{Context as _, Result};
use launchdarkly_server_sdk_evaluation::{
    Context, ContextBuilder, Flag, FlagValue, Segment, Store, evaluate,
};
use serde_json::{Value, json};

use crate::case::{Batch, Case, Configuration, Work, count};
use crate::work::{AGE, ASKED, Audience, CONTROL, COUNTRY, Person, TREATMENT, keys};

/// No flag has prerequisites and no rule names a segment, so nothing is ever looked up in it.
struct NoStore;

impl Store for NoStore {
    fn flag(&self, _flag_key: &str) -> Option<Flag> {
        None
    }

    fn segment(&self, _segment_key: &str) -> Option<Segment> {
        None
    }
}

pub(super) fn cases(audience: Audience) -> Result<Vec<Case>> {
    Ok(vec![Case {
        engine: "launchdarkly-eval 2.2.1",
        call: "evaluate, flag by reference",
        audience,
        work: Work::Decision,
        configuration: Configuration::Held,
        batch: evaluations(audience)?,
        finish: None,
        restore: None,
    }])
}

fn evaluations(audience: Audience) -> Result<Batch> {
    let flags = keys()
        .map(|(_, key)| Ok((key.clone(), serde_json::from_value(flag(&key, audience))?)))
        .collect::<Result<HashMap<String, Flag>>>()
        .context("launchdarkly refuses a flag")?;
    Ok(Box::new(move |people| {
        count(people, |person| {
            let Some((flag, context)) =
                flags.get(black_box(ASKED)).zip(context(person, audience).ok())
            else {
                return false;
            };
            let detail = evaluate(&NoStore, flag, &context, None);
            matches!(detail.value, Some(FlagValue::Str(value)) if value == TREATMENT)
        })
    }))
}

/// With an audience, a rule has the rollout and everybody else gets control; without, the fallthrough.
fn flag(key: &str, audience: Audience) -> Value {
    let rollout = json!({ "contextKind": "user", "variations": [
        { "variation": 0, "weight": 50_000 },
        { "variation": 1, "weight": 50_000 },
    ] });
    let clause = |name: &str, operator: &str, value: Value| {
        json!({
            "contextKind": "user", "attribute": name, "op": operator, "negate": false,
            "values": [value],
        })
    };
    let (rules, fallthrough) = if audience.is_some() {
        let clauses =
            [clause(COUNTRY.0, "in", COUNTRY.1.into()), clause(AGE.0, "greaterThan", AGE.1.into())];
        (
            json!([{ "id": "rule", "clauses": clauses, "rollout": rollout, "trackEvents": false }]),
            json!({ "variation": 0 }),
        )
    } else {
        (json!([]), json!({ "rollout": rollout }))
    };
    json!({
        "key": key, "version": 1, "on": true, "targets": [], "contextTargets": [],
        "prerequisites": [], "rules": rules, "fallthrough": fallthrough, "offVariation": 0,
        "variations": [CONTROL, TREATMENT], "salt": "salt", "clientSide": false,
    })
}

#[inline(always)]
fn context(person: &Person, audience: Audience) -> Result<Context, String> {
    let mut builder = ContextBuilder::new(person.id.as_str());
    if audience.is_some() {
        builder.set_string(COUNTRY.0, person.country);
        #[expect(clippy::cast_precision_loss, reason = "ages are small")]
        builder.set_float(AGE.0, person.age as f64);
    }
    builder.build()
}
