//! `variate events verify`: whether everything in a store is there and sound.
//!
//! Must not know what is looked at: the store does.

use std::process::ExitCode;

use serde::Serialize;

use super::answer;
use super::json::json_line;
use crate::cli::arguments::{Format, VerifyArguments};
use crate::cli::failure::{Failure, MALFORMED};
use crate::cli::progress::Progress;
use crate::cli::words::counted;
use crate::store::{Fault, Verified};

pub(super) fn run(arguments: &VerifyArguments) -> Result<ExitCode, Failure> {
    // How much there is to do is known once the store is open.
    let mut progress: Option<(Progress, u64)> = None;
    let verified = crate::store::verify(arguments.held.folder(), &mut |done, all| {
        let (bar, told) = progress
            .get_or_insert_with(|| (Progress::start_steps("keys", all).alone_on_the_terminal(), 0));
        bar.add(done.saturating_sub(*told), 0);
        *told = done;
    })
    .map_err(super::unopened)?;
    if let Some((bar, _)) = progress {
        bar.finish();
    }
    let text = match arguments.held.format {
        Format::Text => text(&verified),
        Format::Json => json_line(&WireVerified::new(&verified)),
    };
    answer(&text, if verified.is_sound() { 0 } else { MALFORMED })
}

fn text(verified: &Verified) -> String {
    let mut lines = Vec::new();
    lines.push(looked_at(verified));
    if verified.torn_bytes > 0 && verified.is_opened {
        lines.push(format!(
            "cut off {} of a commit that was never acknowledged",
            counted(verified.torn_bytes, "byte")
        ));
    }
    lines.extend(verified.notes.iter().map(|note| format!("note: {note}")));
    let line = |fault: &Fault| format!("{}: {}", fault.kind.as_str(), fault.text);
    lines.extend(verified.faults.iter().map(line));
    let untold = verified.fault_count.saturating_sub(verified.faults.len() as u64);
    if untold > 0 {
        lines.push(format!("and {} more", counted(untold, "fault")));
    }
    lines.push(verdict(verified));
    lines.join("\n") + "\n"
}

fn looked_at(verified: &Verified) -> String {
    let commits = counted(verified.commits, "whole commit");
    if !verified.is_opened {
        return format!("looked at {commits} in the journals; the store cannot be opened");
    }
    let records = match verified.oldest {
        0 => "no records".to_owned(),
        oldest => {
            let records = counted(verified.records, "record");
            format!("{records} ({oldest} to {})", verified.latest)
        }
    };
    let mut pieces = vec![
        records,
        counted(verified.users, "user"),
        counted(verified.activations, "activation"),
        counted(verified.pending_events, "pending event"),
        counted(verified.ids, "id"),
        counted(verified.dead_letters, "dead letter"),
        counted(verified.sinks, "sink"),
    ];
    if verified.datafiles > 0 {
        pieces.push(counted(verified.datafiles, "datafile"));
    }
    if verified.overrides > 0 {
        pieces.push(counted(verified.overrides, "override"));
    }
    if verified.profiles > 0 {
        pieces.push(counted(verified.profiles, "profile"));
    }
    format!("looked at {commits} in the journals; {}", pieces.join(", "))
}

fn verdict(verified: &Verified) -> String {
    if verified.is_sound() {
        return "sound: nothing is missing".to_owned();
    }
    let faults = counted(verified.fault_count, "fault");
    if !verified.is_opened {
        return format!(
            "damaged: {faults}; nothing was changed. Restore the store from a back-up. What is damaged was acknowledged; the {} around it are whole, so keep the folder",
            counted(verified.commits, "commit")
        );
    }
    let rest = if verified.is_usable {
        "The rest is usable, and `variate events export` writes the records that can be read: go on without what is lost, or restore the store from a back-up"
    } else {
        "The store cannot be used as it is: restore it from a back-up"
    };
    let (records, users) = (verified.lost_records, verified.harmed_users);
    let (records, users) = (counted(records, "record"), counted(users, "user"));
    format!("damaged: {faults}; {records} lost, {users} harmed. {rest}")
}

/// What was found, for programs.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct WireVerified<'v> {
    is_sound: bool,
    is_opened: bool,
    is_usable: bool,
    commits: u64,
    torn_bytes: u64,
    records: u64,
    oldest: u64,
    latest: u64,
    users: u64,
    activations: u64,
    pending_events: u64,
    ids: u64,
    dead_letters: u64,
    sinks: u64,
    datafiles: u64,
    overrides: u64,
    profiles: u64,
    lost_records: u64,
    harmed_users: u64,
    fault_count: u64,
    faults: Vec<WireFault<'v>>,
    notes: &'v [String],
}

#[derive(Debug, Serialize)]
struct WireFault<'v> {
    kind: &'static str,
    text: &'v str,
}

impl<'v> WireVerified<'v> {
    fn new(verified: &'v Verified) -> Self {
        let fault = |fault: &'v Fault| WireFault { kind: fault.kind.as_str(), text: &fault.text };
        Self {
            is_sound: verified.is_sound(),
            is_opened: verified.is_opened,
            is_usable: verified.is_usable,
            commits: verified.commits,
            torn_bytes: verified.torn_bytes,
            records: verified.records,
            oldest: verified.oldest,
            latest: verified.latest,
            users: verified.users,
            activations: verified.activations,
            pending_events: verified.pending_events,
            ids: verified.ids,
            dead_letters: verified.dead_letters,
            sinks: verified.sinks,
            datafiles: verified.datafiles,
            overrides: verified.overrides,
            profiles: verified.profiles,
            lost_records: verified.lost_records,
            harmed_users: verified.harmed_users,
            fault_count: verified.fault_count,
            faults: verified.faults.iter().map(fault).collect(),
            notes: &verified.notes,
        }
    }
}
