//! What is wrong with a datafile, where, and what to do about it.
//!
//! Must not know how findings are found or shown.
//!
//! The codes, which are stable:
//!
//! | code | what is wrong |
//! | --- | --- |
//! | `bad-conditions` | an audience's `conditions` text is not JSON, or an operator has the wrong number of operands |
//! | `bad-range` | a traffic range does not end at a whole number from 0 to 10000 |
//! | `bad-variable` | a variable's value is not of the variable's type |
//! | `bad-version` | a condition's version is not one |
//! | `byte-order-mark` | the text begins with a byte-order mark |
//! | `dangling-reference` | an id or key names nothing in the datafile |
//! | `duplicate-field` | a JSON object gives a field twice |
//! | `duplicate-id` | two things of one kind have the same id |
//! | `duplicate-key` | two things of one kind have the same key |
//! | `ignored-field` | a field has no meaning where it stands |
//! | `lone-surrogate` | a `\u` escape is half a character |
//! | `missing-field` | a field that is needed is absent or null |
//! | `nested-too-deep` | conditions are nested beyond the limit |
//! | `too-many-findings` | there are more findings than are listed |
//! | `unknown-match` | a condition's `match` is none that is known |
//! | `unknown-operator` | a text stands in conditions where an operator or a condition belongs |
//! | `unknown-type` | a condition's or variable's `type` is none that is known |
//! | `unusable-value` | a condition's value cannot be compared as its `match` wants |
//! | `wrong-type` | a field or an element has the wrong JSON type |

use std::fmt;

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Severity {
    /// Worth knowing; nothing is affected.
    Note,
    /// Works, but probably not as intended.
    Warning,
    /// A part was left out, or cannot work.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// One thing that is wrong with a datafile. The datafile works without the part concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// Where: a JSON path such as `experiments[3].trafficAllocation[0].endOfRange`.
    pub path: String,
    /// How much it matters.
    pub severity: Severity,
    /// A short, stable name of the kind of fault, such as `dangling-reference`.
    pub code: &'static str,
    /// What is wrong and what became of the part, in one line.
    pub message: String,
    /// What to do about it, in one line.
    pub remedy: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, severity, code, message, remedy } = self;
        let path = if path.is_empty() { "(datafile)" } else { path };
        write!(formatter, "{severity}[{code}] {path}: {message}; {remedy}")
    }
}
