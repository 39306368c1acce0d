//! Bodies that ask for something to be done: JSON, and all of it understood.
//!
//! Must not know what is to be done. The content type is demanded also so that no page of the web can have a
//! browser ask for it: a browser asks the daemon first whether it may send that.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::FromRequest;
use axum::http::Request;
use serde::de::DeserializeOwned;

use crate::server::app::App;
use crate::server::asked::json_text;
use crate::server::refusal::Refusal;

/// A JSON body, which must be there.
#[derive(Debug)]
pub(super) struct Told<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Arc<App>> for Told<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request<Body>, app: &Arc<App>) -> Result<Self, Refusal> {
        let text = json_text(request, app).await?;
        if text.is_empty() {
            return Err(Refusal::bad_request(
                "what to do is said in the body: send a JSON object, with Content-Type: application/json",
            ));
        }
        let read = serde_json::from_slice(&text).map(Self);
        read.map_err(|error| Refusal::bad_request(format!("the body cannot be used: {error}")))
    }
}
