//! The answer of `variate diff` in words.
//!
//! Must not know how differences are found.

use std::fmt::Write as _;
use std::path::Path;

use super::Report;
use crate::cli::words::{counted, listed, name, value};
use crate::difference::{Change, Effect, Outcome, SubjectEffect, Transition};

/// So many ways from one variation to another are shown of each experiment and flag; JSON has all.
const MOST_WAYS: usize = 12;

/// The report as people read it.
pub(super) fn text(report: &Report<'_>) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write_report(&mut text, report);
    text
}

fn write_report(text: &mut String, report: &Report<'_>) -> std::fmt::Result {
    let (old, new) = (&report.old.datafile, &report.new.datafile);
    let arguments = report.arguments;
    writeln!(
        text,
        "{} (revision {}) -> {} (revision {})",
        arguments.old.display(),
        name(old.revision()),
        arguments.new.display(),
        name(new.revision())
    )?;
    writeln!(text)?;
    match report.changes.len() {
        0 => writeln!(text, "Nothing is different")?,
        count => {
            let count = counted(u64::try_from(count).unwrap_or(u64::MAX), "difference");
            writeln!(text, "{count}:")?;
        }
    }
    for change in &report.changes {
        write_change(text, change)?;
    }
    let Some(effect) = &report.effect else { return Ok(()) };
    writeln!(text)?;
    writeln!(text, "What it does to people: {}", people(report, effect))?;
    write_effect(text, effect)
}

fn write_change(text: &mut String, change: &Change) -> std::fmt::Result {
    writeln!(text, "  {change}")?;
    match (&change.meaning, change.rebuckets) {
        (None, false) => Ok(()),
        (None, true) => writeln!(text, "    users get other variations"),
        (Some(meaning), false) => writeln!(text, "    {meaning}"),
        (Some(meaning), true) => writeln!(text, "    users get other variations: {meaning}"),
    }
}

fn people(report: &Report<'_>, effect: &Effect) -> String {
    let (arguments, users) = (report.arguments, effect.users);
    if let Some(path) = &arguments.users {
        let file =
            if path == Path::new("-") { "standard input".into() } else { path.to_string_lossy() };
        return format!("{} of {file}", counted(users, "user"));
    }
    let last = users.saturating_sub(1);
    let (seed, users) = (arguments.seed, counted(users, "made-up user"));
    let given =
        arguments.attribute.iter().map(|(key, given)| format!("{} = {}", name(key), value(given)));
    let segments = arguments.segment.iter().map(|segment| format!("segment {}", name(segment)));
    let given: Vec<_> = given.chain(segments).collect();
    let given = if given.is_empty() {
        "without attributes".to_owned()
    } else {
        format!("with {}", listed(given))
    };
    format!("{users} (user-{seed}-0 to user-{seed}-{last}), {given}")
}

fn write_effect(text: &mut String, effect: &Effect) -> std::fmt::Result {
    for (kind, subjects) in [("experiment", &effect.experiments), ("flag", &effect.flags)] {
        for subject in subjects.iter().filter(|subject| !is_calm(subject)) {
            write_subject(text, (kind, subject), effect.users)?;
        }
    }
    for (kind, subjects) in [("experiments", &effect.experiments), ("flags", &effect.flags)] {
        let calm = subjects.iter().filter(|subject| is_calm(subject));
        let calm: Vec<_> = calm.map(|subject| name(subject.key())).collect();
        if !calm.is_empty() {
            writeln!(text, "  nobody changes in {kind} {}", listed(calm))?;
        }
    }
    Ok(())
}

fn is_calm(subject: &SubjectEffect) -> bool {
    subject.changed == 0 && subject.values_changed == 0 && subject.open == 0
}

fn write_subject(
    text: &mut String,
    (kind, subject): (&str, &SubjectEffect),
    users: u64,
) -> std::fmt::Result {
    let note = match (&subject.old, &subject.new) {
        (None, _) => " (new)".to_owned(),
        (_, None) => " (gone)".to_owned(),
        (Some(old), Some(new)) if old.key != new.key => format!(" (was `{}`)", name(&old.key)),
        (Some(old), Some(new)) if old.id != new.id && kind == "experiment" => {
            " (with another id)".to_owned()
        }
        _ => String::new(),
    };
    let changed = of_all(subject.changed, users);
    let renamed = match subject.renamed {
        0 => String::new(),
        renamed => format!(", {renamed} of them in name only"),
    };
    writeln!(text, "  {kind} `{}`{note}: {changed} change{renamed}", name(subject.key()))?;
    for transition in subject.transitions.iter().take(MOST_WAYS) {
        write_transition(text, transition, users)?;
    }
    let unseen: u64 = subject.transitions.iter().skip(MOST_WAYS).map(|way| way.users).sum();
    if unseen > 0 {
        let count = subject.transitions.len() - MOST_WAYS;
        writeln!(text, "    {count} more ways: {unseen} ({})", percent(unseen, users))?;
    }
    if subject.values_changed > 0 {
        let values = of_all(subject.values_changed, users);
        writeln!(text, "    {values} get other values of variables")?;
    }
    if subject.open > 0 {
        let open = of_all(subject.open, users);
        writeln!(text, "    {open} cannot be compared: a prediction chooses their variation")?;
    }
    Ok(())
}

fn write_transition(text: &mut String, transition: &Transition, users: u64) -> std::fmt::Result {
    let Transition { before, after, .. } = transition;
    let has_rules = before.rule_key.is_some() || after.rule_key.is_some();
    let (before, after) = (outcome(before, has_rules), outcome(after, has_rules));
    let mark = match (transition.is_open, transition.is_renamed) {
        (true, _) => " (perhaps the same)",
        (false, true) => " (the same)",
        (false, false) => "",
    };
    let count = transition.users;
    writeln!(text, "    {before} -> {after}{mark}: {count} ({})", percent(count, users))
}

fn outcome(outcome: &Outcome, is_flag: bool) -> String {
    let variation = match &outcome.variation_key {
        Some(key) => name(key),
        None if outcome.is_predicted => "predicted".to_owned(),
        None => return "nothing".to_owned(),
    };
    let Some(rule) = outcome.rule_key.as_ref().filter(|_| is_flag) else { return variation };
    match (outcome.is_predicted, outcome.enabled) {
        (true, _) => format!("{variation} by {}", name(rule)),
        (false, true) => format!("{variation} (on) by {}", name(rule)),
        (false, false) => format!("{variation} (off) by {}", name(rule)),
    }
}

fn of_all(part: u64, users: u64) -> String {
    format!("{part} of {} ({})", counted(users, "user"), percent(part, users))
}

/// A share of users; what is not all and not nothing is not shown as if it were.
fn percent(part: u64, users: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "a share is rounded anyway")]
    let percent = if users == 0 { 0.0 } else { part as f64 * 100.0 / users as f64 };
    if part > 0 && percent < 0.005 {
        return "under 0.01 %".to_owned();
    }
    if part < users && percent >= 99.995 {
        return "over 99.99 %".to_owned();
    }
    format!("{percent:.2} %")
}
