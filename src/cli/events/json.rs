//! Answers of `variate events` for programs: one JSON object a line.
//!
//! Must not know what is answered.

use serde::Serialize;

/// An answer and the line's end.
pub(super) fn json_line<T: Serialize>(answer: &T) -> String {
    // Keys are text and numbers are whole, so that there is nothing that JSON cannot say.
    let mut line = serde_json::to_string(answer).unwrap_or_default();
    line.push('\n');
    line
}
