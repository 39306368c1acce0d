//! One JSON value of the datafile's text, read one level at a time.
//!
//! Must not know what the values mean. The text as a whole is known to be JSON; a value is only
//! looked into when it is wanted, so one that cannot be used fails alone, with its own place. Nothing
//! here descends by itself: skipping over a value does not recurse, whatever its depth.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::object::Object;
use crate::datafile::findings::{Findings, shortened};
use crate::datafile::place::Place;

/// A JSON value and where it stands.
#[derive(Debug, Clone)]
pub(in crate::datafile) struct Node<'a> {
    text: &'a str,
    place: Place,
}

/// The JSON type of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::datafile) enum Kind {
    Null,
    Boolean,
    Number,
    String,
    Array,
    Object,
}

impl Kind {
    /// The type with its article, for messages.
    pub(in crate::datafile) fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "a boolean",
            Self::Number => "a number",
            Self::String => "a string",
            Self::Array => "an array",
            Self::Object => "an object",
        }
    }
}

impl<'a> Node<'a> {
    /// Reads a whole text, which is the only step at which it can be refused.
    pub(in crate::datafile) fn parse(
        text: &'a str,
        place: Place,
    ) -> Result<Self, serde_json::Error> {
        let raw: &'a RawValue = serde_json::from_str(text)?;
        Ok(Self { text: raw.get(), place })
    }

    /// Where it stands.
    pub(in crate::datafile) fn place(&self) -> &Place {
        &self.place
    }

    /// Its JSON text.
    pub(in crate::datafile) fn text(&self) -> &'a str {
        self.text
    }

    /// The node of an element of the array here, whose text is to be given.
    pub(super) fn item(&self, index: usize) -> Self {
        Self { text: "", place: self.place.item(index) }
    }

    /// The same place with this text.
    pub(super) fn with_text(&self, text: &'a str) -> Self {
        Self { text, place: self.place.clone() }
    }

    /// Its type, which the first byte of JSON text tells.
    pub(in crate::datafile) fn kind(&self) -> Kind {
        match self.text.as_bytes().first() {
            Some(b'{') => Kind::Object,
            Some(b'[') => Kind::Array,
            Some(b'"') => Kind::String,
            Some(b't' | b'f') => Kind::Boolean,
            Some(b'n') | None => Kind::Null,
            Some(_) => Kind::Number,
        }
    }

    /// The value, if it is a boolean.
    pub(in crate::datafile) fn as_boolean(&self) -> Option<bool> {
        (self.kind() == Kind::Boolean).then_some(self.text == "true")
    }

    /// The number nearest to the one written, which is infinite beyond 64 bits of floating point.
    pub(in crate::datafile) fn as_number(&self) -> Option<f64> {
        (self.kind() == Kind::Number).then(|| self.text.parse().ok()).flatten()
    }

    /// The text, if it is a string; half characters become U+FFFD.
    pub(in crate::datafile) fn as_string(&self, findings: &mut Findings) -> Option<Cow<'a, str>> {
        if self.kind() != Kind::String {
            return None;
        }
        let (text, is_whole) = unescape(self.text);
        if !is_whole {
            findings.warning(
                "lone-surrogate",
                &self.place,
                || {
                    format!(
                        "{} holds half a character, which was read as U+FFFD",
                        shortened(self.text)
                    )
                },
                "write both halves of the escape",
            );
        }
        Some(text)
    }

    /// The elements, if it is an array.
    pub(in crate::datafile) fn as_array(&self) -> Option<Vec<Self>> {
        if self.kind() != Kind::Array {
            return None;
        }
        let items: Vec<&'a RawValue> = serde_json::from_str(self.text).ok()?;
        let node = |(index, raw): (usize, &&'a RawValue)| Self {
            text: raw.get(),
            place: self.place.item(index),
        };
        Some(items.iter().enumerate().map(node).collect())
    }

    /// The fields, if it is an object; of a field given twice, the last.
    pub(in crate::datafile) fn as_object(&self, findings: &mut Findings) -> Option<Object<'a>> {
        if self.kind() != Kind::Object {
            return None;
        }
        let Members(members) = serde_json::from_str(self.text).ok()?;
        let nodes = members.into_iter().map(|(name, raw)| {
            let (name, _) = unescape(name.get());
            let place = self.place.field(&name);
            (name, Self { text: raw.get(), place })
        });
        Some(Object::new(self.place.clone(), nodes, findings))
    }
}

/// The text of a JSON string and whether all of its characters are whole.
fn unescape(json: &str) -> (Cow<'_, str>, bool) {
    let inner = json.get(1..json.len().saturating_sub(1)).unwrap_or_default();
    if !inner.contains('\\') {
        return (Cow::Borrowed(inner), true);
    }
    if let Ok(text) = serde_json::from_str::<String>(json) {
        return (Cow::Owned(text), true);
    }
    (Cow::Owned(unescape_halves(json)), false)
}

/// The same for a string with lone surrogates, which serde_json hands out as bytes only: three each.
fn unescape_halves(json: &str) -> String {
    let bytes = serde_json::from_str::<Bytes>(json).map(|bytes| bytes.0).unwrap_or_default();
    let mut text = String::with_capacity(bytes.len());
    let mut stray_bytes = 0_usize;
    for chunk in bytes.utf8_chunks() {
        if !chunk.valid().is_empty() {
            text.push_str(chunk.valid());
            stray_bytes = 0;
        }
        for _ in chunk.invalid() {
            if stray_bytes.is_multiple_of(3) {
                text.push(char::REPLACEMENT_CHARACTER);
            }
            stray_bytes += 1;
        }
    }
    text
}

/// The members of an object in order, repeated ones included.
struct Members<'a>(Vec<(&'a RawValue, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Members<'de>;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = access.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

/// The bytes of a string.
struct Bytes(Vec<u8>);

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Copied;
        impl Visitor<'_> for Copied {
            type Value = Bytes;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a string")
            }
            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Self::Value, E> {
                Ok(Bytes(bytes.to_vec()))
            }
        }
        deserializer.deserialize_bytes(Copied)
    }
}
