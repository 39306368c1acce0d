//! Version strings: what the ordering keeps to, whatever the texts.
//!
//! Must not know how versions are cut or compared. The ordering is JavaScript's and no order in the
//! mathematical sense: a shorter target is a prefix, so "2" equals a user's "2.1" while "2.1" is
//! greater than a user's "2", and a number as suffix equals any text. So antisymmetry and
//! transitivity are asked only of releases with equally many parts, where the SDK's matrix has them.

use std::cmp::Ordering;

use variate::targeting::Comparison;
use variate::version::Version;

/// Checks up to three versions, separated by `|`.
pub fn check(text: &str) {
    let texts: Vec<&str> = text.splitn(3, '|').collect();
    for target in &texts {
        check_one(target);
        for user in &texts {
            check_pair(target, user);
        }
    }
    if let [first, second, third] = texts.as_slice() {
        check_transitivity(first, second, third);
    }
}

fn compare(target: &str, user: &str) -> Option<Ordering> {
    Version::parse(target)?.compare(user)
}

fn check_one(text: &str) {
    let version = Version::parse(text);
    let is_seen_as_one = compare("1", text).is_some();
    assert_eq!(version.is_some(), is_seen_as_one, "{text:?} is a version on one side only");
    if let Some(version) = version {
        assert_eq!(version.as_str(), text);
        assert_eq!(version.compare(text), Some(Ordering::Equal), "{text:?} differs from itself");
    }
}

fn check_pair(target: &str, user: &str) {
    let ordering = compare(target, user);
    let are_versions = Version::parse(target).is_some() && Version::parse(user).is_some();
    assert_eq!(ordering.is_some(), are_versions, "{target:?} and {user:?}");
    let Some(ordering) = ordering else { return };
    check_relations(ordering);
    let (Some(target_parts), Some(user_parts)) = (release(target), release(user)) else { return };
    assert_eq!(
        ordering,
        plain_ordering(&user_parts, &target_parts),
        "releases: user {user:?} against {target:?}"
    );
    if target_parts.len() == user_parts.len() {
        assert_eq!(compare(user, target), Some(ordering.reverse()), "{target:?} and {user:?}");
    }
}

/// The five relations of an ordering agree with each other.
fn check_relations(ordering: Ordering) {
    let [equal, greater, at_least, less, at_most] = [
        Comparison::Equal,
        Comparison::Greater,
        Comparison::GreaterOrEqual,
        Comparison::Less,
        Comparison::LessOrEqual,
    ]
    .map(|comparison| comparison.accepts(ordering));
    assert_eq!(u8::from(equal) + u8::from(greater) + u8::from(less), 1);
    assert_eq!((at_least, at_most), (greater || equal, less || equal));
}

fn check_transitivity(first: &str, second: &str, third: &str) {
    let lengths = [first, second, third].map(|text| release(text).map(|parts| parts.len()));
    if lengths[0].is_none() || lengths[0] != lengths[1] || lengths[0] != lengths[2] {
        return;
    }
    let (one, two, both) = (compare(first, second), compare(second, third), compare(first, third));
    if one == two {
        assert_eq!(both, one, "{first:?}, {second:?} and {third:?} run in a circle");
    }
}

/// The parts of a version that is numbers and nothing else.
fn release(text: &str) -> Option<Vec<f64>> {
    let parts: Vec<&str> = text.split('.').collect();
    let are_numbers =
        parts.iter().all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
    (are_numbers && parts.len() <= 3)
        .then(|| parts.iter().filter_map(|part| part.parse().ok()).collect())
}

/// Releases: number by number, as doubles; a target that is longer is greater, a shorter one a prefix.
fn plain_ordering(user: &[f64], target: &[f64]) -> Ordering {
    for (place, number) in target.iter().enumerate() {
        let Some(own) = user.get(place) else { return Ordering::Less };
        match own.partial_cmp(number) {
            None | Some(Ordering::Equal) => {}
            Some(ordering) => return ordering,
        }
    }
    Ordering::Equal
}
