//! Where the daemon has its datafiles from: a file that is replaced, and an address that answers.
//!
//! Must not know what is in them.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::extract::State;
use axum::http::header::{CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use tokio::net::TcpListener;

use crate::datafiles::datafile;
use crate::process::Fault;

/// Both of them, which change together.
#[derive(Debug)]
pub(crate) struct Sources {
    file: PathBuf,
    /// By file and by address.
    sdk_keys: [&'static str; 2],
    revision: AtomicU64,
}

impl Sources {
    /// Writes the first datafile, and answers for the other; gives where.
    pub(crate) async fn start(
        folder: &Path,
        sdk_keys: [&'static str; 2],
    ) -> Result<(Arc<Self>, SocketAddr), Fault> {
        let file = folder.join("soak.json");
        let sources = Arc::new(Self { file, sdk_keys, revision: AtomicU64::new(0) });
        sources.swap()?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let router = Router::new().fallback(get(answer)).with_state(Arc::clone(&sources));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok((sources, address))
    }

    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    pub(crate) fn revision(&self) -> u64 {
        self.revision.load(Ordering::Relaxed)
    }

    /// Puts the next revision in the place of the one that is there.
    pub(crate) fn swap(&self) -> Result<(), Fault> {
        let revision = self.revision.fetch_add(1, Ordering::Relaxed) + 1;
        let [by_file, _] = self.sdk_keys;
        let beside = self.file.with_extension("next");
        std::fs::write(&beside, datafile(by_file, revision))?;
        std::fs::rename(&beside, &self.file)?;
        Ok(())
    }
}

async fn answer(State(sources): State<Arc<Sources>>, headers: HeaderMap) -> Response {
    let [_, by_address] = sources.sdk_keys;
    let revision = sources.revision();
    let etag = format!("\"{revision}\"");
    if headers.get(IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == etag.as_bytes()) {
        return StatusCode::NOT_MODIFIED.into_response();
    }
    let headers = [(CONTENT_TYPE, "application/json".to_owned()), (ETAG, etag)];
    (headers, datafile(by_address, revision)).into_response()
}
