//! What a foreign name of an event means in a datafile.
//!
//! Must not know who sends it. Experiments and variations find their own way, see
//! [`Exposure`](crate::Exposure).

use std::collections::BTreeMap;

use crate::datafile::Datafile;

/// The key of an event: what the settings say, else the name itself, else its words in small letters with `_`
/// between them, else the event of that id, or of the id that is given besides.
pub(super) fn event_key<'d>(
    datafile: &'d Datafile,
    mapped: &BTreeMap<String, String>,
    name: &str,
    or_id: Option<&str>,
) -> Option<&'d str> {
    let by_key = |key: &str| datafile.event_by_key(key).map(|event| event.key());
    if let Some(key) = mapped.get(name) {
        return by_key(key);
    }
    let by_id = |id| datafile.event_by_id(id).map(|event| event.key());
    let by_name = by_key(name).or_else(|| by_key(&in_small_letters(name)));
    by_name.or_else(|| by_id(name)).or_else(|| by_id(or_id?))
}

/// `Purchase Completed` and `purchaseCompleted` as `purchase_completed`.
pub(super) fn in_small_letters(name: &str) -> String {
    let mut key = String::with_capacity(name.len() + 4);
    let mut is_after_small = false;
    for letter in name.trim().chars() {
        if !letter.is_alphanumeric() {
            if !key.is_empty() && !key.ends_with('_') {
                key.push('_');
            }
            is_after_small = false;
            continue;
        }
        if letter.is_uppercase() && is_after_small {
            key.push('_');
        }
        is_after_small = letter.is_lowercase() || letter.is_numeric();
        key.extend(letter.to_lowercase());
    }
    if key.ends_with('_') {
        key.pop();
    }
    key
}

#[cfg(test)]
mod tests {
    //! How names become keys.

    use super::in_small_letters;

    #[test]
    fn words_are_joined() {
        let check = |name: &str, expect: &str| assert_eq!(in_small_letters(name), expect, "{name}");
        check("Purchase Completed", "purchase_completed");
        check("purchaseCompleted", "purchase_completed");
        check("purchase-completed", "purchase_completed");
        check("  Purchase   Completed!  ", "purchase_completed");
        check("/manage/settings/", "manage_settings");
        check("HTTP Error", "http_error");
        check("Étape Suivante", "étape_suivante");
        check("step2Done", "step2_done");
        check("", "");
    }
}
