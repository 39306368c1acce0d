//! The fields of one JSON object, each asked for by name and type.
//!
//! Must not know what the fields mean. Null counts as absent, as it does in the SDKs.

use std::borrow::Cow;

use hashbrown::HashMap;

use super::node::{Kind, Node};
use crate::datafile::findings::{Findings, quoted};
use crate::datafile::place::Place;

/// An object and where it stands.
#[derive(Debug)]
pub(in crate::datafile) struct Object<'a> {
    place: Place,
    fields: Vec<(Cow<'a, str>, Node<'a>)>,
    field_by_name: HashMap<Cow<'a, str>, usize>,
}

impl<'a> Object<'a> {
    pub(super) fn new(
        place: Place,
        members: impl Iterator<Item = (Cow<'a, str>, Node<'a>)>,
        findings: &mut Findings,
    ) -> Self {
        let mut fields: Vec<(Cow<'a, str>, Node<'a>)> = Vec::new();
        let mut field_by_name = HashMap::new();
        for (name, node) in members {
            let earlier = field_by_name.get(&name).and_then(|index: &usize| fields.get_mut(*index));
            if let Some((_, earlier)) = earlier {
                let message = "the field is given twice, the last one counts";
                findings.warning("duplicate-field", node.place(), message, "give it once");
                *earlier = node;
            } else {
                field_by_name.insert(name.clone(), fields.len());
                fields.push((name, node));
            }
        }
        Self { place, fields, field_by_name }
    }

    /// Where it stands.
    pub(in crate::datafile) fn place(&self) -> &Place {
        &self.place
    }

    /// A field, unless it is absent or null.
    pub(in crate::datafile) fn get(&self, name: &str) -> Option<&Node<'a>> {
        let (_, node) = self.fields.get(*self.field_by_name.get(name)?)?;
        (node.kind() != Kind::Null).then_some(node)
    }

    /// All fields that are not null, in the order of the text.
    pub(in crate::datafile) fn fields(&self) -> impl Iterator<Item = (&str, &Node<'a>)> {
        let fields = self.fields.iter().map(|(name, node)| (&**name, node));
        fields.filter(|(_, node)| node.kind() != Kind::Null)
    }

    /// All fields, in the order of the text.
    pub(in crate::datafile) fn into_fields(self) -> impl Iterator<Item = (Cow<'a, str>, Node<'a>)> {
        self.fields.into_iter()
    }

    /// A string that may be absent.
    pub(in crate::datafile) fn string(
        &self,
        name: &str,
        findings: &mut Findings,
    ) -> Option<Cow<'a, str>> {
        let node = self.get(name)?;
        let text = node.as_string(findings);
        if text.is_none() {
            wrong_type(node, "a string", "it was ignored", findings);
        }
        text
    }

    /// A boolean that may be absent.
    pub(in crate::datafile) fn boolean(&self, name: &str, findings: &mut Findings) -> Option<bool> {
        let node = self.get(name)?;
        let value = node.as_boolean();
        if value.is_none() {
            wrong_type(node, "true or false", "it was ignored", findings);
        }
        value
    }

    /// Whether a switch is on; absent is off. What is no boolean is on or off as both official SDKs have it: numbers
    /// but 0 and texts, lists and objects with something in them are on. Of empty lists and objects they differ.
    pub(in crate::datafile) fn switch(&self, name: &str, findings: &mut Findings) -> bool {
        let Some(node) = self.get(name) else { return false };
        if let Some(value) = node.as_boolean() {
            return value;
        }
        let is_on = match node.kind() {
            Kind::Number => node.as_number() != Some(0.0),
            Kind::String => node.text() != "\"\"",
            _ => !node.text().get(1..).unwrap_or_default().trim_start().starts_with([']', '}']),
        };
        let outcome = if is_on { "it was taken as true" } else { "it was taken as false" };
        wrong_type(node, "true or false", outcome, findings);
        is_on
    }

    /// An id or key that may be absent; a whole number is taken as its digits, as JavaScript would.
    pub(in crate::datafile) fn id(
        &self,
        name: &str,
        findings: &mut Findings,
    ) -> Option<Cow<'a, str>> {
        id_of(self.get(name)?, findings)
    }

    /// An id or key without which the object is left out.
    pub(in crate::datafile) fn needed_id(
        &self,
        name: &str,
        what: &str,
        findings: &mut Findings,
    ) -> Option<Cow<'a, str>> {
        if self.get(name).is_none() {
            self.missing(name, &format!("the {what} was left out"), findings);
        }
        self.id(name, findings)
    }

    /// Reports a field that is needed and not there.
    pub(in crate::datafile) fn missing(&self, name: &str, outcome: &str, findings: &mut Findings) {
        let message = || format!("{} is missing, {outcome}", quoted(name));
        findings.error("missing-field", &self.place, message, "add the field");
    }

    /// The elements of an array; absent is empty.
    pub(in crate::datafile) fn array(&self, name: &str, findings: &mut Findings) -> Vec<Node<'a>> {
        let Some(node) = self.get(name) else { return Vec::new() };
        node.as_array().unwrap_or_else(|| {
            wrong_type(node, "an array", "it was taken as empty", findings);
            Vec::new()
        })
    }
}

/// An id or key: a string, or the digits of a whole number.
pub(in crate::datafile) fn id_of<'a>(
    node: &Node<'a>,
    findings: &mut Findings,
) -> Option<Cow<'a, str>> {
    if node.kind() == Kind::Number && is_plain_integer(node.text()) {
        let message =
            || format!("this is a number, it was taken as the string {}", quoted(node.text()));
        findings.warning("wrong-type", node.place(), message, "write it in quotation marks");
        return Some(Cow::Borrowed(node.text()));
    }
    let text = node.as_string(findings);
    if text.is_none() {
        wrong_type(node, "a string", "the part was left out", findings);
    }
    text
}

/// Whether JavaScript would print a number as it is written.
fn is_plain_integer(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    digits.len() <= 15 && digits.bytes().all(|byte| byte.is_ascii_digit()) && text != "-0"
}

/// Reports a value of the wrong JSON type.
pub(in crate::datafile) fn wrong_type(
    node: &Node<'_>,
    wanted: &str,
    outcome: &str,
    findings: &mut Findings,
) {
    let message = || format!("this is {}, not {wanted}, {outcome}", node.kind().name());
    findings.error("wrong-type", node.place(), message, &format!("make it {wanted}"));
}
