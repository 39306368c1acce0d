//! The calls that are asked most, answered without the router: by the same guard and the same handlers, without
//! the services in between, each of which copies and boxes what it is about for every request.
//!
//! Must not know what they answer. Where more is set up around the router, it answers these calls, too.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{Method, Request, Response};
use axum::response::IntoResponse as _;
use futures_util::FutureExt as _;

use super::agent::{Chosen, activate, decide, track};
use super::app::App;
use super::asked::{Asked, Said};
use super::guard::Caller;
use super::listener::Side;
use super::refusal::Refusal;
use super::router::{around, panicked};

/// One of these calls.
#[derive(Debug, Clone, Copy)]
pub(super) enum Call {
    Activate,
    Decide,
    Track,
}

impl Call {
    /// Which one a request is, if it is one and is answered here.
    pub(super) fn of<B>(app: &App, side: Side, request: &Request<B>) -> Option<Self> {
        let is_here = side == Side::Api && around(side, app).is_none();
        if !is_here || request.method() != Method::POST {
            return None;
        }
        let path = request.uri().path();
        [Self::Activate, Self::Decide, Self::Track].into_iter().find(|call| call.path() == path)
    }

    /// As the router knows it.
    const fn path(self) -> &'static str {
        match self {
            Self::Activate => "/v1/activate",
            Self::Decide => "/v1/decide",
            Self::Track => "/v1/track",
        }
    }

    pub(super) async fn answer<B>(self, app: &Arc<App>, request: Request<B>) -> Response<Body>
    where
        B: HttpBody<Data = Bytes> + Unpin,
    {
        AssertUnwindSafe(self.guarded(app, request)).catch_unwind().await.unwrap_or_else(panicked)
    }

    /// Nothing of the body is read before who asks is let in.
    async fn guarded<B>(self, app: &Arc<App>, request: Request<B>) -> Response<Body>
    where
        B: HttpBody<Data = Bytes> + Unpin,
    {
        let admitted = app.guard.now().admit(Side::Api, Some(self.path()), &request);
        let (head, body) = request.into_parts();
        match admitted {
            Ok(caller) => {
                let answered = self.answered(app, &caller.unwrap_or_default(), head, body).await;
                answered.unwrap_or_else(Refusal::into_response)
            }
            Err(refused) => {
                refused.note(&app.problems);
                refused.into_response()
            }
        }
    }

    async fn answered<B>(
        self,
        app: &Arc<App>,
        caller: &Caller,
        head: Parts,
        body: B,
    ) -> Result<Response<Body>, Refusal>
    where
        B: HttpBody<Data = Bytes> + Unpin,
    {
        let chosen = Chosen::by(app, &head.headers, caller)?;
        let asked = Asked::of(&head.uri);
        let headers = &head.headers;
        match self {
            Self::Activate => activate(chosen, asked, Said::read(app, headers, body).await?).await,
            Self::Decide => decide(chosen, asked, Said::read(app, headers, body).await?).await,
            Self::Track => {
                let said = Said::read(app, headers, body).await?;
                track(State(Arc::clone(app)), chosen, asked, said).await
            }
        }
    }
}
