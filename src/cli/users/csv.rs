//! Users as CSV: which column holds the id, and the cells of a block.
//!
//! Must not know blocks of other forms. An empty cell gives no attribute; any other is read as JSON if
//! it is JSON, else it is text.

use std::borrow::Cow;
use std::sync::Arc;

use csv::{ReaderBuilder, StringRecord};

use super::Line;
use super::block::Block;
use super::user::{FileUser, FileValue};
use crate::cli::members::Fault;
use crate::cli::words::{counted, listed, name};

/// What the id's column may be called, in any case.
const ID_NAMES: [&str; 3] = ["user_id", "userid", "id"];

/// The columns of a file.
#[derive(Debug, Clone)]
pub(in crate::cli) struct Columns {
    /// Empty where there is no header.
    names: Arc<[String]>,
    id: usize,
}

impl Columns {
    /// Reads the first record: a header that names the id's column, or an id in the only column.
    pub(super) fn of_first_record(record: &[u8]) -> Result<Self, Fault> {
        let mut first = StringRecord::new();
        let mut reader = reader(record);
        reader.read_record(&mut first).map_err(|_| NOT_UTF8.to_owned())?;
        let is_id = |cell: &str| ID_NAMES.contains(&cell.trim().to_lowercase().as_str());
        match (first.iter().position(is_id), first.len()) {
            (Some(id), _) => {
                Ok(Self { names: first.iter().map(|cell| cell.trim().to_owned()).collect(), id })
            }
            (None, 0 | 1) => Ok(Self { names: Arc::default(), id: 0 }),
            (None, _) => Err(format!(
                "no column is called user_id, userId or id (found {}): name the column of the ids so",
                listed(first.iter().map(name))
            )),
        }
    }

    /// Reads the users of a block; blank lines and the header are skipped.
    pub(super) fn read<E>(
        &self,
        block: &Block,
        each: &mut impl FnMut(Line<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        match block.plain_text() {
            Some(text) => self.read_plain(text, block, each),
            None => self.read_any(block, each),
        }
    }

    fn has_header(&self) -> bool {
        !self.names.is_empty()
    }

    /// Without quotes a line is a record, and a comma always separates.
    fn read_plain<E>(
        &self,
        text: &str,
        block: &Block,
        each: &mut impl FnMut(Line<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut skips_header = block.is_first && self.has_header();
        for (number, line) in (block.first_line..).zip(text.split_terminator('\n')) {
            let line = line.strip_suffix('\r').unwrap_or(line);
            if !line.is_empty() && !std::mem::take(&mut skips_header) {
                each((number, self.user(line.split(','))))?;
            }
        }
        Ok(())
    }

    /// Quotes, foreign line ends or broken text: what the csv crate is for.
    fn read_any<E>(
        &self,
        block: &Block,
        each: &mut impl FnMut(Line<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut reader = reader(&block.text);
        let mut record = csv::ByteRecord::new();
        let mut lines = LineCounter { text: &block.text, line: block.first_line };
        let mut skips_header = block.is_first && self.has_header();
        // A slice can always be read, and records may be of any length.
        while reader.read_byte_record(&mut record).unwrap_or(false) {
            if std::mem::take(&mut skips_header) {
                continue;
            }
            let number = lines.number_at(record.position().map_or(0, csv::Position::byte), block);
            // Each cell must be text by itself: halves of a character in two cells are none.
            record = match StringRecord::from_byte_record(record) {
                Ok(cells) => {
                    each((number, self.user(cells.iter())))?;
                    cells.into_byte_record()
                }
                Err(error) => {
                    each((number, Err(NOT_UTF8.to_owned())))?;
                    error.into_byte_record()
                }
            };
        }
        Ok(())
    }

    fn user<'l>(&'l self, cells: impl Iterator<Item = &'l str>) -> Result<FileUser<'l>, Fault> {
        let wanted = self.names.len().max(1);
        let (mut id, mut attributes, mut count) = (None, Vec::new(), 0);
        for cell in cells {
            if count == self.id {
                id = Some(cell);
            } else if let Some(name) = self.names.get(count)
                && !cell.is_empty()
            {
                attributes.push((Cow::Borrowed(&**name), value(cell)));
            }
            count += 1;
        }
        if count != wanted {
            let (count, wanted) = (counted(count as u64, "column"), wanted);
            return Err(format!(
                "{count} where the first line has {wanted}: quote a cell that holds a comma"
            ));
        }
        match id.filter(|id| !id.is_empty()) {
            Some(id) => Ok(FileUser { id: Cow::Borrowed(id), attributes }),
            None => Err("there is no user id: write one, or take the line out".to_owned()),
        }
    }
}

const NOT_UTF8: &str = "not UTF-8 text: save the users as UTF-8";

fn reader(text: &[u8]) -> csv::Reader<&[u8]> {
    ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text)
}

/// Counts lines while a block is read. (The csv crate's number is that of the line end before a record.)
struct LineCounter<'l> {
    /// What is not counted yet.
    text: &'l [u8],
    line: u64,
}

impl LineCounter<'_> {
    /// The line of the record that begins at this place in the block or after the line ends there.
    fn number_at(&mut self, place: u64, block: &Block) -> u64 {
        let counted = block.text.len() - self.text.len();
        let ahead = usize::try_from(place).unwrap_or(usize::MAX).saturating_sub(counted);
        let (before, rest) = self.text.split_at(ahead.min(self.text.len()));
        let rest_at = rest.iter().position(|byte| !matches!(byte, b'\r' | b'\n'));
        let (ends, rest) = rest.split_at(rest_at.unwrap_or(rest.len()));
        let count = |text| memchr::memchr_iter(b'\n', text).count();
        self.line += u64::try_from(count(before) + count(ends)).unwrap_or(u64::MAX);
        self.text = rest;
        self.line
    }
}

/// A cell as `variate decide --attribute` reads a value.
fn value(cell: &str) -> FileValue<'_> {
    let may_be_json = |byte: &u8| b"{[\"-0123456789tfn \t".contains(byte);
    let as_text = FileValue::Text(Cow::Borrowed(cell));
    if !cell.as_bytes().first().is_some_and(may_be_json) {
        return as_text;
    }
    serde_json::from_str(cell).unwrap_or(as_text)
}
