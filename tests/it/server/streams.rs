//! Streams without end, read piece by piece.
//!
//! Must not know what they tell.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use super::PATIENCE;

/// An open stream.
pub(super) struct Reader {
    lines: BufReader<TcpStream>,
    pub(super) head: String,
}

impl Reader {
    pub(super) fn open(address: SocketAddr, path: &str, headers: &str) -> Self {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n").unwrap();
        let mut lines = BufReader::new(stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert!(lines.read_line(&mut head).unwrap() > 0, "{head}");
        }
        Self { lines, head }
    }

    pub(super) fn status(&self) -> u16 {
        self.head.split(' ').nth(1).unwrap().parse().unwrap()
    }

    /// The next chunk, as it was sent; `None` at the end.
    pub(super) fn chunk(&mut self) -> Option<String> {
        let mut size = String::new();
        self.lines.read_line(&mut size).ok()?;
        let size = usize::from_str_radix(size.trim(), 16).ok()?;
        let mut chunk = vec![0; size + 2];
        self.lines.read_exact(&mut chunk).unwrap();
        chunk.truncate(size);
        Some(String::from_utf8(chunk).unwrap()).filter(|chunk| !chunk.is_empty())
    }
}
