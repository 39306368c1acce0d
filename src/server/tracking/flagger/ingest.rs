//! `POST /v3/ingest/{key}`: what a client showed, and what its users did.
//!
//! Must not know the attribution rule. Clients send again whatever is not answered with 200, so that only
//! what may be of use the next time is answered with anything else.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use serde_json::Value;

use super::reading::Reading;
use super::{Key, SYSTEM, environment};
use crate::server::app::App;
use crate::server::asked::is_json;
use crate::server::client_json;
use crate::server::refusal::Refusal;
use crate::server::tracking::record::record;
use crate::server::tracking::unused::{Reason, Unused};
use crate::server::unpacked::unpacked;

pub(super) async fn ingest(
    State(app): State<Arc<App>>,
    key: Key,
    request: Request,
) -> Result<StatusCode, Refusal> {
    let environment = environment(&app, &key)?;
    let is_json = is_json(request.headers());
    let body = match unpacked(request, app.settings.limits.body.bytes).await {
        Err(broken_off) if broken_off.is_broken_off() => return Err(broken_off),
        _ if !is_json => {
            // A page of somebody else could send it; a client would send it again for ever.
            let what = "a request without Content-Type: application/json";
            Unused::plain(Reason::WrongKind, what).note(&app, &environment, SYSTEM);
            return Ok(StatusCode::OK);
        }
        Ok(body) => body,
        Err(refusal) => {
            let (status, why, _) = refusal.into_parts();
            let is_too_large = status == StatusCode::PAYLOAD_TOO_LARGE;
            let reason = if is_too_large { Reason::TooLarge } else { Reason::WrongKind };
            Unused::named(reason, "a request:", &why).note(&app, &environment, SYSTEM);
            return Ok(StatusCode::OK);
        }
    };
    let Ok(Value::Object(said)) = client_json::read(&body) else {
        let unused = Unused::plain(Reason::WrongKind, "a body that is no JSON object");
        unused.note(&app, &environment, SYSTEM);
        return Ok(StatusCode::OK);
    };
    let datafile = environment.client.datafile().ok_or_else(Refusal::not_ready)?;
    let payload = Reading::new(&said, &body, &datafile).payload(&said);
    record(&app, &environment, SYSTEM, payload).await?;
    Ok(StatusCode::OK)
}
