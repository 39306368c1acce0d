//! A small HTTP server on loopback that answers as it is told, well or badly.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use socket2::SockRef;

/// What came in.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) line: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
    /// Which connection it came on, from 0.
    pub(crate) connection: usize,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(given, _)| given.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// What goes out.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// A whole answer: status, further headers as lines, body.
    Status(u16, &'static str, &'static str),
    /// The same, after a time.
    Slow(Duration, u16),
    /// The connection is reset in the middle of the answer's head.
    ResetInHead,
    /// It is reset behind the head of a success that promises more.
    ResetInBody,
    /// This is written, and the client's system is told that the connection is broken.
    Broken(&'static str),
    /// Something that is no HTTP.
    Nonsense,
    /// These bytes, head and all, after which the connection is closed.
    Bytes(Vec<u8>),
    /// The same, a byte at a time.
    Drip(Vec<u8>, Duration),
}

pub(crate) const OK: Answer = Answer::Status(204, "", "");

type Rule = dyn Fn(usize, &Request) -> Answer + Send + Sync;

/// Runs until it is dropped: then nobody listens on the port, and every connection is closed.
pub(crate) struct Server {
    pub(crate) port: u16,
    shared: Arc<Shared>,
    accepting: Option<thread::JoinHandle<()>>,
}

struct Shared {
    rule: Box<Rule>,
    requests: Mutex<Vec<Request>>,
    /// Whether what came in is kept.
    remembers: bool,
    answered: AtomicUsize,
    connections: AtomicUsize,
    open: Mutex<HashMap<usize, TcpStream>>,
    is_over: AtomicBool,
}

impl Server {
    /// Answers the n-th request (from 0) by a rule.
    pub(crate) fn start(rule: impl Fn(usize, &Request) -> Answer + Send + Sync + 'static) -> Self {
        Self::start_on(0, rule)
    }

    pub(crate) fn start_on(
        port: u16,
        rule: impl Fn(usize, &Request) -> Answer + Send + Sync + 'static,
    ) -> Self {
        Self::begin(port, true, Box::new(rule))
    }

    /// The same for so many requests that it must not keep them.
    pub(crate) fn start_forgetful(
        port: u16,
        rule: impl Fn(usize, &Request) -> Answer + Send + Sync + 'static,
    ) -> Self {
        Self::begin(port, false, Box::new(rule))
    }

    fn begin(port: u16, remembers: bool, rule: Box<Rule>) -> Self {
        let listener = bind(port);
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            rule,
            requests: Mutex::default(),
            remembers,
            answered: AtomicUsize::new(0),
            connections: AtomicUsize::new(0),
            open: Mutex::default(),
            is_over: AtomicBool::new(false),
        });
        let serving = shared.clone();
        let accepting = thread::spawn(move || accept(&listener, &serving));
        Self { port, shared, accepting: Some(accepting) }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Everything that came in so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.shared.requests.lock().unwrap().clone()
    }

    /// A port that nobody listens on.
    pub(crate) fn free_port() -> u16 {
        TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(("127.0.0.1", self.port)));
        drop(self.accepting.take().map(thread::JoinHandle::join));
        for stream in self.shared.open.lock().unwrap().values() {
            // It may be closed already.
            stream.shutdown(Shutdown::Both).unwrap_or_default();
        }
    }
}

/// Somebody else may have been given the port for a moment since it was ours.
fn bind(port: u16) -> TcpListener {
    let pause = Duration::from_millis(5);
    let mut patience = Duration::from_secs(20);
    loop {
        match TcpListener::bind(("127.0.0.1", port)) {
            Err(error) if error.kind() == ErrorKind::AddrInUse && patience > pause => {
                thread::sleep(pause);
                patience -= pause;
            }
            bound => return bound.unwrap(),
        }
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming() {
        if shared.is_over.load(Ordering::SeqCst) {
            return;
        }
        let Ok(stream) = stream else { continue };
        let shared = shared.clone();
        let connection = shared.connections.fetch_add(1, Ordering::SeqCst);
        shared.open.lock().unwrap().insert(connection, stream.try_clone().unwrap());
        thread::spawn(move || {
            // A client that goes away is no fault.
            drop(shared.serve(connection, &stream));
            shared.open.lock().unwrap().remove(&connection);
        });
    }
}

impl Shared {
    fn serve(&self, connection: usize, stream: &TcpStream) -> std::io::Result<()> {
        let mut reader = BufReader::new(stream);
        while let Some(mut request) = read_head(&mut reader, connection)? {
            let length = request.header("content-length").map_or(0, |text| text.parse().unwrap());
            let mut body = vec![0; length];
            reader.read_exact(&mut body)?;
            request.body = String::from_utf8(body).unwrap();
            let number = self.take(&request);
            let answer = (self.rule)(number, &request);
            if !write(stream, &answer)? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Gives the request's number.
    fn take(&self, request: &Request) -> usize {
        let mut requests = self.requests.lock().unwrap();
        if self.remembers {
            requests.push(request.clone());
        }
        self.answered.fetch_add(1, Ordering::SeqCst)
    }
}

fn read_head(
    reader: &mut BufReader<&TcpStream>,
    connection: usize,
) -> std::io::Result<Option<Request>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut headers = Vec::new();
    loop {
        let mut header = String::new();
        if reader.read_line(&mut header)? == 0 {
            return Ok(None);
        }
        let Some((name, value)) = header.split_once(':') else { break };
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
    Ok(Some(Request { line: line.trim().into(), headers, body: String::new(), connection }))
}

/// Gives whether the connection lives on.
fn write(mut stream: &TcpStream, answer: &Answer) -> std::io::Result<bool> {
    // Pieces of an answer do not wait for each other.
    stream.set_nodelay(true)?;
    match answer {
        Answer::Status(status, headers, body) => {
            let length = body.len();
            let length = if *status == 204 {
                String::new()
            } else {
                format!("Content-Length: {length}\r\n")
            };
            write!(stream, "HTTP/1.1 {status} \r\n{headers}{length}\r\n{body}")?;
        }
        Answer::Slow(time, status) => {
            thread::sleep(*time);
            write!(stream, "HTTP/1.1 {status} \r\nContent-Length: 0\r\n\r\n")?;
        }
        Answer::ResetInHead => {
            write!(stream, "HTTP/1.1 20")?;
            return Ok(false);
        }
        Answer::ResetInBody => {
            write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf")?;
            return Ok(false);
        }
        Answer::Broken(text) => {
            stream.write_all(text.as_bytes())?;
            // Without a time to linger, closing is a reset.
            SockRef::from(stream).set_linger(Some(Duration::ZERO))?;
            return Ok(false);
        }
        Answer::Nonsense => {
            write!(stream, "+OK ready\r\n")?;
            return Ok(false);
        }
        Answer::Bytes(bytes) => {
            stream.write_all(bytes)?;
            return Ok(false);
        }
        Answer::Drip(bytes, pause) => {
            for byte in bytes {
                stream.write_all(&[*byte])?;
                thread::sleep(*pause);
            }
            return Ok(false);
        }
    }
    Ok(true)
}
