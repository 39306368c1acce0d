//! Bad input, generated: of a good request of each system every field is left out, and is of each other kind in
//! turn. The tables of what becomes of it are kept beside this.
//!
//! Must not know the fields: they are found in the good request.

mod fields;
mod forms;
mod outcomes;

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::Daemon;
use super::super::http::Answer;
use super::{credits, now_ms};
use fields::{has_value, mutations, paths};
use forms::{Form, Who};
use outcomes::{Tried, counted, since, table};

/// Beyond every limit.
const TOO_LARGE: usize = 3 << 20;

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
    assert!(is_told(), "{large:?}");
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
