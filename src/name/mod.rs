//! Names that decisions compare and look up: keys of experiments, flags, events and attributes.
//!
//! Must not know what bears a name. Names are short, so that calling a library's comparison and hash
//! costs more than the work itself. Here the length and two windows of eight bytes, read at fixed
//! places, tell names of up to 16 bytes apart completely, and longer ones nearly always.

mod table;

pub use table::NameTable;

use std::ops::Deref;

/// Names of up to so many bytes show every byte in their windows.
const MOST_BYTES_SHOWN: usize = 16;

/// A text seen as a name: its windows are read once, to be compared often.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    text: &'a str,
    windows: Windows,
}

impl<'a> Seen<'a> {
    /// Reads the windows.
    #[inline]
    #[must_use]
    pub fn new(text: &'a str) -> Self {
        Self { text, windows: Windows::of(text) }
    }

    /// The text.
    #[inline]
    #[must_use]
    pub fn text(&self) -> &'a str {
        self.text
    }
}

impl PartialEq for Seen<'_> {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.text.len() == other.text.len()
            && self.windows == other.windows
            && (self.text.len() <= MOST_BYTES_SHOWN || are_equal_in_full(self.text, other.text))
    }
}

impl Eq for Seen<'_> {}

#[cold]
fn are_equal_in_full(one: &str, other: &str) -> bool {
    one == other
}

/// A name that is kept.
#[derive(Debug, Clone)]
pub struct Name {
    text: Box<str>,
    windows: Windows,
}

impl Name {
    /// Whether a text is this name.
    #[inline]
    #[must_use]
    pub fn is(&self, text: &str) -> bool {
        self.text.len() == text.len() && self.is_seen_as(&Seen::new(text))
    }

    /// Whether a text whose windows were read before is this name.
    #[inline]
    #[must_use]
    pub fn is_seen_as(&self, seen: &Seen<'_>) -> bool {
        Seen { text: &self.text, windows: self.windows } == *seen
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Name {}

impl Deref for Name {
    type Target = str;

    #[inline]
    fn deref(&self) -> &str {
        &self.text
    }
}

impl From<&str> for Name {
    fn from(text: &str) -> Self {
        Self { text: text.into(), windows: Windows::of(text) }
    }
}

/// The first and last eight bytes, or fewer of shorter texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Windows {
    first: u64,
    last: u64,
}

impl Windows {
    #[inline]
    fn of(text: &str) -> Self {
        let bytes = text.as_bytes();
        if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
            return Self { first: u64::from_le_bytes(*first), last: u64::from_le_bytes(*last) };
        }
        if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
            let [first, last] = [first, last].map(|window| u32::from_le_bytes(*window).into());
            return Self { first, last };
        }
        let first = bytes.iter().fold(0, |word, byte| (word << 8) | u64::from(*byte));
        Self { first, last: 0 }
    }
}
