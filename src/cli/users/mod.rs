//! A file of users, CSV or NDJSON, read as a stream: of each user the id and the attributes.
//!
//! Must not know what is asked about the users.
//!
//! The file is read in blocks of whole lines, and a block is read into users without looking at any
//! other: blocks may be read on several threads, and ids are borrowed from them.

mod block;
mod csv;
mod ndjson;
mod user;

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::ValueEnum;

pub(super) use block::Block;
pub(super) use user::FileUser;

use super::failure::Failure;
use super::members::Fault;
use crate::error::Error;
use block::Blocks;

/// How a file of users is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum UsersFormat {
    /// Comma-separated: a header with a column user_id, userId or id, or one column of ids
    Csv,
    /// One JSON object or string a line: {"userId": "...", "attributes": {...}} or "..."
    Ndjson,
}

/// A file of users that is being read.
pub(super) struct UsersFile {
    path: PathBuf,
    blocks: Blocks<Box<dyn Read + Send>>,
    layout: Layout,
    total_bytes: Option<u64>,
}

/// What is needed to read users from a block; the same for all blocks of a file.
#[derive(Debug, Clone)]
pub(super) enum Layout {
    Csv(csv::Columns),
    /// With the name of the member that holds the id.
    Ndjson(Arc<str>),
}

/// A user without an id is hardly meant, although the engine would decide for one: in neither form.
const NO_ID: &str = "the user id is empty: write one, or take the line out";

/// One line of a block: its number in the file, and the user or what is wrong.
pub(super) type Line<'l> = (u64, Result<FileUser<'l>, Fault>);

impl UsersFile {
    /// Opens a file; `-` is standard input. Without a format, the name's extension tells it. The id's
    /// column or member may have a name of its own.
    pub(super) fn open(
        path: &Path,
        format: Option<UsersFormat>,
        id_name: Option<&str>,
    ) -> Result<Self, Failure> {
        let format = match format {
            Some(format) => format,
            None => format_of(path).map_err(|fault| Failure::usage(anyhow::Error::msg(fault)))?,
        };
        let unreadable = |error| unreadable(path, error);
        let (input, total_bytes): (Box<dyn Read + Send>, _) = if path == Path::new("-") {
            (Box::new(io::stdin()), None)
        } else {
            let file = File::open(path).map_err(unreadable)?;
            let metadata = file.metadata().map_err(unreadable)?;
            (Box::new(file), metadata.is_file().then_some(metadata.len()))
        };
        let mut blocks = Blocks::new(input, format == UsersFormat::Csv);
        let layout = match format {
            UsersFormat::Ndjson => Layout::Ndjson(member_of_ids(id_name)?.into()),
            UsersFormat::Csv => {
                let first = blocks.peek_record().map_err(unreadable)?;
                let columns = csv::Columns::of_first_record(first, id_name)
                    .map_err(|fault| Failure::malformed(format!("line 1: {fault}")))?;
                Layout::Csv(columns)
            }
        };
        Ok(Self { path: path.to_owned(), blocks, layout, total_bytes })
    }

    /// The size of the file, where it is known.
    pub(super) fn total_bytes(&self) -> Option<u64> {
        self.total_bytes
    }

    /// How it is written.
    pub(super) fn format(&self) -> UsersFormat {
        match self.layout {
            Layout::Csv(_) => UsersFormat::Csv,
            Layout::Ndjson(_) => UsersFormat::Ndjson,
        }
    }

    /// What reads users from the blocks.
    pub(super) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Reads the next whole lines into a block; false at the end of the file.
    pub(super) fn next_block(&mut self, block: &mut Block) -> Result<bool, Failure> {
        self.blocks.next(block).map_err(|error| unreadable(&self.path, error))
    }
}

impl Layout {
    /// Reads the users of a block in order, until one is answered with an error.
    pub(super) fn read<E>(
        &self,
        block: &Block,
        each: &mut impl FnMut(Line<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        match self {
            Self::Csv(columns) => columns.read(block, each),
            Self::Ndjson(id_name) => ndjson::read(id_name, block, each),
        }
    }
}

fn member_of_ids(id_name: Option<&str>) -> Result<&str, Failure> {
    let id_name = id_name.unwrap_or(ndjson::ID_NAME);
    if id_name == ndjson::ATTRIBUTES {
        let message =
            "--id-field: that member holds the attributes: name the one that holds the id";
        return Err(Failure::usage(anyhow::Error::msg(message)));
    }
    Ok(id_name)
}

fn format_of(path: &Path) -> Result<UsersFormat, Fault> {
    let extension = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    match &*extension {
        "csv" | "txt" => Ok(UsersFormat::Csv),
        "ndjson" | "jsonl" => Ok(UsersFormat::Ndjson),
        _ if path == Path::new("-") => {
            Err("standard input may be written in either way: add --input-format csv or ndjson"
                .to_owned())
        }
        _ => Err(format!(
            "the name {} does not tell how the users are written: add --input-format csv or ndjson",
            path.display()
        )),
    }
}

fn unreadable(path: &Path, error: io::Error) -> Failure {
    // What was read is no list of users; the message says why.
    if error.kind() == io::ErrorKind::InvalidData {
        return Failure::malformed(error.to_string());
    }
    Failure::usage(Error::file("read the users in", path, error))
}
