//! One difference between two datafiles: where, what, before and after, and what it means.
//!
//! Must not know how differences are found.

use std::fmt;

use serde_json::Value;

use super::words::{arrow, name, text, text_arrow};

/// What became of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ChangeKind {
    /// Only the new datafile has it.
    Added,
    /// Only the old datafile has it.
    Removed,
    /// Both have it, and it is not the same.
    Changed,
    /// The same id with another key.
    Renamed,
    /// The same key with another id.
    Recreated,
    /// The same parts in another order.
    Reordered,
}

impl ChangeKind {
    /// Its word, in lower case.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
            Self::Renamed => "renamed",
            Self::Recreated => "recreated",
            Self::Reordered => "reordered",
        }
    }
}

/// One difference between two datafiles. Shown ([`fmt::Display`]), it is one line in words.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Change {
    /// What became of it.
    pub kind: ChangeKind,
    /// What it is about, a stable word: `experiment`, `traffic`, `default`, ...
    pub what: &'static str,
    /// Where: kinds and names in turn, such as `experiment`, `checkout_button`, `variation`, `green`.
    /// Empty for the datafile itself. Where something was renamed, its new name.
    pub path: Vec<String>,
    /// What was there; `None` where nothing was.
    pub before: Option<Value>,
    /// What is there; `None` where nothing is.
    pub after: Option<Value>,
    /// Whether users fall to other variations because of it, who did not before enter or leave.
    pub rebuckets: bool,
    /// What it means for users, where that does not go without saying.
    pub meaning: Option<String>,
    words: String,
}

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.words)
    }
}

impl Change {
    /// Says what it means for users.
    pub(super) fn meaning(mut self, meaning: impl Into<String>) -> Self {
        self.meaning = Some(meaning.into()).filter(|meaning| !meaning.is_empty());
        self
    }

    /// Marks it as one that gives users other variations.
    pub(super) fn rebucketing(mut self, rebuckets: bool) -> Self {
        self.rebuckets = rebuckets;
        self
    }

    /// Says it in other words.
    pub(super) fn in_words(mut self, words: impl Into<String>) -> Self {
        self.words = words.into();
        self
    }
}

/// A part of the datafiles in which differences are looked for.
#[derive(Debug, Clone, Default)]
pub(super) struct Place {
    steps: Vec<(&'static str, String)>,
}

impl Place {
    /// A part of this part.
    pub(super) fn within(&self, kind: &'static str, key: &str) -> Self {
        let mut steps = self.steps.clone();
        steps.push((kind, key.to_owned()));
        Self { steps }
    }

    /// What the part is, and of what: ``variation `a` of experiment `b` ``.
    pub(super) fn phrase(&self) -> String {
        let phrase = |(kind, key): &(&str, String)| match key.as_str() {
            "" => spaced(kind),
            key => format!("{} {}", spaced(kind), name(key)),
        };
        self.steps.iter().rev().map(phrase).collect::<Vec<_>>().join(" of ")
    }

    /// Something of the part is not as it was.
    pub(super) fn changed(&self, what: &'static str, before: Said, after: Said) -> Change {
        let words = format!("{}: {}", self.of(what), arrow(&before.words, &after.words));
        self.change((ChangeKind::Changed, what), (before.value, after.value), words)
    }

    /// A text of the part is not as it was.
    pub(super) fn changed_text(
        &self,
        what: &'static str,
        before: Option<&str>,
        after: Option<&str>,
    ) -> Option<Change> {
        if before == after {
            return None;
        }
        let words = match (before, after) {
            (Some(before), Some(after)) => text_arrow(before, after),
            (Some(before), None) => format!("{} -> not given", text(before)),
            (None, Some(after)) => format!("not given -> {}", text(after)),
            (None, None) => String::new(),
        };
        let words = format!("{}: {words}", self.of(what));
        let values = (before.map(Value::from), after.map(Value::from));
        Some(self.change((ChangeKind::Changed, what), values, words))
    }

