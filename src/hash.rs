//! From a user id to a bucket: MurmurHash3 (x86, 32 bits, seed 1), as in all official SDKs.
//!
//! Must not know anything else of this crate. The hash runs over `bucketing id ++ parent id` without
//! a separator. Parent ids are known when a datafile is compiled, so their part is prepared for each
//! of the four alignments that the id before them can leave, and nothing is concatenated.

/// Buckets are basis points of traffic: 0 to 9999.
pub const BUCKETS: u32 = 10_000;

const SEED: u32 = 1;
const C1: u32 = 0xcc9e_2d51;
const C2: u32 = 0x1b87_3593;

/// A parent id (experiment, group, rollout rule or holdout), prepared for hashing after any user id.
#[derive(Debug, Clone)]
pub struct PreparedParent {
    alignments: [Alignment; 4],
    length: u32,
}

/// So many blocks of a parent id are kept in place: enough for ids of up to 16 bytes.
const NEAR_BLOCKS: usize = 4;

/// The parent's bytes as seen after an id that leaves `n` bytes (0 to 3) in the last block.
///
/// In one line of the cache, which also makes it cheap to find among the four.
#[derive(Debug, Clone)]
#[repr(align(64))]
struct Alignment {
    /// The first parent bytes, shifted to where they complete the id's last block.
    head: u32,
    /// Whether `head` completes a block; if not, the parent is too short and all of it is tail.
    head_completes: bool,
    /// What is left behind the whole blocks, already mixed.
    tail: u32,
    /// How many whole blocks there are.
    count: usize,
    /// The first of them, already mixed.
    near: [u32; NEAR_BLOCKS],
    /// Those behind, already mixed.
    far: Box<[u32]>,
}

impl PreparedParent {
    /// Prepares a parent id.
    #[must_use]
    pub fn new(parent_id: &str) -> Self {
        let bytes = parent_id.as_bytes();
        let alignments = [0_usize, 1, 2, 3].map(|held| Alignment::new(bytes, held));
        Self { alignments, length: length_of(bytes) }
    }

    /// The hash of `bucketing_id ++ parent id`.
    #[inline(always)]
    #[must_use]
    pub fn hash(&self, bucketing_id: &str) -> u32 {
        let bytes = bucketing_id.as_bytes();
        let mut hash = SEED;
        let mut rest = bytes;
        while let Some((pair, behind)) = rest.split_first_chunk() {
            let [first, second] = halves(u64::from_le_bytes(*pair));
            hash = absorb(absorb(hash, mix(first)), mix(second));
            rest = behind;
        }
        if let Some((block, behind)) = rest.split_first_chunk() {
            hash = absorb(hash, mix(u32::from_le_bytes(*block)));
            rest = behind;
        }
        let held = match bytes.last_chunk() {
            Some(last) => rest_of_last_four(u32::from_le_bytes(*last), rest.len()),
            None => little_endian(rest),
        };
        let Some(alignment) = self.alignments.get(rest.len() & 3) else { return hash };
        let last = held | alignment.head;
        if alignment.head_completes {
            if !rest.is_empty() {
                hash = absorb(hash, mix(last));
            }
            hash = alignment.absorb_blocks(hash) ^ alignment.tail;
        } else {
            hash ^= mix(last);
        }
        finish(hash, length_of(bytes).wrapping_add(self.length))
    }

    /// The bucket (0 to 9999) of a bucketing id under this parent.
    #[inline(always)]
    #[must_use]
    pub fn bucket(&self, bucketing_id: &str) -> u16 {
        bucket_of(self.hash(bucketing_id))
    }

    /// The bucket of the bucketing id that the prefix was made of: the same as [`PreparedParent::bucket`],
    /// without going over the id again.
    #[inline]
    #[must_use]
    pub fn bucket_after(&self, prefix: &Prefix) -> u16 {
        let Prefix { mut hash, held, held_bytes, length } = *prefix;
        let [zero, one, two, three] = &self.alignments;
        let alignment = match held_bytes {
            0 => zero,
            1 => one,
            2 => two,
            _ => three,
        };
        let last = held | alignment.head;
        if alignment.head_completes {
            if held_bytes != 0 {
                hash = absorb(hash, mix(last));
            }
            hash = alignment.absorb_blocks(hash) ^ alignment.tail;
        } else {
            hash ^= mix(last);
        }
        bucket_of(finish(hash, length.wrapping_add(self.length)))
    }
}

