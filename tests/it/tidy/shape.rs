//! The outward shape of files: how they open, how long they are, what they call things.

use super::tokens::{Kind, Token, lines_of_sequence, tokens};

/// The hard alarm; about 150 is usual.
const LONGEST_FILE_LINES: usize = 500;

/// Files that may be longer, each with its reason. May only shrink.
const LONGER_FILES: &[&str] = &[];

/// Files that do not open by saying what they are.
pub(crate) fn silent_openings(file: &str, text: &str) -> Vec<String> {
    let says =
        text.lines().next().is_some_and(|first| first.starts_with("//! ") && first.len() > 8);
    if says {
        Vec::new()
    } else {
        vec![format!("{file}:1: open with `//!`: what this file is and what it must not know")]
    }
}

pub(crate) fn long_files(file: &str, text: &str) -> Vec<String> {
    let lines = text.lines().count();
    if lines <= LONGEST_FILE_LINES || LONGER_FILES.contains(&file) {
        return Vec::new();
    }
    vec![format!(
        "{file}: {lines} lines; split it by what its parts must not know ({LONGEST_FILE_LINES} is the alarm)"
    )]
}

/// Functions at the crate's root, which is a tour and no place for work.
pub(crate) fn functions_in_the_root(file: &str, text: &str) -> Vec<String> {
    let lines =
        if file == "src/lib.rs" { lines_of_sequence(&tokens(text), "fn") } else { Vec::new() };
    lines
        .iter()
        .map(|line| format!("{file}:{line}: no functions in the crate's root; put it in a room"))
        .collect()
}

/// Error texts that end like sentences or start like them.
pub(crate) fn error_texts(file: &str, text: &str) -> Vec<String> {
    let tokens = tokens(text);
    let messages = literals_after(&tokens, "#[error(");
    let fault = |token: &&Token<'_>| {
        fault_of_message(token.text)
            .map(|fault| format!("{file}:{}: error text {fault}: {:?}", token.line, token.text))
    };
    messages.iter().filter_map(fault).collect()
}

/// Tests left out of `cargo test` without saying what they need.
pub(crate) fn unexplained_ignores(file: &str, text: &str) -> Vec<String> {
    let tokens = tokens(text);
    let ignored = lines_of_sequence(&tokens, "#[ignore").len();
    let explained = literals_after(&tokens, "#[ignore =")
        .iter()
        .filter(|reason| reason.text.starts_with("needs "))
        .count();
    if ignored == explained {
        return Vec::new();
    }
    vec![format!(
        "{file}: {} ignored without `= \"needs ...\"`; say what has to be installed",
        ignored - explained
    )]
}

fn fault_of_message(message: &str) -> Option<&'static str> {
    let mut start = message.chars();
    let is_sentence = start.next().is_some_and(char::is_uppercase)
        && start.next().is_some_and(char::is_lowercase);
    match message {
        _ if message.ends_with('.') => Some("ends with a full stop"),
        _ if is_sentence => Some("starts with a capital"),
        _ => None,
    }
}

/// The string literals that directly follow `pattern`.
fn literals_after<'a, 'b>(tokens: &'b [Token<'a>], pattern: &str) -> Vec<&'b Token<'a>> {
    let wanted = self::tokens(pattern);
    let fits = |window: &&[Token<'_>]| {
        window
            .iter()
            .zip(&wanted)
            .all(|(token, wanted)| token.text == wanted.text && token.kind == wanted.kind)
    };
    let last = |window: &'b [Token<'a>]| window.last().filter(|token| token.kind == Kind::Text);
    tokens.windows(wanted.len() + 1).filter(fits).filter_map(last).collect()
}

#[cfg(test)]
mod tests {
    //! Made-up files of a bad shape.

    use super::super::check;
    use super::{
        LONGEST_FILE_LINES, error_texts, functions_in_the_root, long_files, silent_openings,
        unexplained_ignores,
    };

    #[test]
    fn openings() {
        check(
            silent_openings,
            "src/a.rs",
            "use std::fmt;\n//! Late words.",
            "src/a.rs:1: open with",
        );
        check(silent_openings, "src/a.rs", "//! \n", "open with");
        check(silent_openings, "src/a.rs", "", "open with");
        check(silent_openings, "src/a.rs", "//! Hashes.", "");
    }

    #[test]
    fn lengths() {
        check(long_files, "src/a.rs", &"x\n".repeat(LONGEST_FILE_LINES + 1), "501 lines");
        check(long_files, "src/a.rs", &"x\n".repeat(LONGEST_FILE_LINES), "");
    }

    #[test]
    fn the_root_does_no_work() {
        check(functions_in_the_root, "src/lib.rs", "mod a;\npub fn f() {}", "src/lib.rs:2");
        check(functions_in_the_root, "src/lib.rs", "//! fn main() {}\nmod a;", "");
        check(functions_in_the_root, "src/a.rs", "fn f() {}", "");
    }

    #[test]
    fn error_texts_are_no_sentences() {
        check(
            error_texts,
            "src/error.rs",
            "#[error(\"line {line} is no object.\")]",
            "ends with a full stop",
        );
        check(
            error_texts,
            "src/error.rs",
            "\n#[error(\n \"Cannot read\")]",
            "src/error.rs:3: error text starts with a capital",
        );
        check(
            error_texts,
            "src/error.rs",
            "#[error(\"JSON ends early\")] #[error(transparent)]",
            "",
        );
    }

    #[test]
    fn ignores_say_what_they_need() {
        check(unexplained_ignores, "tests/it/a.rs", "#[ignore]\nfn f() {}", "1 ignored without");
        check(unexplained_ignores, "tests/it/a.rs", "#[ignore = \"slow\"]", "1 ignored without");
        check(unexplained_ignores, "tests/it/a.rs", "#[ignore = \"needs node\"]", "");
    }
}
