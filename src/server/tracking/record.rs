//! From a payload to the store, and back to what became of it.
//!
//! Must not know the form that it came in, nor what each part of it means.

use std::sync::Arc;

use super::payload::Payload;
use super::recording::Recording;
use super::storing::{Seat, Storing};
use super::unused::{AllUnused, Unused};
use crate::clock::system_time_ms;
use crate::server::app::App;
use crate::server::environment::Environment;
use crate::server::refusal::Refusal;
use crate::settings::TrackingSystem;
use crate::store::Receipt;

/// Records all of a payload. When it returns, all of it is stored; a refusal means that some of it is not, and all of
/// it is to be sent again.
pub(super) async fn record(
    app: &App,
    environment: &Arc<Environment>,
    system: TrackingSystem,
    payload: Payload,
) -> Result<(), Refusal> {
    let mut storing = Storing::new(&app.room);
    let unused = hand_over(app, (environment, system), payload, &mut storing).await?;
    storing.all_stored().await?;
    unused.note(app, Some(environment), system);
    Ok(())
}

/// Hands all of a payload to the store: exposures, then merges, then events. Gives what was of no use.
pub(super) async fn hand_over(
    app: &App,
    (environment, system): (&Arc<Environment>, TrackingSystem),
    payload: Payload,
    storing: &mut Storing,
) -> Result<AllUnused, Refusal> {
    let settings = app.in_force.now();
    let snapshot = environment.client.snapshot();
    let Some(datafile) = snapshot.datafile() else { return Err(Refusal::not_ready()) };
    let recording = Recording {
        environment,
        system,
        snapshot: &snapshot,
        datafile,
        prefix: settings.tracking.user_prefixes.get(&system).map_or("", String::as_str),
        mapped: &settings.tracking.events,
        received_at_ms: system_time_ms(),
    };
    let Payload { exposures, merges, events, mut unused } = payload;
    let mut keep = |storing: &mut Storing, seat: Seat, made: Result<Receipt, Unused>| match made {
        Ok(receipt) => storing.keep(seat, environment, [receipt]),
        Err(of_no_use) => {
            unused.push(of_no_use);
            Ok(())
        }
    };
    for exposure in &exposures {
        let seat = storing.seat(environment).await?;
        keep(storing, seat, recording.expose(exposure))?;
    }
    let mut merges = merges.iter();
    while !merges.as_slice().is_empty() {
        let seat = storing.seat(environment).await?;
        for (seat, merged) in recording.merge_some(&mut merges, seat, storing) {
            keep(storing, seat, merged)?;
        }
    }
    for event in events {
        let seat = storing.seat(environment).await?;
        keep(storing, seat, recording.track(event))?;
    }
    Ok(unused)
}
