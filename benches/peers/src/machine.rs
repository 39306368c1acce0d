//! On what and when it was measured.

use std::{fmt, fs, process, thread};

use jiff::tz::TimeZone;
use serde::Serialize;

/// The machine, the compiler and the day.
#[derive(Debug, Serialize)]
pub(crate) struct Machine {
    processor: String,
    threads: usize,
    system: String,
    compiler: String,
    date: String,
}

impl Machine {
    /// This one; what cannot be found out is `unknown`.
    pub(crate) fn current() -> Self {
        let unknown = || "unknown".to_owned();
        Self {
            processor: processor().unwrap_or_else(unknown),
            threads: thread::available_parallelism().map_or(1, usize::from),
            system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            compiler: compiler().unwrap_or_else(unknown),
            date: jiff::Timestamp::now().to_zoned(TimeZone::UTC).date().to_string(),
        }
    }
}

fn processor() -> Option<String> {
    let about = fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = about.lines().find(|line| line.starts_with("model name"))?;
    line.split_once(':').map(|(_, name)| name.trim().to_owned())
}

fn compiler() -> Option<String> {
    let answer = process::Command::new("rustc").arg("--version").output().ok()?;
    let text = String::from_utf8(answer.stdout).ok()?;
    text.split_whitespace().nth(1).map(|version| format!("rustc {version}"))
}

impl fmt::Display for Machine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { processor, threads, system, compiler, date } = self;
        write!(formatter, "{date}, {processor}, {threads} threads, {system}, {compiler}")
    }
}
