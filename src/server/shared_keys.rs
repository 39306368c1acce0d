//! Environments with one SDK key: whoever asks with it gets the one, and may mean the other.
//!
//! Must not know requests. No key is told: it may be a secret.

use super::app::App;
use super::environments::Environments;
use super::problems::ProblemKind;

/// Tells whom the key that is meant for them does not choose, by name and with who is chosen; gives them, since
/// nobody is told twice as long as it is so.
pub(super) fn look(app: &App, before: &[(String, String)]) -> Vec<(String, String)> {
    let now = shared(&app.environments);
    for (chosen, other) in now.iter().filter(|one| !before.contains(one)) {
        let text = format!(
            "the environments {chosen:?} and {other:?} have one SDK key, and what asks with it gets {chosen:?}: give each an sdk_key of its own in the settings, and ask with that"
        );
        tracing::warn!(environment = other, "{text}");
        app.problems.note(ProblemKind::Settings, other, &text);
    }
    now
}

/// Who is chosen, and who is not, of those for whom one key is meant alike.
fn shared(environments: &Environments) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for other in environments.iter() {
        let Some(key) = other.meant_key() else { continue };
        let Some(chosen) = environments.of_key(&key) else { continue };
        if chosen.name() != other.name() && chosen.whose(&key) == other.whose(&key) {
            found.push((chosen.name().to_owned(), other.name().to_owned()));
        }
    }
    found
}
