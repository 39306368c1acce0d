//! The version ordering of the official SDKs, in JavaScript's reading.
//!
//! Must not know anything else of this crate. It is no semantic-versioning order: the condition's
//! version leads, a shorter one is a prefix ("2.1" equals a user's "2.1.9"), everything behind the
//! first `-` or `+` is one part, and such parts compare as text.

use std::cmp::Ordering;

/// At most three numbers and one suffix.
const MOST_PARTS: usize = 4;

/// A condition's version, read once.
#[derive(Debug, Clone, PartialEq)]
pub struct Version {
    text: Box<str>,
    parts: Box<[Part]>,
    kind: Kind,
}

#[derive(Debug, Clone, PartialEq)]
struct Part {
    text: Box<str>,
    /// What JavaScript's `parseInt` makes of the text.
    number: Option<f64>,
}

/// Which separator comes first in a version, if any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Release,
    PreRelease,
    Build,
}

impl Version {
    /// Reads a condition's version; `None` if it is not one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let split = Split::new(text)?;
        let parts =
            split.parts().map(|part| Part { text: part.into(), number: parse_int(part) }).collect();
        Some(Self { text: text.into(), parts, kind: split.kind })
    }

    /// The version as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Its parts, up to three numbers and a suffix, each with the number that is compared, if it has one.
    pub(crate) fn parts(&self) -> impl Iterator<Item = (&str, Option<f64>)> {
        self.parts.iter().map(|part| (&*part.text, part.number))
    }

    /// How a user's version compares to this one; `None` if the user's is not a version.
    #[must_use]
    pub fn compare(&self, user_version: &str) -> Option<Ordering> {
        let user = Split::new(user_version)?;
        let mut user_parts = user.parts();
        for target in &self.parts {
            let Some(part) = user_parts.next() else {
                let target_has_suffix = self.kind != Kind::Release;
                return Some(if target_has_suffix { Ordering::Greater } else { Ordering::Less });
            };
            let ordering = if is_number(part) {
                compare_numbers(part, target)
            } else {
                self.compare_texts(part, target, user.kind)
            };
            if ordering.is_ne() {
                return Some(ordering);
            }
        }
        let only_user_is_early = user.kind == Kind::PreRelease && self.kind != Kind::PreRelease;
        Some(if only_user_is_early { Ordering::Less } else { Ordering::Equal })
    }

    fn compare_texts(&self, user: &str, target: &Part, user_kind: Kind) -> Ordering {
        let target_is_early = self.kind == Kind::PreRelease;
        let user_is_early = user_kind == Kind::PreRelease;
        // JavaScript compares text by UTF-16 code units, which differs from code points beyond U+FFFF.
        match user.encode_utf16().cmp(target.text.encode_utf16()) {
            Ordering::Equal => Ordering::Equal,
            Ordering::Less if target_is_early && !user_is_early => Ordering::Greater,
            Ordering::Less => Ordering::Less,
            Ordering::Greater if !target_is_early && user_is_early => Ordering::Less,
            Ordering::Greater => Ordering::Greater,
        }
    }
}

/// A number against text that is none is neither greater nor less, so the next parts decide.
fn compare_numbers(user: &str, target: &Part) -> Ordering {
    match (parse_int(user), target.number) {
        (Some(user), Some(target)) => user.partial_cmp(&target).unwrap_or(Ordering::Equal),
        _ => Ordering::Equal,
    }
}

/// A version cut into its parts, without a copy.
struct Split<'a> {
    prefix: &'a str,
    suffix: &'a str,
    kind: Kind,
}

impl<'a> Split<'a> {
    fn new(text: &'a str) -> Option<Self> {
        if text.chars().any(is_javascript_space) {
            return None;
        }
        let (kind, prefix, suffix) =
            match text.find(['-', '+']).and_then(|at| text.split_at_checked(at)) {
                None => (Kind::Release, text, ""),
                Some((prefix, rest)) => match rest.strip_prefix('-') {
                    Some(suffix) => (Kind::PreRelease, prefix, suffix),
                    None => (Kind::Build, prefix, rest.strip_prefix('+').unwrap_or(rest)),
                },
            };
        let is_valid = prefix.split('.').count() < MOST_PARTS && prefix.split('.').all(is_number);
        is_valid.then_some(Self { prefix, suffix, kind })
    }

    fn parts(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let suffix = Some(self.suffix).filter(|suffix| !suffix.is_empty());
        self.prefix.split('.').chain(suffix)
    }
}

fn is_number(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit())
}

/// JavaScript's `\s`: Unicode white space and the byte-order mark, but not U+0085.
fn is_javascript_space(character: char) -> bool {
    (character.is_whitespace() && character != '\u{85}') || character == '\u{feff}'
}

/// JavaScript's `parseInt`: a sign, then hexadecimal behind `0x`, else as many decimal digits as there are.
fn parse_int(text: &str) -> Option<f64> {
    let (sign, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    let hexadecimal = unsigned.strip_prefix("0x").or_else(|| unsigned.strip_prefix("0X"));
    let (digits, radix) = hexadecimal.map_or((unsigned, 10), |digits| (digits, 16));
    let length = digits.bytes().take_while(|byte| char::from(*byte).is_digit(radix)).count();
    let digits = digits.get(..length).filter(|digits| !digits.is_empty())?;
    let magnitude = if radix == 10 {
        digits.parse().ok()?
    } else {
        digits
            .chars()
            .filter_map(|digit| digit.to_digit(16))
            .fold(0.0, |sum, digit| sum * 16.0 + f64::from(digit))
    };
    Some(sign * magnitude)
}
