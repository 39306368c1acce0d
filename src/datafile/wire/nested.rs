//! Arrays within arrays, read in one pass over their text, however deep they are.
//!
//! Must not know what the elements mean. Reading level by level would go through the text of an
//! array once for every array around it. What is no array stays a [`Node`] that is not looked into.

use super::node::Node;

/// A JSON value whose arrays are opened.
#[derive(Debug)]
pub(in crate::datafile) enum Nested<'a> {
    /// An array and its elements.
    List(Node<'a>, Vec<Nested<'a>>),
    /// Anything else, and arrays nested too deep to be opened.
    Whole(Node<'a>),
}

impl<'a> Nested<'a> {
    /// Opens arrays down to so many levels.
    pub(in crate::datafile) fn read(node: &Node<'a>, levels: usize) -> Self {
        Reader { text: node.text(), at: 0 }.value(node, levels)
    }

    /// The value itself.
    pub(in crate::datafile) fn node(&self) -> &Node<'a> {
        match self {
            Self::List(node, _) | Self::Whole(node) => node,
        }
    }
}

/// Goes through text that is known to be JSON; on other text it would end, too, with something odd.
struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    /// Reads the value that begins here. Of `here`, only the place counts.
    fn value(&mut self, here: &Node<'a>, levels_left: usize) -> Nested<'a> {
        let start = self.at;
        if self.peek() != Some(b'[') || levels_left == 0 {
            self.skip_value();
            return Nested::Whole(here.with_text(self.since(start)));
        }
        self.at += 1;
        let mut items = Vec::new();
        while self.skip_to_item() {
            items.push(self.value(&here.item(items.len()), levels_left.saturating_sub(1)));
        }
        Nested::List(here.with_text(self.since(start)), items)
    }

    /// Goes to the next element of the array around, or behind its end.
    fn skip_to_item(&mut self) -> bool {
        while let Some(b' ' | b'\t' | b'\n' | b'\r' | b',') = self.peek() {
            self.at += 1;
        }
        let is_item = !matches!(self.peek(), None | Some(b']' | b'}'));
        if !is_item {
            self.at += 1;
        }
        is_item
    }

    /// Goes behind the value that begins here, without recursion. Takes one byte at least.
    fn skip_value(&mut self) {
        let mut open = 0_usize;
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => self.skip_string(),
                b'[' | b'{' => {
                    open += 1;
                    self.at += 1;
                }
                b']' | b'}' => {
                    open = open.saturating_sub(1);
                    self.at += 1;
                }
                _ => self.at += 1,
            }
            let is_at_end =
                matches!(self.peek(), Some(b',' | b']' | b'}' | b' ' | b'\t' | b'\n' | b'\r'));
            if open == 0 && (is_at_end || matches!(byte, b'"' | b']' | b'}')) {
                return;
            }
        }
    }

    fn skip_string(&mut self) {
        self.at += 1;
        while let Some(byte) = self.peek() {
            self.at += if byte == b'\\' { 2 } else { 1 };
            if byte == b'"' {
                return;
            }
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn since(&self, start: usize) -> &'a str {
        self.text.get(start..self.at.min(self.text.len())).unwrap_or_default()
    }
}
