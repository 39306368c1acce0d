//! Differences between the texts of two datafiles that no decision and no event can show.
//!
//! Must not know what a datafile means.

use serde_json::Value;

use super::change::{Change, Place, Said};
use crate::datafile::Datafile;

/// That the texts are not the same JSON, and where the first difference is.
pub(super) fn change(old: &Datafile, new: &Datafile) -> Option<Change> {
    if old.text() == new.text() {
        return None;
    }
    let [old, new] = [old, new].map(|one| serde_json::from_str::<Value>(one.text()));
    let mut words =
        "the texts differ only in how they say the same, in the order of a list, or in what nothing reads"
            .to_owned();
    if let (Ok(old), Ok(new)) = (old, new) {
        let path = first_difference(&old, &new)?;
        words.push_str(", first at ");
        words.push_str(&super::words::name(path.trim_start_matches('.')));
    }
    let change = Place::default().changed("text", Said::nothing(), Said::nothing());
    Some(change.in_words(words).meaning("nobody is affected"))
}

/// The path of the first difference, as findings write it; `None` if there is none.
fn first_difference(old: &Value, new: &Value) -> Option<String> {
    let inside = |step: String, old: Option<&Value>, new: Option<&Value>| match (old, new) {
        (Some(old), Some(new)) => first_difference(old, new).map(|rest| format!("{step}{rest}")),
        _ => Some(step),
    };
    match (old, new) {
        (Value::Object(before), Value::Object(after)) => {
            let keys = before.keys().chain(after.keys().filter(|key| !before.contains_key(*key)));
            let mut found =
                keys.map(|key| inside(format!(".{key}"), before.get(key), after.get(key)));
            found.find_map(|found| found)
        }
        (Value::Array(before), Value::Array(after)) => {
            let places = 0..before.len().max(after.len());
            let mut found = places
                .map(|place| inside(format!("[{place}]"), before.get(place), after.get(place)));
            found.find_map(|found| found)
        }
        _ => (old != new).then(String::new),
    }
}
