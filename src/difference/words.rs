//! Names, texts, shares and condition trees in words.
//!
//! Must not know datafiles.

use crate::hash::BUCKETS;
use crate::targeting::Tree;

/// Texts are cut to this many characters.
const MOST_CHARACTERS: usize = 120;

/// So much of what two cut texts have in common is shown before their first difference.
const COMMON_CHARACTERS: usize = 20;

/// A name between backticks, without characters that a terminal obeys.
pub(super) fn name(text: &str) -> String {
    format!("`{}`", cut(&escaped(text), 0))
}

/// A text as it is where it can be nothing else, else in quotes.
pub(super) fn text(text: &str) -> String {
    if is_plain(text) { cut(text, 0) } else { format!("\"{}\"", cut(&escaped(text), 0)) }
}

/// Two texts with an arrow between them; long ones from shortly before their first difference.
pub(super) fn arrow(before: &str, after: &str) -> String {
    let is_long = |text: &str| text.chars().nth(MOST_CHARACTERS).is_some();
    let common = before.chars().zip(after.chars()).take_while(|(one, other)| one == other).count();
    let start = if is_long(before) || is_long(after) {
        common.saturating_sub(COMMON_CHARACTERS)
    } else {
        0
    };
    format!("{} -> {}", cut(before, start), cut(after, start))
}

/// Two texts as [`text`] has them, with an arrow between them.
pub(super) fn text_arrow(before: &str, after: &str) -> String {
    let said = |text: &str| {
        if is_plain(text) { text.to_owned() } else { format!("\"{}\"", escaped(text)) }
    };
    arrow(&said(before), &said(after))
}

fn is_plain(text: &str) -> bool {
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '$' | ':' | '/');
    !text.is_empty() && text.chars().all(is_plain)
}

fn escaped(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut escaped, c| {
        if c.is_control() {
            escaped.extend(c.escape_default());
        } else {
            escaped.push(c);
        }
        escaped
    })
}

fn cut(text: &str, start: usize) -> String {
    let mut rest = text.chars().skip(start);
    let mut shown: String = rest.by_ref().take(MOST_CHARACTERS).collect();
    if start > 0 {
        shown.insert_str(0, "...");
    }
    if rest.next().is_some() {
        shown.push_str("...");
    }
    shown
}

/// A number of buckets as a share of all: `33.33 %`, `50 %`.
pub(super) fn percent(buckets: u32) -> String {
    let per_percent = BUCKETS / 100;
    let (whole, rest) = (buckets / per_percent, buckets % per_percent);
    match rest {
        0 => format!("{whole} %"),
        rest if rest % 10 == 0 => format!("{whole}.{} %", rest / 10),
        rest => format!("{whole}.{rest:02} %"),
    }
}

/// A tree in words: `a and (b or not c)`.
pub(super) fn tree<L>(tree: &Tree<L>, leaf: &dyn Fn(&L) -> String) -> String {
    match tree {
        Tree::And(parts) => joined(parts, " and ", ("everyone", leaf)),
        Tree::Or(parts) => joined(parts, " or ", ("nobody", leaf)),
        Tree::Not(part) => format!("not {}", nested(part, leaf)),
        Tree::Leaf(found) => leaf(found),
        Tree::Unknown => "(cannot be answered)".to_owned(),
    }
}

fn joined<L>(
    parts: &[Tree<L>],
    operator: &str,
    (of_none, leaf): (&str, &dyn Fn(&L) -> String),
) -> String {
    if parts.is_empty() {
        return of_none.to_owned();
    }
    parts.iter().map(|part| nested(part, leaf)).collect::<Vec<_>>().join(operator)
}

fn nested<L>(part: &Tree<L>, leaf: &dyn Fn(&L) -> String) -> String {
    match part {
        Tree::And(parts) | Tree::Or(parts) if parts.len() > 1 => format!("({})", tree(part, leaf)),
        _ => tree(part, leaf),
    }
}

/// A tree without lists of one part: those say nothing.
pub(super) fn simplified<L: Clone>(tree: &Tree<L>) -> Tree<L> {
    match tree {
        Tree::And(parts) | Tree::Or(parts) if parts.len() == 1 => {
            parts.first().map_or(Tree::Unknown, simplified)
        }
        Tree::And(parts) => Tree::And(parts.iter().map(simplified).collect()),
        Tree::Or(parts) => Tree::Or(parts.iter().map(simplified).collect()),
        Tree::Not(part) => Tree::Not(Box::new(simplified(part))),
        Tree::Leaf(leaf) => Tree::Leaf(leaf.clone()),
        Tree::Unknown => Tree::Unknown,
    }
}
