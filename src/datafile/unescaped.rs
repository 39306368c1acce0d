//! From offsets in the value of a JSON string to offsets in its text, which has escapes.
//!
//! Must not know what the string holds. The text is known to be a JSON string.

/// For each byte of the value, and for its end, the offset in the text at which its character begins.
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

/// How many bytes the first character takes in the text, and how many it has in the value.
fn one_character(text: &str) -> (usize, usize) {
    match (unit(text), text.chars().next()) {
        (Some(0xD800..=0xDBFF), _) => match text.get(6..).and_then(unit) {
            Some(0xDC00..=0xDFFF) => (12, 4),
            _ => (6, char::REPLACEMENT_CHARACTER.len_utf8()),
        },
        (Some(unit), _) => {
            let character = char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER);
            (6, character.len_utf8())
        }
        (None, Some('\\')) => (2, 1),
        (None, Some(character)) => (character.len_utf8(), character.len_utf8()),
        (None, None) => (1, 0),
    }
}

/// The number of a `\u` escape at the start of a text.
fn unit(text: &str) -> Option<u32> {
    u32::from_str_radix(text.strip_prefix("\\u")?.get(..4)?, 16).ok()
}
