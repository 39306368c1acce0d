//! A server whose next answers a test sets, and a client that asks it when told to.

use std::io::Write as _;
use std::sync::{Arc, Mutex};

use variate::Client;
use variate::source::{Source, UrlSource};

use super::world::LONG;
use crate::events::server::{Answer, Request, Server};

type Rule = dyn Fn(&Request) -> Answer + Send;

pub(super) struct Stage {
    server: Server,
    rule: Arc<Mutex<Box<Rule>>>,
}

impl Stage {
    pub(super) fn new(answer: Answer) -> Self {
        let rule: Arc<Mutex<Box<Rule>>> = Arc::new(Mutex::new(Box::new(move |_| answer.clone())));
        let asked = rule.clone();
        let server = Server::start(move |_, request| (asked.lock().unwrap())(request));
        Self { server, rule }
    }

    /// Answers this from now on.
    pub(super) fn set(&self, answer: Answer) {
        self.set_rule(move |_| answer.clone());
    }

    pub(super) fn set_rule(&self, rule: impl Fn(&Request) -> Answer + Send + 'static) {
        *self.rule.lock().unwrap() = Box::new(rule);
    }

    /// A source that is asked at the start, and then when it is told to or has failed.
    pub(super) fn source(&self) -> UrlSource {
        Source::url(self.server.url("/shop.json")).interval_ms(3_600_000)
    }

    pub(super) fn url(&self, path: &str) -> String {
        self.server.url(path)
    }

    pub(super) fn port(&self) -> u16 {
        self.server.port
    }

    /// A client that has been answered once.
    pub(super) fn client(&self) -> Client {
        let client = Client::builder().source(self.source()).build().unwrap();
        assert!(client.refresh_and_wait(LONG));
        client
    }

    /// What it was asked so far.
    pub(super) fn requests(&self) -> Vec<Request> {
        self.server.requests()
    }

    pub(super) fn last_request(&self) -> Request {
        self.requests().pop().unwrap()
    }
}

/// A whole answer.
pub(super) fn answer(status: u16, headers: &[&str], body: impl AsRef<[u8]>) -> Answer {
    let body = body.as_ref();
    let length = format!("Content-Length: {}", body.len());
    raw(status, &[headers, &[&length]].concat(), body)
}

/// An answer without anything that is not said here.
pub(super) fn raw(status: u16, headers: &[&str], body: &[u8]) -> Answer {
    let mut bytes = format!("HTTP/1.1 {status} \r\nConnection: close\r\n").into_bytes();
    for header in headers {
        write!(bytes, "{header}\r\n").unwrap();
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(body);
    Answer::Bytes(bytes)
}
