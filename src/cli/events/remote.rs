//! `variate events ... --admin URL`: the same of the daemon that has the store open.
//!
//! Must not know stores. The daemon answers as JSON, and so does the command; where it answers in parts,
//! they are asked for until it has all.

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use anyhow::anyhow;
use serde_json::{Map, Value, json};

use super::admin::Admin;
use super::export::{open_output, unwritable};
use super::filter::asked;
use super::json::json_line;
use crate::cli::arguments::{
    DaemonArguments, DeadChoiceArguments, DeadCommand, DeadListArguments, EventsCommand,
    ExportArguments, FilterArguments, ForgetArguments, TailArguments,
};
use crate::cli::failure::{Failure, MALFORMED};

/// Asks the daemon, if the command says so.
pub(super) fn run(command: &EventsCommand) -> Option<Result<ExitCode, Failure>> {
    let daemon = daemon(command)?;
    Some(Admin::new(daemon).and_then(|admin| ask(&admin, command)))
}

fn daemon(command: &EventsCommand) -> Option<&DaemonArguments> {
    let daemon = match command {
        EventsCommand::Stats(arguments) => &arguments.held.daemon,
        EventsCommand::Tail(arguments) => &arguments.held.daemon,
        EventsCommand::Export(arguments) => &arguments.place.daemon,
        EventsCommand::Forget(arguments) => &arguments.held.daemon,
        EventsCommand::Verify(arguments) => &arguments.held.daemon,
        EventsCommand::Dead { command: DeadCommand::List(arguments) } => &arguments.held.daemon,
        EventsCommand::Dead {
            command: DeadCommand::Retry(arguments) | DeadCommand::Drop(arguments),
        } => &arguments.held.daemon,
        EventsCommand::Deliver(_) => return None,
    };
    daemon.admin.is_some().then_some(daemon)
}

fn ask(admin: &Admin, command: &EventsCommand) -> Result<ExitCode, Failure> {
    match command {
        EventsCommand::Stats(arguments) => {
            if !asked(&arguments.filter).is_open() {
                return Err(Failure::usage(anyhow!(
                    "a daemon counts all that its store holds: leave the filters out, or export with them and count the lines"
                )));
            }
            answer(&admin.get("/events/stats", &[])?, 0)
        }
        EventsCommand::Tail(arguments) => tail(admin, arguments),
        EventsCommand::Export(arguments) => export(admin, arguments),
        EventsCommand::Dead { command: DeadCommand::List(arguments) } => list(admin, arguments),
        EventsCommand::Dead { command: DeadCommand::Retry(arguments) } => {
            change(admin, "/events/dead/retry", arguments)
        }
        EventsCommand::Dead { command: DeadCommand::Drop(arguments) } => {
            change(admin, "/events/dead/drop", arguments)
        }
        EventsCommand::Forget(arguments) => forget(admin, arguments),
        EventsCommand::Verify(_) | EventsCommand::Deliver(_) => verify(admin),
    }
}

fn tail(admin: &Admin, arguments: &TailArguments) -> Result<ExitCode, Failure> {
    if arguments.follow {
        return Err(Failure::usage(anyhow!(
            "a daemon's store is not followed: give the daemon a file sink and follow its file"
        )));
    }
    let mut query = query_of(&arguments.filter);
    query.push(("limit", arguments.limit.to_string()));
    let mut stdout = io::stdout().lock();
    admin.copy("/events/tail", &query, &mut stdout, Failure::output)?;
    Ok(ExitCode::SUCCESS)
}

fn export(admin: &Admin, arguments: &ExportArguments) -> Result<ExitCode, Failure> {
    let mut query = query_of(&arguments.filter);
    query.extend(arguments.limit.map(|limit| ("limit", limit.to_string())));
    let output: Box<dyn Write> = open_output(arguments)?;
    let mut output = BufWriter::new(output);
    let unwritable = |error| unwritable(arguments, error);
    admin.copy("/events/export", &query, &mut output, unwritable)?;
    Ok(ExitCode::SUCCESS)
}

fn list(admin: &Admin, arguments: &DeadListArguments) -> Result<ExitCode, Failure> {
    let mut output = BufWriter::new(io::stdout().lock());
    let mut left = arguments.limit.unwrap_or(u64::MAX);
    let mut after = 0;
    while left > 0 {
        let mut query = query_of(&arguments.filter);
        query.push(("after", after.to_string()));
        query.push(("limit", left.min(1000).to_string()));
        let part = admin.get("/events/dead", &query)?;
        let letters = part.get("deadLetters").and_then(Value::as_array);
        for letter in letters.into_iter().flatten() {
            output.write_all(json_line(letter).as_bytes()).map_err(Failure::output)?;
            left -= 1;
        }
        let Some(next) = next(&part, after) else { break };
        after = next;
    }
    output.flush().map_err(Failure::output)?;
    Ok(ExitCode::SUCCESS)
}

