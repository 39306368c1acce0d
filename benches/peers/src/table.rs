//! A table in Markdown, with columns padded so that it reads as text, too.
//!
//! Must not know what is in it.

use std::fmt;

/// Rows of cells under a head; the first columns are words, the others numbers.
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
    words: usize,
}

impl Table {
    pub(crate) fn new(head: &[&str], words: usize) -> Self {
        Self { rows: vec![head.iter().map(|&cell| cell.to_owned()).collect()], words }
    }

    pub(crate) fn add(&mut self, row: Vec<String>) {
        self.rows.push(row);
    }

    fn width(&self, column: usize) -> usize {
        let cells = self.rows.iter().filter_map(|row| row.get(column));
        cells.map(String::len).max().unwrap_or_default()
    }
}

impl fmt::Display for Table {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, row) in self.rows.iter().enumerate() {
            for (column, cell) in row.iter().enumerate() {
                let width = self.width(column);
                if column < self.words {
                    write!(formatter, "| {cell:width$} ")?;
                } else {
                    write!(formatter, "| {cell:>width$} ")?;
                }
            }
            writeln!(formatter, "|")?;
            if number == 0 {
                for column in 0..row.len() {
                    let colon = if column < self.words { "-" } else { ":" };
                    write!(formatter, "| {}{colon} ", "-".repeat(self.width(column).max(2) - 1))?;
                }
                writeln!(formatter, "|")?;
            }
        }
        Ok(())
    }
}
