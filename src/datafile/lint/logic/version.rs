//! The classes of versions that comparisons with some versions can tell apart.
//!
//! Must not know conditions. A comparison looks at the user's version part by part: how many there are,
//! how a number stands to the number there, how text stands to the text there, and which separator
//! comes first. So it is enough to put, at each part, a number and a text of each order against those
//! compared with.

use std::collections::BTreeSet;

use crate::version::Version;

/// More classes than this are not searched.
const MOST_CLASSES: usize = 30_000;

/// Whole numbers below this can be told from their neighbours.
const MOST_NUMBER: f64 = 4_503_599_627_370_496.0;

/// Where a suffix can stand at the latest: behind three numbers.
const PARTS: usize = 4;

/// A version of each class; `None` if that is too much work.
pub(super) fn classes(versions: &[&Version]) -> Option<Vec<String>> {
    let mut classes = Vec::new();
    if versions.is_empty() {
        return Some(classes);
    }
    let mut prefixes = vec![String::new()];
    for place in 0..PARTS {
        let (numbers, texts) = parts_at(place, versions)?;
        if place > 0 {
            for prefix in &prefixes {
                classes.push(prefix.clone());
                for suffix in
                    [""].into_iter().chain(numbers.iter().chain(&texts).map(|part| &**part))
                {
                    classes
                        .extend(['-', '+'].map(|separator| format!("{prefix}{separator}{suffix}")));
                }
                if classes.len() > MOST_CLASSES {
                    return None;
                }
            }
        }
        if place + 1 == PARTS {
            break;
        }
        let longer = |prefix: &String| {
            let dot = if place == 0 { "" } else { "." };
            let longer = numbers.iter().map(|number| format!("{prefix}{dot}{number}"));
            longer.collect::<Vec<_>>()
        };
        if prefixes.len().saturating_mul(numbers.len()) > MOST_CLASSES {
            return None;
        }
        prefixes = prefixes.iter().flat_map(longer).collect();
    }
    Some(classes)
}

/// Numbers and texts for one part of a version, at least one of each order against those there.
fn parts_at(place: usize, versions: &[&Version]) -> Option<(Vec<String>, BTreeSet<String>)> {
    let mut bounds = Vec::new();
    // The first of all texts, and with each text the one right behind it.
    let mut texts = BTreeSet::from(["\0".to_owned()]);
    for (text, number) in versions.iter().filter_map(|version| version.parts().nth(place)) {
        bounds.extend(number);
        texts.insert(format!("{text}\0"));
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number {
            texts.insert(text.to_owned());
        }
    }
    if bounds.iter().any(|bound| bound.abs() >= MOST_NUMBER) {
        return None;
    }
    bounds.sort_by(f64::total_cmp);
    bounds.dedup();
    let mut numbers = Vec::new();
    let mut next = 0.0;
    for bound in bounds.into_iter().filter(|bound| *bound >= 0.0) {
        if next < bound {
            numbers.push(next.to_string());
        }
        numbers.push(bound.to_string());
        next = bound + 1.0;
    }
    numbers.push(next.to_string());
    Some((numbers, texts))
}
