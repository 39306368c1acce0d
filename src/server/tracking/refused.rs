//! Tracking requests that were refused, for who runs the daemon: clients seldom tell anybody what they are told.
//!
//! Must not know how a request was read. All answers come by here, also where no handler was reached, so that nothing
//! is refused in silence; neither a path nor a body is told, which may hold keys and users.

use axum::http::StatusCode;
use axum::response::Response;

use super::unused::Reason;
use crate::server::app::App;
use crate::server::batch::is_of_batches;
use crate::server::problems::ProblemKind;
use crate::server::refusal::{Heard, Why};
use crate::settings::TrackingSystem;

/// The system whose clients send to a path, or meant to.
pub(in crate::server) fn system_of(path: &str) -> Option<TrackingSystem> {
    let mut parts = path.split('/').skip(1);
    let mut next = || parts.next().unwrap_or_default();
    Some(match (next(), next(), next()) {
        ("segment", ..) => TrackingSystem::Segment,
        ("v1", "events", _) => TrackingSystem::Optimizely,
        // Agent may be behind a prefix that is called so, and none of Optimizely's clients sends to a batch.
        ("optimizely", _, third) if !third.is_empty() && !is_of_batches(path) => {
            TrackingSystem::Optimizely
        }
        ("v3", "config" | "ingest" | "sse", _) => TrackingSystem::Flagger,
        ("api", "v1", "tracker") => TrackingSystem::Onboardflow,
        ("api", "track" | "identify" | "group" | "page", _)
        | ("track" | "identify" | "group" | "page", ..) => TrackingSystem::Thrivestack,
        ("i" | "o", ..) => TrackingSystem::Countly,
        _ => return None,
    })
}

/// Counts a refusal, and keeps it among the problems, unless whoever refused has done so.
pub(in crate::server) fn note(app: &App, system: TrackingSystem, response: &Response) {
    let status = response.status();
    let Some(by_status) = by_status(status) else { return };
    let why = response.extensions().get::<Why>();
    let reason = match why.map(|why| why.heard) {
        Some(Heard::Already) => return,
        Some(Heard::As(reason)) => reason,
        Some(Heard::ByStatus) | None => by_status.as_str(),
    };
    app.figures.unused("", (system.as_str(), reason), 1);
    let text = why.map_or(by_status.remedy(), |why| &*why.text);
    let text =
        format!("{system}: a request is refused with {} ({reason}): {text}", status.as_u16());
    app.problems.note(ProblemKind::Tracking, system.as_str(), &text);
}

/// What a status says of a request; nothing of one that may be of use later as it is.
fn by_status(status: StatusCode) -> Option<Reason> {
    Some(match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Reason::UnknownKey,
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => Reason::UnknownPath,
        StatusCode::PAYLOAD_TOO_LARGE => Reason::TooLarge,
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => return None,
        _ if status.is_client_error() => Reason::WrongKind,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    //! Whose a path is.

    use super::{StatusCode, by_status, system_of};

    #[test]
    fn paths_are_of_the_system_that_they_begin_as() {
        let check = |path: &str, expect: &str| {
            let system = system_of(path).map(|system| system.to_string());
            assert_eq!(system.unwrap_or_default(), expect, "{path}");
        };
        check("/segment/v1/t", "segment");
        check("/segment", "segment");
        check("/v1/events", "optimizely");
        check("/optimizely/KEY/v2/events", "optimizely");
        check("/optimizely/KEY", "");
        check("/optimizely/batch", "");
        check("/optimizely/v1/batch", "");
        check("/optimizely/v1/Batch", "");
        check("/optimizely/v1/batches", "optimizely");
        check("/api/v1/batch", "");
        check("/api/v1", "");
        check("/v3/ingest/KEY", "flagger");
        check("/v3/", "");
        check("/api/v1/tracker/event", "onboardflow");
        check("/api/track", "thrivestack");
        check("/page", "thrivestack");
        check("/pages", "");
        check("/i/bulk", "countly");
        check("/o/sdk", "countly");
        check("/v1/decide", "");
        check("/", "");
        check("", "");
    }

    #[test]
    fn statuses_say_why() {
        let check = |status: u16, expect: &str| {
            let reason = by_status(StatusCode::from_u16(status).unwrap());
            assert_eq!(
                reason.map(|reason| reason.as_str()).unwrap_or_default(),
                expect,
                "{status}"
            );
        };
        check(200, "");
        check(400, "wrong-kind");
        check(401, "unknown-key");
        check(403, "unknown-key");
        check(404, "unknown-path");
        check(405, "unknown-path");
        check(408, "");
        check(413, "too-large");
        check(415, "wrong-kind");
        check(429, "");
        check(503, "");
    }
}
