//! The oracle: random datafiles and random calls, answered by the official Python and JavaScript SDKs and by
//! `variate replay`, and compared.
//!
//! Install the SDKs with `tests/oracle/setup`, then run
//! `cargo test --test it -- --ignored answers_equal_the_official_sdks --nocapture`. Settings in the environment:
//! `VARIATE_ORACLE_DATAFILES` (20), `VARIATE_ORACLE_CALLS` per datafile (200), `VARIATE_ORACLE_SEED` (1),
//! `VARIATE_ORACLE_ONLY` (one datafile by its index), `VARIATE_ORACLE_QUIRK` (one quirk by its name for all datafiles),
//! `VARIATE_ORACLE_SDKS_ONLY` (any value: without Variate, to see
//! where the SDKs disagree). Differences are written to `target/oracle/failures`.
//!
//! This file must not know what is right, only the order of the work.

#![expect(
    clippy::indexing_slicing,
    reason = "indexing a JSON value by a name gives null, or adds the name"
)]
#![expect(clippy::disallowed_methods, reason = "the size of a run is a setting of the environment")]

mod alone;
mod expectation;
mod generate_audiences;
mod generate_calls;
mod generate_datafile;
mod generate_rules;
mod generate_values;
mod normal_form;
mod programs;
mod quirk;
mod random;
mod report;
mod vocabulary;

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;

use serde_json::{Value, json};

use expectation::{Case, Expectation};
use generate_datafile::World;
use programs::{Answers, Job};
use quirk::{Quirk, Side};
use random::Random;
use report::{Finding, Report};

struct Settings {
    datafiles: u64,
    calls: usize,
    seed: u64,
    only: Option<u64>,
    quirk: Option<Quirk>,
    sdks_only: bool,
}

impl Settings {
    fn from_environment() -> Self {
        let number =
            |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
        Self {
            datafiles: number("VARIATE_ORACLE_DATAFILES").unwrap_or(20),
            calls: number("VARIATE_ORACLE_CALLS")
                .and_then(|calls| usize::try_from(calls).ok())
                .unwrap_or(200),
            seed: number("VARIATE_ORACLE_SEED").unwrap_or(1),
            only: number("VARIATE_ORACLE_ONLY"),
            quirk: std::env::var("VARIATE_ORACLE_QUIRK")
                .ok()
                .and_then(|name| Quirk::of_name(&name)),
            sdks_only: std::env::var_os("VARIATE_ORACLE_SDKS_ONLY").is_some(),
        }
    }
}

#[test]
#[ignore = "needs the official SDKs: run tests/oracle/setup"]
fn answers_equal_the_official_sdks() -> Result<(), String> {
    let settings = Settings::from_environment();
    let (worlds, jobs) = write_jobs(&settings)?;
    let python = programs::start_python(&jobs)?;
    let javascript = programs::start_javascript(&jobs)?;
    if !settings.sdks_only {
        jobs.iter().try_for_each(programs::run_variate)?;
    }
    programs::finish("python", python)?;
    programs::finish("javascript", javascript)?;

    let mut report = Report::new()?;
    for (world, pair) in worlds.iter().zip(jobs.chunks(2)) {
        for job in pair {
            compare_job(&settings, world, job, &mut report)?;
        }
    }
    let heading = format!(
        "oracle, seed {}, {} datafiles, {} calls each\n",
        settings.seed, settings.datafiles, settings.calls
    );
    let text = heading + &report.text();
    fs::write(programs::oracle_folder().join("report.txt"), &text)
        .map_err(|error| format!("write the report: {error}"))?;
    drop(std::io::stdout().write_all(text.as_bytes()));
    let failures = report.failures();
    let first: Vec<&str> = failures.iter().take(10).map(String::as_str).collect();
    assert!(
        failures.is_empty(),
        "seed {}: {} differences, see target/oracle/failures:\n{}",
        settings.seed,
        failures.len(),
        first.join("\n")
    );
    Ok(())
}

/// Draws the datafiles and calls and writes them down; two jobs each, plain and sticky.
fn write_jobs(settings: &Settings) -> Result<(Vec<World>, Vec<Job>), String> {
    let work = programs::oracle_folder().join("work");
    drop(fs::remove_dir_all(&work));
    fs::create_dir_all(&work).map_err(|error| format!("create {}: {error}", work.display()))?;
    let write = |name: String, text: String| -> Result<PathBuf, String> {
        let path = work.join(name);
        fs::write(&path, text).map_err(|error| format!("write {}: {error}", path.display()))?;
        Ok(path)
    };
    let broken =
        write("broken.json".to_owned(), "{\"version\": \"4\", \"experiments\": [".to_owned())?;
    let indices = settings.only.map_or(0..settings.datafiles, |only| only..only + 1);
    let (mut worlds, mut jobs) = (Vec::new(), Vec::new());
    for index in indices {
        let mut random = Random::for_index(settings.seed, index);
        let world = generate_datafile::world(&mut random, settings.quirk);
        let datafile = write(format!("{index}.datafile.json"), world.datafile.to_string())?;
        let later = write(format!("{index}.later.json"), world.later.to_string())?;
        let calls = generate_calls::calls(&mut random, &world, settings.calls, &later, &broken);
        let lines: String = calls.iter().map(|call| format!("{call}\n")).collect();
        let calls = write(format!("{index}.calls.jsonl"), lines)?;
        for sticky in [false, true] {
            jobs.push(Job { index, sticky, datafile: datafile.clone(), calls: calls.clone() });
        }
        worlds.push(world);
    }
    Ok((worlds, jobs))
}