/// A bucketing id of which the whole blocks are hashed, to be continued by any number of parents.
#[derive(Debug, Clone, Copy)]
pub struct Prefix {
    hash: u32,
    /// The bytes (0 to 3) that fill no block.
    held: u32,
    held_bytes: u32,
    length: u32,
}

impl Prefix {
    /// Hashes the whole blocks of a bucketing id.
    #[inline]
    #[must_use]
    pub fn new(bucketing_id: &str) -> Self {
        let bytes = bucketing_id.as_bytes();
        let (whole, rest) = bytes.as_chunks::<4>();
        let hash =
            whole.iter().fold(SEED, |hash, block| absorb(hash, mix(u32::from_le_bytes(*block))));
        Self {
            hash,
            held: little_endian(rest),
            held_bytes: length_of(rest),
            length: length_of(bytes),
        }
    }
}

impl Alignment {
    fn new(parent: &[u8], held: usize) -> Self {
        let wanted = if held == 0 { 0 } else { 4 - held };
        let (head, rest) = parent.split_at(wanted.min(parent.len()));
        let shift = u32::try_from(held * 8).unwrap_or(0);
        let head_word = if head.is_empty() { 0 } else { little_endian(head) << shift };
        let (whole, tail) = rest.as_chunks::<4>();
        let blocks: Vec<_> = whole.iter().map(|block| mix(u32::from_le_bytes(*block))).collect();
        Self {
            head: head_word,
            head_completes: head.len() == wanted,
            tail: mix(little_endian(tail)),
            count: whole.len(),
            near: std::array::from_fn(|place| blocks.get(place).copied().unwrap_or_default()),
            far: blocks.get(NEAR_BLOCKS..).unwrap_or_default().into(),
        }
    }

    /// Written out, since ids are short: what a loop costs around each block is most of it.
    #[inline(always)]
    fn absorb_blocks(&self, mut hash: u32) -> u32 {
        let [first, second, third, fourth] = self.near;
        if self.count >= 2 {
            hash = absorb(absorb(hash, first), second);
            if self.count >= 3 {
                hash = absorb(hash, third);
            }
            if self.count >= 4 {
                hash = self.absorb_far_blocks(absorb(hash, fourth));
            }
        } else if self.count == 1 {
            hash = absorb(hash, first);
        }
        hash
    }

    #[inline(never)]
    fn absorb_far_blocks(&self, hash: u32) -> u32 {
        self.far.iter().fold(hash, |hash, block| absorb(hash, *block))
    }
}

/// The bucket (0 to 9999) of a hash: `floor(hash / 2^32 * 10000)`, without the floating point.
#[inline]
#[must_use]
pub fn bucket_of(hash: u32) -> u16 {
    let scaled = (u64::from(hash) * u64::from(BUCKETS)) >> 32;
    #[expect(clippy::cast_possible_truncation, reason = "the product's upper half is below 10000")]
    let bucket = scaled as u16;
    bucket
}

/// The last bytes (0 to 3) of four, as a little-endian word.
#[inline]
fn rest_of_last_four(last_four: u32, count: usize) -> u32 {
    // Shifted as 64 bits, since a word cannot be shifted by its whole length.
    #[expect(clippy::cast_possible_truncation, reason = "less than 32 bits are left")]
    let rest = (u64::from(last_four) >> (32 - 8 * (count & 3))) as u32;
    rest
}

/// The lower half of eight bytes, then the upper.
#[inline]
fn halves(eight: u64) -> [u32; 2] {
    #[expect(clippy::cast_possible_truncation, reason = "both halves are given")]
    let halves = [eight as u32, (eight >> 32) as u32];
    halves
}

/// Up to four bytes as a little-endian word.
#[inline]
fn little_endian(bytes: &[u8]) -> u32 {
    bytes.iter().rev().fold(0, |word, byte| (word << 8) | u32::from(*byte))
}

#[inline]
fn mix(block: u32) -> u32 {
    block.wrapping_mul(C1).rotate_left(15).wrapping_mul(C2)
}

#[inline]
fn absorb(hash: u32, mixed: u32) -> u32 {
    (hash ^ mixed).rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64)
}

#[inline]
fn finish(hash: u32, length: u32) -> u32 {
    let mut hash = hash ^ length;
    hash ^= hash >> 16;
    hash = hash.wrapping_mul(0x85eb_ca6b);
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(0xc2b2_ae35);
    hash ^ (hash >> 16)
}

/// The length that the hash mixes in: 32 bits, wrapping as the reference does.
#[inline]
fn length_of(bytes: &[u8]) -> u32 {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "MurmurHash3 defines the length modulo 2^32"
    )]
    let length = bytes.len() as u32;
    length
}
