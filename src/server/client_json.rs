//! JSON as clients send it: half of a character that takes two escapes is one bad sign, and loses nothing else.
//!
//! Must not know what is said. Who cuts text after so many units leaves such halves behind, and sends the same
//! again until it is taken; for each there is U+FFFD, as in Go's `encoding/json`, which reads for Optimizely Agent.

use serde::de::DeserializeOwned;
use serde_json::{Deserializer, Result, Value};

use crate::datafile::unescaped::without_halves;

/// Reads a text, which is a value and nothing else.
pub(super) fn read<T: DeserializeOwned>(text: &[u8]) -> Result<T> {
    as_it_is(text).or_else(|error| match without_halves(text) {
        Some(mended) => as_it_is(&mended),
        None => Err(error),
    })
}

/// Reads the value at the beginning of a text; gives where it ends, too.
pub(super) fn read_first(text: &str) -> Option<(Value, usize)> {
    first_as_it_is(text.as_bytes()).or_else(|| first_as_it_is(&without_halves(text.as_bytes())?))
}

/// Looked through once, it is not looked through string by string. What nobody reads may be no UTF-8.
fn as_it_is<T: DeserializeOwned>(text: &[u8]) -> Result<T> {
    match std::str::from_utf8(text) {
        Ok(text) => serde_json::from_str(text),
        Err(_) => serde_json::from_slice(text),
    }
}

fn first_as_it_is(text: &[u8]) -> Option<(Value, usize)> {
    let mut values = Deserializer::from_slice(text).into_iter();
    let read = values.next()?.ok()?;
    Some((read, values.byte_offset()))
}
