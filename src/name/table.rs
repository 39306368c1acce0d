//! A table from names to what bears them, made once and then only read.
//!
//! Must not know what a name is of. It is made so that no two names want the same slot ("hash and
//! displace", Belazzougui, Botelho and Dietzfelbinger, ESA 2009): names are dealt out to buckets, and for
//! each bucket a displacement is looked for that brings all its names to free slots. So a look-up reads
//! one displacement and compares with one name, whichever name it is.

use std::hash::{BuildHasher as _, RandomState};
use std::ops::BitAnd;

use super::{MOST_BYTES_SHOWN, Name, Seen};

/// So many displacements for each slot are tried.
const DISPLACEMENTS_OF_SLOT: usize = 16;

/// So often are other seeds tried before a name may stand elsewhere than it should.
const MOST_DEALS: usize = 16;

/// A table from names to what bears them.
#[derive(Debug, Clone)]
pub struct NameTable<T> {
    /// A power of two of slots, at least twice as many as names: some are empty, so a search ends.
    slots: Box<[Option<Slot<T>>]>,
    /// One for each bucket of names; a power of two of them.
    displacements: Box<[u16]>,
    /// Random, so that nobody can write names that meet.
    seeds: [u64; 2],
}

#[derive(Debug, Clone)]
struct Slot<T> {
    name: Name,
    value: T,
}

impl<T: Copy> NameTable<T> {
    /// What bears a name.
    #[inline(always)]
    #[must_use]
    pub fn get(&self, text: &str) -> Option<T> {
        let seen = Seen::new(text);
        let place = self.place(hash(&seen, self.seeds));
        let slot = self.slots.get(place)?.as_ref()?;
        if slot.name.is_seen_as(&seen) { Some(slot.value) } else { self.get_behind(place, text) }
    }

    /// Searches on from a place: where the text is no name of the table, or the name does not stand where
    /// it should.
    #[cold]
    fn get_behind(&self, mut place: usize, text: &str) -> Option<T> {
        let seen = Seen::new(text);
        loop {
            place = (place + 1) & mask(&self.slots);
            let slot = self.slots.get(place)?.as_ref()?;
            if slot.name.is_seen_as(&seen) {
                return Some(slot.value);
            }
        }
    }
}

impl<T> NameTable<T> {
    #[inline]
    fn place(&self, hash: u64) -> usize {
        let displacement = self.displacements.get(bucket_of(hash, &self.displacements));
        displaced(hash, displacement.copied().unwrap_or_default()) & mask(&self.slots)
    }

    /// Puts a bucket's names where a displacement brings them all to free slots. Should there be none,
    /// they stand behind where they should, and a look-up searches on from there; gives whether there was
    /// one.
    fn insert_bucket(&mut self, hashed: Vec<(u64, Name, T)>) -> bool {
        let Some(bucket) = hashed.first().map(|(hash, ..)| bucket_of(*hash, &self.displacements))
        else {
            return true;
        };
        let most = self.slots.len().saturating_mul(DISPLACEMENTS_OF_SLOT);
        let most = u16::try_from(most).unwrap_or(u16::MAX);
        let found = (1..most).find(|displacement| self.has_room(&hashed, *displacement));
        if let (Some(displacement), Some(kept)) = (found, self.displacements.get_mut(bucket)) {
            *kept = displacement;
        }
        for (hash, name, value) in hashed {
            let mut place = self.place(hash);
            while let Some(Some(_)) = self.slots.get(place) {
                place = (place + 1) & mask(&self.slots);
            }
            if let Some(slot) = self.slots.get_mut(place) {
                *slot = Some(Slot { name, value });
            }
        }
        found.is_some()
    }

    fn has_room(&self, hashed: &[(u64, Name, T)], displacement: u16) -> bool {
        let places = hashed.iter().map(|(hash, ..)| displaced(*hash, displacement));
        let mut places: Vec<_> = places.map(|place| place & mask(&self.slots)).collect();
        places.sort_unstable();
        places.windows(2).all(|pair| pair.first() != pair.last())
            && places.iter().all(|place| matches!(self.slots.get(*place), Some(None)))
    }
}

