//! Users as CSV: which column holds the id, and the cells of a block.
//!
//! Must not know blocks of other forms. An empty cell gives no attribute; any other is read as JSON if
//! it is JSON, else it is text.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use csv::{ReaderBuilder, StringRecord};

use super::block::Block;
use super::user::{FileUser, FileValue};
use super::{Line, NO_ID};
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
    /// Reads the first record: a header that names the id's column, or an id in the only column. With a
    /// name for the id's column, it is a header.
    pub(super) fn of_first_record(record: &[u8], id_name: Option<&str>) -> Result<Self, Fault> {
        let mut first = StringRecord::new();
        let mut reader = reader(record);
        reader.read_record(&mut first).map_err(|_| NOT_UTF8.to_owned())?;
        let names: Vec<String> = first.iter().map(|cell| cell.trim().to_owned()).collect();
        let is_id = |cell: &str| match id_name {
            Some(name) => cell == name,
            None => ID_NAMES.contains(&cell.to_lowercase().as_str()),
        };
        let mut ids = (0..).zip(&names).filter(|(_, cell)| is_id(cell));
        let ids = (ids.next(), ids.next());
        if ids.0.is_some() {
            refuse_twins(&names)?;
        }
        match (ids.0, ids.1, &*names) {
            (Some((id, _)), None, _) => Ok(Self { id, names: names.into() }),
            (Some((_, one)), Some((_, other)), _) => Err(format!(
                "the columns {} and {} may both hold the ids: tell which does with --id-field",
                name(one),
                name(other)
            )),
            (None, _, [] | [_]) if id_name.is_none() => {
                refuse_other_separators(names.first().map_or("", String::as_str), is_id)?;
                Ok(Self { names: Arc::default(), id: 0 })
            }
            (None, ..) => Err(no_ids(&names, id_name)),
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
            None => Err(NO_ID.to_owned()),
        }
    }
}

/// What else than a comma may stand between the columns of a file that was meant as CSV.
const OTHER_SEPARATORS: [(char, &str); 3] = [(';', "`;`"), ('\t', "a tab"), ('|', "`|`")];

/// A header with other separators would be taken for an id.
fn refuse_other_separators(first: &str, is_id: impl Fn(&str) -> bool) -> Result<(), Fault> {
    let unquoted = |cell: &str| cell.trim().trim_matches('"').to_owned();
    let separates = |separator: char| {
        let mut cells = first.split(separator);
        first.contains(separator) && cells.any(|cell| is_id(&unquoted(cell)))
    };
    match OTHER_SEPARATORS.iter().find(|(separator, _)| separates(*separator)) {
        Some((_, separator)) => Err(format!(
            "the columns are separated by {separator}: save the file with commas between them"
        )),
        None => Ok(()),
    }
}

fn refuse_twins(names: &[String]) -> Result<(), Fault> {
    let mut seen = HashSet::new();
    match names.iter().find(|name| !seen.insert(name.as_str())) {
        Some(twin) => Err(format!("two columns are called {}: give each its own name", name(twin))),
        None => Ok(()),
    }
}

fn no_ids(names: &[String], id_name: Option<&str>) -> Fault {
    let found = listed(names.iter().map(|cell| name(cell)));
    match id_name {
        Some(wanted) => format!(
            "no column is called {} (found {found}): give --id-field the name of the column of the ids",
            name(wanted)
        ),
        None => format!(
            "no column is called user_id, userId or id (found {found}): name the column of the ids so, or tell its name with --id-field"
        ),
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
