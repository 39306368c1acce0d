//! Work on the store for the administration: on threads that may wait for the disk, few at once.
//!
//! Must not know what is done. A handler that gives up leaves its work to end by itself; what may take long
//! is done in parts, each of which says where to go on.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;
use tokio::task::JoinError;

use crate::clock::Stopwatch;
use crate::error::Error;
use crate::server::app::App;
use crate::server::refusal::Refusal;

/// How long one answer looks through records at most.
const LONGEST_LOOK: Duration = Duration::from_secs(2);

/// Does it where blocking is allowed.
pub(super) async fn work<T: Send + 'static>(
    app: &Arc<App>,
    work: impl FnOnce(&App) -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    let place = Arc::clone(&app.readers).acquire_owned().await;
    work_in(app, place.map_err(|_| Refusal::stopping())?, work).await
}

/// The same in another place than those of readers, for what waits for something else than the store.
pub(super) async fn work_in<T: Send + 'static>(
    app: &Arc<App>,
    place: OwnedSemaphorePermit,
    work: impl FnOnce(&App) -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    let app = Arc::clone(app);
    let worked = tokio::task::spawn_blocking(move || {
        let done = work(&app);
        drop(place);
        done
    });
    let broken = |error: JoinError| {
        if error.is_panic() { Refusal::defect() } else { Refusal::stopping() }
    };
    worked.await.map_err(broken)?
}

/// The same for what only reads, and fails only where the store cannot be read.
pub(super) async fn read<T: Send + 'static>(
    app: &Arc<App>,
    read: impl FnOnce(&App) -> Result<T, Error> + Send + 'static,
) -> Result<T, Refusal> {
    work(app, |app| read(app).map_err(|error| Refusal::unreadable(&error))).await
}

/// The time that a look at many records has.
#[derive(Debug)]
pub(super) struct Look {
    watch: Stopwatch,
    most: Duration,
}

impl Look {
    pub(super) fn start(app: &App) -> Self {
        let most = app.settings.limits.request_timeout.as_duration() / 4;
        Self { watch: Stopwatch::start(), most: most.min(LONGEST_LOOK) }
    }

    pub(super) fn is_over(&self) -> bool {
        self.watch.elapsed() >= self.most
    }
}
