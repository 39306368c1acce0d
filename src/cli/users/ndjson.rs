//! Users as NDJSON: an object or a string a line; which member of the object holds the id is told.
//!
//! Must not know blocks of other forms.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use super::block::Block;
use super::user::{FileUser, FileValue};
use super::{Line, NO_ID};
use crate::cli::members::{Fault, Members, kind_of};
use crate::cli::read_call::read_line;
use crate::cli::words::{listed, name};

/// The member that holds the id, unless another is named.
pub(super) const ID_NAME: &str = "userId";

/// The member that holds the attributes.
pub(super) const ATTRIBUTES: &str = "attributes";

/// Reads the users of a block, each with the id in a member of this name; blank lines are skipped.
pub(super) fn read<E>(
    id_name: &str,
    block: &Block,
    each: &mut impl FnMut(Line<'_>) -> Result<(), E>,
) -> Result<(), E> {
    for (number, line) in block.lines() {
        let line = line.trim_ascii();
        if !line.is_empty() {
            each((number, user(id_name, line)))?;
        }
    }
    Ok(())
}

/// The form that nearly all lines have is read directly; what is wrong with another is found out slowly.
fn user<'l>(id_name: &str, line: &'l [u8]) -> Result<FileUser<'l>, Fault> {
    let read = if line.first() == Some(&b'"') {
        serde_json::from_slice(line).ok().map(|Text(id)| FileUser { id, attributes: Vec::new() })
    } else {
        let mut reader = serde_json::Deserializer::from_slice(line);
        let user = Object { id_name }.deserialize(&mut reader);
        user.ok().filter(|_| reader.end().is_ok())
    };
    match read {
        Some(user) if user.id.is_empty() => Err(NO_ID.to_owned()),
        Some(user) => Ok(user),
        None => Err(fault(id_name, line)),
    }
}

fn fault(id_name: &str, line: &[u8]) -> Fault {
    let value = match read_line(line) {
        Ok(value) => value,
        Err(fault) => return fault.replace("save the calls", "save the users"),
    };
    let Value::Object(members) = &value else {
        return format!(
            "{}, not a user: write {{{id_name:?}: \"...\"}}, or the id alone in quotes",
            kind_of(&value)
        );
    };
    if !members.contains_key(id_name) {
        let there = members.keys().filter(|name| *name != ATTRIBUTES).map(|key| name(key));
        let there: Vec<_> = there.take(MOST_MEMBERS).collect();
        return if there.is_empty() {
            format!("{id_name:?} is missing: add {id_name:?}: \"...\"")
        } else {
            format!(
                "{id_name:?} is missing (found {}): add it, or name the member that holds the id with --id-field",
                listed(there)
            )
        };
    }
    let members = Members(members);
    let of_attributes = || members.optional_object(ATTRIBUTES).err();
    let fault = members.text(id_name).err().or_else(of_attributes);
    fault.unwrap_or_else(|| "a member is given twice: give it once".to_owned())
}

/// So many of the members that are there are told.
const MOST_MEMBERS: usize = 8;

/// A line with the id and attributes; other members are ignored.
#[derive(Clone, Copy)]
struct Object<'n> {
    id_name: &'n str,
}

impl<'l> DeserializeSeed<'l> for Object<'_> {
    type Value = FileUser<'l>;

    fn deserialize<D: Deserializer<'l>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'l> Visitor<'l> for Object<'_> {
    type Value = FileUser<'l>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a user")
    }

    fn visit_map<A: MapAccess<'l>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let (mut id, mut attributes) = (None, None);
        while let Some(Text(key)) = members.next_key()? {
            let is_again = if *key == *self.id_name {
                id.replace(members.next_value::<Text<'l>>()?).is_some()
            } else if *key == *ATTRIBUTES {
                attributes.replace(members.next_value::<Option<Attributes<'l>>>()?).is_some()
            } else {
                let IgnoredAny = members.next_value()?;
                false
            };
            if is_again {
                return Err(A::Error::custom("a member is given twice"));
            }
        }
        let Some(Text(id)) = id else { return Err(A::Error::custom("there is no id")) };
        let attributes = attributes.flatten().map_or_else(Vec::new, |given| given.0);
        Ok(FileUser { id, attributes })
    }
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
