//! What must not be there, room by room: the invariants of ARCHITECTURE.md as data.
//!
//! Clippy holds what is forbidden everywhere by type; this holds what is forbidden by place.

use super::floors::room_of;
use super::paths::named_paths;
use super::tokens::{Token, lines_of_sequence, tokens};

/// Something that must not stand in some places.
struct Absence {
    what: What,
    absent_from: Place,
    because: &'static str,
}

enum What {
    /// Any of these as tokens that stand one after the other.
    Tokens(&'static [&'static str]),
    /// Anything inside any of these paths, imported or written in place.
    Paths(&'static [&'static str]),
}

enum Place {
    /// Sources and tests.
    Everywhere,
    Rooms(&'static [&'static str]),
    /// All of `src` but these rooms.
    AllRoomsBut(&'static [&'static str]),
    /// All of `src` but wire modules and the rooms that only read or write records.
    AllButWire,
}

/// Rooms whose answers depend on their arguments alone.
const PURE: Place = Place::Rooms(&[
    "decide",
    "attribution",
    "targeting",
    "allocation",
    "hash",
    "version",
    "value",
    "datafile",
]);

/// Rooms outside `wire` modules whose types are stored, sent or printed as they are.
const RECORD_ROOMS: &[&str] = &["events", "cli"];

const ABSENCES: &[Absence] = &[
    Absence {
        what: What::Tokens(&["unsafe"]),
        absent_from: Place::Everywhere,
        because: "the crate forbids it, and so do its tests",
    },
    Absence {
        what: What::Tokens(&["[allow(", ", allow("]),
        absent_from: Place::Everywhere,
        because: "a suppression is `#[expect(lint, reason = \"...\")]`, which ends when it is not needed",
    },
    Absence {
        what: What::Tokens(&["println!", "print!", "eprintln!", "eprint!"]),
        absent_from: Place::AllRoomsBut(&["cli"]),
        because: "only the command line speaks to a terminal",
    },
    Absence {
        what: What::Paths(&["anyhow", "clap", "indicatif"]),
        absent_from: Place::AllRoomsBut(&["cli", "main"]),
        because: "the lean build has none of the command's parts",
    },
    Absence {
        what: What::Tokens(&["SystemTime", "Instant"]),
        absent_from: Place::AllRoomsBut(&["clock"]),
        because: "time comes from `clock` or as an argument",
    },
    Absence {
        what: What::Tokens(&["async", "await"]),
        absent_from: PURE,
        because: "nothing is waited for in a pure room",
    },
    Absence {
        what: What::Paths(&[
            "std::fs",
            "std::env",
            "std::io",
            "std::net",
            "std::process",
            "std::thread",
            "tokio",
            "reqwest",
        ]),
        absent_from: PURE,
        because: "a pure room does no input or output; bring it as an argument",
    },
    Absence {
        what: What::Tokens(&["Mutex", "RwLock", "Condvar"]),
        absent_from: PURE,
        because: "no lock is held while deciding or attributing",
    },
    Absence {
        what: What::Paths(&["parking_lot", "std::sync::atomic", "std::sync::mpsc", "std::cell"]),
        absent_from: PURE,
        because: "a pure room has no state of its own",
    },
    Absence {
        what: What::Paths(&["arc_swap"]),
        absent_from: Place::AllRoomsBut(&["client"]),
        because: "only the client swaps snapshots; everything below borrows one",
    },
    Absence {
        what: What::Paths(&["serde", "serde_json"]),
        absent_from: Place::Rooms(&["targeting", "allocation", "hash", "version", "clock"]),
        because: "no wire form is known here",
    },
    Absence {
        what: What::Tokens(&["Serialize", "Deserialize"]),
        absent_from: Place::AllButWire,
        because: "serde derives live in wire modules",
    },
];

/// Everything in this file that the table says must not be there.
pub(crate) fn forbidden_things(file: &str, text: &str) -> Vec<String> {
    let tokens = tokens(text);
    let here = ABSENCES.iter().filter(|absence| absence.absent_from.holds(file));
    here.flat_map(|absence| absence.breaches(file, &tokens)).collect()
}

/// Loads of the snapshot beyond the one that the client has: `.load()` takes no argument there,
/// unlike that of an atomic number.
pub(crate) fn snapshot_loads(file: &str, text: &str) -> Vec<String> {
    let tokens = tokens(text);
    let loads = [".load()", ".load_full()"].map(|call| lines_of_sequence(&tokens, call)).concat();
    loads.iter().filter(|_| room_of(file).is_some()).map(|line| format!("{file}:{line}")).collect()
}

