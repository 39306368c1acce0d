//! Which room stands on which floor, and the check that imports go down only.
//!
//! This table is the one place where floors are written as data; ARCHITECTURE.md says them in
//! words.

use super::paths::named_paths;
use super::tokens::tokens;

/// The rooms of `src`, from the ground up. Rooms of one floor do not know each other.
const FLOORS: &[&[&str]] = &[
    &["error", "value", "hash", "name", "version", "clock", "threads", "back_off"],
    &["targeting", "allocation", "web"],
    &["datafile"],
    &["decide", "attribution"],
    &["store", "source", "bulk", "difference"],
    &["events"],
    &["client", "settings"],
    &["server", "results"],
    &["cli"],
    &["main"],
];

/// Rooms that must not know a room although it lies below them: (room, unknown to it, why).
const NEVER: &[(&str, &str, &str)] = &[(
    "events",
    "decide",
    "`events` reports what was activated and never asks how it was decided",
)];

/// The room of a file below `src`; `None` for the crate's root, which names all rooms.
pub(crate) fn room_of(file: &str) -> Option<&str> {
    let inside = file.strip_prefix("src/")?;
    let first = inside.split('/').next().unwrap_or(inside);
    let room = first.strip_suffix(".rs").unwrap_or(first);
    (room != "lib").then_some(room)
}

/// The floor that a room stands on.
pub(crate) fn floor_of(room: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&room))
}

/// Files in rooms that the table does not know.
pub(crate) fn rooms_without_a_floor(file: &str, _text: &str) -> Vec<String> {
    match room_of(file) {
        Some(room) if floor_of(room).is_none() => {
            vec![format!(
                "{file}: room `{room}` has no floor; give it one in tests/it/tidy/floors.rs"
            )]
        }
        _ => Vec::new(),
    }
}

/// Imports that go up or sideways.
pub(crate) fn imports_that_climb(file: &str, text: &str) -> Vec<String> {
    let Some(own) = room_of(file) else { return Vec::new() };
    let root = if own == "main" { "variate" } else { "crate" };
    let paths = named_paths(file, &tokens(text));
    let ours = paths.iter().filter(|path| path.is_within(root));
    let complain = |path: &super::paths::NamedPath| {
        let target = path.segments.get(1).map_or("", String::as_str);
        fault_of_import(own, target).map(|fault| format!("{file}:{}: {fault}", path.line))
    };
    ours.filter_map(complain).collect()
}

fn fault_of_import(own: &str, target: &str) -> Option<String> {
    if own == target {
        return None;
    }
    if let Some((_, _, why)) =
        NEVER.iter().find(|(room, unknown, _)| (*room, *unknown) == (own, target))
    {
        return Some(format!("`{own}` must not know `{target}`: {why}"));
    }
    match (floor_of(own), floor_of(target)) {
        (_, None) if own == "main" => None,
        (_, None) => Some(format!(
            "`{target}` is no room; import from the room itself, not from the crate's face"
        )),
        (Some(from), Some(to)) if to < from => None,
        (from, Some(to)) => {
            let from = from.map_or("none".to_owned(), |floor| floor.to_string());
            Some(format!(
                "`{own}` (floor {from}) imports `{target}` (floor {to}); only lower floors are known"
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    //! Made-up files that break the floors.

    use super::super::check;
    use super::{imports_that_climb, rooms_without_a_floor};

    #[test]
    fn climbing_imports_are_seen() {
        check(
            imports_that_climb,
            "src/hash.rs",
            "use crate::value::V;",
            "src/hash.rs:1: `hash` (floor 0) imports `value` (floor 0)",
        );
        check(
            imports_that_climb,
            "src/decide/a.rs",
            "\nuse crate::{value::V, client::Client};",
            "src/decide/a.rs:2: `decide` (floor 3) imports `client`",
        );
        check(
            imports_that_climb,
            "src/decide/mod.rs",
            "fn f() { crate::attribution::x() }",
            "imports `attribution`",
        );
        check(
            imports_that_climb,
            "src/datafile/mod.rs",
            "use super::decide;",
            "`datafile` (floor 2) imports `decide`",
        );
        check(
            imports_that_climb,
            "src/events/mod.rs",
            "use crate::decide::Decision;",
            "`events` must not know `decide`",
        );
        check(imports_that_climb, "src/cli/mod.rs", "use crate::Client;", "`Client` is no room");
        check(
            imports_that_climb,
            "src/nowhere.rs",
            "use crate::value::V;",
            "`nowhere` (floor none)",
        );
    }

    #[test]
    fn downward_imports_pass() {
        check(
            imports_that_climb,
            "src/decide/a.rs",
            "use crate::datafile::D; use super::b; use self::c::d;",
            "",
        );
        check(imports_that_climb, "src/lib.rs", "pub use crate::client::Client;", "");
        check(imports_that_climb, "src/main.rs", "use variate::cli; use variate::Error;", "");
        check(
            imports_that_climb,
            "src/hash.rs",
            "// use crate::client::Client;\nuse std::fmt;",
            "",
        );
    }

    #[test]
    fn rooms_need_a_floor() {
        check(rooms_without_a_floor, "src/misc/x.rs", "", "room `misc` has no floor");
        check(rooms_without_a_floor, "src/decide/x.rs", "", "");
        check(rooms_without_a_floor, "src/lib.rs", "", "");
    }
}