fn compare_job(
    settings: &Settings,
    world: &World,
    job: &Job,
    report: &mut Report,
) -> Result<(), String> {
    let python = programs::read_answers(job, "python")?;
    let javascript = programs::read_answers(job, "javascript")?;
    let variate =
        if settings.sdks_only { None } else { Some(programs::read_answers(job, "variate")?) };
    report.datafile(!python.accepted && !javascript.accepted);
    let must_refuse = world.quirk == Quirk::UnsupportedVersion;
    if let Some(variate) = &variate
        && variate.accepted == must_refuse
    {
        let what =
            if must_refuse { "takes a datafile that all refuse" } else { "refuses a datafile" };
        report.finding(
            Finding::Different,
            job,
            0,
            json!({"what": what, "quirk": format!("{:?}", world.quirk)}),
        )?;
        return Ok(());
    }
    let only = match (python.accepted, javascript.accepted) {
        (true, true) => None,
        (true, false) => Some(Side::Python),
        // JavaScript loses the first of such conditions, so where only it takes the datafile, nobody is right.
        (false, true) if world.quirk == Quirk::ImplicitOrOfConditions => return Ok(()),
        (false, true) => Some(Side::JavaScript),
        // Ours is lenient where both refuse: there is nothing to compare with.
        (false, false) => return Ok(()),
    };
    let calls = programs::read_lines(&job.calls)?;
    let lines = [python.answers.len(), javascript.answers.len()];
    assert!(
        lines.iter().all(|count| *count == calls.len()),
        "datafile {}: an SDK answered {lines:?} of {} calls",
        job.index,
        calls.len()
    );
    let mut datafile = &world.datafile;
    for (line, call) in calls.iter().enumerate() {
        let case = Case { quirk: world.quirk, call, datafile, only };
        compare_call(&case, [&python, &javascript], variate.as_ref(), (job, line), report)?;
        if call["call"] == "setDatafile"
            && call["path"].as_str().is_some_and(|path| path.ends_with("later.json"))
        {
            datafile = &world.later;
        }
    }
    Ok(())
}

fn compare_call(
    case: &Case<'_>,
    sdks: [&Answers; 2],
    variate: Option<&Answers>,
    place: (&Job, usize),
    report: &mut Report,
) -> Result<(), String> {
    let (job, line) = place;
    let kind = case.call["call"].as_str().unwrap_or_default();
    let answer =
        |of: &Answers| normal_form::answer(kind, of.answers.get(line).cloned().unwrap_or_default());
    let events =
        |of: &Answers| normal_form::events(of.events.get(line).cloned().unwrap_or_default());
    let [python, javascript] = sdks;
    let mut disagree = false;
    for part in ["answer", "events"] {
        let take = |of: &Answers| {
            if part == "answer" { answer(of) } else { events(of) }
        };
        let both = [take(python), take(javascript)];
        let expected = match &both {
            [left, right] if part == "answer" => expectation::of_answer(case, left, right),
            [left, right] => expectation::of_events(case, left, right),
        };
        disagree |= !expected.causes.is_empty();
        expected.causes.iter().for_each(|cause| report.cause(cause));
        let ours = variate.map(take);
        if let Some(finding) = judge(&expected, ours.as_ref()) {
            let [left, right] = both;
            let evidence = json!({
                "what": part, "call": case.call, "quirk": format!("{:?}", case.quirk), "causes": expected.causes,
                "python": left, "javascript": right, "expected": expected.candidates, "variate": ours,
            });
            report.finding(finding, job, line, evidence)?;
        }
    }
    report.call(kind, disagree);
    Ok(())
}

fn judge(expected: &Expectation, ours: Option<&Value>) -> Option<Finding> {
    if expected.candidates.is_empty() {
        return Some(Finding::Unclassified);
    }
    let ours = ours?;
    let shown = expectation::without_holdouts;
    let ours = &if expected.lacks_holdouts { shown(ours) } else { ours.clone() };
    if expected.candidates.iter().any(|candidate| normal_form::equal(candidate, ours)) {
        return None;
    }
    Some(match (expected.candidates.len(), expected.causes.is_empty()) {
        (1, _) => Finding::Different,
        (_, true) => Finding::AgainstBoth,
        (_, false) => Finding::BetweenTheTwo,
    })
}

/// A random datafile, and users with attributes for it, for tests of other families.
pub(crate) fn datafile_and_users(index: u64) -> (Value, Vec<(String, Value)>) {
    let mut random = Random::for_index(0xB01C, index);
    let world = generate_datafile::world(&mut random, None);
    let mut with_attributes = |id: String| {
        let mut attributes = serde_json::Map::new();
        for key in generate_values::ATTRIBUTE_KEYS {
            if random.chance(30) {
                let value = generate_values::attribute_value(&mut random, key, world.quirk);
                attributes.insert((*key).to_owned(), value);
            }
        }
        if random.chance(20) {
            let bucketing_id = random.pick(&["shared", "", "größer"]);
            attributes.insert("$opt_bucketing_id".to_owned(), json!(bucketing_id));
        }
        (id, Value::Object(attributes))
    };
    let users = world.users.iter().cloned().map(&mut with_attributes).collect();
    (world.datafile, users)
}
