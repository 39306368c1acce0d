//! Rust text as words, marks and string literals, without comments.
//!
//! Just enough of a lexer for the checks of the house: it must not know rooms or rules, and it
//! never fails, since the compiler has the last word on what is Rust.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An identifier, a keyword or a number.
    Word,
    /// The content of a string literal, as written.
    Text,
    /// One character of punctuation, or `::`.
    Mark,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    pub(crate) kind: Kind,
    pub(crate) text: &'a str,
    pub(crate) line: usize,
}

/// All tokens of `source`; comments, white space, lifetimes and character literals are left out.
pub(crate) fn tokens(source: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut rest = source;
    let mut line = 1;
    while let Some(first) = rest.chars().next() {
        let (length, token) = next_token(rest, first);
        let (consumed, remaining) = rest.split_at(length);
        if let Some((kind, text)) = token {
            found.push(Token { kind, text, line });
        }
        line += consumed.matches('\n').count();
        rest = remaining;
    }
    found
}

/// The places in `tokens` where the tokens of `pattern` stand one after the other.
pub(crate) fn lines_of_sequence(tokens: &[Token<'_>], pattern: &str) -> Vec<usize> {
    let wanted = self::tokens(pattern);
    if wanted.is_empty() {
        return Vec::new();
    }
    let same = |(token, wanted): (&Token<'_>, &Token<'_>)| {
        token.kind == wanted.kind && token.text == wanted.text
    };
    let matches = |window: &&[Token<'_>]| window.iter().zip(&wanted).all(same);
    tokens
        .windows(wanted.len())
        .filter(matches)
        .flat_map(|window| window.first())
        .map(|token| token.line)
        .collect()
}

/// How many bytes the next piece of `rest` takes, and the token in it, if it is one.
fn next_token(rest: &str, first: char) -> (usize, Option<(Kind, &str)>) {
    if rest.starts_with("//") {
        return (rest.find('\n').unwrap_or(rest.len()), None);
    }
    if rest.starts_with("/*") {
        return (block_comment_length(rest), None);
    }
    if let Some((length, content)) = string_literal(rest) {
        return (length, Some((Kind::Text, content)));
    }
    if first == '\'' {
        return (quote_length(rest), None);
    }
    if first.is_alphanumeric() || first == '_' {
        let length = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        return (length, rest.get(..length).map(|word| (Kind::Word, word)));
    }
    if first.is_whitespace() {
        return (first.len_utf8(), None);
    }
    let length = if rest.starts_with("::") { 2 } else { first.len_utf8() };
    (length, rest.get(..length).map(|mark| (Kind::Mark, mark)))
}

/// Block comments nest in Rust.
fn block_comment_length(rest: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(tail) = rest.get(at..).filter(|tail| !tail.is_empty()) {
        if tail.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if tail.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += tail.chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

/// Length and content of a plain, byte, C or raw string literal at the start of `rest`.
fn string_literal(rest: &str) -> Option<(usize, &str)> {
    let unprefixed = rest.strip_prefix(['b', 'c']).unwrap_or(rest);
    if let Some(body) = unprefixed.strip_prefix('"') {
        let start = rest.len() - body.len();
        let end = start + plain_string_end(body);
        return Some(((end + 1).min(rest.len()), rest.get(start..end)?));
    }
    let hashed = unprefixed.strip_prefix('r')?;
    let body = hashed.trim_start_matches('#').strip_prefix('"')?;
    let hashes = hashed.len() - body.len() - 1;
    let closing = format!("\"{}", "#".repeat(hashes));
    let start = rest.len() - body.len();
    let end = body.find(&closing).map_or(rest.len(), |found| start + found);
    Some(((end + closing.len()).min(rest.len()), rest.get(start..end)?))
}

/// Where the closing quote stands in the text after an opening one.
fn plain_string_end(body: &str) -> usize {
    let mut escaped = false;
    for (at, c) in body.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at,
            _ => {}
        }
    }
    body.len()
}

/// A character literal whole, or only the quote of a lifetime.
fn quote_length(rest: &str) -> usize {
    let mut chars = rest.char_indices().skip(1);
    match (chars.next(), chars.next()) {
        (Some((_, '\\')), Some(_)) => {
            chars.find(|(_, c)| *c == '\'').map_or(rest.len(), |(at, _)| at + 1)
        }
        (Some(_), Some((at, '\''))) => at + 1,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    //! A lexer that goes astray makes every other check silent.

    use super::{Kind, lines_of_sequence, tokens};

    fn check(source: &str, expect: &[&str]) {
        let found = tokens(source);
        let shown: Vec<String> = found
            .iter()
            .map(|token| {
                if token.kind == Kind::Text {
                    format!("{:?}", token.text)
                } else {
                    token.text.to_owned()
                }
            })
            .collect();
        assert_eq!(shown, expect, "tokens of {source}");
    }

    #[test]
    fn comments_and_literals_hide_nothing_else() {
        check("a // println!\nb", &["a", "b"]);
        check("a /* x /* y */ z */ b", &["a", "b"]);
        check(r#"a("un\"safe") b"#, &["a", "(", "\"un\\\\\\\"safe\"", ")", "b"]);
        check("r#\"a \" b\"# c", &["\"a \\\" b\"", "c"]);
        check("b\"x\" br\"\\\" y", &["\"x\"", "\"\\\\\"", "y"]);
        check("'\"' x '\\'' y '\\u{1F}' z", &["x", "y", "z"]);
        check(
            "fn f<'a>(x: &'a str)",
            &["fn", "f", "<", "a", ">", "(", "x", ":", "&", "a", "str", ")"],
        );
        check("std::fs", &["std", "::", "fs"]);
        check("r#type rest", &["r", "#", "type", "rest"]);
        check("\"ünï\" é", &["\"ünï\"", "é"]);
        check("\"open", &["\"open\""]);
    }

    #[test]
    fn sequences_are_found_with_their_lines() {
        let found = tokens("x\nprintln ! (\"\")\n// println!(\nprintln!(1)");
        assert_eq!(lines_of_sequence(&found, "println!"), [2, 4]);
        assert!(lines_of_sequence(&found, "print!").is_empty());
        assert!(lines_of_sequence(&found, "").is_empty());
    }
}
