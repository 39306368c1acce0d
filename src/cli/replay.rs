//! `variate replay`: a file of calls in, a line of answer for each out.
//!
//! Must not know how calls are answered.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use serde_json::{Value, json};

use super::answer::Answer;
use super::arguments::{Format, ReplayArguments};
use super::call::{Ask, Call};
use super::engine::{Engine, Setup};
use super::failure::{Failure, MALFORMED};
use super::line_end::{Line, endless, read_to_line_end};
use super::load::load_datafile;
use super::progress::Progress;
use super::read_call::{read_call, read_line};
use super::same_file::{is_same_file, refuse_inside_store};
use super::say;
use super::story::{Story, Told};
use super::summary::Summary;
use super::words::counted;
use crate::attribution::Record;
use crate::datafile::Datafile;
use crate::error::Error;
use crate::events::{AttributionMode, event_api_request};

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Replays a file of calls.
pub(super) fn run(arguments: &ReplayArguments) -> Result<ExitCode, Failure> {
    let datafile =
        load_datafile(&arguments.datafile, arguments.findings).map_err(Failure::datafile)?;
    let (mut calls, total_bytes) = open_calls(&arguments.calls).map_err(Failure::usage)?;
    let mut replay = Replay::new(arguments, datafile)?;
    let mut progress = Progress::start(total_bytes);
    let mut line = Vec::new();
    for number in 1_u64.. {
        let read = read_to_line_end(&mut *calls, &mut line).map_err(|error| {
            Failure::usage(Error::file("read the calls in", &arguments.calls, error))
        })?;
        let length = match read {
            Line::Whole(0) => break,
            Line::Whole(length) => length,
            Line::Endless => {
                return Err(Failure::malformed(endless(number, "write one call a line")));
            }
        };
        replay.read(number, &line)?;
        progress.step(length);
    }
    progress.finish();
    replay.finish()
}

fn open_calls(path: &Path) -> Result<(Box<dyn BufRead>, Option<u64>), Error> {
    if path == Path::new("-") {
        return Ok((Box::new(io::stdin().lock()), None));
    }
    let failed = |error| Error::file("read the calls in", path, error);
    let file = File::open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    Ok((Box::new(BufReader::new(file)), metadata.is_file().then_some(metadata.len())))
}

/// A replay that goes on line by line.
pub(super) struct Replay<'a> {
    engine: Engine,
    answers: BufWriter<Box<dyn Write + 'a>>,
    events: Option<Events<'a>>,
    load: Loader<'a>,
    /// Where answers are for people.
    telling: Option<(Story, Summary)>,
    lines: u64,
    pub(super) malformed: Malformed,
    not_stored: Malformed,
}

/// Reads and compiles the datafile that a call names.
pub(super) type Loader<'a> = Box<dyn Fn(&Path) -> anyhow::Result<Datafile> + 'a>;

/// Where a replay writes to and reads from.
pub(super) struct Surroundings<'a> {
    pub(super) answers: Box<dyn Write + 'a>,
    pub(super) events: Option<Events<'a>>,
    pub(super) load: Loader<'a>,
    pub(super) format: Format,
}

impl<'a> Replay<'a> {
    fn new(arguments: &'a ReplayArguments, datafile: Datafile) -> Result<Self, Failure> {
        let setup = Setup {
            store: arguments.store.as_deref(),
            is_sticky: arguments.sticky,
            late_window_ms: arguments.late_window,
            makes_records: arguments.format == Format::Text || arguments.events.is_some(),
        };
        let engine = Engine::new(datafile, setup).map_err(Failure::store)?;
        let events = match &arguments.events {
            Some(path) => Some(Events::create(path, arguments)?),
            None => None,
        };
        let findings = arguments.findings;
        Ok(Self::within(
            engine,
            Surroundings {
                answers: Box::new(io::stdout().lock()),
                events,
                load: Box::new(move |path| load_datafile(path, findings)),
                format: arguments.format,
            },
        ))
    }

    pub(super) fn within(engine: Engine, surroundings: Surroundings<'a>) -> Self {
        Self {
            engine,
            answers: BufWriter::new(surroundings.answers),
            events: surroundings.events,
            load: surroundings.load,
            telling: (surroundings.format == Format::Text).then(Default::default),
            lines: 0,
            malformed: Malformed::default(),
            not_stored: Malformed::default(),
        }
    }

    /// Takes a line as it stands in the file; an empty one is no call.
    pub(super) fn read(&mut self, number: u64, line: &[u8]) -> Result<(), Failure> {
        // Editors may put a mark there; only the first line can begin with one.
        let text = line.strip_prefix(BYTE_ORDER_MARK).filter(|_| number == 1).unwrap_or(line);
        if text.trim_ascii().is_empty() {
            return Ok(());
        }
        self.line(number, text.trim_ascii_end())
    }

    fn line(&mut self, number: u64, text: &[u8]) -> Result<(), Failure> {
        self.lines += 1;
        let value = read_line(text);
        let call = value.as_ref().map_err(Clone::clone).and_then(read_call);
        match call {
            Ok(call) => self.call(number, &call),
            Err(fault) => {
                self.malformed.count(number);
                self.answer_malformed(&format!("line {number}: {fault}"))
            }
        }
    }

