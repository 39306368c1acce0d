//! What became of bad requests, by what the daemon counts, and the table of it.
//!
//! Must not know what was sent.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::fields::Mutation;
use crate::server::Daemon;

/// What is said of an event that counts.
const COUNTS: &str = "counts";
/// What the counters say: events that count, and those and parts that do not, by reason.
pub(super) fn counted(daemon: &Daemon) -> BTreeMap<String, u64> {
    let page = daemon.ask_admin("GET /metrics").body;
    let read = |line: &str| {
        let name = line.split('{').next()?;
        let reason = || Some(line.split("reason=\"").nth(1)?.split('"').next()?.to_owned());
        let word = match name {
            "variate_conversions_total" => COUNTS.to_owned(),
            "variate_tracking_unused_total" | "variate_not_credited_total" => reason()?,
            _ => return None,
        };
        Some((word, line.rsplit(' ').next()?.parse::<u64>().ok()?))
    };
    let mut counted = BTreeMap::new();
    // Of no environment what is refused.
    for (word, times) in page.lines().filter_map(read) {
        *counted.entry(word).or_default() += times;
    }
    counted
}

/// What was counted since then.
pub(super) fn since(before: &BTreeMap<String, u64>, after: &BTreeMap<String, u64>) -> Vec<String> {
    let more = after.iter().filter(|(reason, count)| before.get(*reason) != Some(*count));
    more.map(|(reason, _)| reason.clone()).collect()
}

/// One bad request, and what became of it.
pub(super) struct Tried {
    pub(super) path: String,
    pub(super) mutation: Mutation,
    pub(super) status: u16,
    /// What was counted: that it counts, or why it does not.
    pub(super) words: Vec<String>,
    /// Whether it is what it says less, and not what it says.
    pub(super) says_less: bool,
}

impl Tried {
    /// In a word or two, for the table.
    fn outcome(&self) -> String {
        match (self.status, self.words.is_empty()) {
            (200..300, true) => "nothing".to_owned(),
            (200..300, false) => self.words.join(" "),
            (status, _) => status.to_string(),
        }
    }

    /// Nothing is of no use in silence.
    pub(super) fn check(&self) {
        // Who sends seldom looks at what it is told, so that a refusal alone tells nobody.
        let is_told = !self.words.is_empty() || self.says_less;
        assert!(is_told, "{} {} was lost in silence", self.path, self.mutation.word);
    }
}

/// A line for each field and outcome, with the mutations that have it.
pub(super) fn table(tried: &[Tried], of_large: u16) -> String {
    let mut table = String::new();
    for of_path in tried.chunk_by(|one, other| one.path == other.path) {
        let mut outcomes: Vec<(String, Vec<&str>)> = Vec::new();
        for tried in of_path {
            let outcome = tried.outcome();
            match outcomes.iter_mut().find(|(other, _)| *other == outcome) {
                Some((_, mutations)) => mutations.push(tried.mutation.word),
                None => outcomes.push((outcome, vec![tried.mutation.word])),
            }
        }
        let path = &of_path[0].path;
        match outcomes.as_slice() {
            [(outcome, _)] => writeln!(table, "{path}: {outcome}, whatever it is").unwrap(),
            _ => writeln!(table, "{path}").unwrap(),
        }
        for (outcome, mutations) in outcomes.iter().filter(|_| outcomes.len() > 1) {
            writeln!(table, "    {outcome}: {}", mutations.join(", ")).unwrap();
        }
    }
    writeln!(table, "too large: {of_large}").unwrap();
    table
}
