//! What stands before the daemon and refuses one request, so that its client has to send it again.
//!
//! Must not know clients.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::http::exchange;

const REFUSAL: &[u8] =
    b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

pub(super) struct Front {
    pub(super) address: SocketAddr,
    has_refused: Arc<AtomicBool>,
}

impl Front {
    /// Answers the first request that has this in it with 500; all others it hands on, and their answers back.
    pub(super) fn before(daemon: SocketAddr, part: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let has_refused = Arc::new(AtomicBool::new(false));
        let noted = Arc::clone(&has_refused);
        std::thread::spawn(move || {
            for connection in listener.incoming().map_while(Result::ok) {
                let noted = Arc::clone(&noted);
                std::thread::spawn(move || hand_on(connection, daemon, part, &noted));
            }
        });
        Self { address, has_refused }
    }

    pub(super) fn has_refused(&self) -> bool {
        self.has_refused.load(Ordering::SeqCst)
    }
}

fn hand_on(mut connection: TcpStream, daemon: SocketAddr, part: &str, has_refused: &AtomicBool) {
    let mut request = Vec::new();
    let mut piece = [0; 4096];
    let head_end = loop {
        if let Some(head_end) = end_of_whole(&request) {
            break head_end;
        }
        match connection.read(&mut piece) {
            Ok(0) | Err(_) => return,
            Ok(count) => request.extend_from_slice(&piece[..count]),
        }
    };
    let is_meant = String::from_utf8_lossy(&request).contains(part);
    let answer = if is_meant && !has_refused.swap(true, Ordering::SeqCst) {
        REFUSAL.to_vec()
    } else {
        let (head, body) = request.split_at(head_end);
        exchange(daemon, &[head, b"\r\nConnection: close", body].concat()).unwrap()
    };
    connection.write_all(&answer).unwrap_or_default();
}

/// Where the head of a request ends that is there whole.
fn end_of_whole(request: &[u8]) -> Option<usize> {
    let head_end = request.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&request[..head_end]).to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    (request.len() >= head_end + 4 + length.unwrap_or(0_usize)).then_some(head_end)
}
