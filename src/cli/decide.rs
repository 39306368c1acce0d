//! `variate decide`: decides for one user, and explains.
//!
//! Must not know how decisions are made.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{ArgGroup, Args, ValueEnum};
use serde_json::{Map, Value, json};

use super::failure::Failure;
use super::{answer, datafile, value};
use crate::client::{Client, DecideOptions, UserContext};

/// Decide flags or an experiment for one user, and explain why. Nothing is recorded.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("what").required(true).args(["flag", "experiment", "all"]))]
#[command(after_long_help = "\
Examples:
  variate decide --datafile shop.json --flag search --user anna --attribute country=SE --attribute age=34
  variate decide --datafile shop.json --experiment checkout_button --user anna --explain
  variate decide --datafile shop.json --all --user anna --attributes '{\"country\":\"SE\"}' --format json

An attribute's value is read as JSON where it is JSON (age=34 is a number, logged_in=true a boolean), else as text;
country='\"34\"' is the text 34.

Exit codes: 0 done; 1 there is no such flag or experiment; 2 wrong usage; 3 datafile refused.")]
pub(super) struct Decide {
    /// The datafile to decide from, as JSON
    #[arg(long, value_name = "FILE")]
    datafile: PathBuf,
    /// Decide this flag
    #[arg(long, value_name = "KEY")]
    flag: Option<String>,
    /// Decide this experiment, as `activate` and `getVariation` do: without holdouts
    #[arg(long, value_name = "KEY")]
    experiment: Option<String>,
    /// Decide all flags
    #[arg(long)]
    all: bool,
    /// The user id
    #[arg(long, value_name = "ID")]
    user: String,
    /// An attribute of the user; may be given several times
    #[arg(long = "attribute", value_name = "KEY=VALUE", value_parser = parse_attribute)]
    attribute: Vec<(String, Value)>,
    /// Attributes of the user as a JSON object; --attribute wins
    #[arg(long, value_name = "JSON", value_parser = parse_object)]
    attributes: Option<Map<String, Value>>,
    /// A segment that the user is in; may be given several times
    #[arg(long = "segment", value_name = "NAME")]
    segments: Vec<String>,
    /// An option of the SDKs, such as ENABLED_FLAGS_ONLY or EXCLUDE_VARIABLES; may be given several times
    #[arg(long = "option", value_name = "NAME", value_parser = parse_option)]
    options: Vec<DecideOptions>,
    /// Show every step of the decision, condition by condition
    #[arg(long)]
    explain: bool,
    /// `text` for people, `json` for machines
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Say nothing about findings in the datafile
    #[arg(long, short)]
    quiet: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    #[default]
    Text,
    Json,
}

/// One thing that was decided: what it was, the answer, and why.
struct Decided {
    title: String,
    answer: Value,
    explanation: Option<crate::decide::Explanation>,
}

