//! Linting: what works in a datafile and yet can hardly be meant.
//!
//! Must not know users, and reports nothing that compiling reports. Each kind of fault is a file with
//! its rule at the head; what is ordinary in datafiles that Optimizely writes is no fault.

mod attributes;
mod audiences;
mod context;
mod events;
mod fields;
mod flags;
mod holdouts;
mod keys;
mod logic;
mod matches;
mod movement;
mod ranges;
mod reach;
mod references;
mod rollouts;
mod status;
mod takers;
mod traffic;
mod unused;
mod whitelists;

use super::findings::Findings;
use super::model::Datafile;
use super::wire::WireDatafile;
use context::Context;
pub(crate) use movement::Movement;

/// Looks for everything that linting finds.
pub(super) fn lint(wire: &WireDatafile<'_>, datafile: &Datafile, findings: &mut Findings) {
    let mut context = Context::new(wire, datafile, findings.paths());
    references::lint(&context, findings);
    fields::lint(&context, findings);
    keys::lint(&context, findings);
    ranges::lint(&context, findings);
    traffic::lint(&context, findings);
    status::lint(&context, findings);
    whitelists::lint(&context, findings);
    attributes::lint(&context, findings);
    matches::lint(&context, findings);
    events::lint(&context, findings);
    unused::lint(&context, findings);
    audiences::lint(&mut context, findings);
    rollouts::lint(&mut context, findings);
    flags::lint(&mut context, findings);
    holdouts::lint(&mut context, findings);
}