impl<T: Copy> NameTable<T> {
    /// Deals the names out under these seeds; gives whether each stands where it should.
    fn deal(named: &[(&str, T)], seeds: [u64; 2]) -> (Self, bool) {
        let slots = named.len().saturating_mul(2).max(1).next_power_of_two();
        let buckets = (named.len() / 3).max(1).next_power_of_two();
        let mut table = Self {
            slots: std::iter::repeat_with(|| None).take(slots).collect(),
            displacements: std::iter::repeat_n(1, buckets).collect(),
            seeds,
        };
        let mut dealt: Vec<Vec<_>> = std::iter::repeat_with(Vec::new).take(buckets).collect();
        for (text, value) in named {
            let hash = hash(&Seen::new(text), seeds);
            if let Some(bucket) = dealt.get_mut(bucket_of(hash, &table.displacements)) {
                bucket.push((hash, (*text).into(), *value));
            }
        }
        // The full ones first, while there is most room.
        dealt.sort_by_key(|bucket| std::cmp::Reverse(bucket.len()));
        let stand =
            dealt.into_iter().map(|bucket| table.insert_bucket(bucket)).fold(true, BitAnd::bitand);
        (table, stand)
    }
}

/// The names must differ.
impl<'a, T: Copy> FromIterator<(&'a str, T)> for NameTable<T> {
    fn from_iter<I: IntoIterator<Item = (&'a str, T)>>(named: I) -> Self {
        let named: Vec<_> = named.into_iter().collect();
        let deal = || {
            let random = RandomState::new();
            Self::deal(&named, [random.hash_one(1), random.hash_one(2)])
        };
        let (mut table, mut stand) = deal();
        for _ in 1..MOST_DEALS {
            if stand {
                break;
            }
            (table, stand) = deal();
        }
        table
    }
}

/// The low bits of a place in a power of two of places.
#[inline]
fn mask<P>(places: &[P]) -> usize {
    places.len().wrapping_sub(1)
}

/// The bucket of a hash: by its upper half, since the lower says the slot.
#[inline]
fn bucket_of(hash: u64, buckets: &[u16]) -> usize {
    low_bits(hash >> 40) & mask(buckets)
}

/// A place by hash and displacement, before it is brought down to the number of slots: bits from the middle
/// of the product, so that each displacement mixes others, and two names that agree in some are told apart.
#[inline]
fn displaced(hash: u64, displacement: u16) -> usize {
    low_bits(hash.wrapping_mul(displacement.into()) >> 24)
}

#[inline]
fn low_bits(hash: u64) -> usize {
    #[expect(clippy::cast_possible_truncation, reason = "a mask takes fewer bits still")]
    let bits = hash as usize;
    bits
}

/// Where a name is looked for first. All bytes count: the windows, then what they do not show.
#[inline]
fn hash(seen: &Seen<'_>, [one, two]: [u64; 2]) -> u64 {
    let length = seen.text.len();
    let last = seen.windows.last ^ (length as u64).rotate_left(56);
    let hash = folded_product(seen.windows.first ^ one, last ^ two);
    if length <= MOST_BYTES_SHOWN { hash } else { hash_rest(hash, seen.text, one) }
}

/// What stands behind the first window, eight bytes at a time; what then is left is in the last one.
#[cold]
fn hash_rest(hash: u64, text: &str, seed: u64) -> u64 {
    let (eights, _) = text.as_bytes().get(8..).unwrap_or_default().as_chunks::<8>();
    eights.iter().fold(hash, |hash, eight| folded_product(hash ^ u64::from_le_bytes(*eight), seed))
}

/// The product to 128 bits, its halves folded together: each bit of both factors matters to all.
#[inline]
fn folded_product(one: u64, two: u64) -> u64 {
    let product = u128::from(one).wrapping_mul(u128::from(two));
    #[expect(clippy::cast_possible_truncation, reason = "both halves are used")]
    let folded = (product as u64) ^ ((product >> 64) as u64);
    folded
}
