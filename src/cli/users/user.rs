//! A user as a file gives it, borrowed from the text wherever nothing had to be unescaped.
//!
//! Must not know the form of the file.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use smallvec::SmallVec;

use crate::targeting::Attribute;
use crate::value::AttributeValue;

/// A user of a file.
#[derive(Debug, PartialEq)]
pub(in crate::cli) struct FileUser<'l> {
    /// The user id.
    pub(in crate::cli) id: Cow<'l, str>,
    /// Keys and values, in the order of the file; of a key given twice, the last counts.
    pub(in crate::cli) attributes: Vec<(Cow<'l, str>, FileValue<'l>)>,
}

impl FileUser<'_> {
    /// The attributes, as decisions want them.
    pub(in crate::cli) fn attributes(&self) -> SmallVec<[Attribute<'_>; 8]> {
        self.attributes.iter().map(|(key, value)| Attribute::new(key, value.as_value())).collect()
    }
}

/// The value of an attribute in a file.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::cli) enum FileValue<'l> {
    Text(Cow<'l, str>),
    /// Anything that owns nothing.
    Plain(AttributeValue<'static>),
}

impl FileValue<'_> {
    fn as_value(&self) -> AttributeValue<'_> {
        match self {
            Self::Text(text) => AttributeValue::String(text),
            Self::Plain(value) => *value,
        }
    }
}

impl<'de: 'l, 'l> Deserialize<'de> for FileValue<'l> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = FileValue<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(FileValue::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(FileValue::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Self::Value, E> {
        Ok(FileValue::Plain(flag.into()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(FileValue::Plain(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(FileValue::Plain(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        Ok(FileValue::Plain(number.into()))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(FileValue::Plain(AttributeValue::Null))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(FileValue::Plain(AttributeValue::Other))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(FileValue::Plain(AttributeValue::Other))
    }
}
