//! Runs the three programs that answer: the Python driver, the JavaScript driver, and `variate replay`.
//! Must not know what is in a datafile or an answer.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

/// One datafile with one file of calls, and whether profiles are kept.
pub(super) struct Job {
    pub(super) index: u64,
    pub(super) sticky: bool,
    pub(super) datafile: PathBuf,
    pub(super) calls: PathBuf,
}

/// What one program said to one job.
#[derive(Default)]
pub(super) struct Answers {
    /// Whether the datafile was taken at all.
    pub(super) accepted: bool,
    pub(super) answers: Vec<Value>,
    pub(super) events: Vec<Value>,
}

/// Where the SDKs were installed, and where scratch files and failures go.
pub(super) fn oracle_folder() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    target.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target")).join("oracle")
}

/// Starts the Python driver on all the jobs, in one process.
pub(super) fn start_python(jobs: &[Job]) -> Result<Child, String> {
    let mut command = Command::new(oracle_folder().join("venv/bin/python"));
    command.arg(driver("sdk.py")).arg(write_job_list(jobs, "python")?);
    command.spawn().map_err(|error| format!("start python: {error}; run tests/oracle/setup"))
}

/// Starts the JavaScript driver on all the jobs, in one process.
pub(super) fn start_javascript(jobs: &[Job]) -> Result<Child, String> {
    let mut command = Command::new("node");
    command.arg(driver("sdk.mjs")).arg(oracle_folder().join("node_modules"));
    command.arg(write_job_list(jobs, "javascript")?);
    command.spawn().map_err(|error| format!("start node: {error}; run tests/oracle/setup"))
}

/// Waits for a driver, which must succeed.
pub(super) fn finish(name: &str, mut child: Child) -> Result<(), String> {
    let status = child.wait().map_err(|error| format!("wait for {name}: {error}"))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("the {name} driver failed: {status}; run tests/oracle/setup"))
    }
}

/// Runs `variate replay` on one job.
pub(super) fn run_variate(job: &Job) -> Result<(), String> {
    let answers = File::create(answers_path(job, "variate"))
        .map_err(|error| format!("create answers: {error}"))?;
    let status = variate_command(&job.datafile, &job.calls, job.sticky)
        .arg("--events")
        .arg(events_path(job, "variate"))
        .stdout(answers)
        .stderr(Stdio::null())
        .status()
        .map_err(|error| format!("start variate: {error}"))?;
    let accepted = match status.code() {
        Some(0) => "true",
        Some(3) => "false",
        _ => {
            return Err(format!("variate replay ended with {status} on {}", job.calls.display()));
        }
    };
    fs::write(accepted_path(job, "variate"), accepted).map_err(|error| format!("write: {error}"))
}

/// The command line of `variate replay` for a datafile and a file of calls.
pub(super) fn variate_command(datafile: &Path, calls: &Path, sticky: bool) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_variate"));
    command.arg("replay").arg("--datafile").arg(datafile).arg("--calls").arg(calls);
    command.args(["--attribution", "backend"]).args(sticky.then_some("--sticky"));
    command
}

/// Reads what the program said to the job.
pub(super) fn read_answers(job: &Job, program: &str) -> Result<Answers, String> {
    let accepted = read(&accepted_path(job, program))?.trim() == "true";
    if program == "variate" && !accepted {
        return Ok(Answers::default());
    }
    let answers = read_lines(&answers_path(job, program))?;
    let events = read_lines(&events_path(job, program))?;
    Ok(Answers { accepted, answers, events })
}

pub(super) fn read_lines(path: &Path) -> Result<Vec<Value>, String> {
    let parse = |line: &str| {
        serde_json::from_str(line).map_err(|error| format!("{}: {error}: {line}", path.display()))
    };
    read(path)?.lines().map(parse).collect()
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("read {}: {error}", path.display()))
}

fn driver(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle").join(name)
}

fn write_job_list(jobs: &[Job], program: &str) -> Result<PathBuf, String> {
    let path = oracle_folder().join(format!("work/{program}.jobs.jsonl"));
    let mut file =
        File::create(&path).map_err(|error| format!("create {}: {error}", path.display()))?;
    for job in jobs {
        let line = json!({
            "datafile": job.datafile, "calls": job.calls, "sticky": job.sticky,
            "answers": answers_path(job, program), "events": events_path(job, program),
        });
        writeln!(file, "{line}").map_err(|error| format!("write {}: {error}", path.display()))?;
    }
    Ok(path)
}

fn answers_path(job: &Job, program: &str) -> PathBuf {
    let mode = if job.sticky { "sticky" } else { "plain" };
    oracle_folder().join(format!("work/{}.{mode}.{program}.answers.jsonl", job.index))
}

fn accepted_path(job: &Job, program: &str) -> PathBuf {
    let mut path = answers_path(job, program).into_os_string();
    path.push(".accepted");
    path.into()
}

fn events_path(job: &Job, program: &str) -> PathBuf {
    let mode = if job.sticky { "sticky" } else { "plain" };
    oracle_folder().join(format!("work/{}.{mode}.{program}.events.jsonl", job.index))
}
