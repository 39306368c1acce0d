//! Draws names, ids, users and values, common and odd. Conditions and users draw from the same small pools, so that
//! they meet often.
//! Must not know the shape of a datafile.

use serde_json::{Value, json};

use super::quirk::Quirk;
use super::random::Random;

/// The attribute names that conditions and users use. The last two are never declared in a datafile.
pub(super) const ATTRIBUTE_KEYS: &[&str] =
    &["device", "plan", "age", "app_version", "beta", "città", "$opt_channel", "undeclared", ""];

/// The segments that users may qualify for.
pub(super) const SEGMENTS: &[&str] = &["vip", "churned", "größer", ""];

const WORDS: &[&str] = &["checkout", "größe", "关卡", "rocket🚀", "Hero Banner", "a.b-c", "price"];
const USERS: &[&str] = &[
    "",
    " ",
    "anna",
    "Anna",
    "ünïcödé",
    "用户1",
    "😀user",
    "e\u{301}",
    "a\nb",
    "\"quoted\"",
    "0",
    "null",
];
const VERSIONS: &[&str] = &[
    "2",
    "2.1",
    "2.1.3",
    "2.1.3-beta",
    "2.1.3-beta.2",
    "2.1.3+build",
    "2.1.4",
    "02.1.3",
    "3.0.0",
    "10.0",
    "2.1.3-rc+7",
    "2.1.3+b-c",
    "",
    "-",
    ".",
    "2.",
    "2..1",
    "2.1.3.4",
    "v2.1",
    "2.1 ",
    "2,1",
    "99999999999.0",
];
const MIXED_VERSIONS: &[&str] =
    &["2.1.3-1", "2.1.3-beta1", "2.1.3-", "2.1.3-2", "2.1.3-alpha", "2.1.3+1", "2.1.3+"];

/// Makes ids and keys that are not repeated within one datafile.
pub(super) struct Names {
    next: usize,
    integer_like: bool,
}

impl Names {
    pub(super) fn new(random: &mut Random, quirk: Quirk) -> Self {
        // Ids as long as the service's own, which JavaScript does not take for array indices.
        let first = if quirk == Quirk::IntegerLikeNames { 3 } else { 9_300_000_000 };
        Self { next: first + random.below(1000), integer_like: quirk == Quirk::IntegerLikeNames }
    }

    /// An id of digits, as nearly all are, or now and then of anything.
    pub(super) fn id(&mut self, random: &mut Random) -> String {
        // Falling and rising, so that the order by number is not the order in the datafile.
        self.next =
            if self.integer_like { (self.next * 7919 + 13) % 1_000_003 } else { self.next + 1 };
        match random.below(20) {
            0 => format!("id_{}", self.next),
            1 => format!("id-größe-{}", self.next),
            _ => self.next.to_string(),
        }
    }

    /// A key of a word and a number.
    pub(super) fn key(&mut self, random: &mut Random) -> String {
        if self.integer_like && random.chance(70) {
            return self.id(random);
        }
        self.next += 1;
        format!("{}_{}", random.pick(WORDS), self.next % 1_000_000)
    }
}

/// The users of one datafile: few, so that forced, whitelisted and sticky users come back.
pub(super) fn users(random: &mut Random) -> Vec<String> {
    let mut users: Vec<String> =
        (0..9).map(|_| format!("user_{}", random.below(100_000))).collect();
    users.extend((0..5).map(|_| random.pick(USERS).to_owned()));
    users.push("long ".repeat(random.between(1, 60)));
    users
}

/// A value for the attribute, as a condition or a user would have it.
pub(super) fn attribute_value(random: &mut Random, key: &str, quirk: Quirk) -> Value {
    if random.chance(15) {
        return odd_value(random, quirk);
    }
    match key {
        "device" | "città" | "$opt_channel" => {
            json!(random.pick(&["ios", "android", "web", "", "iOS", "größe", "😀"]))
        }
        "plan" | "undeclared" => json!(random.pick(&["free", "pro", "pro plus"])),
        "beta" => json!(random.chance(50)),
        "app_version" => json!(version(random, quirk)),
        _ => number(random, quirk),
    }
}

/// A version, sometimes no version at all.
pub(super) fn version(random: &mut Random, quirk: Quirk) -> &'static str {
    if quirk == Quirk::MixedVersions && random.chance(60) {
        return random.pick(MIXED_VERSIONS);
    }
    random.pick(VERSIONS)
}

/// A number around the edges where comparisons go wrong.
pub(super) fn number(random: &mut Random, quirk: Quirk) -> Value {
    if quirk == Quirk::BeyondExactNumbers && random.chance(60) {
        let beyond: &[i64] =
            &[9_007_199_254_740_993, -9_007_199_254_740_993, 9_007_199_254_740_992];
        return json!(random.pick(beyond));
    }
    match random.below(16) {
        0 => json!(9_007_199_254_740_992_i64),
        1 => json!(-9_007_199_254_740_992_i64),
        2 => json!(9_007_199_254_740_994_i64),
        3 => json!(-9_007_199_254_740_994_i64),
        4 => json!(1e300),
        5 => json!(18.5),
        6 => json!(18.0),
        7 => json!(-0.0),
        8 => json!(5e-324),
        // All the digits of a double, and more text than a double has digits.
        9 => json!(random.below(1_000_000_007) as f64 / 7.0),
        10 => json!(0.1),
        _ => json!(random.pick(&[-1, 0, 1, 17, 18, 19, 42])),
    }
}

fn odd_value(random: &mut Random, quirk: Quirk) -> Value {
    match random.below(10) {
        0 => Value::Null,
        1 => json!(""),
        2 => json!(random.chance(50)),
        3 => json!([1, "two"]),
        4 => json!([]),
        5 => json!("18"),
        6 => json!("true"),
        7 => json!(version(random, quirk)),
        _ => number(random, quirk),
    }
}
