//! `unleash-yggdrasil` 0.21, the engine of Unleash: `check_variant` with a context that borrows.
//!
//! Its exposure is two counters, by toggle and by variant, which its SDKs send as sums.

use std::borrow::Cow;
use std::hint::black_box;
use std::sync::Arc;

use anyhow::{Result, ensure};
use unleash_types::client_features::{
    ClientFeature, ClientFeatures, Constraint, Operator, Strategy, StrategyVariant,
};
use unleash_yggdrasil::EngineState;
use unleash_yggdrasil::state::{EnrichedContext, PropertiesCow, PropertiesRef};

use crate::case::{Batch, Case, Configuration, Work, count};
use crate::work::{AGE, ASKED, Audience, CONTROL, COUNTRY, Person, TREATMENT, keys};

pub(super) fn cases(audience: Audience) -> Result<Vec<Case>> {
    let engine = EngineState::default();
    let features = keys().map(|(_, key)| feature(key, audience)).collect();
    let warnings = engine.apply_client_features(ClientFeatures {
        version: 2,
        features,
        segments: None,
        query: None,
        meta: None,
    });
    ensure!(warnings.is_none(), "yggdrasil warns: {warnings:?}");
    let engine = Arc::new(engine);
    let case = |call, work, batch| Case {
        engine: "unleash-yggdrasil 0.21",
        call,
        audience,
        work,
        configuration: Configuration::Loaded,
        batch,
        finish: None,
        restore: None,
    };
    let is_counted = true;
    Ok(vec![
        case("check_variant", Work::Decision, checks(&engine, audience, !is_counted)),
        case(
            "check_variant, count_toggle, count_variant",
            Work::Exposure,
            checks(&engine, audience, is_counted),
        ),
    ])
}

/// The strategy `default` with variants: one hash a decision, where `flexibleRollout` takes two.
fn feature(key: String, audience: Audience) -> ClientFeature {
    let constraint =
        |name: &str, operator, values: Option<Vec<String>>, value: Option<String>| Constraint {
            context_name: name.into(),
            operator,
            case_insensitive: false,
            inverted: false,
            values,
            value,
        };
    let constraints = audience.is_some().then(|| {
        vec![
            constraint(COUNTRY.0, Operator::In, Some(vec![COUNTRY.1.into()]), None),
            constraint(AGE.0, Operator::NumGt, None, Some(AGE.1.to_string())),
        ]
    });
    let variant = |name: &str| StrategyVariant {
        name: name.into(),
        weight: 500,
        payload: None,
        stickiness: None,
    };
    let strategy = Strategy {
        name: "default".into(),
        sort_order: None,
        segments: None,
        constraints,
        parameters: None,
        variants: Some(vec![variant(CONTROL), variant(TREATMENT)]),
    };
    ClientFeature {
        name: key,
        enabled: true,
        strategies: Some(vec![strategy]),
        ..ClientFeature::default()
    }
}

fn checks(engine: &Arc<EngineState>, audience: Audience, is_counted: bool) -> Batch {
    let engine = Arc::clone(engine);
    Box::new(move |people| {
        count(people, |person| {
            let asked = black_box(ASKED);
            let properties = properties(person, audience);
            let variant = engine.check_variant(&context(asked, person, properties.as_ref()));
            let Some(variant) = variant else { return false };
            if is_counted {
                engine.count_toggle(asked, variant.enabled);
                engine.count_variant(asked, &variant.name);
            }
            variant.name == TREATMENT
        })
    })
}

#[inline(always)]
fn properties(person: &Person, audience: Audience) -> Option<PropertiesCow<'_>> {
    audience.is_some().then(|| {
        let mut properties = PropertiesCow::with_capacity(2);
        properties.insert(Cow::Borrowed(COUNTRY.0), Cow::Borrowed(person.country));
        properties.insert(Cow::Borrowed(AGE.0), Cow::Owned(person.age.to_string()));
        properties
    })
}

#[inline(always)]
fn context<'a>(
    toggle_name: &'a str,
    person: &'a Person,
    properties: Option<&'a PropertiesCow<'a>>,
) -> EnrichedContext<'a> {
    EnrichedContext {
        user_id: Some(&person.id),
        session_id: None,
        environment: None,
        app_name: None,
        current_time: None,
        remote_address: None,
        properties: properties.map(PropertiesRef::Cows),
        external_results: None,
        toggle_name,
        runtime_hostname: None,
    }
}
