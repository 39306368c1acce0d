//! Addresses that answer badly: the last good datafile stays, the status says why, and the next good
//! answer mends it.

use std::io::Write as _;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use variate::Client;

use super::stage::{Stage, answer, raw};
use super::world::{LONG, check, comes_true, decided, said, status, text};
use crate::events::server::{Answer, Server};

/// A client of a source that may take a second and a mebibyte, with revision 5 in force, is given an answer.
struct Trial {
    stage: Stage,
    client: Client,
}

impl Trial {
    fn new() -> Self {
        let stage = Stage::new(answer(200, &["ETag: \"five\""], text("5")));
        let source = stage.source().timeout_ms(1_000).max_bytes(1 << 20).token("hidden");
        let client = Client::builder().source(source).build().unwrap();
        client.wait_until_ready(LONG).unwrap();
        Self { stage, client }
    }

    /// The answer is this trouble and changes nothing; then everything is well again.
    #[track_caller]
    fn check(&self, answer_given: Answer, expect: &str) {
        let Self { stage, client } = self;
        let (good, before) = (status(client).revision.unwrap(), status(client));
        stage.set(answer_given);
        assert!(client.refresh_and_wait(LONG));
        let now = status(client);
        let problem = now.last_problem.as_ref().unwrap_or_else(|| panic!("{now:?}")).to_string();
        assert_eq!(problem.replace(&stage.url(""), ""), format!("/shop.json {expect}"));
        assert!(now.consecutive_failures > 0 && now.failures > before.failures);
        assert_eq!((now.changes, now.last_success_ms), (before.changes, before.last_success_ms));
        assert!(now.next_attempt_ms.is_none_or(|next_ms| Some(next_ms) > now.last_attempt_ms));
        assert_eq!((said(&now).starts_with("fresh"), decided(client)), (true, good.to_string()));
        assert_eq!(stage.last_request().header("if-none-match"), Some("\"five\""));
        assert!(!format!("{now:?}").contains("hidden"));
        stage.set(answer(304, &[], ""));
        assert!(client.refresh_and_wait(LONG));
        check(client, &format!("fresh revision {good} from network"));
    }
}

