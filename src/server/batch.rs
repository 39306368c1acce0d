//! `POST .../batch`: several requests in one, each answered as if it had come alone.
//!
//! Must not know what any of them asks. Nothing is inherited: each has its own headers, so that each proves
//! on its own who sends it.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::State;
use axum::http::header::{ALLOW, CONTENT_LENGTH, CONTENT_TYPE, FORWARDED, HOST, ORIGIN};
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri};
use axum::response::IntoResponse as _;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use parking_lot::Mutex;
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::answer::Json;
use super::app::App;
use super::around::request_id;
use super::client_json;
use super::deadline::Deadline;
use super::listener::Side;
use super::refusal::Refusal;
use super::timers::KeptTimer;
use super::tracking;
use super::unpacked::unpacked;
use super::wire::batch::{BatchAnswer, BatchBody, Operation, OperationAnswer};
use crate::clock::{Stopwatch, system_time_ms};

const MOST_OPERATIONS: usize = 500;
const MOST_AT_ONCE: usize = 10;
/// So large all answers may be together.
const MOST_ANSWERED_BYTES: usize = 32 << 20;
/// How much of the time of a request the operations of a batch have: what is left is for their answers.
const SHARE_OF_TIME: f64 = 0.75;
/// What paths of batches end with.
const PATH: &str = "/batch";
/// Where batches are always at home: who asks there by another method is told which one it is.
const AT_HOME: [&str; 2] = [PATH, "/v1/batch"];
/// Headers that say where the batch came from. They are the connection's: an operation cannot say otherwise,
/// so that what is looked at of a single request is looked at of each.
const OF_THE_CONNECTION: [HeaderName; 4] =
    [HOST, ORIGIN, FORWARDED, HeaderName::from_static("x-forwarded-host")];

/// What answers the operations of a batch; a request that may be one brings it along. An operation brings
/// none: a batch in a batch is a path that nobody answers.
#[derive(Clone)]
pub(super) struct Operations(TowerToHyperService<Router>);

/// Gives a request what it needs if it turns out to be a batch.
pub(super) fn prepare<B>(
    side: Side,
    router: &TowerToHyperService<Router>,
    request: &mut Request<B>,
) {
    let path = request.uri().path();
    // A client of another system with one part of its address too many would be told of success, and lose all.
    if side == Side::Api && is_of_batches(path) && tracking::system_of(path).is_none() {
        request.extensions_mut().insert(Operations(router.clone()));
    }
}

/// A path that no route answers. As with Optimizely Agent, it is one of batches if it ends so, and what is
/// routed (a flag may be called so) is none.
pub(super) async fn unrouted(
    State(app): State<Arc<App>>,
    request: Request<Body>,
) -> Response<Body> {
    let Some(Operations(router)) = request.extensions().get().cloned() else {
        return Refusal::not_found().into_response();
    };
    if request.method() == Method::POST {
        return answer(&app, &router, request).await;
    }
    if !AT_HOME.contains(&request.uri().path()) {
        return Refusal::not_found().into_response();
    }
    let mut refused = Refusal::wrong_method().into_response();
    refused.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
    refused
}

/// Whether a path ends as those of batches do, in letters of whichever case.
pub(super) fn is_of_batches(path: &str) -> bool {
    let end = path.len().checked_sub(PATH.len()).and_then(|start| path.get(start..));
    end.is_some_and(|end| end.eq_ignore_ascii_case(PATH))
}

/// Answers each operation by the router, in the order of the batch.
async fn answer(
    app: &Arc<App>,
    router: &TowerToHyperService<Router>,
    request: Request<Body>,
) -> Response<Body> {
    let started_ms = system_time_ms();
    let limit = app.settings.limits.request_timeout.as_duration();
    let whole = || Deadline { watch: Stopwatch::start(), limit, timer: KeptTimer::default() };
    let whole = Deadline::of_the_request().unwrap_or_else(whole);
    let connection = of_the_connection(request.headers());
    let operations = match read(app, request).await {
        Ok(operations) => operations,
        Err(refusal) => return refusal.into_response(),
    };
    let doing = Doing {
        app: Arc::clone(app),
        router: router.clone(),
        connection: Arc::new(connection),
        places: Arc::new(Semaphore::new(MOST_AT_ONCE)),
        deadline: Deadline { limit: whole.limit.mul_f64(SHARE_OF_TIME), ..whole },
        room: Arc::new(Mutex::new(MOST_ANSWERED_BYTES)),
    };
    let count = operations.len();
    let mut tasks = JoinSet::new();
    for (place, operation) in operations.into_iter().enumerate() {
        let doing = doing.clone();
        tasks.spawn(async move { (place, doing.one(operation).await) });
    }
    let mut answers: Vec<Option<OperationAnswer>> = Vec::new();
    answers.resize_with(count, || None);
    while let Some(done) = tasks.join_next().await {
        // Panics of handlers are answers already.
        let Ok((place, answer)) = done else { continue };
        if let Some(free) = answers.get_mut(place) {
            *free = Some(answer);
        }
    }
    let answers: Vec<_> = answers.into_iter().flatten().collect();
    Json(BatchAnswer::new(started_ms, system_time_ms(), answers)).into_response()
}

fn of_the_connection(headers: &HeaderMap) -> HeaderMap {
    let mut of_it = HeaderMap::new();
    for name in OF_THE_CONNECTION {
        for value in headers.get_all(&name) {
            of_it.append(name.clone(), value.clone());
        }
    }
    of_it
}

