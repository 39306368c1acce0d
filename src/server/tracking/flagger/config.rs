//! `GET /v3/config/{key}`: the flags, as Flagger's clients read them.
//!
//! Must not know how they are said. Each datafile is said once, and so is what it cannot say: for whoever
//! looks at the problems.

use std::collections::{HashMap, VecDeque};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use parking_lot::Mutex;

use super::finding::Findings;
use super::flags;
use super::{Key, SYSTEM, environment, stream};
use crate::clock::Stopwatch;
use crate::datafile::Datafile;
use crate::server::answer::{By, JSON};
use crate::server::app::App;
use crate::server::environment::Environment;
use crate::server::etag::{etag, is_among};
use crate::server::problems::ProblemKind;
use crate::server::refusal::Refusal;

/// So many flags are named of each finding.
const MOST_NAMED: usize = 10;
/// Who asks for the configuration opens a stream right behind that.
const FETCHED_LATELY: Duration = Duration::from_secs(30);
const MOST_FETCHES: usize = 1024;

/// The configurations of all environments that somebody asked for, by name.
#[derive(Debug, Default)]
pub(in crate::server) struct Configs(Mutex<HashMap<Box<str>, Arc<Config>>>);

/// A datafile as it is told.
#[derive(Debug)]
pub(super) struct Config {
    datafile: Arc<Datafile>,
    text: Bytes,
    etag: HeaderValue,
    /// As a message of a stream.
    pub(super) message: Bytes,
    /// When it was asked for by who has not opened a stream since then.
    fetches: Mutex<VecDeque<Stopwatch>>,
}

pub(super) async fn config(
    State(app): State<Arc<App>>,
    key: Key,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let environment = environment(&app, &key)?;
    let config = of(&app, &environment).ok_or_else(Refusal::not_ready)?;
    config.note_fetch();
    let mut response = if is_among(&config.etag, &headers) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let mut response = Response::new(Body::from(config.text.clone()));
        response.headers_mut().insert(CONTENT_TYPE, JSON);
        response
    };
    let head = response.headers_mut();
    head.insert(ETAG, config.etag.clone());
    head.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    Ok(By(&environment, config.revision(), response).into_response())
}

/// The configuration in force; `None` where there is no datafile yet.
pub(super) fn of(app: &App, environment: &Environment) -> Option<Arc<Config>> {
    let datafile = environment.client.datafile()?;
    let mut kept = app.flagger.0.lock();
    if let Some(config) = kept.get(environment.name())
        && Arc::ptr_eq(&config.datafile, &datafile)
    {
        return Some(Arc::clone(config));
    }
    let config = Arc::new(Config::new(app, environment, datafile));
    kept.insert(environment.name().into(), Arc::clone(&config));
    Some(config)
}

impl Config {
    fn new(app: &App, environment: &Environment, datafile: Arc<Datafile>) -> Self {
        let (answer, findings) = flags::config(&datafile);
        tell(app, environment, &findings);
        // Nothing in it can fail to be written.
        let text = serde_json::to_string(&answer).unwrap_or_default();
        let etag = etag(text.as_bytes());
        let message = stream::message(id_of(&etag), "flagConfigUpdate", &text);
        if message.len() > stream::LONGEST_LINE {
            let text = format!(
                "{SYSTEM}: the configuration has {} bytes: clients of Go, Python and PHP see changes only when they start again; split the project, or start them again",
                message.len()
            );
            app.problems.note(ProblemKind::Tracking, environment.name(), &text);
        }
        let fetches = Mutex::default();
        Self { datafile, text: text.into(), etag, message: message.into(), fetches }
    }

    fn note_fetch(&self) {
        let mut fetches = self.fetches.lock();
        if fetches.len() >= MOST_FETCHES {
            fetches.pop_front();
        }
        fetches.push_back(Stopwatch::start());
    }

    /// Whether who opens a stream has just asked for this, as far as one can know: each that asked counts once.
    pub(super) fn was_fetched_lately(&self) -> bool {
        let mut fetches = self.fetches.lock();
        while let Some(fetch) = fetches.pop_front() {
            if fetch.elapsed() < FETCHED_LATELY {
                return true;
            }
        }
        false
    }

    pub(super) fn revision(&self) -> &str {
        self.datafile.revision()
    }

    /// What tells it from others.
    pub(super) fn id(&self) -> &str {
        id_of(&self.etag)
    }
}

fn id_of(etag: &HeaderValue) -> &str {
    etag.to_str().unwrap_or_default().trim_matches('"')
}

fn tell(app: &App, environment: &Environment, findings: &Findings<'_>) {
    for (finding, named) in findings {
        let mut text = format!("{SYSTEM}: {} {}", finding.text(), named.len());
        text.push_str(if named.len() == 1 { " flag: " } else { " flags: " });
        text.push_str(&named.iter().take(MOST_NAMED).copied().collect::<Vec<_>>().join(", "));
        if named.len() > MOST_NAMED {
            // Writing to a text cannot fail.
            write!(text, " and {} more", named.len() - MOST_NAMED).unwrap_or_default();
        }
        tracing::info!(environment = environment.name(), "{text}");
        app.problems.note(ProblemKind::Tracking, environment.name(), &text);
    }
}
