//! Ranges of keys.
//!
//! Must not know what stands behind the keys.

use std::ops::RangeInclusive;

/// Keys from a first to a last one.
pub(super) type Keys = RangeInclusive<Vec<u8>>;

/// No key begins with so many bytes that are all ones.
const LONGEST_PREFIX: usize = 32;

/// All keys of a keyspace.
pub(super) fn everything() -> Keys {
    Vec::new()..=vec![u8::MAX; LONGEST_PREFIX]
}

/// All keys behind one.
pub(super) fn behind(key: &[u8]) -> Keys {
    [key, &[0]].concat()..=vec![u8::MAX; LONGEST_PREFIX]
}

/// The keys of numbers.
pub(super) fn numbered(first: u64, last: u64) -> Keys {
    first.to_be_bytes().to_vec()..=last.to_be_bytes().to_vec()
}

/// All keys that begin alike and go on with text.
pub(super) fn beginning(prefix: &[u8]) -> Keys {
    prefix.to_vec()..=[prefix, &[u8::MAX; LONGEST_PREFIX]].concat()
}

/// A number of eight bytes.
pub(super) fn number(bytes: &[u8]) -> Option<u64> {
    bytes.try_into().ok().map(u64::from_be_bytes)
}