fn packed(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn statuses_that_are_no_datafile() {
    let trial = Trial::new();
    let check = |status: u16, expect: &str| {
        trial.check(answer(status, &["ETag: \"no\""], text("9")), &format!("answered {expect}"));
    };
    check(400, "400 Bad Request: it is asked again");
    check(401, "401 Unauthorized: check the address");
    check(403, "403 Forbidden: check the address");
    check(404, "404 Not Found: check the address");
    check(408, "408 Request Timeout: it is asked again");
    check(500, "500 Internal Server Error: it is asked again");
    check(503, "503 Service Unavailable: it is asked again");
    check(206, "206 Partial Content, which is no datafile: check the address");
    trial.check(
        raw(204, &[], b""),
        "answered 204 No Content, which is no datafile: check the address",
    );
}

#[test]
fn a_refused_key_is_to_be_checked() {
    let stage = Stage::new(answer(403, &[], "<Error>AccessDenied</Error>"));
    let source = stage.source().template(stage.url("/datafiles/%s.json")).sdk_key("abc");
    let client = Client::builder().source(source).build().unwrap();
    assert!(client.refresh_and_wait(LONG));
    let expect = format!(
        "never-loaded ({} answered 403 Forbidden: check the SDK key and its token)",
        stage.url("/datafiles/***.json")
    );
    assert_eq!(said(&status(&client)), expect);
}

#[test]
fn texts_that_are_no_datafile() {
    let trial = Trial::new();
    let check = |body: &str, expect: &str| {
        let headers = ["ETag: \"no\"", "Content-Type: application/json; charset=utf-8"];
        trial.check(answer(200, &headers, body), &format!("gave what cannot be used: {expect}"));
    };
    let unreadable = |at: &str| {
        format!(
            "the datafile is not readable JSON at line 1, column {at}: download it again or mend it there"
        )
    };
    check("", &unreadable("0"));
    check("not JSON", &unreadable("2"));
    check(
        "[]",
        "the datafile is an array, not a JSON object: give the project configuration that Optimizely serves",
    );
    check(
        "{\"version\": \"5\"}",
        "datafile version \"5\" is not supported: use a datafile of version \"2\", \"3\" or \"4\" (a string)",
    );
    let page = answer(200, &["Content-Type: text/html"], "<html>Log in to the network</html>");
    trial.check(
        page,
        &format!("gave what cannot be used (it came as text/html): {}", unreadable("1")),
    );
}

#[test]
fn answers_that_are_cut_off() {
    let trial = Trial::new();
    let (whole, cut) =
        (text("9"), "sent a datafile that is cut off or cannot be unpacked: it is asked again");
    let half = &whole.as_bytes()[..whole.len() / 2];
    let length = format!("Content-Length: {}", whole.len());
    trial.check(raw(200, &[&length], half), cut);
    trial
        .check(raw(200, &[&format!("Content-Length: {}", whole.len() + 1)], whole.as_bytes()), cut);
    let mut chunks = format!("{:x}\r\n", half.len()).into_bytes();
    chunks.extend_from_slice(half);
    trial.check(raw(200, &["Transfer-Encoding: chunked"], &chunks), cut);
    chunks.extend_from_slice(b"\r\n");
    trial.check(raw(200, &["Transfer-Encoding: chunked"], &chunks), cut);
    trial.check(Answer::ResetInBody, cut);
    trial.check(Answer::ResetInHead, "ended the connection without an answer");
    trial.check(Answer::Nonsense, "ended the connection without an answer");
}

/// Where nothing says how long a text is, its own end does.
#[test]
fn texts_of_unknown_length_end_with_the_connection() {
    let trial = Trial::new();
    let whole = text("9");
    let half = &whole.as_bytes()[..whole.len() / 2];
    trial.stage.set(raw(200, &[], half));
    assert!(trial.client.refresh_and_wait(LONG));
    assert!(
        said(&status(&trial.client)).contains("not readable JSON"),
        "{:?}",
        status(&trial.client)
    );
    trial.stage.set(raw(200, &[], whole.as_bytes()));
    assert!(trial.client.refresh_and_wait(LONG));
    check(&trial.client, "fresh revision 9 from network");
}

#[test]
fn packed_answers_are_unpacked() {
    let trial = Trial::new();
    let gzip = "Content-Encoding: gzip";
    trial.stage.set(answer(200, &[gzip, "ETag: \"five\""], packed(&text("6"))));
    assert!(trial.client.refresh_and_wait(LONG));
    check(&trial.client, "fresh revision 6 from network");
    let broken = "sent a datafile that is cut off or cannot be unpacked: it is asked again";
    let mut bytes = packed(&text("9"));
    bytes.truncate(bytes.len() - 1);
    trial.check(answer(200, &[gzip], &bytes), broken);
    bytes.truncate(bytes.len() / 2);
    trial.check(answer(200, &[gzip], &bytes), broken);
    trial.check(answer(200, &[gzip], text("9")), broken);
    let mut flipped = packed(&text("9"));
    let middle = flipped.len() / 2;
    flipped[middle] ^= 0x10;
    trial.check(answer(200, &[gzip], flipped), broken);
}

#[test]
fn answers_that_are_too_large() {
    let trial = Trial::new();
    let large = "sent more than 1048576 bytes, the most that is taken: look whether it is the datafile, and where a program of yours sets that limit, raise it";
    let padded = format!("{}{}", text("9"), " ".repeat(1 << 20));
    trial.check(raw(200, &["Content-Length: 999999999999"], b"{"), large);
    trial.check(answer(200, &[], &padded), large);
    trial.check(raw(200, &[], padded.as_bytes()), large);
    let bomb = packed(&padded);
    assert!(bomb.len() < 10_000);
    trial.check(answer(200, &["Content-Encoding: gzip"], bomb), large);
    let fits = format!("{}{}", text("9"), " ".repeat((1 << 20) - text("9").len()));
    trial.stage.set(answer(200, &[], fits));
    assert!(trial.client.refresh_and_wait(LONG));
    check(&trial.client, "fresh revision 9 from network");
}

#[test]
fn answers_that_take_too_long() {
    let trial = Trial::new();
    let slow = "was not done within 1000 ms: look at the network and at who answers, and where a program of yours sets that time, allow more";
    trial.check(Answer::Slow(Duration::from_secs(3), 200), slow);
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", text("9").len());
    let drip = format!("{head}{}", text("9")).into_bytes();
    trial.check(Answer::Drip(drip, Duration::from_millis(20)), slow);
}

#[test]
fn nobody_listens() {
    let stage = Stage::new(answer(200, &[], text("5")));
    let client = stage.client();
    let (port, url) = (stage.port(), stage.url("/shop.json"));
    drop(stage);
    assert!(comes_true(|| {
        assert!(client.refresh_and_wait(LONG));
        status(&client).consecutive_failures > 0
    }));
    let expect =
        format!("fresh revision 5 from network ({url} cannot be reached (Connection refused");
    let found = said(&status(&client));
    assert!(found.starts_with(&expect), "{found}");
    assert!(found.ends_with("): check the address, and that it is up)"), "{found}");
    // It comes back, and is asked again without anybody's help.
    let _back = Server::start_on(port, |_, _| answer(200, &[], text("6")));
    check(&client, "fresh revision 6 from network");
}

/// What an address asks for is respected, by those in a hurry too; it cannot ask for more than an hour.
#[test]
fn whoever_wants_to_be_left_alone_is() {
    let check = |header: &str, least_ms: i64, most_ms: i64| {
        let stage = Stage::new(answer(200, &[], text("5")));
        let client = stage.client();
        stage.set(answer(429, &[header], ""));
        assert!(client.refresh_and_wait(LONG));
        let now = status(&client);
        let delay_ms = now.next_attempt_ms.unwrap() - now.last_attempt_ms.unwrap();
        assert!((least_ms..=most_ms).contains(&delay_ms), "{header}: {delay_ms}");
        let asked = stage.requests().len();
        stage.set(answer(200, &[], text("6")));
        assert!(!client.refresh_and_wait(Duration::from_millis(100)), "{header}");
        assert_eq!((stage.requests().len(), decided(&client).as_str()), (asked, "5"));
    };
    check("Retry-After: 1000", 1_000_000, 1_030_000);
    check("Retry-After: 99999999999", 3_600_000, 3_630_000);
    check(
        "Date: Sun, 06 Nov 1994 08:00:00 GMT\r\nRetry-After: Sun, 06 Nov 1994 08:05:00 GMT",
        300_000,
        330_000,
    );
}

#[test]
fn failures_are_left_alone_for_longer_and_longer() {
    let stage = Stage::new(answer(500, &["Retry-After: soon"], ""));
    let source = stage.source().interval_ms(60_000);
    let client = Client::builder().source(source).build().unwrap();
    assert!(comes_true(|| status(&client).failures >= 3), "nobody's help is needed");
    assert!(!client.wait_until_ready(Duration::ZERO).unwrap_err().to_string().is_empty());
    let mut longest_ms = 0;
    for _ in 0..9 {
        assert!(client.refresh_and_wait(LONG));
        let now = status(&client);
        longest_ms = now.next_attempt_ms.unwrap() - now.last_attempt_ms.unwrap();
    }
    assert!((30_000..=61_000).contains(&longest_ms), "{longest_ms}");
    stage.set(answer(200, &[], text("1")));
    assert!(client.refresh_and_wait(LONG));
    check(&client, "fresh revision 1 from network");
}
