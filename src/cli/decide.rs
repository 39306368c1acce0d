//! `variate decide`: one user's decision, and why.
//!
//! Must not know how a decision is made. Nothing is recorded.

use std::io::{self, Write as _};
use std::process::ExitCode;

use serde_json::{Map, Value, json};

use super::answer::{Answer, DecisionAnswer, Ordered};
use super::arguments::{DecideArguments, Format};
use super::failure::Failure;
use super::load::load_datafile;
use super::members::kind_of;
use super::read_call::attributes;
use super::say;
use super::story::{decision_words, lines_of_reasons, without_controls};
use super::subject::refuse_unknown_key;
use super::words::{name, quoted, value};
use crate::client::{Client, DecideOptions, UserContext};

/// Decides for one user.
pub(super) fn run(arguments: &DecideArguments) -> Result<ExitCode, Failure> {
    let datafile =
        load_datafile(&arguments.datafile, arguments.findings).map_err(Failure::datafile)?;
    let subject = &arguments.subject;
    refuse_unknown_key(&datafile, (subject.flag.as_deref(), subject.experiment.as_deref()))?;
    let client = Client::builder().datafile(datafile).build().map_err(Failure::usage)?;
    let attributes_given = all_attributes(arguments);
    warn_of_useless(&attributes_given);
    let segments: Vec<&str> = arguments.segment.iter().map(String::as_str).collect();
    let user = client.user(&arguments.user);
    let user = attributes(&attributes_given)
        .iter()
        .fold(user, |user, attribute| user.with(attribute.key(), attribute.value));
    let user = if segments.is_empty() { user } else { user.with_segments(&segments) };
    let text = match &arguments.subject.experiment {
        Some(key) => experiment(arguments, &user, key),
        None => flags(arguments, &user),
    };
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{text}").and_then(|()| stdout.flush()).map_err(Failure::output)?;
    Ok(ExitCode::SUCCESS)
}

fn all_attributes(arguments: &DecideArguments) -> Map<String, Value> {
    let mut attributes = arguments.attributes.clone().unwrap_or_default();
    attributes.extend(arguments.attribute.iter().cloned());
    attributes
}

fn warn_of_useless(attributes: &Map<String, Value>) {
    for (key, value) in attributes.iter().filter(|(_, value)| value.is_array() || value.is_object())
    {
        let (key, kind) = (quoted(key), kind_of(value));
        let why = "no condition can use it, and it is never sent";
        say(&format!("warning: the attribute {key} is {kind}: {why}"));
    }
}

fn experiment(arguments: &DecideArguments, user: &UserContext<'_>, key: &str) -> String {
    let chosen = user.get_variation(key);
    let explanation = arguments.explain.then(|| user.explain_experiment(key)).flatten();
    if arguments.format == Format::Json {
        let mut answer = json!({"experimentKey": key, "variationKey": chosen.variation_key()});
        if let (Some(explanation), Some(answer)) = (explanation, answer.as_object_mut()) {
            answer.insert("explanation".to_owned(), explanation.to_json());
        }
        return answer.to_string();
    }
    let variation = chosen.variation_key().map_or_else(|| "no variation".to_owned(), name);
    let mut lines = vec![format!("{}: {variation}", name(key))];
    lines.extend(explanation.map(|explanation| tree(&explanation.to_string())));
    lines.join("\n")
}

fn flags(arguments: &DecideArguments, user: &UserContext<'_>) -> String {
    let given = arguments.option.iter().fold(DecideOptions::NONE, |all, one| all | *one);
    let options = given | DecideOptions::DISABLE_DECISION_EVENT;
    let explain = |key: &str| if arguments.explain { user.explain(key) } else { None };
    let decisions = match &arguments.subject.flag {
        Some(key) => vec![user.decide_with(key, options)],
        None => user.decide_all(options),
    };
    let decisions: Vec<_> = decisions
        .into_iter()
        .map(|decision| {
            let explanation = explain(&decision.flag_key);
            let mut answer = DecisionAnswer::new(decision, options);
            answer.explanation = explanation.as_ref().map(|explanation| explanation.to_json());
            (answer, explanation.map(|explanation| explanation.to_string()))
        })
        .collect();
    if arguments.format == Format::Text {
        let texts = decisions.iter().map(|(answer, tree)| decision_text(answer, tree.as_deref()));
        let texts: Vec<String> = texts.collect();
        return if texts.is_empty() { "no flags to show".to_owned() } else { texts.join("\n") };
    }
    let mut answers = decisions.into_iter().map(|(answer, _)| answer);
    let answer = match (&arguments.subject.flag, answers.next()) {
        (Some(_), Some(answer)) => Answer::Decision(answer),
        (_, first) => {
            let all = first.into_iter().chain(answers);
            let all = all.map(|answer| (answer.flag_key.clone(), answer)).collect();
            Answer::Decisions { decisions: Ordered(all) }
        }
    };
    serde_json::to_string(&answer).unwrap_or_default()
}

fn decision_text(answer: &DecisionAnswer, explanation: Option<&str>) -> String {
    let mut lines = vec![format!("{}: {}", name(&answer.flag_key), decision_words(answer))];
    lines.extend(answer.variables.0.iter().map(|(key, found)| {
        let found = found.as_ref().map_or_else(|| "null".to_owned(), value);
        format!("  {} = {found}", name(key))
    }));
    lines.extend(lines_of_reasons(answer));
    lines.extend(explanation.map(tree));
    lines.join("\n")
}

/// The explanation's tree; the lines that it came in are its only control characters.
fn tree(explanation: &str) -> String {
    let lines = explanation.trim_end().lines().map(|line| format!("  {}", without_controls(line)));
    lines.collect::<Vec<_>>().join("\n")
}
