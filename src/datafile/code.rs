//! The kinds of fault that are found in datafiles.
//!
//! Must not know how they are found.

/// A kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Code {
    /// Its short, stable name, as in [`Finding::code`](super::Finding::code).
    pub name: &'static str,
    /// What is wrong, in a few words.
    pub summary: &'static str,
}

macro_rules! codes {
    ($($name:literal => $summary:literal,)*) => {
        /// All kinds of fault, by name. The names are stable.
        ///
        /// | code | what is wrong |
        /// | --- | --- |
        $(#[doc = concat!("| `", $name, "` | ", $summary, " |")])*
        pub const CODES: &[Code] = &[$(Code { name: $name, summary: $summary }),*];
    };
}

codes! {
    "always-true" => "an audience, or a part of an `and`, is true of every user, whatever the attributes",
    "bad-conditions" => "an audience's `conditions` text is not JSON, or an operator has the wrong number of operands",
    "bad-range" => "a traffic range does not end at a whole number from 0 to 10000",
    "bad-variable" => "a variable's value is not of the variable's type",
    "bad-version" => "a condition's version is not one",
    "byte-order-mark" => "the text begins with a byte-order mark",
    "dangling-reference" => "an id or key names nothing in the datafile",
    "duplicate-field" => "a JSON object gives a field twice",
    "duplicate-id" => "two things of one kind have the same id",
    "duplicate-key" => "two things of one kind have the same key",
    "holdout-takes-all" => "a holdout holds everyone out",
    "ignored-field" => "a field has no meaning where it stands",
    "lone-surrogate" => "a `\\u` escape is half a character",
    "missing-field" => "a field that is needed is absent or null",
    "misspelt-field" => "a field is called nearly like one that is read and that is absent",
    "nested-too-deep" => "conditions are nested beyond the limit",
    "never-true" => "an audience, or a part of an `or`, is true of no user, whatever the attributes",
    "no-traffic" => "no traffic range leads to an experiment or variation",
    "over-allocated" => "a traffic range stands behind others that already take all traffic",
    "range-backwards" => "a traffic range ends before the one in front of it ends",
    "range-falls-short" => "traffic ranges end below 10000 without saying that this is meant",
    "range-overlaps" => "a traffic range ends where the one in front of it ends",
    "too-many-findings" => "there are more findings than are listed",
    "type-mismatch" => "a condition's `type` does not go with its `match`",
    "undeclared-attribute" => "a condition looks at an attribute that the datafile does not declare",
    "unknown-match" => "a condition's `match` is none that is known",
    "unknown-operator" => "a text stands in conditions where an operator or a condition belongs",
    "unknown-status" => "the status of an experiment or holdout is none that Optimizely writes",
    "unknown-type" => "a condition's or variable's `type` is none that is known",
    "unreachable-rule" => "rules in front of a rule take everyone that it is for",
    "untied-event" => "no experiment is tied to an event",
    "unusable-value" => "a condition's value cannot be compared as its `match` wants",
    "unused-audience" => "no rule names an audience",
    "wrong-type" => "a field or an element has the wrong JSON type",
}
