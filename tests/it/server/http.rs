//! A client that sends what it is given, byte for byte, and reads what comes back.
//!
//! Must not know the daemon. A library would mend what is wrong on purpose.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use super::PATIENCE;

/// A request as it is written: `POST /v1/decide?keys=search`, headers, a body.
#[derive(Debug, Clone)]
pub(super) struct Request {
    what: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    pub(super) fn new(what: &str) -> Self {
        Self { what: what.to_owned(), headers: Vec::new(), body: Vec::new() }
    }

    pub(super) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A JSON body; an empty one is none.
    pub(super) fn body(self, body: &str) -> Self {
        if body.is_empty() {
            return self;
        }
        self.header("Content-Type", "application/json").raw_body(body)
    }

    /// A body of no said kind.
    pub(super) fn raw_body(self, body: &str) -> Self {
        self.bytes(body.as_bytes())
    }

    /// A body that is no text.
    pub(super) fn bytes(self, body: &[u8]) -> Self {
        self.header("Content-Length", &body.len().to_string()).unframed(body)
    }

    /// A body whose end the headers tell some other way.
    pub(super) fn unframed(mut self, body: &[u8]) -> Self {
        body.clone_into(&mut self.body);
        self
    }

    fn head(&self) -> String {
        let mut head = format!("{} HTTP/1.1\r\nHost: localhost\r\n", self.what);
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        head + "Connection: close\r\n\r\n"
    }
}

/// What came back.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) status: u16,
    headers: Vec<(String, String)>,
    pub(super) body: String,
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let named = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_str())
    }

    pub(super) fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
        let (head, body) = (String::from_utf8_lossy(&bytes[..end]), &bytes[end + 4..]);
        let mut lines = head.lines();
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let header = |line: &str| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_owned(), value.trim().to_owned()))
        };
        let mut answer =
            Self { status, headers: lines.filter_map(header).collect(), body: String::new() };
        let body = match answer.header("transfer-encoding") {
            Some("chunked") => without_chunks(body)?,
            _ => body.to_vec(),
        };
        answer.body = String::from_utf8_lossy(&body).into_owned();
        Some(answer)
    }
}

/// What was sent in chunks; `None` where the last is missing.
fn without_chunks(mut sent: &[u8]) -> Option<Vec<u8>> {
    let mut whole = Vec::new();
    loop {
        let end = sent.windows(2).position(|two| two == b"\r\n")?;
        let length = usize::from_str_radix(std::str::from_utf8(&sent[..end]).ok()?, 16).ok()?;
        let chunk = sent.get(end + 2..end + 2 + length)?;
        if length == 0 {
            return Some(whole);
        }
        whole.extend_from_slice(chunk);
        sent = sent.get(end + 2 + length + 2..)?;
    }
}

/// Asks once, on a connection of its own.
#[track_caller]
pub(super) fn ask(address: SocketAddr, request: &Request) -> Answer {
    try_ask(address, request).unwrap_or_else(|problem| panic!("{request:?}: {problem}"))
}

/// The same, where it may not work out.
pub(super) fn try_ask(address: SocketAddr, request: &Request) -> Result<Answer, String> {
    let mut bytes = request.head().into_bytes();
    bytes.extend_from_slice(&request.body);
    let answered = exchange(address, &bytes).map_err(|error| error.to_string())?;
    Answer::read(&answered).ok_or_else(|| format!("no answer in {} bytes", answered.len()))
}

/// The status alone: some answers have no end.
#[track_caller]
pub(super) fn status(address: SocketAddr, request: &Request) -> u16 {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(&[request.head().as_bytes(), &request.body].concat()).unwrap();
    let mut begun = [0; 12];
    stream.read_exact(&mut begun).unwrap();
    std::str::from_utf8(&begun[9..]).unwrap().parse().unwrap()
}

/// Sends bytes and reads until the other side has no more.
pub(super) fn exchange(address: SocketAddr, bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(bytes)?;
    let mut answered = Vec::new();
    match stream.read_to_end(&mut answered) {
        // Who answers before everything is read may reset the connection behind the answer.
        Err(_) if !answered.is_empty() => Ok(answered),
        read => read.map(|_| answered),
    }
}
