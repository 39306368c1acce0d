//! The id of an impression, event or record.
//!
//! Must not know where ids are remembered.

use std::fmt;

use uuid::Uuid;

/// The id of an impression, event or record: the caller's text, or a UUID that was made for it.
///
/// It is kept in the form in which it came, so that making one costs no text; its text is what
/// [`Display`](fmt::Display) writes, and it never changes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EntryId {
    /// The caller's.
    Given(Box<str>),
    /// Made here; its text is the lower-case hyphenated form.
    Made(Uuid),
}

impl EntryId {
    /// The caller's id, or else a new one.
    #[must_use]
    pub fn given_or_new(given: Option<Box<str>>) -> Self {
        given.map_or_else(|| Self::Made(Uuid::new_v4()), Self::Given)
    }

    /// The id, if it was made here.
    #[inline]
    #[must_use]
    pub const fn made(&self) -> Option<Uuid> {
        match self {
            Self::Given(_) => None,
            Self::Made(uuid) => Some(*uuid),
        }
    }

    /// Calls a function with the id's text, without allocating.
    pub fn with_text<T>(&self, use_text: impl FnOnce(&str) -> T) -> T {
        match self {
            Self::Given(text) => use_text(text),
            Self::Made(uuid) => {
                use_text(uuid.hyphenated().encode_lower(&mut Uuid::encode_buffer()))
            }
        }
    }
}

impl fmt::Display for EntryId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.with_text(|text| formatter.write_str(text))
    }
}
