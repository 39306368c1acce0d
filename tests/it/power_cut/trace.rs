//! What a process asked of its disk, call by call, as strace tells it, with the lines that it said between.
//!
//! Must not know what survives.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

/// The calls that change a folder or make it safe; a question mark lets a system not have one.
const CALLS: &str = "trace=?open,openat,close,lseek,write,pwrite64,writev,ftruncate,fallocate,fsync,fdatasync,?rename,renameat,?renameat2,?unlink,unlinkat,?mkdir,mkdirat,?rmdir,fcntl";
const LONGEST_WRITE: &str = "16777216";

/// A path, and the open folder that it is relative to, where it is.
#[derive(Debug, Clone)]
pub(super) struct At {
    pub(super) folder: Option<u32>,
    pub(super) path: PathBuf,
}

/// One call, when it was over.
#[derive(Debug, Clone)]
pub(super) enum Op {
    Said(String),
    /// A file is opened, and made if it is not there.
    Open {
        fd: u32,
        at: At,
        is_emptied: bool,
        is_appending: bool,
    },
    Close {
        fd: u32,
    },
    /// The place in the file is another.
    Seek {
        fd: u32,
        place: u64,
    },
    Write {
        fd: u32,
        bytes: Arc<Vec<u8>>,
    },
    /// Elsewhere than where the file is at.
    WriteAt {
        fd: u32,
        place: u64,
        bytes: Arc<Vec<u8>>,
    },
    Resize {
        fd: u32,
        length: u64,
    },
    /// What was there when the call began is safe; `began` is how many ops were over then.
    Sync {
        fd: u32,
        began: usize,
    },
    MakeFolder {
        at: At,
    },
    Rename {
        from: At,
        to: At,
    },
    Remove {
        at: At,
    },
}

/// Runs a command under strace; gives what it did.
pub(super) fn trace(arguments: &[&str], environment: &[(&str, String)], log: &Path) -> Vec<Op> {
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-xx", "-e", CALLS, "-e", "signal=none", "-s", LONGEST_WRITE, "-o"]);
    command.arg(log).arg(std::env::current_exe().unwrap());
    let output = command.args(arguments).envs(environment.iter().cloned()).output();
    let output = output.expect("strace is installed");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stdout));
    read(&std::fs::read_to_string(log).unwrap())
}

fn read(log: &str) -> Vec<Op> {
    let (mut ops, mut begun) = (Vec::new(), HashMap::new());
    for line in log.lines() {
        let (thread, call) = line.trim_start().split_once(' ').unwrap();
        let call = call.trim_start();
        if let Some(start) = call.strip_suffix(" <unfinished ...>") {
            // From here on the number may be another file's.
            if let Some(op) = closing(start) {
                ops.push(op);
            } else {
                begun.insert(thread, (start.to_owned(), ops.len()));
            }
        } else if call.starts_with("<... ") {
            let Some((start, began)) = begun.remove(thread) else { continue };
            let (_, end) = call.split_once(" resumed>").unwrap();
            ops.extend(op(&format!("{start}{end}"), began));
        } else {
            let began = ops.len();
            ops.extend(closing(call).or_else(|| op(call, began)));
        }
    }
    ops
}

fn closing(call: &str) -> Option<Op> {
    let fd = call.strip_prefix("close(")?;
    Some(Op::Close { fd: number(fd) })
}

/// A call that is over, if it did something that matters here.
fn op(call: &str, began: usize) -> Option<Op> {
    let (name, rest) = call.split_once('(')?;
    let (arguments, result) = rest.rsplit_once(" = ")?;
    if result.starts_with('-') || result.starts_with('?') {
        return None;
    }
    let texts = texts(arguments);
    let at = |place: usize| {
        let path = PathBuf::from(String::from_utf8(texts[place].clone()).unwrap());
        let folder = arguments.split('"').nth(2 * place).unwrap().trim_start_matches(", ");
        let is_relative = folder.starts_with(|c: char| c.is_ascii_digit());
        At { folder: is_relative.then(|| number(folder)), path }
    };
    let fd = || number(arguments);
    Some(match name {
        "open" | "openat" => Op::Open {
            fd: number(result),
            at: at(0),
            is_emptied: arguments.contains("O_TRUNC"),
            is_appending: arguments.contains("O_APPEND"),
        },
        "write" if arguments.starts_with("1,") => {
            Op::Said(String::from_utf8_lossy(&texts[0]).into_owned())
        }
        "write" => {
            assert_eq!(texts[0].len(), number::<usize>(result), "a write was cut off: {result}");
            Op::Write { fd: fd(), bytes: Arc::new(texts[0].clone()) }
        }
        "pwrite64" => {
            let place = arguments.rsplit(", ").next().map(number).unwrap();
            assert_eq!(texts[0].len(), number::<usize>(result), "a write was cut off: {result}");
            Op::WriteAt { fd: fd(), place, bytes: Arc::new(texts[0].clone()) }
        }
        "lseek" => Op::Seek { fd: fd(), place: number(result) },
        "ftruncate" => {
            Op::Resize { fd: fd(), length: number(arguments.split(", ").nth(1).unwrap()) }
        }
        "fsync" | "fdatasync" => Op::Sync { fd: fd(), began },
        "mkdir" | "mkdirat" => Op::MakeFolder { at: at(0) },
        "rename" | "renameat" | "renameat2" => Op::Rename { from: at(0), to: at(1) },
        "unlink" | "unlinkat" | "rmdir" => Op::Remove { at: at(0) },
        "fcntl" if arguments.contains("F_DUPFD") => panic!("a file under two numbers: {call}"),
        "fcntl" => return None,
        _ => panic!("not foreseen: {call}"),
    })
}

fn number<N: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> N {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text[..end].parse().unwrap()
}

/// The texts among a call's arguments, all of whose bytes are written as `\xNN`.
fn texts(arguments: &str) -> Vec<Vec<u8>> {
    let quoted = arguments.split('"').skip(1).step_by(2);
    let byte = |hex: &str| u8::from_str_radix(hex, 16).unwrap();
    quoted.map(|text| text.split("\\x").skip(1).map(byte).collect()).collect()
}
