//! `optimizely` 0.5, the other engine in Rust that reads Optimizely's datafiles (unofficial).
//!
//! Its events go to a dispatcher that drops them: what its own ones do with them is not counted.

use std::hint::black_box;
use std::sync::Arc;

use anyhow::{Result, anyhow};
use optimizely::client::UserContext;
use optimizely::event_api::EventDispatcher;
use optimizely::{AttributeValue, Client, Conversion, DecideOptions, Decision};

use super::datafile;
use crate::case::{Batch, Case, Configuration, Work, count};
use crate::work::{AGE, ASKED, Audience, COUNTRY, Person, TREATMENT};

struct Nowhere;

impl EventDispatcher for Nowhere {
    fn send_conversion_event(&self, _user: &UserContext<'_>, conversion: Conversion) {
        drop(black_box(conversion));
    }

    fn send_decision_event(&self, _user: &UserContext<'_>, decision: Decision) {
        drop(black_box(decision));
    }
}

pub(super) fn cases(audience: Audience) -> Result<Vec<Case>> {
    let client = Client::from_string(datafile(audience))
        .map_err(|report| anyhow!("optimizely refuses the datafile: {report:?}"))?
        .with_event_dispatcher(|_| Nowhere)
        .initialize();
    let client = Arc::new(client);
    let case = |call, work, sends_event| Case {
        engine: "optimizely 0.5",
        call,
        audience,
        work,
        configuration: Configuration::Loaded,
        batch: decisions(&client, audience, sends_event),
        finish: None,
        restore: None,
    };
    Ok(vec![
        case("decide, no event", Work::Decision, false),
        case("decide, event dropped", Work::Exposure, true),
    ])
}

fn decisions(client: &Arc<Client>, audience: Audience, sends_event: bool) -> Batch {
    let client = Arc::clone(client);
    let options =
        DecideOptions { disable_decision_event: !sends_event, ..DecideOptions::default() };
    Box::new(move |people| {
        count(people, |person| {
            let user = user(&client, person, audience);
            let decision = user.decide_with_options(black_box(ASKED), &options);
            decision.variation_key() == TREATMENT
        })
    })
}

#[inline(always)]
fn user<'a>(client: &'a Client, person: &'a Person, audience: Audience) -> UserContext<'a> {
    let mut user = client.create_user_context(&person.id);
    if audience.is_some() {
        user.set_attribute(COUNTRY.0, AttributeValue::String(person.country.to_owned()));
        user.set_attribute(AGE.0, AttributeValue::Integer(person.age.unsigned_abs()));
    }
    user
}
