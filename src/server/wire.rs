//! JSON that ends its line, and bodies that several endpoints have in common.
//!
//! Must not know who sends them.

pub(super) mod batch;
pub(super) mod frame;
pub(super) mod hook;
pub(super) mod members;
pub(super) mod parts;

use std::ops::Range;

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Number;

pub(super) const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");

/// Most answers are not longer, so that their text stays where it is begun.
const ROOM_FOR_TEXT: usize = 768;

/// JSON with the end of the line, as Optimizely Agent sends it.
#[derive(Debug)]
pub(super) struct Json<T>(pub(super) T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        let mut text = Vec::with_capacity(ROOM_FOR_TEXT);
        if let Err(error) = serde_json::to_writer(&mut text, &self.0) {
            tracing::error!(%error, "an answer cannot be written as JSON");
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
        text.push(b'\n');
        let mut response = Response::new(Body::from(text));
        response.headers_mut().insert(CONTENT_TYPE, JSON);
        response
    }
}

#[derive(Debug, Serialize)]
pub(super) struct ErrorAnswer<'a> {
    pub(super) error: &'a str,
}

/// Whether the process is alive, or ready, in one word.
#[derive(Debug, Serialize)]
pub(super) struct HealthAnswer {
    pub(super) status: &'static str,
}

/// Whether the daemon can do its work, and what is in the way.
#[derive(Debug, Serialize)]
pub(super) struct ReadyAnswer {
    pub(super) status: &'static str,
    pub(super) environments: Vec<ReadyEnvironment>,
    pub(super) store: ReadyStore,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReadyEnvironment {
    pub(super) name: String,
    pub(super) state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) revision: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) age_seconds: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) held_back_revision: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) problem: Option<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct ReadyStore {
    pub(super) state: &'static str,
}

/// A whole number. JSON has one kind of numbers: 3.0 is as whole as 3.
#[derive(Debug, Clone, Copy)]
pub(super) struct Whole<T>(pub(super) T);

impl<'de, T: TryFrom<i128>> Deserialize<'de> for Whole<T> {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        whole_of(&Number::deserialize(value)?).map(Self).map_err(D::Error::custom)
    }
}

/// A whole number, as one that was given.
pub(super) fn whole<'de, D, T>(value: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<i128>,
{
    Whole::deserialize(value).map(|Whole(number)| Some(number))
}

/// The same of a list.
pub(super) fn wholes<'de, D, T>(value: D) -> Result<Option<Vec<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<i128>,
{
    let numbers = Vec::<Number>::deserialize(value)?;
    let numbers: Result<_, _> = numbers.iter().map(whole_of).collect();
    numbers.map(Some).map_err(D::Error::custom)
}

fn whole_of<T: TryFrom<i128>>(number: &Number) -> Result<T, String> {
    // What is beyond whole numbers of 64 bits was read as a float, and may have been rounded to within.
    const FLOATS: Range<f64> = -9_223_372_036_854_774_784.0..18_446_744_073_709_551_616.0;
    let float = || {
        let float = number.as_f64()?;
        let is_whole = float.fract() == 0.0 && FLOATS.contains(&float);
        if is_whole { format!("{float:.0}").parse().ok() } else { None }
    };
    let whole: Option<i128> = number.as_i128().or_else(float);
    let fits = whole.and_then(|whole| T::try_from(whole).ok());
    fits.ok_or_else(|| format!("{number} is no whole number that can be meant here"))
}

#[cfg(test)]
mod tests {
    //! Which numbers are whole.

    use serde_json::json;

    use super::whole;

    #[test]
    fn whole_numbers() {
        let check = |value: serde_json::Value, expect: Option<u64>| {
            assert_eq!(whole::<_, u64>(&value).ok().flatten(), expect, "{value}");
        };
        check(json!(0), Some(0));
        check(json!(3.0), Some(3));
        check(json!(1e3), Some(1000));
        check(json!(u64::MAX), Some(u64::MAX));
        check(json!(3.5), None);
        check(json!(-1), None);
        check(json!(1e30), None);
        check(json!("3"), None);
        check(json!(null), None);
        let text = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap_or_default();
        assert_eq!(whole::<_, i64>(&text("-9223372036854775809")).ok().flatten(), None);
        assert_eq!(whole::<_, i64>(&text("-9223372036854775808")).ok().flatten(), Some(i64::MIN));
        check(text("18446744073709551616"), None);
        assert_eq!(whole::<_, i64>(&json!(-4439.0)).ok().flatten(), Some(-4439));
    }
}
