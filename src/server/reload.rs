//! Other settings while the daemon runs: all that can change does so at once, or nothing does.
//!
//! Must not know where settings were written, nor signals.

use super::app::App;
use super::guard::{Guard, Hosts, Tls};
use super::listener::check_host;
use crate::error::Error;
use crate::settings::{Change, ServeSettings};

/// What of the settings is in force at once, and what is only said.
pub(super) fn reload(app: &App, settings: ServeSettings) -> Result<(), Error> {
    settings.check()?;
    // Without tokens, an address that others reach would be open from now on. What needs a restart counts
    // as it was started.
    let (host, insecure) = (app.settings.host.clone(), app.settings.insecure);
    check_host(&ServeSettings { host, insecure, ..settings.clone() })?;
    app.environments.check_named(&settings)?;
    let started = &app.settings;
    if settings.access.has_tls() != started.access.has_tls() {
        return Err(Error::settings("TLS is switched on and off by a restart only: restart"));
    }
    let next = settings.clone().with_what_needs_a_restart_of(started);
    let guard = Guard::new(&next, Hosts::new(&next, &app.bound), Some(&app.guard.now()))?;
    let tls = Tls::load(&settings.access)?;

    let before = app.in_force.now();
    let mut changes = settings.changes_to(&before, started);
    // Files of the same names may have others in them.
    let is_same = |now: &Tls| tls.as_ref().is_some_and(|next| next.shows_those_of(now));
    let is_renewed = app.tls.now().as_ref().as_ref().is_some_and(|now| !is_same(now));
    if is_renewed && !changes.iter().any(|change| change.name.starts_with("tls_")) {
        changes.push(Change { name: "tls_cert", needs_restart: false });
    }
    app.guard.replace(guard);
    app.tls.replace(tls);
    app.doorkeeper.forget();
    app.in_force.replace(next);
    app.reloaded.send_replace(());
    say(&changes);
    Ok(())
}

fn say(changes: &[Change]) {
    let names = |needs_restart: bool| {
        let some = changes.iter().filter(|change| change.needs_restart == needs_restart);
        some.map(|change| change.name).collect::<Vec<_>>().join(", ")
    };
    let (changed, waiting) = (names(false), names(true));
    tracing::info!(changed, "settings read again");
    if !waiting.is_empty() {
        tracing::warn!(settings = waiting, "these settings are other ones now, and need a restart");
    }
}
