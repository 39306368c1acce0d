//! The work that every engine is given: who asks, and for what.
//!
//! Must not know any engine.

/// How many experiments (or flags) each engine is configured with. One of them is asked for.
pub(crate) const EXPERIMENTS: usize = 100;
/// How many people ask.
pub(crate) const PEOPLE: usize = 100_000;
/// The people of one batch: few enough that they stay in the second-level cache.
pub(crate) const BATCH: usize = 2_500;

/// The experiment that is asked for, of 14 bytes; somewhere in the middle.
pub(crate) const ASKED: &str = "experiment_042";
/// Its id, of 10 bytes.
pub(crate) const ASKED_ID: &str = "9300000042";
/// The one of the two variations that is counted.
pub(crate) const TREATMENT: &str = "treatment";
/// The other one.
pub(crate) const CONTROL: &str = "control";

/// The attribute that is compared for equality, and with what.
pub(crate) const COUNTRY: (&str, &str) = ("country", "us");
/// The attribute that is compared by size; everybody is older.
pub(crate) const AGE: (&str, i64) = ("age", 18);

/// Whether the experiment has an audience.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Audience {
    /// One experiment split in halves, for everyone.
    Everyone,
    /// The same for those with `country == "us" AND age > 18`: evaluated each time, and everyone passes.
    TwoConditions,
}

impl Audience {
    /// Both, in the order of reports.
    pub(crate) const BOTH: [Self; 2] = [Self::Everyone, Self::TwoConditions];

    /// What to call it in a report.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Everyone => "A: without audience",
            Self::TwoConditions => "B: audience of two conditions",
        }
    }

    /// Its short name.
    pub(crate) const fn letter(self) -> char {
        match self {
            Self::Everyone => 'A',
            Self::TwoConditions => 'B',
        }
    }

    /// Whether there is one.
    pub(crate) const fn is_some(self) -> bool {
        matches!(self, Self::TwoConditions)
    }
}

/// What a server knows of somebody who asks: raw values, from which each engine builds what it wants.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) id: String,
    pub(crate) country: &'static str,
    pub(crate) age: i64,
}

/// People with ids of 14 bytes that differ from each other and from those of another letter.
pub(crate) fn people(letter: char) -> Vec<Person> {
    let person = |number: usize| Person {
        id: format!("{letter}{:013}", number * 7_919),
        country: COUNTRY.1,
        age: AGE.1 + 1 + i64::try_from(number % 60).unwrap_or_default(),
    };
    (0..PEOPLE).map(person).collect()
}

/// The keys of all experiments; [`ASKED`] is one of them.
pub(crate) fn keys() -> impl Iterator<Item = (usize, String)> {
    (0..EXPERIMENTS).map(|number| (number, format!("experiment_{number:03}")))
}
