//! A process that takes what a webhook posts, and counts it.

use std::collections::HashSet;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::Value;

use super::super::measure::{Fault, say};

/// Ids seen, and records that came in.
#[derive(Default)]
struct Seen {
    ids: HashSet<String>,
    records: u64,
}

pub(super) fn start(port: u16) -> Result<Child, Fault> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["receive", &port.to_string()]);
    Ok(command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?)
}

/// Takes posts until its standard input is closed, then says what came.
pub(crate) fn run(port: u16) -> Result<(), Fault> {
    let listener = TcpListener::bind(("127.0.0.1", port))?;
    let seen = Arc::new(Mutex::new(Seen::default()));
    let shared = Arc::clone(&seen);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let seen = Arc::clone(&shared);
            // Who posts may go away at any time.
            std::thread::spawn(move || drop(serve(&stream, &seen)));
        }
    });
    std::io::copy(&mut std::io::stdin(), &mut std::io::sink())?;
    let seen = seen.lock().map_err(|_| "a post could not be read")?;
    say(&format!("{} different, {} in all", seen.ids.len(), seen.records));
    Ok(())
}

fn serve(mut stream: &TcpStream, seen: &Mutex<Seen>) -> Result<(), Fault> {
    let mut reader = BufReader::new(stream);
    loop {
        let mut length = 0;
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        while !line.trim().is_empty() {
            line.clear();
            reader.read_line(&mut line)?;
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse()?;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let records: Vec<Value> = serde_json::from_slice(&body)?;
        let mut seen = seen.lock().map_err(|_| "a post could not be read")?;
        for record in records {
            seen.records += 1;
            seen.ids.insert(
                record.get("id").and_then(Value::as_str).ok_or("a record has no id")?.into(),
            );
        }
        stream.write_all(b"HTTP/1.1 204 \r\n\r\n")?;
    }
}
