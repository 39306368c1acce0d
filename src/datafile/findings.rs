//! The list of findings while it grows, with a limit, so that a hostile datafile cannot fill the memory.
//!
//! Must not know how findings are found or shown.

use super::finding::{Finding, Severity};
use super::place::Place;

/// How many findings are listed; the rest is counted.
const MOST_FINDINGS: usize = 1000;

/// Texts of the datafile are cut to this many characters in messages.
const MOST_QUOTED_CHARACTERS: usize = 60;

/// Findings in the order in which they were made.
#[derive(Debug, Default)]
pub(super) struct Findings {
    listed: Vec<Finding>,
    unlisted: u64,
}

impl Findings {
    /// Something was left out, or cannot work.
    pub(super) fn error(
        &mut self,
        code: &'static str,
        place: &Place,
        message: impl Text,
        remedy: &str,
    ) {
        self.push((Severity::Error, code), place, message, remedy);
    }

    /// Something works, but probably not as intended.
    pub(super) fn warning(
        &mut self,
        code: &'static str,
        place: &Place,
        message: impl Text,
        remedy: &str,
    ) {
        self.push((Severity::Warning, code), place, message, remedy);
    }

    /// Something is worth knowing.
    pub(super) fn note(
        &mut self,
        code: &'static str,
        place: &Place,
        message: impl Text,
        remedy: &str,
    ) {
        self.push((Severity::Note, code), place, message, remedy);
    }

    /// A reference that leads nowhere, and what becomes of what it stands in.
    pub(super) fn dangling(&mut self, place: &Place, kind: &str, id: &str, outcome: &str) {
        self.push(
            (Severity::Error, "dangling-reference"),
            place,
            dangling(kind, id, outcome),
            DANGLING_REMEDY,
        );
    }

    /// The same where hardly anything is lost.
    pub(super) fn dangling_lightly(&mut self, place: &Place, kind: &str, id: &str, outcome: &str) {
        self.push(
            (Severity::Warning, "dangling-reference"),
            place,
            dangling(kind, id, outcome),
            DANGLING_REMEDY,
        );
    }

    /// Ends the list, with a last finding for what it does not hold.
    pub(super) fn finish(mut self) -> Vec<Finding> {
        if self.unlisted > 0 {
            let message = format!("{} more findings are not listed", self.unlisted);
            let remedy = "mend the first ones and look again".to_owned();
            let code = "too-many-findings";
            self.listed.push(Finding {
                path: String::new(),
                severity: Severity::Note,
                code,
                message,
                remedy,
            });
        }
        self.listed
    }

    fn push(
        &mut self,
        (severity, code): (Severity, &'static str),
        place: &Place,
        message: impl Text,
        remedy: &str,
    ) {
        if self.listed.len() >= MOST_FINDINGS {
            self.unlisted = self.unlisted.saturating_add(1);
            return;
        }
        let (path, message, remedy) = (place.to_string(), message.text(), remedy.to_owned());
        self.listed.push(Finding { path, severity, code, message, remedy });
    }
}

const DANGLING_REMEDY: &str = "add it, or take the reference out";

fn dangling(kind: &str, id: &str, outcome: &str) -> impl Text {
    move || format!("no {kind} is called {}, {outcome}", quoted(id))
}

/// A message: text, or a function that makes it once it is needed.
pub(super) trait Text {
    fn text(self) -> String;
}

impl Text for &str {
    fn text(self) -> String {
        self.to_owned()
    }
}

impl<F: FnOnce() -> String> Text for F {
    fn text(self) -> String {
        self()
    }
}

/// A text of the datafile as messages show it: quoted, escaped, cut.
pub(super) fn quoted(text: &str) -> String {
    format!("{:?}", shortened(text))
}

/// A text of the datafile, cut to a length that a message can hold.
pub(super) fn shortened(text: &str) -> String {
    match text.char_indices().nth(MOST_QUOTED_CHARACTERS).and_then(|(end, _)| text.get(..end)) {
        Some(start) => format!("{start}..."),
        None => text.to_owned(),
    }
}
