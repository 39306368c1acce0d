//! `GET /v3/config/{key}`: the flags, as Flagger's clients read them.
//!
//! Must not know how they are said. Each datafile is said once, and so is what it cannot say: for whoever
//! looks at the problems.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use parking_lot::Mutex;

use super::flags::{self, Findings};
use super::{Key, SYSTEM, environment, stream};
use crate::datafile::Datafile;
use crate::server::answer::{By, JSON};
use crate::server::app::App;
use crate::server::environment::Environment;
use crate::server::etag::{etag, is_among};
use crate::server::problems::ProblemKind;
use crate::server::refusal::Refusal;

/// So many flags are named of each finding.
const MOST_NAMED: usize = 10;

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
}

pub(super) async fn config(
    State(app): State<Arc<App>>,
    key: Key,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let environment = environment(&app, &key)?;
    let config = of(&app, &environment).ok_or_else(Refusal::not_ready)?;
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
        Self { datafile, text: text.into(), etag, message: message.into() }
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
