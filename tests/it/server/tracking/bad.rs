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

/// What is said of an event that counts.
const COUNTS: &str = "counts";
/// Beyond every limit.
const TOO_LARGE: usize = 3 << 20;

/// What the counters say: events that count, and those and parts that do not, by reason.
fn counted(daemon: &Daemon) -> BTreeMap<String, u64> {
    let page = daemon.ask_admin("GET /metrics").body;
    let read = |line: &str| {
        let name = line.split('{').next()?;
        let reason = || Some(line.split("reason=\"").nth(1)?.split('"').next()?.to_owned());
        let word = match name {
            "variate_conversions_total" => COUNTS.to_owned(),
            "variate_tracking_unused_total" | "variate_not_credited_total" => reason()?,
            _ => return None,
        };
        Some((word, line.rsplit(' ').next()?.parse().ok()?))
    };
    page.lines().filter_map(read).collect()
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
    status: u16,
    /// What was counted: that it counts, or why it does not.
    words: Vec<String>,
    /// Whether it is what it says less, and not what it says.
    says_less: bool,
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
    fn check(&self) {
        let is_told = self.status >= 400 || !self.words.is_empty() || self.says_less;
        assert!(is_told, "{} {} was lost in silence", self.path, self.mutation.word);
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
            let mut words = since(&before, &after);
            before = after;
            let problems = || daemon.ask_admin("GET /problems").body;
            if words.is_empty() && answer.status < 400 {
                let before = problems();
                try_one(&daemon, form, &request, &about);
                words.extend((before != problems()).then(|| "a problem".to_owned()));
            }
            let says_less = mutation.says_less() && !has_value(&form.valid(&who), &path);
            let (path, status) = (path.clone(), answer.status);
            tried.push(Tried { path, mutation, status, words, says_less });
        }
        is_good_after(&path);
        before = counted(&daemon);
    }
    let who = Who::new("large", now_ms());
    let large = form.send(&daemon, &form.larger(&who, TOO_LARGE));
    assert!(form.is_final(&large), "too large: {large:?}");
    let problems = || daemon.ask_admin("GET /problems").body;
    let is_told =
        || problems().contains("too-large") || problems().contains("larger than body_limit");
    assert!(large.status >= 400 || is_told(), "{large:?}");
    is_good_after("too large");

    let all: Vec<String> = credits(&daemon);
    let credited: BTreeSet<String> =
        all.iter().map(|credit| credit.split(' ').next().unwrap().to_owned()).collect();
    for number in 1..=good {
        assert!(credited.contains(&format!("good-{number}")), "something else was affected");
    }
    assert!(!problems().contains("good-"), "no user: {}", problems());
    assert!(daemon.ask_admin("GET /").body.contains("is of no use"), "on the status page");
    tried.iter().for_each(Tried::check);
    table(&tried, large.status)
}

/// A line for each field and outcome, with the mutations that have it.
fn table(tried: &[Tried], of_large: u16) -> String {
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
