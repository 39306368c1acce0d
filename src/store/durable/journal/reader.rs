//! One journal file of the engine, read batch by batch.
//!
//! Must not know which batches matter. Memory is bounded whatever the lengths in the file say: keys
//! and values are hashed as they pass by, and a length that ends behind the file is no batch.
//!
//! A batch is `1, item count u32, number u64`, its items, `3, checksum u64, "FJL" 3`; an item is
//! `2, kind u8, compression u8, keyspace u64, key length u16, value length u32, stored length u32`,
//! key, stored value; `4, keyspace u64` empties a keyspace. Integers are little-endian. The checksum
//! is xxh3 of the items' bytes: it says nothing of the batch's number.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use smallvec::SmallVec;
use xxhash_rust::xxh3::Xxh3;

const START: u8 = 1;
const ITEM: u8 = 2;
const END: u8 = 3;
const CLEAR: u8 = 4;
const TRAILER: [u8; 4] = *b"FJL\x03";

/// Start and the fixed part of a first item: what shows most places to be no start of a batch.
const HEAD_BYTES: usize = 1 + 4 + 8 + ITEM_HEAD_BYTES;
const ITEM_HEAD_BYTES: usize = 1 + 1 + 1 + 8 + 2 + 4 + 4;
const BUFFER_BYTES: usize = 256 * 1024;
static ZEROES: [u8; BUFFER_BYTES] = [0; BUFFER_BYTES];
/// Ids of keyspaces count from 1; above this they are chance bytes.
const LARGEST_KEYSPACE: u64 = 1 << 32;

/// The store has fewer; chance bytes may seem to name more.
const MOST_KEYSPACES: usize = 64;

/// A batch whose checksum agrees.
#[derive(Debug)]
pub(super) struct Batch {
    /// The engine's number of it; later batches have larger ones.
    pub(super) number: u64,
    /// The offset behind it.
    pub(super) end: u64,
    /// The keyspaces that it wrote into.
    pub(super) keyspaces: SmallVec<[u64; 8]>,
}

impl Batch {
    fn writes_into(&mut self, keyspace: u64) {
        if self.keyspaces.len() < MOST_KEYSPACES && !self.keyspaces.contains(&keyspace) {
            self.keyspaces.push(keyspace);
        }
    }
}

/// A journal file and a place in it.
#[derive(Debug)]
pub(super) struct Reader {
    file: BufReader<File>,
    at: u64,
    length: u64,
}

/// Why there is no batch at a place.
enum Stop {
    NoBatch,
    File(io::Error),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        // The file may shrink below us only if somebody ignores the lock; then it ends there.
        if error.kind() == io::ErrorKind::UnexpectedEof { Self::NoBatch } else { Self::File(error) }
    }
}

impl Reader {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        Ok(Self { file: BufReader::with_capacity(BUFFER_BYTES, file), at: 0, length })
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// How far the last look went.
    pub(super) fn place(&self) -> u64 {
        self.at
    }

    /// The batch that starts at `offset`, if one does.
    pub(super) fn batch_at(&mut self, offset: u64) -> io::Result<Option<Batch>> {
        self.go_to(offset)?;
        match self.batch() {
            Ok(batch) => Ok(Some(batch)),
            Err(Stop::NoBatch) => Ok(None),
            Err(Stop::File(error)) => Err(error),
        }
    }

    /// The first byte from `offset` on that is not zero.
    pub(super) fn first_byte_set(&mut self, offset: u64) -> io::Result<Option<u64>> {
        self.go_to(offset)?;
        loop {
            let buffer = self.file.fill_buf()?;
            let read = buffer.len();
            if read == 0 {
                return Ok(None);
            }
            if let Some(zeroes) = first_set(buffer) {
                return Ok(Some(self.at.saturating_add(length_u64(zeroes))));
            }
            self.pass(read);
        }
    }

    /// The first place from `offset` on that looks like the start of a batch.
    pub(super) fn candidate(&mut self, offset: u64) -> io::Result<Option<u64>> {
        self.go_to(offset)?;
        let mut seen = Vec::with_capacity(BUFFER_BYTES + HEAD_BYTES);
        loop {
            let buffer = self.file.fill_buf()?;
            let read = buffer.len();
            if read == 0 {
                return Ok(None);
            }
            if first_set(buffer).is_none() && first_set(&seen).is_none() {
                seen.clear();
                self.pass(read);
                continue;
            }
            seen.extend_from_slice(buffer);
            self.pass(read);
            let first = self.at.saturating_sub(length_u64(seen.len()));
            let left = |start: usize| self.length.saturating_sub(first + length_u64(start));
            let looks = |(start, head): (usize, &[u8])| looks_like_a_batch(head, left(start));
            if let Some(start) = seen.windows(HEAD_BYTES).enumerate().position(looks) {
                return Ok(Some(first.saturating_add(length_u64(start))));
            }
            let rest = seen.len().saturating_sub(HEAD_BYTES - 1);
            seen.drain(..rest);
        }
    }

