//! What is wrong with a datafile, where, and what to do about it.
//!
//! Must not know how findings are found or shown. The kinds of fault are listed in `code`.

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
    /// A short, stable name of the kind of fault, such as `dangling-reference`: one of [`CODES`](super::CODES).
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
