//! Escapes in the text of JSON strings: where each character stands, and halves of characters.
//!
//! Must not know what the strings hold.

/// What stands for half of a character, in as many bytes.
#[cfg(feature = "server")]
const FOR_A_HALF: &[u8; 6] = b"\\ufffd";

/// For each byte of the value of a JSON string, and for its end, the offset in its text at which its character
/// begins. The text is known to be a JSON string.
pub(super) fn offsets(json: &str) -> Vec<usize> {
    let mut offsets = Vec::with_capacity(json.len());
    // Behind the opening quotation mark, up to the closing one.
    let mut at = 1_usize;
    while let Some(rest) = json.get(at..).filter(|rest| !rest.is_empty() && *rest != "\"") {
        let (taken, given) = one_character(rest);
        offsets.extend(std::iter::repeat_n(at, given));
        at = at.saturating_add(taken);
    }
    offsets.push(at);
    offsets
}

/// A JSON text with U+FFFD for each half of a character; `None` where it has no such half. All else stays where it
/// is, and as wrong as it is.
#[cfg(feature = "server")]
pub(crate) fn without_halves(json: &[u8]) -> Option<Vec<u8>> {
    let mut mended: Option<Vec<u8>> = None;
    let mut at = 0_usize;
    while let Some(rest) = json.get(at..) {
        let Some(plain) = rest.iter().position(|byte| *byte == b'\\') else { break };
        at = at.saturating_add(plain);
        let escape = rest.get(plain..).and_then(escape);
        let end = at.saturating_add(escape.map_or(2, Escape::length));
        if escape == Some(Escape::Half) {
            let mended = mended.get_or_insert_with(|| json.to_vec());
            mended.get_mut(at..end)?.copy_from_slice(FOR_A_HALF);
        }
        at = end;
    }
    mended
}

/// What an escape `\u` stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Escape {
    One(char),
    /// A character that takes two.
    Pair,
    /// One of such two, without the other.
    Half,
}

impl Escape {
    /// How many bytes it takes.
    const fn length(self) -> usize {
        match self {
            Self::One(_) | Self::Half => 6,
            Self::Pair => 12,
        }
    }
}

/// How many bytes the first character takes in the text, and how many it has in the value.
fn one_character(text: &str) -> (usize, usize) {
    match (escape(text.as_bytes()), text.chars().next()) {
        (Some(escape), _) => {
            let given = match escape {
                Escape::One(character) => character.len_utf8(),
                Escape::Pair => 4,
                Escape::Half => char::REPLACEMENT_CHARACTER.len_utf8(),
            };
            (escape.length(), given)
        }
        (None, Some('\\')) => (2, 1),
        (None, Some(character)) => (character.len_utf8(), character.len_utf8()),
        (None, None) => (1, 0),
    }
}

/// The `\u` escape at the start of a text, with the other half behind it where there is one.
fn escape(text: &[u8]) -> Option<Escape> {
    let first = unit(text)?;
    let other = || text.get(6..).and_then(unit);
    if (0xD800..=0xDBFF).contains(&first) && matches!(other(), Some(0xDC00..=0xDFFF)) {
        return Some(Escape::Pair);
    }
    Some(char::from_u32(first).map_or(Escape::Half, Escape::One))
}

/// The number of a `\u` escape at the start of a text.
fn unit(text: &[u8]) -> Option<u32> {
    let digits = std::str::from_utf8(text.strip_prefix(b"\\u")?.get(..4)?).ok()?;
    u32::from_str_radix(digits, 16).ok()
}

#[cfg(all(test, feature = "server"))]
mod tests {
    //! Which halves are found.

    use super::without_halves;

    #[test]
    fn halves_are_replaced_and_nothing_else() {
        let check = |json: &str, expect: Option<&str>| {
            let mended = without_halves(json.as_bytes());
            let mended = mended.map(|mended| String::from_utf8(mended).unwrap());
            assert_eq!(mended.as_deref(), expect, "{json}");
        };
        check("", None);
        check(r#"{"a":"\u00e4\n\\"}"#, None);
        check(r#""\ud83d\ude00""#, None);
        check(r#""\\ud83d""#, None);
        check(r#""\ud83d""#, Some(r#""\ufffd""#));
        check(r#""\uDE00x""#, Some(r#""\ufffdx""#));
        check(r#""\\\ud83d\n""#, Some(r#""\\\ufffd\n""#));
        check(r#""\ud83d\ud83d\ude00\ud83d""#, Some(r#""\ufffd\ud83d\ude00\ufffd""#));
        check(r#""\ude00\ud83d""#, Some(r#""\ufffd\ufffd""#));
        check(r#""\ud83d\u0041""#, Some(r#""\ufffd\u0041""#));
        check(r#""\ud83"#, None);
        check(r#""\ud83d\u+e00\"#, Some(r#""\ufffd\u+e00\"#));
    }
}
