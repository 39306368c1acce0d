//! Variate: decisions, activations with ledger and captured impression, through the public API.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Result, ensure};
use variate::events::{self, Sink, Undelivered};
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

    fn deliver(&mut self, batch: &events::Batch) -> Result<(), Undelivered> {
        self.taken.fetch_add(black_box(batch).len(), Ordering::Relaxed);
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
        decision("get_variation, snapshot", Configuration::Held, by_snapshot(audience)?),
        decision("Experiment::get_variation", Configuration::Held, by_handle(audience)?),
        decision("decide, no event", Configuration::Loaded, by_flag(audience)?),
        activations("activate, repeated", audience, Ledger::HasThem, Configuration::Loaded)?,
        activations(
            "Experiment::activate, repeated",
            audience,
            Ledger::HasThem,
            Configuration::Held,
        )?,
        activations("activate, first", audience, Ledger::HasOthers, Configuration::Loaded)?,
    ])
}

fn compiled(audience: Audience) -> Result<Datafile> {
    let compiled = Datafile::compile(datafile(audience))?;
    ensure!(compiled.findings.is_empty(), "the datafile has findings: {:?}", compiled.findings);
    Ok(compiled.datafile)
}

/// Adds what is known of somebody, from raw values.
#[inline(always)]
fn known<'a>(user: UserContext<'a>, person: &Person, audience: Audience) -> UserContext<'a> {
    if !audience.is_some() {
        return user;
    }
    user.with(COUNTRY.0, person.country).with(AGE.0, person.age)
}

fn by_experiment(audience: Audience) -> Result<Batch> {
    let client = Client::builder().datafile(compiled(audience)?).build()?;
    Ok(Box::new(move |people| {
        count(people, |person| {
            let chosen =
                known(client.user(&person.id), person, audience).get_variation(black_box(ASKED));
            chosen.variation_key() == Some(TREATMENT)
        })
    }))
}

/// With a snapshot that is taken once for a batch.
fn by_snapshot(audience: Audience) -> Result<Batch> {
    let client = Client::builder().datafile(compiled(audience)?).build()?;
    Ok(Box::new(move |people| {
        let snapshot = client.snapshot();
        count(people, |person| {
            let user = known(snapshot.user(&person.id), person, audience);
            user.get_variation(black_box(ASKED)).variation_key() == Some(TREATMENT)
        })
    }))
}

/// And with the experiment looked up once for a batch.
fn by_handle(audience: Audience) -> Result<Batch> {
    let client = Client::builder().datafile(compiled(audience)?).build()?;
    Ok(Box::new(move |people| {
        let snapshot = client.snapshot();
        let Some(experiment) = snapshot.experiment(black_box(ASKED)) else { return 0 };
        count(people, |person| {
            let user = known(snapshot.user(&person.id), person, audience);
            experiment.get_variation(&user).variation_key() == Some(TREATMENT)
        })
    }))
}

fn by_flag(audience: Audience) -> Result<Batch> {
    let client = Client::builder().datafile(compiled(audience)?).build()?;
    let options = DecideOptions::DISABLE_DECISION_EVENT | DecideOptions::EXCLUDE_VARIABLES;
    Ok(Box::new(move |people| {
        count(people, |person| {
            let decision = known(client.user(&person.id), person, audience)
                .decide_with(black_box(ASKED), options);
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
fn activations(
    call: &'static str,
    audience: Audience,
    ledger: Ledger,
    configuration: Configuration,
) -> Result<Case> {
    let taken = Arc::new(AtomicUsize::new(0));
    let sink = Nowhere { taken: Arc::clone(&taken) };
    let client = Client::builder().datafile(compiled(audience)?).sink(sink).build()?;
    let before = people(if ledger == Ledger::HasThem { 'u' } else { 'w' });
    for person in &before {
        known(client.user(&person.id), person, audience).activate(ASKED).receipt.wait()?;
    }
    client.drain(PATIENCE)?;
    ensure!(taken.load(Ordering::Relaxed) == before.len(), "the sink did not get each impression");
    let (finishing, forgetting) = (client.clone(), client.clone());
    let batch: Batch = match configuration {
        Configuration::Loaded => Box::new(move |people| {
            count(people, |person| {
                let user = known(client.user(&person.id), person, audience);
                user.activate(black_box(ASKED)).variation_key() == Some(TREATMENT)
            })
        }),
        Configuration::Held => Box::new(move |people| {
            let snapshot = client.snapshot();
            let Some(experiment) = snapshot.experiment(black_box(ASKED)) else { return 0 };
            count(people, |person| {
                let user = known(snapshot.user(&person.id), person, audience);
                experiment.activate(&user).variation_key() == Some(TREATMENT)
            })
        }),
    };
    let forget = move |people: &[Person]| {
        for person in people {
            drop(forgetting.forget(&person.id));
        }
    };
    Ok(Case {
        engine: OURS,
        call,
        audience,
        work: Work::Exposure,
        configuration,
        batch,
        // A sink that only counts is never behind for a minute, and `check` looks at what it counted.
        finish: Some(Box::new(move || drop(finishing.drain(PATIENCE)))),
        restore: (ledger == Ledger::HasOthers).then(|| Box::new(forget) as Restore),
    })
}
