//! How a delivery starts: the outbox is claimed, every sink opened, then every thread started.
//!
//! Must not know what the threads do.

use std::collections::VecDeque;
use std::sync::Arc;
use std::thread;

use super::LAST_BATCH;
use super::carrier::{Carrier, USUAL_BYTES};
use super::guarded::Guarded;
use super::letters::Letters;
use super::progress::{Ending, Progress};
use super::settings::DeliverySettings;
use crate::back_off::BackOff;
use crate::error::Error;
use crate::events::sink::Sink;
use crate::store::{Cursor, Outbox, Step};

const THREAD: &str = "variate-delivery";

/// Starts one thread for each sink; if anything fails, none is left and the outbox is given back.
pub(super) fn start(
    store: &Arc<dyn Outbox>,
    sinks: Vec<Box<dyn Sink>>,
    settings: &DeliverySettings,
) -> Result<Arc<Progress>, Error> {
    let sinks: Vec<Guarded> = sinks.into_iter().map(Guarded).collect();
    let names = sinks.iter().map(Guarded::name).collect::<Result<Vec<_>, _>>()?;
    let names = own_names(names.iter().map(String::as_str));
    let cursors = store.claim_outbox(&names.iter().map(String::as_str).collect::<Vec<_>>())?;
    let known = names.iter().cloned().zip(cursors.iter().map(|cursor| cursor.through));
    let progress = Arc::new(Progress::new(known));
    let started = open_all(&**store, names.iter().zip(sinks).zip(cursors)).and_then(|opened| {
        for (place, (sink, kept)) in opened.into_iter().enumerate() {
            let name: Box<str> = names.get(place).map(String::as_str).unwrap_or_default().into();
            let pace = sink.pace(&name)?;
            let carrier = Carrier {
                place,
                name,
                sink,
                pace,
                store: Arc::downgrade(store),
                progress: Arc::clone(&progress),
                settings: settings.clone(),
                read_through: kept.through,
                usual_bytes: USUAL_BYTES,
                kept,
                loads: VecDeque::new(),
                letters: Letters::default(),
                back_off: BackOff::new(pace.first_back_off, pace.longest_back_off),
                stop: None,
            };
            run(carrier)?;
        }
        Ok(())
    });
    if let Err(error) = started {
        progress.stop();
        progress.wait_for_endings(LAST_BATCH);
        store.return_outbox();
        return Err(error);
    }
    Ok(progress)
}

/// Opens each sink where it was; what it makes of its state is kept before anything is delivered, and only where all
/// are open: what one has found, and warns of, it finds again at the next start.
fn open_all<'a>(
    store: &dyn Outbox,
    sinks: impl Iterator<Item = ((&'a String, Guarded), Cursor)>,
) -> Result<Vec<(Guarded, Cursor)>, Error> {
    let mut opened = Vec::new();
    let mut names = Vec::new();
    for ((name, mut sink), cursor) in sinks {
        sink.open(name, &cursor.state)?;
        names.push(name);
        opened.push((sink, cursor));
    }
    for (name, (sink, cursor)) in names.into_iter().zip(&mut opened) {
        if let Some(state) = sink.state().filter(|state| **state != *cursor.state) {
            cursor.state = state.into();
            store.advance(name, Step { cursor: cursor.clone(), ..Step::default() })?;
        }
    }
    Ok(opened)
}

fn run(carrier: Carrier) -> Result<(), Error> {
    let ending = Ending::new(Arc::clone(&carrier.progress));
    let thread = thread::Builder::new().name(THREAD.into());
    let started = thread.spawn(move || {
        carrier.run();
        drop(ending);
    });
    started.map(drop).map_err(|error| Error::thread(THREAD, error))
}

/// The names of sinks in the store, which tells them apart by name alone: `file`, `file#2`.
fn own_names<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut own: Vec<String> = Vec::new();
    for name in names {
        let numbered = (2..).map(|number| format!("{name}#{number}"));
        let candidates = std::iter::once(name.to_owned()).chain(numbered);
        own.extend(candidates.into_iter().find(|candidate| !own.contains(candidate)));
    }
    own
}
