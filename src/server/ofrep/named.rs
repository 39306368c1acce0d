//! Flags and variables that the settings name: whether the datafiles have them.
//!
//! Must not know requests. Datafiles change, so that a name that is not there is no fault; it is told once,
//! when all environments have their first.

use std::sync::Arc;

use crate::datafile::{Datafile, Flag};
use crate::server::app::App;
use crate::server::problems::ProblemKind;
use crate::settings::{FlagValue, nearest};

/// Tells of names that are not there; gives whether that could be seen.
pub(super) fn looked_at(app: &App) -> bool {
    let datafiles = app.environments.iter().map(|environment| environment.client.datafile());
    let Some(datafiles) = datafiles.collect::<Option<Vec<Arc<Datafile>>>>() else { return false };
    for (flag_key, value) in &app.settings.ofrep.flags {
        if let Some(problem) = problem(&datafiles, flag_key, value) {
            tracing::warn!(problem, "a setting of ofrep.flags has no effect");
            app.problems.note(ProblemKind::Settings, "ofrep.flags", &problem);
        }
    }
    true
}

/// What is wrong with a setting, if no datafile has what it names.
fn problem(datafiles: &[Arc<Datafile>], flag_key: &str, value: &FlagValue) -> Option<String> {
    let flags: Vec<&Flag> =
        datafiles.iter().filter_map(|datafile| datafile.flag_by_key(flag_key)).collect();
    if flags.is_empty() {
        let known = datafiles.iter().flat_map(|datafile| datafile.flags()).map(Flag::key);
        return Some(worded(&format!("no datafile has the flag {flag_key:?}"), flag_key, known));
    }
    let FlagValue::Variable(key) = value else { return None };
    if flags.iter().any(|flag| flag.variable_by_key(key).is_some()) {
        return None;
    }
    let known = flags.iter().flat_map(|flag| flag.variables()).map(|variable| variable.key());
    let problem = format!("the flag {flag_key:?} has no variable {key:?} in any datafile");
    Some(worded(&problem, key, known))
}

fn worded<'n>(problem: &str, given: &str, known: impl Iterator<Item = &'n str>) -> String {
    match nearest(given, known) {
        Some(name) => format!("{problem}: did you mean {name:?}?"),
        None => format!("{problem}: look at the key's spelling"),
    }
}
