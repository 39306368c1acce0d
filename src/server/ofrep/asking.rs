//! What every request of OFREP says: which environment, who asks, the body.
//!
//! Must not know what is asked.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequest, FromRequestParts as _, Path, Request};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Map, Value};

use super::context::Context;
use super::fault::{Code, Fault};
use crate::server::app::App;
use crate::server::asked::json_text;
use crate::server::client_json;
use crate::server::environment::Environment;
use crate::server::guard::Caller;
use crate::server::refusal::Refusal;

/// The key of an environment as Optimizely Agent has it.
const SDK_KEY: HeaderName = HeaderName::from_static("x-optimizely-sdk-key");
/// The same as OFREP's clients send keys.
const API_KEY: HeaderName = HeaderName::from_static("x-api-key");
/// All headers in which somebody says who they are.
const CREDENTIALS: [HeaderName; 5] = [
    SDK_KEY,
    API_KEY,
    AUTHORIZATION,
    HeaderName::from_static("auth"),
    HeaderName::from_static("jwt"),
];
const BEARER: &str = "bearer ";

/// A request that has been read.
#[derive(Debug)]
pub(super) struct Asking {
    pub(super) environment: Arc<Environment>,
    pub(super) headers: HeaderMap,
    /// Its members; none where it is empty.
    pub(super) body: Map<String, Value>,
}

impl Asking {
    /// Reads a request. The environment is chosen before the body is looked at.
    pub(super) async fn read(app: &App, request: Request<Body>) -> Result<Self, Fault> {
        let caller = request.extensions().get::<Caller>().cloned().unwrap_or_default();
        let environment =
            chosen(app, &caller, request.headers(), None).map_err(Fault::no_environment)?;
        let headers = request.headers().clone();
        let text = json_text(request, app).await?;
        let body = match text.as_ref() {
            [] => None,
            text => client_json::read(text).map(Some).map_err(|error| {
                Fault::new(Code::ParseError, format!("the body is no JSON: {error}"))
            })?,
        };
        match body {
            None | Some(Value::Null) => Ok(Self { environment, headers, body: Map::new() }),
            Some(Value::Object(body)) => Ok(Self { environment, headers, body }),
            Some(_) => {
                let details =
                    "the body is no object: send {\"context\": {\"targetingKey\": \"...\"}}";
                Err(Fault::new(Code::ParseError, details))
            }
        }
    }
}

/// A request about what its path names.
#[derive(Debug)]
pub(super) struct Keyed {
    /// The flag or event.
    pub(super) key: String,
    pub(super) asking: Asking,
    pub(super) context: Context,
}

/// What is wrong with it says what it is about.
impl FromRequest<Arc<App>> for Keyed {
    type Rejection = Fault;

    async fn from_request(request: Request<Body>, app: &Arc<App>) -> Result<Self, Fault> {
        let (mut parts, body) = request.into_parts();
        let key = key(Path::from_request_parts(&mut parts, app).await)?;
        let read = async {
            let mut asking = Asking::read(app, Request::from_parts(parts, body)).await?;
            let context = Context::taken_from(&mut asking.body)?;
            Ok((asking, context))
        };
        match read.await {
            Ok((asking, context)) => Ok(Self { key, asking, context }),
            Err(fault) => Err(Fault::about(fault, &key)),
        }
    }
}

/// The key in a path. What is no UTF-8 is the key of nothing.
fn key(path: Result<Path<String>, PathRejection>) -> Result<String, Fault> {
    let wrong =
        |_| Fault::new(Code::ParseError, "the key in the path is no UTF-8: encode it as such");
    path.map(|Path(key)| key).map_err(wrong)
}

/// The environment that a request chooses: by Agent's header, by one of OFREP's, or by a parameter where
/// headers cannot be sent.
pub(super) fn chosen(
    app: &App,
    caller: &Caller,
    headers: &HeaderMap,
    parameter: Option<&str>,
) -> Result<Arc<Environment>, Refusal> {
    let parameter = parameter.map(str::as_bytes);
    // What proves who asks is no key of an environment.
    let said = if caller.is_known() { own_key(headers) } else { said(headers) };
    app.environments.chosen(said.or(parameter), caller).map(Arc::clone)
}

/// What tells who asks from others who ask the same: answers to one of them are not told to another.
pub(super) fn principal(headers: &HeaderMap) -> Vec<&[u8]> {
    let said = |name| headers.get(name).map_or(&b""[..], HeaderValue::as_bytes);
    CREDENTIALS.iter().map(said).collect()
}

fn own_key(headers: &HeaderMap) -> Option<&[u8]> {
    headers.get(SDK_KEY).map(HeaderValue::as_bytes)
}

fn said(headers: &HeaderMap) -> Option<&[u8]> {
    let own = own_key(headers).or_else(|| headers.get(API_KEY).map(HeaderValue::as_bytes));
    own.or_else(|| {
        headers
            .get(AUTHORIZATION)?
            .as_bytes()
            .split_at_checked(BEARER.len())
            .and_then(|(scheme, key)| scheme.eq_ignore_ascii_case(BEARER.as_bytes()).then_some(key))
    })
}
