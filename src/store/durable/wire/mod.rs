//! The forms in which rows, records and names stand on the disk.
//!
//! Must not know the engine, keys or turns. A value is one byte that says the version of its layout,
//! then the structs of this folder in postcard's form. Numbers stand for names: see `names`.

pub(super) mod arranged;
mod common;
pub(super) mod datafile;
pub(super) mod meta;
pub(super) mod names;
mod record;
mod row;

pub(super) use record::{packed_record, unpacked_record, unpacked_use};
pub(super) use row::{Held, packed_row, unpacked_row};

use serde::{Deserialize, Serialize};

use super::unreadable::Unreadable;

/// The version of the layouts of this folder.
const LAYOUT: u8 = 1;

/// Most values are shorter. The engine makes a copy of its own.
const MOSTLY_BYTES: usize = 512;

/// Packs a value.
pub(super) fn packed<T: Serialize>(value: &T) -> Result<Vec<u8>, Unreadable> {
    let mut bytes = Vec::with_capacity(MOSTLY_BYTES);
    bytes.push(LAYOUT);
    postcard::to_extend(value, bytes).map_err(|error| Unreadable::new(error.to_string()))
}

/// Unpacks a value.
pub(super) fn unpacked<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Unreadable> {
    match bytes.split_first() {
        Some((&LAYOUT, rest)) => {
            postcard::from_bytes(rest).map_err(|error| Unreadable::new(error.to_string()))
        }
        Some((layout, _)) => Err(Unreadable::new(format!("layout {layout}"))),
        None => Err(Unreadable::new("an empty value")),
    }
}
