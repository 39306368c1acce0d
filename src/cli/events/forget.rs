//! `variate events forget`: takes a user out of the ledger, and says what was there.
//!
//! Must not know how a row is kept.

use std::ops::ControlFlow;
use std::process::ExitCode;

use serde::Serialize;

use super::filter::{filter, refuse_unknown_environment};
use super::json::json_line;
use super::scan::{Whole, count_of, each_letter, each_record};
use super::wording::{moment, shown_words};
use super::{answer, open};
use crate::attribution::Activation;
use crate::cli::arguments::{FilterArguments, ForgetArguments, Format};
use crate::cli::failure::Failure;
use crate::cli::progress::Progress;
use crate::cli::words::{counted, name};
use crate::clock::TimeMs;
use crate::store::{DurableStore, HeldUser, Store as _};

/// What was there of a user, and what stays for a while.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Forgotten<'f> {
    environment: &'f str,
    user_id: &'f str,
    activations: Vec<ForgottenActivation<'f>>,
    pending_events: usize,
    #[serde(skip_serializing_if = "is_none")]
    overrides: usize,
    #[serde(skip_serializing_if = "is_none")]
    profiles: usize,
    records_kept: u64,
    dead_letters_kept: u64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ForgottenActivation<'f> {
    experiment_key: &'f str,
    variation_key: &'f str,
    first_at: TimeMs,
}

pub(super) fn run(arguments: &ForgetArguments) -> Result<ExitCode, Failure> {
    let store = open(arguments.held.folder())?;
    let (environment, user) = (arguments.environment.as_str(), arguments.user.as_str());
    refuse_unknown_environment(&store, environment)?;
    let held = store.held_user(environment, user).map_err(Failure::store)?;
    let (records, letters, whole) = kept_about(&store, arguments)?;
    let Some(held) = held else {
        let kept = kept_words(records, letters);
        return Err(Failure::unknown_key(format!(
            "the ledger holds nothing of {} in {}: look at the id's spelling; {kept}",
            name(user),
            name(environment)
        )));
    };
    store.forget(environment, user).map_err(Failure::store)?;
    let text = match arguments.held.format {
        Format::Text => text(arguments, &held, &kept_words(records, letters)),
        Format::Json => json_line(&Forgotten {
            environment,
            user_id: user,
            activations: held.activations.iter().map(forgotten).collect(),
            pending_events: held.pending_events,
            overrides: held.overrides,
            profiles: usize::from(held.has_profile),
            records_kept: records,
            dead_letters_kept: letters,
        }),
    };
    answer(&text, whole.exit_code())
}

/// Records and dead letters about the user.
fn kept_about(
    store: &DurableStore,
    arguments: &ForgetArguments,
) -> Result<(u64, u64, Whole), Failure> {
    let about = FilterArguments {
        environment: Some(arguments.environment.clone()),
        user: Some(arguments.user.clone()),
        r#type: None,
        event: None,
        experiment: None,
        since: None,
        until: None,
        sink: None,
    };
    let filter = filter(&about, store)?;
    let (mut records, mut letters) = (0, 0);
    let progress = Progress::start_steps("records", count_of(store, &filter)?);
    let whole = each_record(store, &filter, progress.alone_on_the_terminal(), &mut |_, _| {
        records += 1;
        Ok(ControlFlow::Continue(()))
    })?;
    each_letter(store, &filter, &mut |_| {
        letters += 1;
        Ok(ControlFlow::Continue(()))
    })?;
    Ok((records, letters, whole))
}

/// Few users have any.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives references")]
const fn is_none(count: &usize) -> bool {
    *count == 0
}

fn forgotten(activation: &Activation) -> ForgottenActivation<'_> {
    ForgottenActivation {
        experiment_key: &activation.shown.experiment_key,
        variation_key: &activation.shown.variation_key,
        first_at: activation.first_ms,
    }
}

fn text(arguments: &ForgetArguments, held: &HeldUser, kept: &str) -> String {
    let user = name(&arguments.user);
    let activations = counted(held.activations.len() as u64, "activation");
    let pending = counted(held.pending_events as u64, "pending event");
    let mut pieces = vec![activations, pending];
    if held.overrides > 0 {
        pieces.push(counted(held.overrides as u64, "override"));
    }
    if held.has_profile {
        pieces.push(counted(1, "profile"));
    }
    let mut lines = vec![format!("forgot {user}: {}", pieces.join(", "))];
    let line = |held: &Activation| {
        format!("  {}, first on {}", shown_words(&held.shown), moment(held.first_ms))
    };
    lines.extend(held.activations.iter().map(line));
    lines.push(kept.to_owned());
    lines.join("\n") + "\n"
}

fn kept_words(records: u64, letters: u64) -> String {
    let records = match records {
        0 => "no records about the user are kept".to_owned(),
        1 => "1 record about the user is kept until every sink has it and its time is over"
            .to_owned(),
        _ => format!(
            "{records} records about the user are kept until every sink has them and their time is over"
        ),
    };
    match letters {
        0 => records,
        _ => {
            format!("{records}; and {}, until somebody drops them", counted(letters, "dead letter"))
        }
    }
}