    fn batch(&mut self) -> Result<Batch, Stop> {
        let mut hasher = Xxh3::new();
        let [tag] = self.take()?;
        let items = u32::from_le_bytes(self.take()?);
        let number = u64::from_le_bytes(self.take()?);
        if tag != START || items == 0 {
            return Err(Stop::NoBatch);
        }
        let mut batch = Batch { number, end: 0, keyspaces: SmallVec::new() };
        for _ in 0..items {
            let [tag] = self.take()?;
            hasher.update(&[tag]);
            match tag {
                ITEM => batch.writes_into(self.item(&mut hasher)?),
                CLEAR => hasher.update(&self.take::<8>()?),
                _ => return Err(Stop::NoBatch),
            }
        }
        let [tag] = self.take()?;
        let checksum = u64::from_le_bytes(self.take()?);
        if tag != END || self.take()? != TRAILER || checksum != hasher.digest() {
            return Err(Stop::NoBatch);
        }
        batch.end = self.at;
        Ok(batch)
    }

    /// Hashes an item behind its tag, and gives its keyspace.
    fn item(&mut self, hasher: &mut Xxh3) -> Result<u64, Stop> {
        let head: [u8; ITEM_HEAD_BYTES - 1] = self.take()?;
        hasher.update(&head);
        let head = ItemHead::read(&head).ok_or(Stop::NoBatch)?;
        let mut left = head.bytes_behind();
        if left > self.length.saturating_sub(self.at) {
            return Err(Stop::NoBatch);
        }
        while left > 0 {
            let buffer = self.file.fill_buf()?;
            let most = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
            if most == 0 {
                return Err(Stop::NoBatch);
            }
            hasher.update(buffer.get(..most).unwrap_or_default());
            self.pass(most);
            left = left.saturating_sub(length_u64(most));
        }
        Ok(head.keyspace)
    }

    fn go_to(&mut self, offset: u64) -> io::Result<()> {
        if offset != self.at {
            self.file.seek(SeekFrom::Start(offset))?;
            self.at = offset;
        }
        Ok(())
    }

    fn take<const BYTES: usize>(&mut self) -> Result<[u8; BYTES], io::Error> {
        let mut bytes = [0; BYTES];
        self.file.read_exact(&mut bytes)?;
        self.at = self.at.saturating_add(length_u64(BYTES));
        Ok(bytes)
    }

    fn pass(&mut self, bytes: usize) {
        self.file.consume(bytes);
        self.at = self.at.saturating_add(length_u64(bytes));
    }
}

/// What stands before a key and its value.
struct ItemHead {
    keyspace: u64,
    key_bytes: u16,
    stored_bytes: u32,
}

impl ItemHead {
    /// `None` where the fields contradict each other, so that these bytes are no item.
    fn read(bytes: &[u8]) -> Option<Self> {
        let ([kind, compression], bytes) = bytes.split_first_chunk()?;
        let (keyspace, bytes) = bytes.split_first_chunk()?;
        let (key_bytes, bytes) = bytes.split_first_chunk()?;
        let (value_bytes, bytes) = bytes.split_first_chunk()?;
        let head = Self {
            keyspace: u64::from_le_bytes(*keyspace),
            key_bytes: u16::from_le_bytes(*key_bytes),
            stored_bytes: u32::from_le_bytes(*bytes.first_chunk()?),
        };
        let is_plain = *compression == 0 && u32::from_le_bytes(*value_bytes) == head.stored_bytes;
        let is_sound =
            *kind <= 2 && (is_plain || *compression == 1) && head.keyspace <= LARGEST_KEYSPACE;
        is_sound.then_some(head)
    }

    fn bytes_behind(&self) -> u64 {
        u64::from(self.key_bytes).saturating_add(u64::from(self.stored_bytes))
    }
}

/// Whether `head` can open a batch when so many bytes are left in the file from there.
fn looks_like_a_batch(head: &[u8], left: u64) -> bool {
    let [START, a, b, c, d, _, _, _, _, _, _, _, _, tag, item @ ..] = head else { return false };
    let items = u64::from(u32::from_le_bytes([*a, *b, *c, *d]));
    let is_plausible = items > 0 && items < left;
    match *tag {
        ITEM => is_plausible && ItemHead::read(item).is_some_and(|item| item.bytes_behind() < left),
        CLEAR => is_plausible,
        _ => false,
    }
}

/// Where the first byte stands that is not zero. Compared as a whole first: most of a journal is zeroes,
/// made ready for later commits.
fn first_set(bytes: &[u8]) -> Option<usize> {
    let is_zero = ZEROES.get(..bytes.len()) == Some(bytes);
    if is_zero { None } else { bytes.iter().position(|byte| *byte != 0) }
}

fn length_u64(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