    /// A switch of the part is not as it was.
    pub(super) fn switched(&self, what: &'static str, before: bool, after: bool) -> Option<Change> {
        (before != after).then(|| self.changed(what, Said::switch(before), Said::switch(after)))
    }

    /// The part is new; the detail says what it is like.
    pub(super) fn added(&self, detail: &str) -> Change {
        let (what, key) = self.last();
        let words = format!("{} is new{}", self.phrase(), detail_after(detail));
        self.change((ChangeKind::Added, what), (None, Some(key)), words)
    }

    /// The part is gone; the detail says what it was like.
    pub(super) fn removed(&self, detail: &str) -> Change {
        let (what, key) = self.last();
        let words = format!("{} is gone{}", self.phrase(), detail_after(detail));
        self.change((ChangeKind::Removed, what), (Some(key), None), words)
    }

    /// The part, which stands under its new key, had another one.
    pub(super) fn renamed(&self, before: &str) -> Change {
        let (what, after) = self.last();
        let renamed = Self {
            steps: match self.steps.split_last() {
                Some((_, outer)) => outer.to_vec(),
                None => Vec::new(),
            },
        }
        .within(what, before);
        let after_words = name(after.as_str().unwrap_or_default());
        let words = format!("{} is now called {after_words}", renamed.phrase());
        self.change((ChangeKind::Renamed, what), (Some(before.into()), Some(after)), words)
    }

    /// The part has another id.
    pub(super) fn recreated(&self, before: &str, after: &str) -> Change {
        let (what, _) = self.last();
        let words = format!("{} has another id: {}", self.phrase(), text_arrow(before, after));
        self.change((ChangeKind::Recreated, what), (Some(before.into()), Some(after.into())), words)
    }

    /// Parts of the part stand in another order.
    pub(super) fn reordered(&self, what: &'static str, before: &[&str], after: &[&str]) -> Change {
        let listed =
            |keys: &[&str]| keys.iter().map(|key| text(key)).collect::<Vec<_>>().join(", ");
        let order = arrow(&listed(before), &listed(after));
        let words = format!("order of {}: {order}", self.of_plural(what));
        self.change((ChangeKind::Reordered, what), (Some(before.into()), Some(after.into())), words)
    }

    fn change(
        &self,
        (kind, what): (ChangeKind, &'static str),
        (before, after): (Option<Value>, Option<Value>),
        words: String,
    ) -> Change {
        let path =
            self.steps.iter().flat_map(|(kind, key)| [(*kind).to_owned(), key.clone()]).collect();
        Change { kind, what, path, before, after, rebuckets: false, meaning: None, words }
    }

    fn last(&self) -> (&'static str, Value) {
        self.steps
            .last()
            .map_or(("datafile", Value::Null), |(kind, key)| (kind, Value::from(&**key)))
    }

    fn of(&self, what: &str) -> String {
        if self.steps.is_empty() {
            return spaced(what);
        }
        format!("{} of {}", spaced(what), self.phrase())
    }

    fn of_plural(&self, what: &str) -> String {
        self.of(&format!("{what}s"))
    }
}

fn spaced(word: &str) -> String {
    word.replace('-', " ")
}

fn detail_after(detail: &str) -> String {
    if detail.is_empty() { String::new() } else { format!(": {detail}") }
}

/// What is said of one side, for machines and in words.
#[derive(Debug, Clone)]
pub(super) struct Said {
    pub(super) value: Option<Value>,
    pub(super) words: String,
}

impl Said {
    /// A value and its words.
    pub(super) fn new(value: impl Into<Value>, words: impl Into<String>) -> Self {
        Self { value: Some(value.into()), words: words.into() }
    }

    /// Words that are the value, too.
    pub(super) fn words(words: String) -> Self {
        Self { value: Some(Value::from(&*words)), words }
    }

    /// Nothing that could be shown in short.
    pub(super) fn nothing() -> Self {
        Self { value: None, words: String::new() }
    }

    fn switch(is_on: bool) -> Self {
        Self::new(is_on, if is_on { "on" } else { "off" })
    }
}
