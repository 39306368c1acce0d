//! A small HTTP server on loopback that answers as it is told, well or badly.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::Value;

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
    /// Something that is no HTTP.
    Nonsense,
    /// The head of a refusal, and its body byte by byte, each after a time.
    Trickle(Duration),
}

pub(crate) const OK: Answer = Answer::Status(204, "", "");

type Rule = dyn Fn(usize, &Request) -> Answer + Send + Sync;

/// Runs until it is dropped.
pub(crate) struct Server {
    pub(crate) port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    rule: Box<Rule>,
    requests: Mutex<Vec<Request>>,
    connections: AtomicUsize,
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
        let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            rule: Box::new(rule),
            requests: Mutex::default(),
            connections: AtomicUsize::new(0),
            is_over: AtomicBool::new(false),
        });
        let accepting = shared.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                if accepting.is_over.load(Ordering::SeqCst) {
                    return;
                }
                let (serving, stream) = (accepting.clone(), stream.unwrap());
                // A client that goes away is no fault.
                thread::spawn(move || drop(serving.serve(&stream)));
            }
        });
        Self { port, shared }
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
    }
}

impl Shared {
    fn serve(&self, stream: &TcpStream) -> std::io::Result<()> {
        let connection = self.connections.fetch_add(1, Ordering::SeqCst);
        let mut reader = BufReader::new(stream);
        while let Some(mut request) = read_head(&mut reader, connection)? {
            let length = request.header("content-length").map_or(0, |text| text.parse().unwrap());
            let mut body = vec![0; length];
            reader.read_exact(&mut body)?;
            request.body = String::from_utf8(body).unwrap();
            let number = {
                let mut requests = self.requests.lock().unwrap();
                requests.push(request.clone());
                requests.len() - 1
            };
            let answer = (self.rule)(number, &request);
            if !write(stream, &answer)? {
                return Ok(());
            }
        }
        Ok(())
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
        reader.read_line(&mut header)?;
        let Some((name, value)) = header.split_once(':') else { break };
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
    Ok(Some(Request { line: line.trim().into(), headers, body: String::new(), connection }))
}

/// Gives whether the connection lives on.
fn write(mut stream: &TcpStream, answer: &Answer) -> std::io::Result<bool> {
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
        Answer::Trickle(time) => {
            write!(stream, "HTTP/1.1 503 \r\nContent-Length: 1000\r\n\r\n")?;
            for _ in 0..1000 {
                thread::sleep(*time);
                write!(stream, "x")?;
            }
        }
        Answer::Nonsense => {
            write!(stream, "+OK ready\r\n")?;
            return Ok(false);
        }
    }
    Ok(true)
}
