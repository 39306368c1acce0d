//! `variate replay`: answers a file of calls, in order.
//!
//! Must not know what a call means: `player` does.

mod player;
mod story;
mod summary;

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};

use self::player::{Player, PlayerSettings};
use self::story::Story;
use super::call::Call;
use super::failure::{Failure, MALFORMED};
use super::{datafile, duration};
use crate::events::{AttributionMode, event_api_request};

/// Progress is shown on work that takes longer than this.
const PATIENCE: Duration = Duration::from_secs(2);

/// Answer a file of calls, one JSON object a line, with one answer a line.
#[derive(Debug, Args)]
#[command(after_long_help = "\
A call is a JSON object: `call`, `userId`, and what the call asks for. All but setDatafile may have
`attributes` (object), `segments` (array of strings), `time` (ms since the epoch, default now).

  {\"call\":\"activate\",\"experimentKey\":\"checkout_button\",\"userId\":\"anna\",\"attributes\":{\"country\":\"SE\"}}
  {\"call\":\"track\",\"eventKey\":\"purchase\",\"userId\":\"anna\",\"eventTags\":{\"revenue\":129900},\"id\":\"order-1001\"}
  {\"call\":\"decide\",\"flagKey\":\"search\",\"userId\":\"anna\",\"options\":[\"INCLUDE_REASONS\"]}

  activate, getVariation, getForcedVariation      experimentKey (activate: id)
  setForcedVariation                              experimentKey, variationKey or null
  track                                           eventKey, eventTags, id, count, duration (s)
  decide; decideAll; decideForKeys                flagKey; -; flagKeys (options)
  isFeatureEnabled, getAllFeatureVariables        flagKey
  getEnabledFeatures; getFeatureVariable          -; flagKey, variableKey
  setForcedDecision, removeForcedDecision         flagKey, ruleKey or null (set: variationKey)
  removeAllForcedDecisions; setDatafile           -; path

A malformed line is answered with {\"error\":\"...\"} and the replay goes on.

Examples:
  variate replay --datafile shop.json --calls day.jsonl --format text
  tail -f calls.jsonl | variate replay --datafile shop.json --calls - --events bodies.jsonl

Exit codes: 0 done; 1 a line was malformed; 2 wrong usage or a file that cannot be used; 3 datafile refused.")]
pub(super) struct Replay {
    /// The datafile to decide from, as JSON
    #[arg(long, value_name = "FILE")]
    datafile: PathBuf,
    /// The calls, one JSON object a line; `-` is standard input
    #[arg(long, value_name = "FILE")]
    calls: PathBuf,
    /// Write to this file, for each call, the JSON array of {"url","body"} that it would send to the event API
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
    /// What conversions carry: `activated`, only experiments that the user was activated in; `backend`, none, for
    /// a results service that attributes by itself
    #[arg(long, value_name = "MODE", default_value_t)]
    attribution: AttributionMode,
    /// Keep a sticky profile per user: a variation once bucketed stays
    #[arg(long)]
    sticky: bool,
    /// How long an event waits for activations that arrive after it, such as 30m or 1h
    #[arg(long, value_name = "SPAN", default_value = "0s", value_parser = duration::parse_ms)]
    late_window: i64,
    /// `json` for machines, `text` for people
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Say nothing about findings in the datafile
    #[arg(long, short)]
    quiet: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    #[default]
    Json,
    Text,
}

impl Replay {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let datafile = datafile::load(&self.datafile, self.quiet)?;
        let (calls, length) = open_calls(&self.calls).map_err(Failure::usage)?;
        let events =
            self.events.as_deref().map(create_events).transpose().map_err(Failure::usage)?;
        let settings = PlayerSettings {
            is_sticky: self.sticky,
            late_window_ms: self.late_window,
            keeps_records: events.is_some() || self.format == Format::Text,
        };
        let player = Player::new(datafile, &settings).map_err(Failure::usage)?;
        let story = (self.format == Format::Text).then(Story::default);
        let output = Output { events, mode: self.attribution, story, has_malformed: false };
        play(calls, length, player, output).map_err(Failure::usage)
    }
}

/// Where the answers go.
struct Output {
    events: Option<BufWriter<File>>,
    mode: AttributionMode,
    story: Option<Story>,
    has_malformed: bool,
}

fn play(
    mut calls: Box<dyn BufRead>,
    length: Option<u64>,
    mut player: Player,
    mut output: Output,
) -> anyhow::Result<ExitCode> {
    let progress = progress_bar(length);
    let mut line = Vec::new();
    for number in 1_u64.. {
        line.clear();
        let read = calls.read_until(b'\n', &mut line).context("cannot read the calls")?;
        if read == 0 {
            break;
        }
        show_progress(&progress, read as u64);
        if !line.trim_ascii().is_empty() {
            output.answer(number, line.trim_ascii(), &mut player)?;
        }
    }
    progress.finish_and_clear();
    if let Some(story) = &output.story {
        let mut stdout = std::io::stdout().lock();
        stdout.write_all(story.ending(&player.statistics()).as_bytes())?;
    }
    Ok(if output.has_malformed { ExitCode::from(MALFORMED) } else { ExitCode::SUCCESS })
}

impl Output {
    fn answer(&mut self, number: u64, line: &[u8], player: &mut Player) -> anyhow::Result<()> {
        let call = Call::parse(line);
        let answer = match &call {
            Ok(call) => player.answer(call),
            Err(reason) => {
                self.has_malformed = true;
                json!({ "error": format!("line {number}: {reason}") })
            }
        };
        let records = player.take_records();
        let mut stdout = std::io::stdout().lock();
        match &mut self.story {
            None => writeln!(stdout, "{answer}")?,
            Some(story) => {
                let told = story.tell(call.as_ref().ok(), &answer, &records, player.now_ms());
                stdout.write_all(told.as_bytes())?;
            }
        }
        stdout.flush()?;
        if let Some(events) = &mut self.events {
            let requests = records.iter().filter_map(|record| event_api_request(record, self.mode));
            let bodies =
                requests.map(|request| json!({ "url": request.url, "body": request.body }));
            writeln!(events, "{}", bodies.collect::<Value>())
                .and_then(|()| events.flush())
                .context("cannot write the events")?;
        }
        Ok(())
    }
}

fn open_calls(path: &Path) -> anyhow::Result<(Box<dyn BufRead>, Option<u64>)> {
    if path == Path::new("-") {
        return Ok((Box::new(BufReader::new(std::io::stdin().lock())), None));
    }
    let name = path.display();
    let file = File::open(path)
        .with_context(|| format!("cannot read the calls {name}: check that the file exists"))?;
    let length =
        file.metadata().ok().filter(std::fs::Metadata::is_file).map(|metadata| metadata.len());
    let mut reader = BufReader::new(file);
    // A folder opens, but does not read: say so before anything is answered.
    reader
        .by_ref()
        .fill_buf()
        .with_context(|| format!("cannot read the calls {name}: give a file"))?;
    Ok((Box::new(reader), length))
}

fn create_events(path: &Path) -> anyhow::Result<BufWriter<File>> {
    let file = File::create(path).with_context(|| {
        format!("cannot write the events to {}: check that the folder exists and that you may write there", path.display())
    })?;
    Ok(BufWriter::new(file))
}

/// Hidden at first: nobody wants a progress bar for what is done at once.
fn progress_bar(length: Option<u64>) -> ProgressBar {
    let progress = length.map_or_else(ProgressBar::no_length, ProgressBar::new);
    progress.set_draw_target(ProgressDrawTarget::hidden());
    let template = "{elapsed} {bytes} of {total_bytes} replayed, {eta} left";
    progress.with_style(
        ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()),
    )
}

fn show_progress(progress: &ProgressBar, read: u64) {
    if progress.is_hidden() && progress.elapsed() > PATIENCE {
        progress.set_draw_target(ProgressDrawTarget::stderr());
    }
    progress.inc(read);
}
