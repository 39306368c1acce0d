//! The layer around all that is routed: it looks at requests, and lets them on.
//!
//! Must not know the rules. A service of its own: `axum::middleware::from_fn` copies and boxes what is behind it
//! for each request.

use std::sync::Arc;
use std::task::{Context, Poll};

use axum::extract::{MatchedPath, Request};
use axum::response::{IntoResponse as _, Response};
use futures_util::future::{Either, Ready, ready};
use tower::{Layer, Service};

use super::Caller;
use crate::server::app::App;
use crate::server::listener::Side;
use crate::server::tracking;

/// Refuses a request, or lets it on with who asks. Nothing of its body is read before.
#[derive(Clone)]
pub(in crate::server) struct Guarding {
    pub(in crate::server) app: Arc<App>,
    pub(in crate::server) side: Side,
}

/// What is behind the guard.
#[derive(Clone)]
pub(in crate::server) struct Guarded<S> {
    guarding: Guarding,
    behind: S,
}

impl<S> Layer<S> for Guarding {
    type Service = Guarded<S>;

    fn layer(&self, behind: S) -> Guarded<S> {
        Guarded { guarding: self.clone(), behind }
    }
}

impl<S: Service<Request, Response = Response>> Service<Request> for Guarded<S> {
    type Response = Response;
    type Error = S::Error;
    type Future = Either<Ready<Result<Response, S::Error>>, S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.behind.poll_ready(context)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let Guarding { app, side } = &self.guarding;
        let routed = request.extensions().get().map(MatchedPath::as_str);
        let caller = match app.guard.now().admit(*side, routed, &request) {
            Ok(caller) => caller,
            Err(refused) => {
                // What is refused of tracking is noted by its system, with the answer.
                let path = request.uri().path();
                if *side != Side::Api || tracking::system_of(path).is_none() {
                    refused.note(&app.problems);
                }
                return Either::Left(ready(Ok(refused.into_response())));
            }
        };
        let extensions = request.extensions_mut();
        match caller {
            Some(caller) => extensions.insert(caller),
            None => extensions.remove::<Caller>(),
        };
        Either::Right(self.behind.call(request))
    }
}
