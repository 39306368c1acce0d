//! `GET /` and `POST /decide`: the status page, and its form that decides for one user.
//!
//! Must not know how things are kept. Everything is written here, escaped, with nothing from elsewhere: the
//! content security policy lets through what this file brings along, and no more. Without JavaScript all of it
//! works; a few lines only have it looked at again while nobody types.

mod decided;
mod form;
mod parts;
mod words;

use std::sync::Arc;

use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use uuid::Uuid;

use self::decided::{Outcome, decide};
use self::form::Filled;
use self::parts::Overview;
use super::reading::{read, work};
use crate::server::app::App;
use crate::server::asked::Asked;
use crate::server::refusal::Refusal;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("refresh.js");
const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
/// Who has no JavaScript may ask for the page to be looked at again this often, in seconds.
const REFRESHES: std::ops::RangeInclusive<u64> = 2..=3600;

/// The status page.
pub(super) async fn show(State(app): State<Arc<App>>, asked: Asked) -> Result<Response, Refusal> {
    let every = asked.number("refresh")?.filter(|every| REFRESHES.contains(every));
    let filled = Filled::first(&app);
    let overview = read(&app, Overview::of).await?;
    let refresh = every.map_or(Refresh::Script, Refresh::Every);
    Ok(page(StatusCode::OK, refresh, |nonce| {
        overview.page(&form::form(&app, &filled, None), nonce, refresh)
    }))
}

/// The same with a decision, which is recorded nowhere.
pub(super) async fn decided(
    State(app): State<Arc<App>>,
    filled: Result<Form<Vec<(String, String)>>, FormRejection>,
) -> Result<Response, Refusal> {
    let Form(pairs) = filled.map_err(|rejection| {
        let text = "the form cannot be read: send application/x-www-form-urlencoded";
        Refusal::new(rejection.status(), text)
    })?;
    let filled = Filled::of(pairs);
    let (filled, outcome) = work(&app, move |app| {
        let outcome = decide(app, &filled);
        Ok((filled, outcome))
    })
    .await?;
    let status = match &outcome {
        Outcome::Decided(_) => StatusCode::OK,
        Outcome::Wrong(_) => StatusCode::BAD_REQUEST,
        Outcome::Unknown(_) => StatusCode::NOT_FOUND,
    };
    let overview = read(&app, Overview::of).await?;
    Ok(page(status, Refresh::Never, |nonce| {
        overview.page(&form::form(&app, &filled, Some(&outcome)), nonce, Refresh::Never)
    }))
}

/// How a page is looked at again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refresh {
    Never,
    /// By the script, while nobody types.
    Script,
    /// By itself, after so many seconds.
    Every(u64),
}

fn page(status: StatusCode, refresh: Refresh, body: impl FnOnce(&str) -> Markup) -> Response {
    let nonce = Uuid::new_v4().simple().to_string();
    let text = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                @if let Refresh::Every(seconds) = refresh {
                    meta http-equiv="refresh" content=(seconds);
                }
                title { "Variate" }
                link rel="icon" href="data:,";
                style nonce=(nonce) { (PreEscaped(STYLE)) }
            }
            body { (body(&nonce)) }
        }
    };
    let mut response = (status, text.into_string()).into_response();
    protect(response.headers_mut(), &nonce);
    response
}

fn protect(headers: &mut HeaderMap, nonce: &str) {
    let policy = format!(
        "default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    );
    // It is made of what fits into a header; without it nothing would be let through either.
    let policy = HeaderValue::from_str(&policy);
    let policy = policy.unwrap_or(HeaderValue::from_static("default-src 'none'"));
    headers.insert(CONTENT_SECURITY_POLICY, policy);
    headers.insert(CONTENT_TYPE, HTML);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Without any, a browser names no origin with the form, which then looks like another page's.
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
}
