//! Bad input, generated: of a good request of each system every field is left out, and is of each other kind in
//! turn. The tables of what becomes of it are kept beside this.
//!
//! Must not know the fields: they are found in the good request.

mod fields;
mod forms;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::Value;

use super::super::Daemon;
use super::super::http::Answer;
use super::{credits, now_ms};
use fields::{Mutation, has_value, mutations, paths};
use forms::{Form, Who};

/// Beyond every limit.
const TOO_LARGE: usize = 3 << 20;

/// All counters of what is of no use, and of events that count for nothing.
fn counted(daemon: &Daemon) -> BTreeMap<String, u64> {
    let page = daemon.ask_admin("GET /metrics").body;
    let is_counter = |line: &&str| {
        ["variate_tracking_unused_total{", "variate_not_credited_total{"]
            .iter()
            .any(|name| line.starts_with(name))
    };
    let reason = |line: &str| {
        let reason = line.split("reason=\"").nth(1)?.split('"').next()?.to_owned();
        Some((reason, line.rsplit(' ').next()?.parse().ok()?))
    };
    page.lines().filter(is_counter).filter_map(reason).collect()
}

/// What was counted since then.
fn since(before: &BTreeMap<String, u64>, after: &BTreeMap<String, u64>) -> Vec<String> {
    let more = after.iter().filter(|(reason, count)| before.get(*reason) != Some(*count));
    more.map(|(reason, _)| reason.clone()).collect()
}

/// One bad request, and what became of it.
struct Tried {
    path: String,
    mutation: Mutation,
    user: String,
    status: u16,
    reasons: Vec<String>,
    /// Whether it is what it says less, and not what it says.
    says_less: bool,
}

impl Tried {
    /// In a word or two, for the table.
    fn word(&self, credited: &BTreeSet<String>) -> String {
        let counts = credited.contains(&self.user);
        let word = match (self.status, counts) {
            (200..300, true) => "counts".to_owned(),
            (200..300, false) => "-".to_owned(),
            (status, _) => status.to_string(),
        };
        [&[word], &self.reasons[..]].concat().join(" ")
    }

    /// Nothing is of no use in silence.
    fn check(&self, credited: &BTreeSet<String>) {
        let is_told = self.status >= 400 || !self.reasons.is_empty();
        let is_right = credited.contains(&self.user) || is_told || self.says_less;
        assert!(is_right, "{} {} was lost in silence", self.path, self.mutation.word);
    }
}

#[track_caller]
fn try_one(daemon: &Daemon, form: &Form, request: &Value, about: &str) -> Answer {
    let answer = form.send(daemon, request);
    assert!(form.is_final(&answer), "{about}: the client would send it again: {answer:?}");
    answer
}

/// Tries all of a form's fields; gives the table.
fn check(form: &Form) -> String {
    let daemon = Daemon::shop();
    let mut tried = Vec::new();
    let mut good = 0;
    let mut before = counted(&daemon);
    let mut is_good_after = |about: &str| {
        good += 1;
        let who = Who::new(&format!("good-{good}"), now_ms());
        form.prepare(&daemon, &who);
        let answer = form.send(&daemon, &form.valid(&who));
        assert!((200..300).contains(&answer.status), "{about}: {answer:?}");
    };
    for path in paths(&form.valid(&Who::new("x", 0))) {
        for mutation in mutations(&path) {
            let who = Who::new(&format!("u{}", tried.len()), now_ms());
            form.prepare(&daemon, &who);
            let mut request = form.valid(&who);
            mutation.apply(&mut request, &path);
            let about = format!("{path} {}", mutation.word);
            let answer = try_one(&daemon, form, &request, &about);
            let after = counted(&daemon);
            let reasons = since(&before, &after);
            before = after;
            let says_less = mutation.says_less() && !has_value(&form.valid(&who), &path);
            let (user, status) = (who.user, answer.status);
            tried.push(Tried { path: path.clone(), mutation, user, status, reasons, says_less });
        }
        is_good_after(&path);
    }
    let who = Who::new("large", now_ms());
    let large = form.send(&daemon, &form.larger(&who, TOO_LARGE));
    assert!(form.is_final(&large), "too large: {large:?}");
    assert!(large.status >= 400 || !since(&before, &counted(&daemon)).is_empty(), "{large:?}");
    is_good_after("too large");

    let all: Vec<String> = credits(&daemon);
    let credited: BTreeSet<String> =
        all.iter().map(|credit| credit.split(' ').next().unwrap().to_owned()).collect();
    for number in 1..=good {
        assert!(credited.contains(&format!("good-{number}")), "something else was affected");
    }
    let problems = daemon.ask_admin("GET /problems").body;
    assert!(!problems.contains("good-"), "no user: {problems}");
    tried.iter().for_each(|tried| tried.check(&credited));
    table(&tried, &credited, large.status)
}

/// A line for each field and outcome, with the mutations that have it.
fn table(tried: &[Tried], credited: &BTreeSet<String>, of_large: u16) -> String {
    let mut table = String::new();
    for of_path in tried.chunk_by(|one, other| one.path == other.path) {
        let mut outcomes: Vec<(String, Vec<&str>)> = Vec::new();
        for tried in of_path {
            let word = tried.word(credited);
            match outcomes.iter_mut().find(|(other, _)| *other == word) {
                Some((_, mutations)) => mutations.push(tried.mutation.word),
                None => outcomes.push((word, vec![tried.mutation.word])),
            }
        }
        writeln!(table, "{}", of_path[0].path).unwrap();
        for (word, mutations) in outcomes {
            writeln!(table, "    {word}: {}", mutations.join(", ")).unwrap();
        }
    }
    writeln!(table, "too large: {of_large}").unwrap();
    table
}

#[test]
fn of_optimizely() {
    insta::assert_snapshot!(check(&forms::OPTIMIZELY));
}

#[test]
fn of_flagger() {
    insta::assert_snapshot!(check(&forms::FLAGGER));
}

#[test]
fn of_segment() {
    insta::assert_snapshot!(check(&forms::SEGMENT));
}

#[test]
fn of_thrivestack() {
    insta::assert_snapshot!(check(&forms::THRIVESTACK));
}

#[test]
fn of_countly() {
    insta::assert_snapshot!(check(&forms::COUNTLY));
}

#[test]
fn of_countly_in_bulk() {
    insta::assert_snapshot!(check(&forms::COUNTLY_BULK));
}

#[test]
fn of_onboardflow() {
    insta::assert_snapshot!(check(&forms::ONBOARDFLOW));
}
