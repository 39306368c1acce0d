//! Users as NDJSON: an object or a string a line.
//!
//! Must not know blocks of other forms.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::Line;
use super::block::Block;
use super::user::{FileUser, FileValue};
use crate::cli::members::{Fault, Members, kind_of};
use crate::cli::read_call::read_line;

/// Reads the users of a block; blank lines are skipped.
pub(super) fn read<E>(
    block: &Block,
    each: &mut impl FnMut(Line<'_>) -> Result<(), E>,
) -> Result<(), E> {
    for (number, line) in block.lines() {
        let line = line.trim_ascii();
        if !line.is_empty() {
            each((number, user(line)))?;
        }
    }
    Ok(())
}

/// The form that nearly all lines have is read directly; what is wrong with another is found out slowly.
fn user(line: &[u8]) -> Result<FileUser<'_>, Fault> {
    if line.first() == Some(&b'"')
        && let Ok(Text(id)) = serde_json::from_slice(line)
    {
        return Ok(FileUser { id, attributes: Vec::new() });
    }
    match serde_json::from_slice(line) {
        Ok(Object { user_id: Some(Text(id)), attributes }) => {
            Ok(FileUser { id, attributes: attributes.map_or_else(Vec::new, |given| given.0) })
        }
        _ => Err(fault(line)),
    }
}

fn fault(line: &[u8]) -> Fault {
    let value = match read_line(line) {
        Ok(value) => value,
        Err(fault) => return fault.replace("save the calls", "save the users"),
    };
    let Value::Object(members) = &value else {
        return format!(
            "{}, not a user: write {{\"userId\": \"...\"}}, or the id alone in quotes",
            kind_of(&value)
        );
    };
    let members = Members(members);
    let of_attributes = || members.optional_object("attributes").err();
    let fault = members.text("userId").err().or_else(of_attributes);
    fault.unwrap_or_else(|| "a member is given twice: give it once".to_owned())
}

/// A line with the id and attributes; other members are ignored.
#[derive(Deserialize)]
struct Object<'l> {
    #[serde(borrow, rename = "userId")]
    user_id: Option<Text<'l>>,
    #[serde(borrow)]
    attributes: Option<Attributes<'l>>,
}

#[derive(Deserialize)]
struct Text<'l>(#[serde(borrow)] Cow<'l, str>);

struct Attributes<'l>(Vec<(Cow<'l, str>, FileValue<'l>)>);

impl<'de: 'l, 'l> Deserialize<'de> for Attributes<'l> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(AttributesVisitor(PhantomData))
    }
}

struct AttributesVisitor<'l>(PhantomData<&'l ()>);

impl<'de: 'l, 'l> Visitor<'de> for AttributesVisitor<'l> {
    type Value = Attributes<'l>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut attributes = Vec::new();
        while let Some((Text(key), value)) = members.next_entry::<Text<'l>, FileValue<'l>>()? {
            attributes.push((key, value));
        }
        Ok(Attributes(attributes))
    }
}
