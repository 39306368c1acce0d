//! `POST /v1/send-odp-event`: events for Optimizely's data platform, which this daemon does not know.
//!
//! Must not know any other service: answered as Agent answers without it.

use super::chosen::Chosen;
use super::wire::arranged::OdpEventBody;
use crate::server::asked::Said;
use crate::server::refusal::Refusal;

pub(super) async fn send(_: Chosen, Said(body): Said<OdpEventBody>) -> Refusal {
    if body.action.unwrap_or_default().is_empty() {
        return Refusal::bad_request("missing \"action\" in request payload");
    }
    if body.identifiers.unwrap_or_default().is_empty() {
        return Refusal::bad_request("missing or empty \"identifiers\" in request payload");
    }
    Refusal::not_set_up("ODP is not integrated")
}
