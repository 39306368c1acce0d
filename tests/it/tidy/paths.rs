//! Every path that Rust text names: `use` trees spread out, and paths written in place.
//!
//! `crate`, `self` and `super` are resolved against the file's own module. It must not know which
//! paths are allowed.

use super::tokens::{Kind, Token};

/// A path as it is reached from the crate's root (`crate::...`) or from another crate (`std::...`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NamedPath {
    pub(crate) segments: Vec<String>,
    pub(crate) line: usize,
}

impl NamedPath {
    /// Whether this is `prefix`, or something inside it.
    pub(crate) fn is_within(&self, prefix: &str) -> bool {
        let mut segments = self.segments.iter();
        prefix.split("::").all(|wanted| segments.next().is_some_and(|segment| segment == wanted))
    }
}

/// The paths of more than one segment, and all that `use` names.
pub(crate) fn named_paths(file: &str, tokens: &[Token<'_>]) -> Vec<NamedPath> {
    let mut reader = Reader { tokens, at: 0, found: Vec::new() };
    let mut modules = module_of(file);
    let mut braces: Vec<bool> = Vec::new();
    while let Some(token) = reader.next() {
        let before = reader.found.len();
        match (token.kind, token.text) {
            (Kind::Word, "use") if !reader.peek_is("<") => reader.use_tree(&[]),
            (Kind::Word, "mod") if reader.peek_second_is("{") => {
                modules.extend(reader.next().map(|name| name.text.to_owned()));
                reader.next();
                braces.push(true);
            }
            (Kind::Word, _) => reader.path_in_place(token),
            (Kind::Mark, "{") => braces.push(false),
            (Kind::Mark, "}") if braces.pop() == Some(true) => drop(modules.pop()),
            _ => {}
        }
        reader.found.iter_mut().skip(before).for_each(|path| resolve(path, &modules));
    }
    reader.found
}

/// `src/decide/rule.rs` is the module `decide::rule`.
fn module_of(file: &str) -> Vec<String> {
    let inside = file.strip_prefix("src/").unwrap_or(file);
    let stem = inside.strip_suffix(".rs").unwrap_or(inside);
    let stem = stem.strip_suffix("/mod").unwrap_or(stem);
    let is_root = matches!(stem, "lib" | "main");
    if is_root { Vec::new() } else { stem.split('/').map(str::to_owned).collect() }
}

fn resolve(path: &mut NamedPath, modules: &[String]) {
    let ups = path.segments.iter().take_while(|segment| *segment == "super").count();
    let is_self = path.segments.first().is_some_and(|segment| segment == "self");
    if ups == 0 && !is_self {
        return;
    }
    let kept = modules.len().saturating_sub(ups);
    let own = modules.iter().take(kept).cloned();
    let tail = path.segments.iter().skip(ups.max(usize::from(is_self))).cloned();
    path.segments = std::iter::once("crate".to_owned()).chain(own).chain(tail).collect();
}

struct Reader<'a, 'b> {
    tokens: &'b [Token<'a>],
    at: usize,
    found: Vec<NamedPath>,
}

impl<'a, 'b> Reader<'a, 'b> {
    fn next(&mut self) -> Option<&'b Token<'a>> {
        let token = self.tokens.get(self.at);
        self.at += 1;
        token
    }

    fn peek_is(&self, text: &str) -> bool {
        self.tokens.get(self.at).is_some_and(|token| token.text == text && token.kind != Kind::Text)
    }

    fn peek_second_is(&self, text: &str) -> bool {
        self.tokens.get(self.at + 1).is_some_and(|token| token.text == text)
    }

    /// One branch of a `use` tree, after `prefix`, up to its comma, closing brace or semicolon.
    fn use_tree(&mut self, prefix: &[String]) {
        let mut segments = prefix.to_vec();
        let mut is_branching = false;
        let line = self.tokens.get(self.at).map_or(0, |token| token.line);
        while !self.peek_is(",") && !self.peek_is("}") && !self.peek_is(";") {
            let Some(token) = self.next() else { break };
            match token.text {
                "::" => {}
                "as" => drop(self.next()),
                "{" => {
                    is_branching = true;
                    self.use_branches(&segments);
                }
                // `{self}` names the module that the braces stand after.
                "self" if !segments.is_empty() => {}
                name => segments.push(name.to_owned()),
            }
        }
        if !is_branching && !segments.is_empty() {
            self.found.push(NamedPath { segments, line });
        }
    }

    fn use_branches(&mut self, prefix: &[String]) {
        while self.at < self.tokens.len() && !self.peek_is("}") && !self.peek_is(";") {
            self.use_tree(prefix);
            if self.peek_is(",") {
                self.next();
            }
        }
        if self.peek_is("}") {
            self.next();
        }
    }

    fn path_in_place(&mut self, first: &Token<'a>) {
        let mut segments = vec![first.text.to_owned()];
        while self.peek_is("::")
            && self.tokens.get(self.at + 1).is_some_and(|next| next.kind == Kind::Word)
        {
            self.next();
            segments.extend(self.next().map(|token| token.text.to_owned()));
        }
        if segments.len() > 1 {
            self.found.push(NamedPath { segments, line: first.line });
        }
    }
}

#[cfg(test)]
mod tests {
    //! A path that is not seen is a rule that does not hold.

    use super::super::tokens::tokens;
    use super::named_paths;

    fn check(file: &str, source: &str, expect: &[&str]) {
        let found = named_paths(file, &tokens(source));
        let shown: Vec<String> = found
            .iter()
            .map(|path| format!("{}@{}", path.segments.join("::"), path.line))
            .collect();
        assert_eq!(shown, expect, "paths of {source}");
    }

    #[test]
    fn use_trees_are_spread_out() {
        check(
            "src/a.rs",
            "use crate::b::{c, d::{e, f as g}, self};",
            &["crate::b::c@1", "crate::b::d::e@1", "crate::b::d::f@1", "crate::b@1"],
        );
        check("src/a.rs", "pub use\n  std::{\n fs,\n env::*,\n};", &["std::fs@3", "std::env::*@4"]);
        check("src/a.rs", "use serde;\nfn f() -> impl Sized + use<'a> {}", &["serde@1"]);
    }

    #[test]
    fn paths_in_place_are_seen() {
        check(
            "src/a.rs",
            "let x = crate::b::C::<u8>::new(::std::fs::read(p));",
            &["crate::b::C@1", "std::fs::read@1"],
        );
    }

    #[test]
    fn relative_paths_are_resolved() {
        check(
            "src/a/b.rs",
            "use super::c; use super::super::d; use self::e;",
            &["crate::a::c@1", "crate::d@1", "crate::a::b::e@1"],
        );
        check("src/a/mod.rs", "use super::d;", &["crate::d@1"]);
        check(
            "src/a.rs",
            "mod t { use super::x; fn f() {} }\nuse super::d;",
            &["crate::a::x@1", "crate::d@2"],
        );
        check("src/a.rs", "mod t;\nuse super::d;", &["crate::d@2"]);
    }
}
