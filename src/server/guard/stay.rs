//! For how long an answer may go on that has no end of its own: as long as what let it in is good.
//!
//! Must not know what is told. Who was let in is looked at again when settings are read again, when a JWT
//! is over, and now and then, since keys that are published go without a word. That uses no token up.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequestParts, MatchedPath};
use axum::http::request::Parts;
use hyper::body::{Body as HttpBody, Frame};

use super::lines;
use super::tokens::credential;
use crate::clock::{TimeMs, system_time_ms};
use crate::server::app::App;
use crate::server::environment::Environment;
use crate::server::listener::Side;

const LONGEST_PAUSE: Duration = Duration::from_secs(60);
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);

/// What somebody was let in by who listens at the API.
#[derive(Debug)]
pub(in crate::server) struct Stay {
    /// As it is routed.
    path: String,
    credential: Option<String>,
}

impl<S: Sync> FromRequestParts<S> for Stay {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let path = parts.extensions.get::<MatchedPath>();
        Ok(Self {
            path: path.map(|path| path.as_str().to_owned()).unwrap_or_default(),
            credential: credential(Side::Api, &parts.headers).map(|text| text.into_owned()),
        })
    }
}

impl Stay {
    /// What is told of an environment, until who hears it may not any longer.
    pub(in crate::server) fn bound<B>(
        self,
        app: &Arc<App>,
        environment: &Arc<Environment>,
        body: B,
    ) -> Body
    where
        B: HttpBody<Data = Bytes, Error = Infallible> + Send + Unpin + 'static,
    {
        let over = Box::pin(self.over(Arc::clone(app), Arc::clone(environment)));
        Body::new(Bound { body, over })
    }

    async fn over(self, app: Arc<App>, environment: Arc<Environment>) {
        let mut reloaded = app.reloaded.subscribe();
        while let Some(left) = self.left(&app, &environment) {
            tokio::select! {
                changed = reloaded.changed() => if changed.is_err() { return },
                () = tokio::time::sleep(left.clamp(SHORTEST_PAUSE, LONGEST_PAUSE)) => {}
            }
        }
        tracing::debug!(environment = environment.name(), "a stream's token is not good any more");
    }

    /// How long it is good as far as one can know; `None` where it is not.
    fn left(&self, app: &App, environment: &Environment) -> Option<Duration> {
        let guard = app.guard.now();
        let (caller, until_ms) = guard.known(self.credential.as_deref())?;
        let may_ask = match lines::needs(Side::Api, &self.path)? {
            lines::Needs::Scope(scope) => caller.has(scope),
            _ => true,
        };
        if !may_ask || !caller.reaches(environment) {
            return None;
        }
        let left_ms = until_ms.map(|until_ms: TimeMs| until_ms.saturating_sub(system_time_ms()));
        Some(left_ms.map_or(LONGEST_PAUSE, |left_ms| {
            Duration::from_millis(u64::try_from(left_ms).unwrap_or_default())
        }))
    }
}

/// A body that ends when it is over, whatever there is to say.
struct Bound<B> {
    body: B,
    over: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl<B: HttpBody<Data = Bytes, Error = Infallible> + Unpin> HttpBody for Bound<B> {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = self.get_mut();
        if this.over.as_mut().poll(context).is_ready() {
            return Poll::Ready(None);
        }
        Pin::new(&mut this.body).poll_frame(context)
    }
}