    fn call(&mut self, number: u64, call: &Call<'_>) -> Result<(), Failure> {
        let received_at_ms = self.engine.receive(call);
        let answer = match &call.ask {
            Ask::SetDatafile { path } => {
                Answer::Done { ok: self.set_datafile(number, Path::new(path)) }
            }
            _ => self.engine.answer(call),
        };
        let is_refused = self.engine.has_refused() || matches!(answer, Answer::Error { .. });
        if is_refused && call.ask.may_record() {
            self.not_stored.count(number);
        }
        let records = self.engine.take_records().map_err(Failure::store)?;
        let told = Told { call, received_at_ms, answer: &answer, records: &records };
        match &mut self.telling {
            Some((story, summary)) => {
                summary.count(&told);
                let lines = story.tell(&told);
                self.write_lines(&lines)?;
            }
            None => self.write_json(&answer)?,
        }
        self.write_events(&records)
    }

    fn answer_malformed(&mut self, error: &str) -> Result<(), Failure> {
        match &mut self.telling {
            Some((_, summary)) => {
                summary.count_malformed();
                self.write_lines(&[format!("  error on {error}")])?;
            }
            None => self.write_json(&Answer::Error { error: error.to_owned() })?,
        }
        self.write_events(&[])
    }

    fn set_datafile(&self, number: u64, path: &Path) -> bool {
        match (self.load)(path) {
            Ok(datafile) => self.engine.swap(datafile),
            Err(error) => {
                let kept = "the datafile before it stays in force";
                say(&format!("error: line {number}: {error:#}; {kept}"));
                return false;
            }
        }
        true
    }

    /// Sums up, where answers are for people.
    pub(super) fn sum_up(&mut self) -> Result<(), Failure> {
        let Some((_, summary)) = &self.telling else { return Ok(()) };
        let lines = summary.lines(&self.engine.statistics());
        self.write_lines(&lines)
    }

    fn finish(mut self) -> Result<ExitCode, Failure> {
        self.sum_up()?;
        let mut exit_code = ExitCode::SUCCESS;
        if let Some(first) = self.not_stored.first_line {
            let calls = counted(self.not_stored.count, "call");
            say(&format!(
                "error: the store did not take all of {calls}, the first is line {first}: mend the cause, and replay these lines again"
            ));
            exit_code = ExitCode::from(MALFORMED);
        }
        let Some(first) = self.malformed.first_line else { return Ok(exit_code) };
        let (lines, count) = (self.lines, self.malformed.count);
        say(&match count {
            1 => format!("error: 1 of {} is malformed, line {first}", counted(lines, "line")),
            _ => {
                format!("error: {count} of {lines} lines are malformed, the first is line {first}")
            }
        });
        Ok(ExitCode::from(MALFORMED))
    }

    fn write_json(&mut self, answer: &Answer) -> Result<(), Failure> {
        serde_json::to_writer(&mut self.answers, answer)
            .map_err(io::Error::from)
            .and_then(|()| self.answers.write_all(b"\n"))
            .and_then(|()| self.answers.flush())
            .map_err(Failure::output)
    }

    fn write_lines(&mut self, lines: &[String]) -> Result<(), Failure> {
        lines
            .iter()
            .try_for_each(|line| writeln!(self.answers, "{}", line.trim_end()))
            .and_then(|()| self.answers.flush())
            .map_err(Failure::output)
    }

    fn write_events(&mut self, records: &[Arc<Record>]) -> Result<(), Failure> {
        self.events.as_mut().map_or(Ok(()), |events| events.write(records))
    }
}

/// The lines that were no calls.
#[derive(Debug, Default)]
pub(super) struct Malformed {
    pub(super) count: u64,
    first_line: Option<u64>,
}

impl Malformed {
    fn count(&mut self, number: u64) {
        self.count += 1;
        self.first_line.get_or_insert(number);
    }
}

/// What is told what each call would send.
pub(super) struct Events<'a> {
    path: &'a Path,
    output: BufWriter<Box<dyn Write + 'a>>,
    mode: AttributionMode,
}

impl<'a> Events<'a> {
    fn create(path: &'a Path, arguments: &ReplayArguments) -> Result<Self, Failure> {
        refuse_inside_store(path, arguments.store.as_deref(), "--events")?;
        for (input, what) in [(&arguments.datafile, "datafile"), (&arguments.calls, "calls")] {
            if is_same_file(path, input) {
                return Err(Failure::usage(anyhow::anyhow!(
                    "--events would overwrite the {what} in {}: give another file",
                    input.display()
                )));
            }
        }
        let file = File::create(path).map_err(|error| unwritable(path, error))?;
        Ok(Self::to(path, Box::new(file), arguments.attribution.into()))
    }

    /// `path` is what messages call the output.
    pub(super) fn to(path: &'a Path, output: Box<dyn Write + 'a>, mode: AttributionMode) -> Self {
        Self { path, output: BufWriter::new(output), mode }
    }

    fn write(&mut self, records: &[Arc<Record>]) -> Result<(), Failure> {
        let requests = records.iter().filter_map(|record| event_api_request(record, self.mode));
        let line: Vec<Value> =
            requests.map(|request| json!({"url": request.url, "body": request.body})).collect();
        serde_json::to_writer(&mut self.output, &line)
            .map_err(io::Error::from)
            .and_then(|()| self.output.write_all(b"\n"))
            .and_then(|()| self.output.flush())
            .map_err(|error| unwritable(self.path, error))
    }
}

fn unwritable(path: &Path, error: io::Error) -> Failure {
    let path = path.display();
    Failure::usage(anyhow::Error::from(error).context(format!(
        "cannot write the events to {path}: check that its folder exists, has room and may be written to"
    )))
}