impl Absence {
    fn breaches(&self, file: &str, tokens: &[Token<'_>]) -> Vec<String> {
        let say = |line: usize, what: &str| {
            format!("{file}:{line}: `{what}` must not be here: {}", self.because)
        };
        match self.what {
            What::Tokens(patterns) => {
                let lines = |what: &&'static str| {
                    lines_of_sequence(tokens, what)
                        .into_iter()
                        .map(|line| say(line, what))
                        .collect::<Vec<_>>()
                };
                patterns.iter().flat_map(lines).collect()
            }
            What::Paths(prefixes) => {
                let paths = named_paths(file, tokens);
                let inside = |what: &&'static str| {
                    paths
                        .iter()
                        .filter(|path| path.is_within(what))
                        .map(|path| say(path.line, what))
                        .collect::<Vec<_>>()
                };
                prefixes.iter().flat_map(inside).collect()
            }
        }
    }
}

impl Place {
    fn holds(&self, file: &str) -> bool {
        let room = room_of(file);
        match self {
            Self::Everywhere => true,
            Self::Rooms(rooms) => room.is_some_and(|room| rooms.contains(&room)),
            Self::AllRoomsBut(rooms) => {
                file.starts_with("src/") && !room.is_some_and(|room| rooms.contains(&room))
            }
            Self::AllButWire => {
                let is_wire =
                    file.split('/').any(|part| part.strip_suffix(".rs").unwrap_or(part) == "wire");
                !is_wire && Self::AllRoomsBut(RECORD_ROOMS).holds(file)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    //! Made-up files that hold what they must not.

    use super::super::check;
    use super::{forbidden_things, snapshot_loads};

    #[test]
    fn forbidden_things_are_seen() {
        check(forbidden_things, "tests/it/a.rs", "unsafe { x() }", "tests/it/a.rs:1: `unsafe`");
        check(forbidden_things, "src/a.rs", "#![allow(dead_code)]", "`[allow(`");
        check(forbidden_things, "src/a.rs", "#[cfg_attr(test, allow(dead_code))]", "`, allow(`");
        check(
            forbidden_things,
            "src/client/a.rs",
            "\n  eprintln!(\"x\")",
            "src/client/a.rs:2: `eprintln!`",
        );
        check(forbidden_things, "src/lib.rs", "use anyhow::Result;", "`anyhow`");
        check(
            forbidden_things,
            "src/store/a.rs",
            "use std::time::{Duration, Instant};",
            "`Instant`",
        );
        check(forbidden_things, "src/decide/a.rs", "async fn f() {}", "`async`");
        check(forbidden_things, "src/attribution/a.rs", "use std::{fmt, fs};", "`std::fs`");
        check(forbidden_things, "src/value.rs", "let v = std::env::var(x);", "`std::env`");
        check(forbidden_things, "src/targeting/a.rs", "use std::sync::{Arc, RwLock};", "`RwLock`");
        check(forbidden_things, "src/datafile/a.rs", "use parking_lot as p;", "`parking_lot`");
        check(forbidden_things, "src/decide/a.rs", "use arc_swap::ArcSwap;", "`arc_swap`");
        check(
            forbidden_things,
            "src/targeting/a.rs",
            "fn f(v: serde_json::Value) {}",
            "`serde_json`",
        );
        check(
            forbidden_things,
            "src/datafile/model.rs",
            "#[derive(Debug, Serialize)]",
            "`Serialize`",
        );
        check(
            forbidden_things,
            "src/datafile/wired.rs",
            "use serde::Deserialize;",
            "`Deserialize`",
        );
    }

    #[test]
    fn permitted_things_pass() {
        check(forbidden_things, "src/cli/a.rs", "println!(\"x\"); use anyhow::Result;", "");
        check(forbidden_things, "src/clock.rs", "use std::time::SystemTime;", "");
        check(forbidden_things, "src/datafile/wire.rs", "#[derive(serde::Deserialize)]", "");
        check(forbidden_things, "src/datafile/wire/a.rs", "use serde::Deserialize;", "");
        check(forbidden_things, "src/events/record.rs", "use serde::Serialize;", "");
        check(
            forbidden_things,
            "src/decide/a.rs",
            "//! No std::fs, no Mutex, no async.\nlet s = \"async\";",
            "",
        );
        check(forbidden_things, "tests/it/a.rs", "println!(\"x\"); use std::time::Instant;", "");
        check(forbidden_things, "src/store/a.rs", "limiter.allow(1)", "");
    }

    #[test]
    fn snapshot_loads_are_counted() {
        check(
            snapshot_loads,
            "src/client/a.rs",
            "let d = self.datafile.load();",
            "src/client/a.rs:1",
        );
        check(
            snapshot_loads,
            "src/client/a.rs",
            "\nself.datafile.load_full()",
            "src/client/a.rs:2",
        );
        check(snapshot_loads, "src/client/a.rs", "self.count.load(Ordering::Relaxed)", "");
    }
}
