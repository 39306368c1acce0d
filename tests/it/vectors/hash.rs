//! The hash and the bucket, held against the SDKs' vectors, the reference crate and the SDKs' formula.

use std::io::Cursor;

use proptest::prelude::*;
use serde_json::Value;
use variate::hash::{Prefix, PreparedParent, bucket_of};

const VECTORS: &str = include_str!("../../../datafiles/vectors/buckets.json");
const RANDOM_KEYS: u32 = 1_000_000;

#[test]
fn every_bucketing_vector() {
    let rows: Vec<Value> = serde_json::from_str(VECTORS).unwrap();
    assert_eq!(rows.len(), 344);
    for row in &rows {
        let parent = PreparedParent::new(row["parent_id"].as_str().unwrap());
        let bucketing_id = row["bucketing_id"].as_str().unwrap();
        assert_eq!(Some(u64::from(parent.hash(bucketing_id))), row["hash"].as_u64(), "{row}");
        assert_eq!(Some(u64::from(parent.bucket(bucketing_id))), row["bucket"].as_u64(), "{row}");
    }
}

fn reference(key: &[u8]) -> u32 {
    murmur3::murmur3_32(&mut Cursor::new(key), 1).unwrap()
}

fn check(bucketing_id: &str, parent_id: &str) {
    let expected = reference(format!("{bucketing_id}{parent_id}").as_bytes());
    let answer = PreparedParent::new(parent_id).hash(bucketing_id);
    assert_eq!(answer, expected, "{bucketing_id:?} ++ {parent_id:?}");
    let continued = PreparedParent::new(parent_id).bucket_after(&Prefix::new(bucketing_id));
    assert_eq!(continued, bucket_of(expected), "{bucketing_id:?} ++ {parent_id:?}");
}

#[test]
fn every_length_on_both_sides() {
    let text: String =
        (0_u8..=64).map(|place| char::from(b'!' + place.wrapping_mul(37) % 90)).collect();
    for user_length in 0..=64 {
        for parent_length in 0..=64 {
            check(&text[..user_length], &text[64 - parent_length..64]);
        }
    }
}

/// A million keys: a thousand parents, each prepared once as a datafile's are, with a thousand ids.
#[test]
fn a_million_random_keys() {
    let mut random = XorShift(0x9e37_79b9_7f4a_7c15);
    let mut key = String::new();
    let mut user = String::new();
    for _ in 0..RANDOM_KEYS / 1000 {
        let mut parent = String::new();
        random.fill(&mut parent);
        let prepared = PreparedParent::new(&parent);
        for _ in 0..1000 {
            user.clear();
            random.fill(&mut user);
            key.clear();
            key.push_str(&user);
            key.push_str(&parent);
            assert_eq!(prepared.hash(&user), reference(key.as_bytes()), "{user:?} ++ {parent:?}");
        }
    }
}

struct XorShift(u64);

impl XorShift {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Up to 7 characters of one to four bytes.
    fn fill(&mut self, text: &mut String) {
        const CHARACTERS: [char; 16] = [
            'a',
            'Z',
            '0',
            '9',
            '-',
            '\0',
            ' ',
            '\u{7f}',
            'ä',
            'ß',
            '\u{7ff}',
            '字',
            '\u{fffd}',
            '\u{301}',
            '🦀',
            '\u{10ffff}',
        ];
        let mut bits = self.next();
        for _ in 0..bits >> 61 {
            text.push(CHARACTERS[(bits & 15) as usize]);
            bits >>= 4;
        }
    }
}

proptest! {
    #[test]
    fn any_text(bucketing_id in ".*", parent_id in ".*") {
        check(&bucketing_id, &parent_id);
    }

    #[test]
    fn any_hash_has_the_bucket_of_the_formula(hash: u32) {
        prop_assert_eq!(bucket_of(hash), by_formula(hash));
    }
}

/// As the SDKs compute it.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 9999 by design")]
fn by_formula(hash: u32) -> u16 {
    (f64::from(hash) / 4_294_967_296.0 * 10_000.0).floor() as u16
}

#[test]
fn the_hashes_at_which_buckets_change() {
    for bucket in 0_u64..10_000 {
        let first = (bucket << 32).div_ceil(10_000);
        for hash in first.saturating_sub(2)..=first + 2 {
            let hash = u32::try_from(hash).unwrap();
            assert_eq!(bucket_of(hash), by_formula(hash), "{hash}");
        }
        assert_eq!(u64::from(bucket_of(u32::try_from(first).unwrap())), bucket);
    }
    assert_eq!((bucket_of(0), bucket_of(u32::MAX)), (0, 9999));
}
