//! The layer around all that is routed: it looks at requests, and lets them on.
//!
//! Must not know the rules.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::Caller;
use crate::server::app::App;
use crate::server::listener::Side;

/// Refuses a request, or lets it on with who asks. Nothing of its body is read before.
pub(in crate::server) async fn check(
    State((app, side)): State<(Arc<App>, Side)>,
    mut request: Request,
    next: Next,
) -> Response {
    let admitted = app.guard.now().admit(side, &request);
    let caller = match admitted {
        Ok(caller) => caller,
        Err(refused) => return refused.into_response(),
    };
    let extensions = request.extensions_mut();
    match caller {
        Some(caller) => extensions.insert(caller),
        None => extensions.remove::<Caller>(),
    };
    next.run(request).await
}
