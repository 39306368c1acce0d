//! The list of findings while it grows, with a limit, so that a hostile datafile cannot fill the memory.
//!
//! Must not know how findings are found or shown.

use hashbrown::HashSet;

use super::finding::{Finding, Severity};
use super::place::Place;

/// How many findings are listed; the rest is counted.
const MOST_FINDINGS: usize = 1000;

/// Texts of the datafile are cut to this many characters in messages.
const MOST_QUOTED_CHARACTERS: usize = 60;

/// A reference that leads nowhere.
#[derive(Debug)]
pub(super) struct Dangling<'f> {
    /// What is meant, as messages call it.
    pub(super) kind: &'f str,
    /// What it is called.
    pub(super) name: &'f str,
    /// Where the reference stands.
    pub(super) path: &'f str,
}

/// Findings in the order in which they were made.
#[derive(Debug, Default)]
pub(super) struct Findings {
    listed: Vec<(Finding, Place)>,
    /// Of references that lead nowhere: the place in the list, what is meant, and what it is called.
    dangling: Vec<(usize, String, String)>,
    unlisted: u64,
    worst_unlisted: Option<Severity>,
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
        self.push_dangling(Severity::Error, place, (kind, id), outcome);
    }

    /// The same where hardly anything is lost.
    pub(super) fn dangling_lightly(&mut self, place: &Place, kind: &str, id: &str, outcome: &str) {
        self.push_dangling(Severity::Warning, place, (kind, id), outcome);
    }

    fn push_dangling(
        &mut self,
        severity: Severity,
        place: &Place,
        (kind, id): (&str, &str),
        outcome: &str,
    ) {
        if self.listed.len() < MOST_FINDINGS {
            self.dangling.push((self.listed.len(), kind.to_owned(), id.to_owned()));
        }
        let message = || format!("no {kind} is called {}, {outcome}", quoted(id));
        let remedy = "add it, or take the reference out";
        self.push((severity, "dangling-reference"), place, message, remedy);
    }

    /// Whether a reference leads nowhere.
    pub(super) fn has_dangling(&self) -> bool {
        !self.dangling.is_empty()
    }

    /// Gives references that lead nowhere a better remedy, where there is one.
    pub(super) fn mend_dangling(&mut self, remedy: impl Fn(&Dangling<'_>) -> Option<String>) {
        for (place, kind, name) in &self.dangling {
            if let Some((finding, _)) = self.listed.get_mut(*place)
                && let Some(remedy) = remedy(&Dangling { kind, name, path: &finding.path })
            {
                finding.remedy = remedy;
            }
        }
    }

    /// Ends the list, with a last finding for what it does not hold.
    pub(super) fn finish(self) -> Vec<Finding> {
        self.finish_with_places().into_iter().map(|(finding, _)| finding).collect()
    }

    /// The same, with where each stands. The last finding is as severe as the worst that it stands for.
    pub(super) fn finish_with_places(mut self) -> Vec<(Finding, Place)> {
        if let Some(severity) = self.worst_unlisted {
            let finding = Finding {
                path: String::new(),
                severity,
                code: "too-many-findings",
                message: format!("{} more findings are not listed", self.unlisted),
                remedy: "mend the first ones and look again".to_owned(),
            };
            self.listed.push((finding, Place::default()));
        }
        self.listed
    }

    /// The paths that something is reported of.
    pub(super) fn paths(&self) -> HashSet<String> {
        self.listed.iter().map(|(finding, _)| finding.path.clone()).collect()
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
            self.worst_unlisted = self.worst_unlisted.max(Some(severity));
            return;
        }
        let (path, message, remedy) = (place.to_string(), message.text(), remedy.to_owned());
        let finding = Finding { path, severity, code, message, remedy };
        self.listed.push((finding, place.clone()));
    }
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
