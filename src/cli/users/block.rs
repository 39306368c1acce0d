//! Blocks of whole lines, so that each can be read without the others.
//!
//! Must not know what stands on the lines, except that quotes in CSV hold line ends.

use std::io::{self, Read};

use crate::cli::line_end::{MOST_LINE_BYTES, endless};

/// A block is about this long: long enough that its cost is spread over many lines, short enough for
/// the second-level cache.
const BLOCK_BYTES: usize = 256 * 1024;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Whole lines of a file.
#[derive(Debug, Default)]
pub(in crate::cli) struct Block {
    /// The lines, with their ends; the last line of a file may lack it.
    pub(in crate::cli) text: Vec<u8>,
    /// The number in the file of the first of them, from 1.
    pub(in crate::cli) first_line: u64,
    pub(super) is_first: bool,
}

impl Block {
    /// The lines with their numbers in the file, without `\n`.
    pub(super) fn lines(&self) -> impl Iterator<Item = (u64, &[u8])> {
        (self.first_line..).zip(self.text.split(|byte| *byte == b'\n'))
    }

    /// The text, if it is UTF-8, holds no quote, and has `\r` before `\n` only.
    pub(super) fn plain_text(&self) -> Option<&str> {
        let is_end = |place: usize| self.text.get(place + 1) == Some(&b'\n');
        let is_plain = memchr::memchr(b'"', &self.text).is_none()
            && memchr::memchr_iter(b'\r', &self.text).all(is_end);
        if is_plain { std::str::from_utf8(&self.text).ok() } else { None }
    }
}

/// Cuts an input into blocks.
pub(super) struct Blocks<R> {
    input: R,
    is_csv: bool,
    /// What was read behind the end of the last block.
    ahead: Vec<u8>,
    next_line: u64,
    has_begun: bool,
    is_at_end: bool,
}

impl<R: Read> Blocks<R> {
    pub(super) fn new(input: R, is_csv: bool) -> Self {
        let (has_begun, is_at_end) = (false, false);
        Self { input, is_csv, ahead: Vec::new(), next_line: 1, has_begun, is_at_end }
    }

    /// The first record, and more; nothing is taken away.
    pub(super) fn peek_record(&mut self) -> io::Result<&[u8]> {
        let mut text = std::mem::take(&mut self.ahead);
        let cut = self.fill(&mut text, 1)?;
        self.ahead = text;
        Ok(self.ahead.get(..cut).unwrap_or(&self.ahead))
    }

    /// Takes the next whole lines; false where there are none left.
    pub(super) fn next(&mut self, block: &mut Block) -> io::Result<bool> {
        block.text.clear();
        block.text.append(&mut self.ahead);
        let cut = self.fill(&mut block.text, BLOCK_BYTES)?;
        self.ahead.extend_from_slice(block.text.get(cut..).unwrap_or_default());
        block.text.truncate(cut);
        block.is_first = self.next_line == 1;
        block.first_line = self.next_line;
        let lines = memchr::memchr_iter(b'\n', &block.text).count();
        self.next_line += u64::try_from(lines).unwrap_or(u64::MAX);
        Ok(!block.text.is_empty())
    }

    /// Reads until there are so many bytes and a line has ended, or nothing more comes; gives the place
    /// behind the last line that has.
    fn fill(&mut self, text: &mut Vec<u8>, wanted: usize) -> io::Result<usize> {
        let mut wanted = wanted;
        loop {
            while text.len() < wanted && !self.is_at_end {
                let missing = u64::try_from(BLOCK_BYTES).unwrap_or(u64::MAX);
                self.is_at_end = self.input.by_ref().take(missing).read_to_end(text)? == 0;
                // Before anything is cut: behind the mark that editors put there a quote opens a cell.
                if !std::mem::replace(&mut self.has_begun, true)
                    && text.starts_with(BYTE_ORDER_MARK)
                {
                    text.drain(..BYTE_ORDER_MARK.len());
                }
            }
            let (end, open_quote) = self.ends(text);
            match (end, open_quote) {
                (_, Some(quote)) if self.is_at_end => {
                    let quote = self.line_of(text, quote);
                    return Err(unusable(format!(
                        "line {quote}: a quote is never closed: close it"
                    )));
                }
                _ if self.is_at_end => return Ok(text.len()),
                (Some(end), _) => return Ok(end),
                (None, _) if text.len() > MOST_LINE_BYTES => {
                    let line = self.next_line;
                    let remedy = "end lines with \\n, and close quotes";
                    return Err(unusable(endless(line, remedy)));
                }
                // Doubled, since what is there is looked through again.
                (None, _) => wanted = text.len().saturating_mul(2).min(MOST_LINE_BYTES + 1),
            }
        }
    }

    fn line_of(&self, text: &[u8], place: usize) -> u64 {
        let before = text.get(..place).unwrap_or_default();
        self.next_line + u64::try_from(memchr::memchr_iter(b'\n', before).count()).unwrap_or(0)
    }

    /// The place behind the last `\n` that ends a line, or in CSV a record; and in CSV the place of a quote
    /// that is open at the end.
    fn ends(&self, text: &[u8]) -> (Option<usize>, Option<usize>) {
        if self.is_csv && memchr::memchr(b'"', text).is_some() {
            return ends_of_records(text);
        }
        (memchr::memrchr(b'\n', text).map(|place| place + 1), None)
    }
}

fn unusable(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}

/// Line ends outside quotes. As in the csv crate, a quote opens only at the beginning of a cell, and what
/// follows a closing quote is text again.
fn ends_of_records(text: &[u8]) -> (Option<usize>, Option<usize>) {
    #[derive(Clone, Copy)]
    enum State {
        CellBegins,
        Cell,
        Quoted(usize),
        QuoteInQuoted(usize),
    }
    let (mut state, mut end) = (State::CellBegins, None);
    for (place, byte) in text.iter().enumerate() {
        state = match (state, byte) {
            (State::Quoted(opened), b'"') => State::QuoteInQuoted(opened),
            (State::Quoted(opened), _) | (State::QuoteInQuoted(opened), b'"') => {
                State::Quoted(opened)
            }
            (State::CellBegins, b'"') => State::Quoted(place),
            (_, b'\n') => {
                end = Some(place + 1);
                State::CellBegins
            }
            (_, b',' | b'\r') => State::CellBegins,
            _ => State::Cell,
        };
    }
    let open_quote = if let State::Quoted(opened) = state { Some(opened) } else { None };
    (end, open_quote)
}