/// Has letters retried or dropped, and adds up what the parts say.
fn change(admin: &Admin, path: &str, arguments: &DeadChoiceArguments) -> Result<ExitCode, Failure> {
    let mut body = Map::new();
    if !arguments.numbers.is_empty() {
        body.insert("numbers".to_owned(), json!(arguments.numbers));
    }
    if arguments.all {
        body.insert("all".to_owned(), Value::Bool(true));
    }
    body.extend(members_of(&arguments.filter));
    let mut whole = Map::new();
    let mut after = 0;
    loop {
        let part = admin.post(path, &Value::Object(body.clone()))?;
        add(&mut whole, &part);
        let Some(next) = next(&part, after) else { break };
        after = next;
        body.insert("after".to_owned(), json!(after));
    }
    let unknown = whole.get("unknown").and_then(Value::as_array);
    let code = if unknown.is_some_and(|unknown| !unknown.is_empty()) { MALFORMED } else { 0 };
    answer(&Value::Object(whole), code)
}

fn forget(admin: &Admin, arguments: &ForgetArguments) -> Result<ExitCode, Failure> {
    let body = json!({"environment": arguments.environment, "user": arguments.user});
    answer(&admin.post("/events/forget", &body)?, 0)
}

fn verify(admin: &Admin) -> Result<ExitCode, Failure> {
    let mut whole = Map::new();
    let mut after = 0;
    loop {
        let part = admin.get("/events/verify", &[("after", after.to_string())])?;
        let not_looked_at = part.get("notLookedAt").cloned().unwrap_or_default();
        add(&mut whole, &part);
        whole.insert("notLookedAt".to_owned(), not_looked_at);
        let Some(next) = next(&part, after) else { break };
        after = next;
    }
    let faults = whole.get("faults").and_then(Value::as_array);
    let is_sound = faults.is_none_or(Vec::is_empty);
    whole.insert("isSound".to_owned(), Value::Bool(is_sound));
    answer(&Value::Object(whole), if is_sound { 0 } else { MALFORMED })
}

/// Where to go on, if the part was not all.
fn next(part: &Value, after: u64) -> Option<u64> {
    let is_complete = part.get("isComplete").and_then(Value::as_bool).unwrap_or(true);
    let next = part.get("next").and_then(Value::as_u64).unwrap_or_default();
    (!is_complete && next > after).then_some(next)
}

/// Counts are added, lists put one behind the other; where an answer stopped is nobody's concern.
fn add(whole: &mut Map<String, Value>, part: &Value) {
    for (name, value) in part.as_object().into_iter().flatten() {
        match (whole.get_mut(name), value) {
            _ if name == "next" || name == "isComplete" => {}
            (Some(Value::Array(all)), Value::Array(more)) => all.extend(more.iter().cloned()),
            (Some(count), Value::Number(more)) => {
                let sum = count.as_u64().unwrap_or_default() + more.as_u64().unwrap_or_default();
                *count = Value::from(sum);
            }
            (_, value) => drop(whole.insert(name.clone(), value.clone())),
        }
    }
}

fn query_of(given: &FilterArguments) -> Vec<(&'static str, String)> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    members(given).into_iter().map(|(name, value)| (name, text(&value))).collect()
}

fn members_of(given: &FilterArguments) -> impl Iterator<Item = (String, Value)> {
    members(given).into_iter().map(|(name, value)| (name.to_owned(), value))
}

fn members(given: &FilterArguments) -> Vec<(&'static str, Value)> {
    let filter = asked(given);
    let text = |text: Option<String>| text.map(Value::from);
    let all = [
        ("environment", text(filter.environment)),
        ("user", text(filter.user)),
        ("type", filter.kind.map(|kind| Value::from(kind.as_str()))),
        ("event", text(filter.event)),
        ("experiment", text(filter.experiment)),
        ("since", filter.since_ms.map(Value::from)),
        ("until", filter.until_ms.map(Value::from)),
        ("sink", text(filter.sink)),
    ];
    all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

fn answer(value: &Value, code: u8) -> Result<ExitCode, Failure> {
    super::answer(&json_line(value), code)
}
