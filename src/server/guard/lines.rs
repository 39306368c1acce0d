//! What each path needs: the table, which is all that is said about it.
//!
//! Must not know tokens. Paths are written as they are routed, so that what is judged is what is answered.

use crate::server::listener::Side;
use crate::settings::Scope;

/// What a path needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::server) enum Needs {
    /// Nothing at all, so that it can be asked by whatever looks whether the process is alive.
    Nothing,
    /// Nothing; and who has a token is told more.
    NothingForLess,
    /// A signature, secret or key of its own, which whoever answers looks at.
    OwnProof,
    /// Any token.
    Token,
    /// A token with this scope; which environments it is for is asked where one is chosen.
    Scope(Scope),
}

const DECIDE: Needs = Needs::Scope(Scope::Decide);
const TRACK: Needs = Needs::Scope(Scope::Track);
const OVERRIDE: Needs = Needs::Scope(Scope::Override);

/// Paths of the API.
const OF_API: &[(&str, Needs)] = &[
    ("/health", Needs::Nothing),
    ("/ready", Needs::NothingForLess),
    ("/oauth/token", Needs::OwnProof),
    ("/webhooks/optimizely", Needs::OwnProof),
    ("/openapi.json", Needs::Token),
    ("/v1/decide", DECIDE),
    ("/v1/activate", DECIDE),
    ("/v1/config", DECIDE),
    ("/v1/datafile", DECIDE),
    ("/v1/lookup", DECIDE),
    ("/v1/notifications/event-stream", DECIDE),
    ("/datafiles/{file}", DECIDE),
    ("/ofrep/v1/evaluate/flags", DECIDE),
    ("/ofrep/v1/evaluate/flags/{*key}", DECIDE),
    ("/ofrep/v1/events", DECIDE),
    ("/v1/track", TRACK),
    ("/v1/save", TRACK),
    ("/v1/send-odp-event", TRACK),
    ("/ofrep/v1/track/{*key}", TRACK),
    ("/v1/override", OVERRIDE),
    ("/v1/events", Needs::OwnProof),
    ("/optimizely/{sdk_key}/v1/events", Needs::OwnProof),
    ("/v3/config/{key}", Needs::OwnProof),
    ("/v3/ingest/{key}", Needs::OwnProof),
    ("/v3/sse/{key}", Needs::OwnProof),
    ("/segment/v1/{message}", Needs::OwnProof),
    ("/track", Needs::OwnProof),
    ("/api/track", Needs::OwnProof),
    ("/identify", Needs::OwnProof),
    ("/api/identify", Needs::OwnProof),
    ("/group", Needs::OwnProof),
    ("/api/group", Needs::OwnProof),
    ("/page", Needs::OwnProof),
    ("/api/page", Needs::OwnProof),
    ("/api/v1/tracker/event/", Needs::OwnProof),
    ("/i", Needs::OwnProof),
    ("/i/sdk", Needs::OwnProof),
    ("/i/bulk", Needs::OwnProof),
    ("/o/sdk", Needs::OwnProof),
];

/// Paths of the administration that need less than its scope, which all others need.
const OF_ADMIN: &[(&str, Needs)] = &[
    ("/health", Needs::Nothing),
    ("/ready", Needs::NothingForLess),
    ("/oauth/token", Needs::OwnProof),
];

/// What a path needs that is routed; `None` where the API's table has no line for it.
pub(in crate::server) fn needs(side: Side, path: &str) -> Option<Needs> {
    let (lines, others) = match side {
        Side::Api => (OF_API, None),
        Side::Admin => (OF_ADMIN, Some(Needs::Scope(Scope::Admin))),
    };
    let line = lines.iter().find(|(known, _)| *known == path);
    line.map(|(_, needs)| *needs).or(others)
}
