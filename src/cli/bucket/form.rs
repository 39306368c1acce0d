//! How a line of output is written: the id, and what is said of it.
//!
//! Must not know who gets what.

use crate::cli::users::UsersFormat;

/// The pieces of a line that are the same for all users.
#[derive(Debug, Clone, Copy)]
pub(super) struct OutputForm {
    format: UsersFormat,
    /// One experiment is asked for, not all.
    is_one: bool,
    pub(super) before_id: &'static [u8],
    pub(super) after_id: &'static [u8],
    pub(super) between: &'static [u8],
    pub(super) end: &'static [u8],
}

impl OutputForm {
    pub(super) fn new(format: UsersFormat, is_one: bool) -> Self {
        let (before_id, after_id, between, end): (&[u8], &[u8], &[u8], &[u8]) =
            match (format, is_one) {
                (UsersFormat::Csv, _) => (b"", b",", b",", b"\n"),
                (UsersFormat::Ndjson, true) => {
                    (b"{\"userId\":", b",\"variationKey\":", b"", b"}\n")
                }
                (UsersFormat::Ndjson, false) => {
                    (b"{\"userId\":", b",\"variationKeys\":{", b",", b"}}\n")
                }
            };
        Self { format, is_one, before_id, after_id, between, end }
    }

    /// A variation of an experiment, or none, as it stands in every line.
    pub(super) fn variation(self, experiment_key: &str, variation_key: Option<&str>) -> Vec<u8> {
        let mut text = Vec::new();
        match (self.format, variation_key) {
            (UsersFormat::Csv, None) => {}
            (UsersFormat::Csv, Some(key)) => push_cell(key, &mut text),
            (UsersFormat::Ndjson, key) => {
                if !self.is_one {
                    push_json(experiment_key, &mut text);
                    text.push(b':');
                }
                match key {
                    Some(key) => push_json(key, &mut text),
                    None => text.extend_from_slice(b"null"),
                }
            }
        }
        text
    }

    /// An id.
    #[inline]
    pub(super) fn push_id(self, id: &str, text: &mut Vec<u8>) {
        match self.format {
            UsersFormat::Csv => push_cell(id, text),
            UsersFormat::Ndjson => push_json(id, text),
        }
    }
}

/// A cell, in quotes where it must be; a line with nothing on it would be no record.
#[inline]
pub(super) fn push_cell(cell: &str, text: &mut Vec<u8>) {
    let is_special = |byte: u8| matches!(byte, b',' | b'"' | b'\n' | b'\r');
    if cell.is_empty() || cell.bytes().fold(false, |any, byte| any | is_special(byte)) {
        text.push(b'"');
        text.extend_from_slice(cell.replace('"', "\"\"").as_bytes());
        text.push(b'"');
    } else {
        text.extend_from_slice(cell.as_bytes());
    }
}

#[inline]
fn push_json(value: &str, text: &mut Vec<u8>) {
    let is_special = |byte: u8| byte < b' ' || matches!(byte, b'"' | b'\\');
    if value.bytes().fold(false, |any, byte| any | is_special(byte)) {
        text.extend_from_slice(serde_json::Value::from(value).to_string().as_bytes());
    } else {
        text.push(b'"');
        text.extend_from_slice(value.as_bytes());
        text.push(b'"');
    }
}
