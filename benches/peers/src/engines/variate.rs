//! Variate: decisions, activations with ledger and captured impression, through the public API.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Result, ensure};
use variate::attribution::Record;
use variate::events::Sink;
use variate::{Client, Datafile, DecideOptions, UserContext};

use super::{OURS, datafile};
use crate::case::{Batch, Case, Configuration, Restore, Work, count};
use crate::work::{AGE, ASKED, Audience, COUNTRY, Person, TREATMENT, people};

/// Long enough for any batch on any machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Takes every record, and only counts it.
struct Nowhere {
    taken: Arc<AtomicUsize>,
}

impl Sink for Nowhere {
    fn name(&self) -> &str {
        "nowhere"
    }

    fn deliver(&mut self, records: &[Arc<Record>]) -> Result<(), variate::Error> {
        self.taken.fetch_add(black_box(records).len(), Ordering::Relaxed);
        Ok(())
    }
}

pub(super) fn cases(audience: Audience) -> Result<Vec<Case>> {
    let decision = |call, configuration, batch| Case {
        engine: OURS,
        call,
        audience,
        work: Work::Decision,
        configuration,
        batch,
        finish: None,
        restore: None,
    };
    Ok(vec![
        decision("get_variation", Configuration::Loaded, by_experiment(audience)?),
        decision("decide, no event", Configuration::Loaded, by_flag(audience)?),
        activations("activate, repeated", audience, Ledger::HasThem)?,
        activations("activate, first", audience, Ledger::HasOthers)?,
    ])
}

fn compiled(audience: Audience) -> Result<Datafile> {
    let compiled = Datafile::compile(datafile(audience))?;
    ensure!(compiled.findings.is_empty(), "the datafile has findings: {:?}", compiled.findings);
    Ok(compiled.datafile)
}

#[inline(always)]
fn user<'a>(client: &'a Client, person: &'a Person, audience: Audience) -> UserContext<'a> {
    let user = client.user(&person.id);
    if !audience.is_some() {
        return user;
    }
    user.with(COUNTRY.0, person.country).with(AGE.0, person.age)
}

fn by_experiment(audience: Audience) -> Result<Batch> {
    let client = Client::builder().datafile(compiled(audience)?).build()?;
    Ok(Box::new(move |people| {
        count(people, |person| {
            let chosen = user(&client, person, audience).get_variation(black_box(ASKED));
            chosen.variation_key() == Some(TREATMENT)
        })
    }))
}

fn by_flag(audience: Audience) -> Result<Batch> {
    let client = Client::builder().datafile(compiled(audience)?).build()?;
    let options = DecideOptions::DISABLE_DECISION_EVENT | DecideOptions::EXCLUDE_VARIABLES;
    Ok(Box::new(move |people| {
        count(people, |person| {
            let decision = user(&client, person, audience).decide_with(black_box(ASKED), options);
            decision.variation_key.as_deref() == Some(TREATMENT)
        })
    }))
}

/// Whom the ledger knows before a batch.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ledger {
    HasThem,
    HasOthers,
}

/// Activations, each with its impression on its way to a sink, which takes all of it before the next
/// batch. Where people are to be new each time, they are forgotten after it.
fn activations(call: &'static str, audience: Audience, ledger: Ledger) -> Result<Case> {
    let taken = Arc::new(AtomicUsize::new(0));
    let sink = Nowhere { taken: Arc::clone(&taken) };
    let client = Client::builder().datafile(compiled(audience)?).sink(sink).build()?;
    let known = people(if ledger == Ledger::HasThem { 'u' } else { 'w' });
    for person in &known {
        user(&client, person, audience).activate(ASKED).receipt.wait()?;
    }
    client.drain(PATIENCE)?;
    ensure!(taken.load(Ordering::Relaxed) == known.len(), "the sink did not get each impression");
    let (finishing, forgetting) = (client.clone(), client.clone());
    let batch = move |people: &[Person]| {
        count(people, |person| {
            let activated = user(&client, person, audience).activate(black_box(ASKED));
            activated.variation_key() == Some(TREATMENT)
        })
    };
    let forget = move |people: &[Person]| {
        for person in people {
            forgetting.forget(&person.id);
        }
    };
    Ok(Case {
        engine: OURS,
        call,
        audience,
        work: Work::Exposure,
        configuration: Configuration::Loaded,
        batch: Box::new(batch),
        // A sink that only counts is never behind for a minute, and `check` looks at what it counted.
        finish: Some(Box::new(move || drop(finishing.drain(PATIENCE)))),
        restore: (ledger == Ledger::HasOthers).then(|| Box::new(forget) as Restore),
    })
}
