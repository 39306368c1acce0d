//! The rules by which what a source gives replaces the datafile in force, or does not.
//!
//! Must not know where texts come from, nor the time: what it is given decides.
//!
//! | what is given | with `Order::Any` (files) | with `Order::Rising` (addresses) |
//! | --- | --- | --- |
//! | no JSON, or an unsupported version | refused | refused |
//! | the text in force | unchanged | unchanged |
//! | anything, where nothing is in force | taken | taken |
//! | a numerically lower revision | taken | held back |
//! | anything else | taken | taken |

use std::cmp::Ordering;

use crate::datafile::{Compiled, Datafile};
use crate::error::Error;

/// Which changes are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// Every good one.
    Any,
    /// Those that do not go back to a lower revision.
    Rising,
}

/// What becomes of a text.
#[derive(Debug)]
pub(super) enum Verdict {
    /// It is the one in force.
    Unchanged,
    /// It is put in force.
    Taken(Compiled),
    /// It is kept aside until somebody accepts it.
    HeldBack(Compiled),
    /// It is the one that is kept aside already.
    StillHeldBack,
    /// It never replaces anything.
    Refused(Error),
}

/// Judges a text by what is in force and what is held back.
pub(super) fn judge(
    text: &[u8],
    in_force: Option<&Datafile>,
    held_back: Option<&Datafile>,
    order: Order,
) -> Verdict {
    let plain = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let is_text_of = |datafile: &Datafile| datafile.text().as_bytes() == plain;
    if in_force.is_some_and(is_text_of) {
        return Verdict::Unchanged;
    }
    if held_back.is_some_and(is_text_of) {
        return Verdict::StillHeldBack;
    }
    let compiled = match Datafile::compile(text) {
        Ok(compiled) => compiled,
        Err(error) => return Verdict::Refused(error),
    };
    let goes_back = |before: &Datafile| is_lower(compiled.datafile.revision(), before.revision());
    if order == Order::Rising && in_force.is_some_and(goes_back) {
        Verdict::HeldBack(compiled)
    } else {
        Verdict::Taken(compiled)
    }
}

/// Whether a revision is numerically lower than another; where one is no number, it is not.
fn is_lower(revision: &str, other: &str) -> bool {
    let digits = |text: &str| -> Option<Box<str>> {
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| text.trim_start_matches('0').into())
    };
    let (Some(revision), Some(other)) = (digits(revision), digits(other)) else { return false };
    // Without leading zeros the longer number is the greater one, however long it is.
    revision.len().cmp(&other.len()).then_with(|| revision.cmp(&other)) == Ordering::Less
}

#[cfg(test)]
mod tests {
    //! The table above, and revisions in order.

    use super::{Order, Verdict, is_lower, judge};
    use crate::datafile::Datafile;

    fn text(revision: &str) -> String {
        format!(r#"{{"version":"4","accountId":"1","projectId":"2","revision":{revision:?}}}"#)
    }

    fn compiled(text: &str) -> Option<Datafile> {
        Datafile::compile(text).ok().map(|compiled| compiled.datafile)
    }

    #[track_caller]
    fn check(order: Order, in_force: &str, given: &str, expect: &str) {
        let said = match judge(given.as_bytes(), compiled(in_force).as_ref(), None, order) {
            Verdict::Unchanged => "unchanged",
            Verdict::Taken(_) => "taken",
            Verdict::HeldBack(_) => "held back",
            Verdict::StillHeldBack => "still held back",
            Verdict::Refused(_) => "refused",
        };
        assert_eq!(said, expect, "{order:?}: {given} after {in_force}");
    }

    #[test]
    fn what_cannot_be_used_is_refused() {
        let bad = [
            "",
            "{",
            "null",
            "[]",
            "{}",
            "<html></html>",
            r#"{"error":"x"}"#,
            r#"{"version":"5"}"#,
        ];
        let cut = text("9");
        let cuts = (0..cut.len()).filter_map(|end| cut.get(..end));
        for given in bad.into_iter().chain(cuts) {
            for in_force in ["", &text("1")] {
                check(Order::Any, in_force, given, "refused");
                check(Order::Rising, in_force, given, "refused");
            }
        }
    }

    #[test]
    fn the_same_text_is_no_change() {
        for order in [Order::Any, Order::Rising] {
            check(order, &text("7"), &text("7"), "unchanged");
            check(order, &text("7"), &format!("\u{feff}{}", text("7")), "unchanged");
            check(order, &text("7"), &format!("{} ", text("7")), "taken");
        }
    }

    #[test]
    fn only_addresses_hold_lower_revisions_back() {
        let cases = [
            ("7", "8", "taken"),
            ("9", "10", "taken"),
            ("10", "9", "held back"),
            ("7", "07", "taken"),
            ("08", "7", "held back"),
            ("99999999999999999999", "99999999999999999998", "held back"),
            ("99999999999999999999", "100000000000000000000", "taken"),
            ("b", "a", "taken"),
            ("7", "6a", "taken"),
            ("7", "", "taken"),
            ("7", "-1", "taken"),
            ("7", "6.5", "taken"),
            ("", "1", "taken"),
        ];
        for (in_force, given, expect) in cases {
            check(Order::Rising, &text(in_force), &text(given), expect);
            check(Order::Any, &text(in_force), &text(given), "taken");
        }
        check(Order::Rising, "", &text("1"), "taken");
    }

    #[test]
    fn what_is_held_back_stays_so() {
        let (in_force, held_back) = (compiled(&text("7")), compiled(&text("6")));
        let judged = |given: &str| {
            judge(given.as_bytes(), in_force.as_ref(), held_back.as_ref(), Order::Rising)
        };
        assert!(matches!(judged(&text("6")), Verdict::StillHeldBack));
        assert!(matches!(judged(&text("5")), Verdict::HeldBack(_)));
        assert!(matches!(judged(&text("7")), Verdict::Unchanged));
        assert!(matches!(judged(&text("8")), Verdict::Taken(_)));
    }

    #[test]
    fn zeros_are_equal() {
        assert!(!is_lower("0", "00") && !is_lower("00", "0") && is_lower("0", "1"));
    }
}
