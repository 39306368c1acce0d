//! `variate serve`: the daemon, until it is told to stop.
//!
//! Must not know what it answers.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Registry, fmt, reload};

use super::arguments::ServeArguments;
use super::failure::Failure;
use super::say;
use crate::error::Error;
use crate::events::SinkTarget;
use crate::server::{Addresses, Hangups, Server, Signalled};
use crate::settings::{Given, LogFormat, LogLevel, ServeSettings};

/// The settings file that is read where none is named.
const USUAL_FILE: &str = "variate.toml";

pub(super) fn run(arguments: &ServeArguments) -> Result<ExitCode, Failure> {
    let file = file(arguments);
    let settings = settings(arguments, file.as_deref()).map_err(Failure::settings)?;
    if arguments.print_config {
        let printed = io::stdout().lock().write_all(settings.to_toml().as_bytes());
        return printed.map(|()| ExitCode::SUCCESS).map_err(Failure::output);
    }
    let level = log(&settings);
    let has_stdout_sink = settings.sinks.iter().any(|sink| sink.to == SinkTarget::Stdout);
    let has_tls = settings.access.has_tls();
    let deadline = settings.shutdown_deadline.as_duration();
    let hangups = Hangups::take().map_err(Failure::settings)?;
    let server = Server::start(settings).map_err(Failure::settings)?;
    let mut signals = hangups.and_ends().map_err(Failure::settings)?;
    tell(server.addresses(), has_tls, has_stdout_sink);
    while signals.wait() == Signalled::Reload {
        reload(arguments, file.as_deref(), &server, level.as_ref());
    }
    server.shut_down(deadline).map_err(Failure::not_kept)?;
    Ok(ExitCode::SUCCESS)
}

/// The settings file; one that was there at the start must not be gone later, or who may ask would be
/// forgotten.
fn file(arguments: &ServeArguments) -> Option<PathBuf> {
    let usual = || Some(PathBuf::from(USUAL_FILE)).filter(|path| Path::is_file(path));
    arguments.config.clone().or_else(usual)
}

fn settings(arguments: &ServeArguments, file: Option<&Path>) -> Result<ServeSettings, Error> {
    let file = file.map_or_else(|| Ok(Given::default()), Given::from_file)?;
    Ok(ServeSettings::new(arguments.given().over(file)))
}

/// Reads the settings again; what is wrong with them is said, and leaves all as it was.
fn reload(arguments: &ServeArguments, file: Option<&Path>, server: &Server, level: Option<&Level>) {
    let log = settings(arguments, file).and_then(|settings| {
        let log = settings.log;
        server.reload(settings).map(|()| log)
    });
    match (log, level) {
        // What logs is there as long as the process.
        (Ok(log), Some(level)) => level.reload(targets(log)).unwrap_or_default(),
        (Ok(_), None) => {}
        (Err(error), _) => {
            let error = format!("{:#}", anyhow::Error::from(error));
            tracing::error!(error, "the settings were not read again: all stays as it was");
            server.note_refused_settings(&error);
        }
    }
}

/// A line for each listener: its name and its address. Where records go to standard output, nothing else
/// does.
fn tell(addresses: Addresses, has_tls: bool, has_stdout_sink: bool) {
    let scheme = if has_tls { "https" } else { "http" };
    let Addresses { api, admin, .. } = addresses;
    for (name, address) in [("api", api), ("admin", admin)] {
        let Some(address) = address else { continue };
        let line = format!("{name} {scheme}://{address}");
        if has_stdout_sink {
            say(&line);
        } else {
            let mut stdout = io::stdout().lock();
            // Who does not read them knows them.
            writeln!(stdout, "{line}").and_then(|()| stdout.flush()).unwrap_or_default();
        }
    }
}

/// Where how much is logged can be changed.
type Level = reload::Handle<Targets, Registry>;

/// Only this program's own words are logged: those of others may hold what is secret.
fn targets(level: LogLevel) -> Targets {
    let level = match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
    };
    Targets::new().with_target(env!("CARGO_PKG_NAME"), level)
}

fn log(settings: &ServeSettings) -> Option<Level> {
    let lines = fmt::layer::<Registry>().with_writer(io::stderr).with_target(false);
    let lines = match settings.log_format {
        LogFormat::Text => lines.with_ansi(false).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    let (own, level) = reload::Layer::new(targets(settings.log));
    // Where somebody logs already, that goes on.
    let begun = tracing_subscriber::registry().with(lines.with_filter(own)).try_init();
    begun.ok().map(|()| level)
}