impl Decide {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let client = Client::builder()
            .datafile(datafile::load(&self.datafile, self.quiet)?)
            .build()
            .map_err(Failure::usage)?;
        let mut attributes = self.attributes.clone().unwrap_or_default();
        attributes.extend(self.attribute.iter().cloned());
        let segments: Vec<&str> = self.segments.iter().map(String::as_str).collect();
        let mut user = client.user(&self.user);
        for (key, given) in &attributes {
            user = user.with(key, value::attribute(given));
        }
        if !segments.is_empty() {
            user = user.with_segments(&segments);
        }
        let decided = self.decide(&client, &user)?;
        let mut stdout = std::io::stdout().lock();
        for decided in &decided {
            let told = match self.format {
                Format::Text => decided.to_text(),
                Format::Json => decided.to_json(),
            };
            writeln!(stdout, "{told}").map_err(Failure::usage)?;
        }
        Ok(ExitCode::SUCCESS)
    }

    fn decide(&self, client: &Client, user: &UserContext<'_>) -> Result<Vec<Decided>, Failure> {
        if let Some(key) = &self.experiment {
            let known =
                client.datafile().is_some_and(|datafile| datafile.experiment_by_key(key).is_some());
            if !known {
                return Err(unknown(
                    "experiment",
                    key,
                    client.datafile().iter().flat_map(|datafile| {
                        datafile.experiments().map(|rule| rule.key().to_owned()).collect::<Vec<_>>()
                    }),
                ));
            }
            let answer = answer::variation(user.get_variation(key).variation_key());
            let explanation = self.explain.then(|| user.explain_experiment(key)).flatten();
            return Ok(vec![Decided { title: format!("experiment {key}"), answer, explanation }]);
        }
        let options = self
            .options
            .iter()
            .fold(DecideOptions::DISABLE_DECISION_EVENT, |all, option| all | *option);
        let decisions = match &self.flag {
            Some(key) => {
                let decision = user.decide_with(key, options);
                if decision.is_error && user.explain(key).is_none() {
                    return Err(unknown(
                        "flag",
                        key,
                        client.datafile().iter().flat_map(|datafile| {
                            datafile
                                .flags()
                                .iter()
                                .map(|flag| flag.key().to_owned())
                                .collect::<Vec<_>>()
                        }),
                    ));
                }
                vec![decision]
            }
            None => user.decide_all(options),
        };
        let decided = decisions.iter().map(|decision| Decided {
            title: format!("flag {}", decision.flag_key),
            answer: answer::decision(decision, options),
            explanation: self.explain.then(|| user.explain(&decision.flag_key)).flatten(),
        });
        Ok(decided.collect())
    }
}

impl Decided {
    fn to_text(&self) -> String {
        let mut lines = vec![format!("{}: {}", self.title, in_words(&self.answer))];
        let variables =
            self.answer.get("variables").and_then(Value::as_object).into_iter().flatten();
        lines.extend(variables.map(|(key, value)| format!("  {key} = {value}")));
        if let Some(explanation) = &self.explanation {
            lines.push(explanation.to_string().trim_end().to_owned());
        }
        lines.join("\n")
    }

    fn to_json(&self) -> String {
        let mut answer = self.answer.clone();
        if let (Some(object), Some(explanation)) = (answer.as_object_mut(), &self.explanation) {
            object.insert("explanation".to_owned(), explanation.to_json());
        }
        answer.to_string()
    }
}

fn in_words(answer: &Value) -> String {
    let text = |name: &str| answer.get(name).and_then(Value::as_str);
    let variation = text("variationKey")
        .map_or_else(|| "no variation".to_owned(), |key| format!("variation {key}"));
    let rule = text("ruleKey").map(|rule| format!(" (by {rule})")).unwrap_or_default();
    let error = answer.get("reasons").and_then(|reasons| reasons.get(0)?.as_str());
    match (answer.get("enabled").and_then(Value::as_bool), error) {
        (_, Some(error)) => format!("error: {error}"),
        (None, None) => variation,
        (Some(is_on), None) => format!("{}, {variation}{rule}", if is_on { "on" } else { "off" }),
    }
}

fn unknown(what: &str, key: &str, known: impl Iterator<Item = String>) -> Failure {
    let known: Vec<String> = known.collect();
    let known = if known.is_empty() {
        "it has none".to_owned()
    } else {
        format!("it has {}", known.join(", "))
    };
    Failure::unknown_key(format!("the datafile has no {what} {key:?}: {known}"))
}

fn parse_attribute(text: &str) -> Result<(String, Value), String> {
    let (key, value) = text.split_once('=').ok_or("write KEY=VALUE, such as country=SE")?;
    Ok((key.to_owned(), serde_json::from_str(value).unwrap_or_else(|_| json!(value))))
}

fn parse_object(text: &str) -> Result<Map<String, Value>, String> {
    serde_json::from_str(text)
        .map_err(|error| format!("write a JSON object, such as '{{\"country\":\"SE\"}}': {error}"))
}

fn parse_option(name: &str) -> Result<DecideOptions, String> {
    DecideOptions::parse(name).ok_or_else(|| {
        "use DISABLE_DECISION_EVENT, ENABLED_FLAGS_ONLY, IGNORE_USER_PROFILE_SERVICE, INCLUDE_REASONS or \
         EXCLUDE_VARIABLES"
            .to_owned()
    })
}