async fn read(app: &App, request: Request<Body>) -> Result<Vec<Operation>, Refusal> {
    let text = unpacked(request, app.settings.limits.body.bytes).await?;
    let body: BatchBody = client_json::read(&text)
        .map_err(|_| Refusal::bad_request("cannot decode the operation body"))?;
    let operations = body.operations.unwrap_or_default();
    if operations.len() > MOST_OPERATIONS {
        return Err(Refusal::too_many(format!(
            "too many operations, exceeding {MOST_OPERATIONS} operations"
        )));
    }
    Ok(operations)
}

/// What all operations of a batch share.
#[derive(Clone)]
struct Doing {
    app: Arc<App>,
    router: TowerToHyperService<Router>,
    connection: Arc<HeaderMap>,
    places: Arc<Semaphore>,
    /// How long all operations may take together, from the beginning of the batch.
    deadline: Deadline,
    /// How many bytes of answers there is room for.
    room: Arc<Mutex<usize>>,
}

impl Doing {
    async fn one(&self, operation: Operation) -> OperationAnswer {
        let place = timeout(self.left(), self.places.acquire()).await;
        let started_ms = system_time_ms();
        let mut answer = OperationAnswer::of(&operation, started_ms);
        if place.is_err() || self.left().is_zero() {
            self.fill(&mut answer, Refusal::no_time_left().into_response()).await;
            return answer;
        }
        let Some(mut request) = request(operation) else {
            let refusal = Refusal::bad_request(
                "the operation is no request: look at its method, url, params and headers",
            );
            self.fill(&mut answer, refusal.into_response()).await;
            return answer;
        };
        for name in OF_THE_CONNECTION {
            request.headers_mut().remove(name);
        }
        request.headers_mut().extend((*self.connection).clone());
        let watch = Stopwatch::start();
        let endpoint = self.app.figures.endpoint(Side::Api, request.uri().path());
        let system = tracking::system_of(request.uri().path());
        if let Ok(id) = request_id(&request).to_str() {
            id.clone_into(&mut answer.request_id);
        }
        let response = self.answered(request).await;
        self.app.figures.answered(endpoint, response.status(), watch.elapsed());
        if let Some(system) = system {
            tracking::note_refused(&self.app, system, &response);
        }
        self.fill(&mut answer, response).await;
        answer
    }

    /// What is not answered in time is answered so, each on its own: the others' answers are not lost. What
    /// was begun may have been done.
    async fn answered(&self, request: Request<Body>) -> Response<Body> {
        let answering = self.deadline.clone().during(self.router.call(request));
        match timeout(self.left(), answering).await {
            Ok(Ok(response)) => response,
            Err(_) => Refusal::not_done_in_time().into_response(),
        }
    }

    fn left(&self) -> Duration {
        self.deadline.left()
    }

    async fn fill(&self, answer: &mut OperationAnswer, response: Response<Body>) {
        let (status, body) = match self.body(response).await {
            Ok(filled) => filled,
            Err(refusal) => {
                let response = refusal.into_response();
                let status = response.status();
                let body = to_bytes(response.into_body(), usize::MAX).await.unwrap_or_default();
                (status, json(&body))
            }
        };
        answer.status = status.as_u16();
        answer.body = body;
        answer.ended_at_ms = system_time_ms();
    }

    /// What is no JSON has no body here, as streams, which would never end.
    async fn body(
        &self,
        response: Response<Body>,
    ) -> Result<(StatusCode, Option<Box<RawValue>>), Refusal> {
        let status = response.status();
        let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        if !kind.is_some_and(|kind| kind.starts_with("application/json")) {
            return Ok((status, None));
        }
        let too_large = || {
            Refusal::too_many(format!(
                "the answers of this batch are larger than {MOST_ANSWERED_BYTES} bytes: ask for less at once"
            ))
        };
        let room = *self.room.lock();
        let body = to_bytes(response.into_body(), room).await.map_err(|_| too_large())?;
        let mut room = self.room.lock();
        *room = room.checked_sub(body.len()).ok_or_else(too_large)?;
        Ok((status, json(&body)))
    }
}

fn json(body: &Bytes) -> Option<Box<RawValue>> {
    serde_json::from_slice(body).ok()
}

fn request(operation: Operation) -> Option<Request<Body>> {
    let method = operation.method.unwrap_or_default();
    let method = Method::from_bytes(method.as_bytes()).ok()?;
    let params = operation.params.or(operation.parameters).unwrap_or_default();
    let uri = uri(&operation.url.unwrap_or_default(), params)?;
    let mut headers = HeaderMap::new();
    for (name, value) in operation.headers.unwrap_or_default() {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        headers.append(name, HeaderValue::from_str(&value).ok()?);
    }
    // The body is what it is here, however long it is said to be.
    headers.remove(CONTENT_LENGTH);
    let body = match operation.body {
        None | Some(Value::Null) => Body::empty(),
        Some(body) => {
            headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
            Body::from(body.to_string())
        }
    };
    let mut request = Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = uri;
    *request.headers_mut() = headers;
    Some(request)
}

/// The path of an address, which may name this daemon's host, with parameters behind those it has.
fn uri(url: &str, params: std::collections::BTreeMap<String, String>) -> Option<Uri> {
    let uri: Uri = url.parse().ok()?;
    let given = uri.path_and_query()?;
    if !given.path().starts_with('/') {
        return None;
    }
    let mut query = given.query().unwrap_or_default().to_owned();
    for (name, value) in params {
        if !query.is_empty() {
            query.push('&');
        }
        escape(&mut query, &name);
        query.push('=');
        escape(&mut query, &value);
    }
    let path = given.path();
    let text = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
    Some(Uri::from(text.parse::<PathAndQuery>().ok()?))
}

/// Everything but letters, digits and a few signs as its bytes.
fn escape(query: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            query.push(char::from(byte));
        } else {
            query.push_str(&format!("%{byte:02X}"));
        }
    }
}
