//! Posting to a real server on loopback: what each answer does, and everything that is no answer.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use serde_json::json;
use variate::clock::{Stopwatch, system_time_ms};
use variate::events::{
    AttributionMode, Delivery, MemorySink, Pace, Sink, SinkStatus, WebhookSettings, WebhookSink,
};
use variate::store::Outbox as _;

use super::server::{Answer, OK, Request, Server};
use super::world::{LONG, World, comes_true, world};

/// No waiting for batches to fill, and hardly any between attempts.
pub(super) const QUICK: Pace = Pace {
    batch_records: 500,
    batch_bytes: 1 << 20,
    batch_age: Duration::ZERO,
    first_back_off: Duration::from_millis(2),
    longest_back_off: Duration::from_millis(20),
    give_up_after: Duration::from_secs(3600),
};

pub(super) fn webhook(server: &Server) -> WebhookSettings {
    let timeout = Duration::from_secs(5);
    WebhookSettings { pace: QUICK, timeout, ..WebhookSettings::new(server.url("/hook")) }
}

pub(super) fn to_webhook(settings: WebhookSettings) -> Box<dyn Sink> {
    Box::new(WebhookSink::new(settings).unwrap())
}

/// Delivers events without credits, too.
pub(super) fn start(world: &World, settings: WebhookSettings) -> Delivery {
    let mode = AttributionMode::Backend;
    world.deliver(vec![to_webhook(WebhookSettings { mode, ..settings })])
}

/// The time since the epoch.
pub(super) fn now() -> Duration {
    Duration::from_millis(system_time_ms().try_into().unwrap())
}

/// The ids of the records in a webhook's request.
fn ids(request: &Request) -> Vec<String> {
    let records = request.json();
    records.as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
}

/// Checks that one record gets through although the first answers are these, and gives the last error.
#[track_caller]
fn check(answers: &[Answer], error: &str) {
    let script = answers.to_vec();
    let server = Server::start(move |number, _| script.get(number).unwrap_or(&OK).clone());
    let world = world();
    let timeout = Duration::from_millis(300);
    let delivery = start(&world, WebhookSettings { timeout, ..webhook(&server) });
    world.track_many(1);
    assert!(comes_true(|| delivery.statistics()[0].delivered == 1), "{:?}", delivery.statistics());
    let statistics = delivery.statistics().remove(0);
    assert_eq!(statistics.failures, answers.len() as u64, "{statistics:?}");
    let said = statistics.last_error.unwrap_or_default();
    let said = said.replace(&server.url(""), "URL");
    assert!(said.contains(error), "{said}");
    assert_eq!(statistics.dead_letters, 0);
    for request in server.requests() {
        assert_eq!(ids(&request), ["e-1"]);
    }
    assert_eq!(server.requests().len(), answers.len() + 1);
}

#[test]
fn answers_that_stop_the_sink_and_count_against_no_record() {
    check(&[], "");
    check(
        &[Answer::Status(500, "", "out of order")],
        "URL/hook answered 500 Internal Server Error; it said: out of order",
    );
    check(
        &[Answer::Status(503, "", ""), Answer::Status(502, "", "")],
        "URL/hook answered 502 Bad Gateway",
    );
    check(&[Answer::Status(429, "Retry-After: 0\r\n", "")], "answered 429 Too Many Requests");
    check(&[Answer::Status(408, "", "")], "answered 408");
    check(
        &[Answer::Status(401, "", "who are you?")],
        "answered 401 Unauthorized (check the address and the key; delivery goes on when it is right); it said: who are you?",
    );
    check(&[Answer::Status(404, "", "")], "answered 404 Not Found (check the address");
    check(
        &[Answer::Status(302, "Location: https://elsewhere.example/x\r\n", "")],
        "(redirects are not followed: give the address https://elsewhere.example/x)",
    );
    check(&[Answer::ResetInHead], "URL/hook ended the connection without an answer: ");
    check(&[Answer::Nonsense], "URL/hook ended the connection without an answer: ");
    check(
        &[Answer::Slow(Duration::from_millis(900), 204)],
        "URL/hook did not answer within 300 ms",
    );
}

#[test]
fn a_success_is_one_however_it_ends() {
    for answer in [
        Answer::Status(200, "", "thanks"),
        Answer::Status(202, "", ""),
        Answer::ResetInBody,
        Answer::Slow(Duration::from_millis(200), 200),
    ] {
        let server = Server::start(move |_, _| answer.clone());
        let world = world();
        let delivery = start(&world, webhook(&server));
        world.track_many(1);
        delivery.drain(LONG).unwrap();
        let statistics = delivery.statistics().remove(0);
        assert_eq!((statistics.delivered, statistics.failures), (1, 0), "{statistics:?}");
        assert_eq!(server.requests().len(), 1);
    }
}

#[test]
fn retry_after_is_obeyed_in_seconds_and_as_a_date_even_by_drain() {
    for is_date in [false, true] {
        let since = Stopwatch::start();
        let asked_at = Arc::new(Mutex::new(Vec::new()));
        let times = asked_at.clone();
        let server = Server::start(move |number, _| {
            times.lock().unwrap().push(since.elapsed());
            if number > 0 {
                return OK;
            }
            // A date has whole seconds only: the one after next is more than one away.
            let date = httpdate::fmt_http_date(UNIX_EPOCH + now() + Duration::from_secs(2));
            let value = if is_date { date } else { "1".into() };
            Answer::Status(429, format!("Retry-After: {value}\r\n").leak(), "")
        });
        let world = world();
        let delivery = start(&world, webhook(&server));
        world.track_many(1);
        assert!(comes_true(|| delivery.statistics()[0].failures == 1));
        let SinkStatus::Stopped { until_ms } = delivery.statistics()[0].status else { panic!() };
        assert!((1900..=3000).contains(&until_ms), "it is 1000 now, and {until_ms} then");
        assert!(delivery.drain(Duration::from_millis(300)).unwrap_err().is_deadline());
        assert_eq!(server.requests().len(), 1, "a drain does not override the destination");
        delivery.drain(LONG).unwrap();
        let asked_at = asked_at.lock().unwrap();
        assert!(asked_at[1] - asked_at[0] >= Duration::from_millis(950), "is_date {is_date}");
    }
}

#[test]
fn a_server_that_comes_up_late_gets_everything_over_one_connection() {
    let port = Server::free_port();
    let world = world();
    let url = format!("http://127.0.0.1:{port}/hook");
    let pace = Pace { batch_records: 10, ..QUICK };
    world.track_many(25);
    let delivery = start(&world, WebhookSettings { pace, ..WebhookSettings::new(url) });
    assert!(comes_true(|| delivery.statistics()[0].failures >= 3));
    let said = delivery.statistics()[0].last_error.clone().unwrap();
    assert!(said.contains("cannot be reached: check the address, and that it is up: "), "{said}");
    assert!(said.contains("refused"), "{said}");
    let server = Server::start_on(port, |_, _| OK);
    delivery.drain(LONG).unwrap();
    let requests = server.requests();
    assert_eq!(requests.iter().map(|request| ids(request).len()).collect::<Vec<_>>(), [10, 10, 5]);
    assert!(requests.iter().all(|request| request.connection == 0), "connections are kept");
}

#[test]
fn a_poison_record_dies_alone_and_is_sent_again_when_the_server_is_mended() {
    let is_mended = Arc::new(AtomicBool::new(false));
    let mended = is_mended.clone();
    let server = Server::start(move |_, request| {
        let is_poison = request.body.contains("\"e-37\"") && !mended.load(Ordering::SeqCst);
        if is_poison { Answer::Status(400, "", "{\"error\": \"no such user\"}") } else { OK }
    });
    let world = world();
    world.track_many(100);
    let delivery = start(&world, webhook(&server));
    delivery.drain(LONG).unwrap();
    let statistics = delivery.statistics().remove(0);
    assert_eq!((statistics.delivered, statistics.dead_letters, statistics.waiting), (99, 1, 0));
    // Halving 100 down to the one: 8 refusals, and not more than one success beside each.
    assert_eq!(statistics.failures, 8);
    let mut taken: Vec<String> = Vec::new();
    for request in server.requests().iter().filter(|request| !request.body.contains("\"e-37\"")) {
        taken.extend(ids(request));
    }
    let expect: Vec<_> =
        (1..=100).filter(|number| *number != 37).map(|number| format!("e-{number}")).collect();
    assert_eq!(taken, expect, "its neighbours were delivered once, in order");

    let letters = world.store.dead_letters(0, 10).unwrap();
    assert_eq!((letters.len(), letters[0].sequence, letters[0].count), (1, 37, 1));
    assert_eq!(letters[0].record.as_ref().unwrap().id().to_string(), "e-37");
    assert_eq!(
        letters[0].reason.replace(&server.url(""), "URL"),
        "URL/hook refused it: 400 Bad Request; it said: {\"error\": \"no such user\"}"
    );

    // Asked too early, it dies again, under a new number.
    let number = letters[0].number;
    assert_eq!(delivery.retry_dead_letters(&[number]).unwrap(), 1);
    assert!(comes_true(|| world.store.dead_letters(number, 10).unwrap().len() == 1));
    let letters = world.store.dead_letters(0, 10).unwrap();
    assert_eq!((letters.len(), letters[0].is_retried, letters[0].sequence), (1, false, 37));

    // The store's own call is heard, too.
    is_mended.store(true, Ordering::SeqCst);
    world.store.retry_dead_letters(&[letters[0].number]).unwrap();
    assert!(comes_true(|| world.store.dead_letters(0, 10).unwrap().is_empty()));
    let statistics = delivery.statistics().remove(0);
    assert_eq!((statistics.delivered, statistics.dead_letters), (100, 0));
    assert_eq!(ids(server.requests().last().unwrap()), ["e-37"]);
}

#[test]
fn too_large_requests_are_halved_until_they_fit() {
    let server =
        Server::start(
            |_, request| {
                if request.body.len() > 1000 { Answer::Status(413, "", "") } else { OK }
            },
        );
    let world = world();
    world.track_many(40);
    let mut event = world.event("buy");
    event.envelope = world.envelope(Some("huge"), 950);
    event.tags = json!({"text": "x".repeat(2000)}).as_object().cloned();
    world.track(event);
    let delivery = start(&world, webhook(&server));
    delivery.drain(LONG).unwrap();
    assert_eq!(delivery.statistics()[0].delivered, 40);
    let letters = world.store.dead_letters(0, 10).unwrap();
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].record.as_ref().unwrap().id().to_string(), "huge");
    assert!(
        letters[0].reason.ends_with("refused it: 413 Payload Too Large"),
        "{}",
        letters[0].reason
    );
}

#[test]
fn batches_keep_to_their_bytes() {
    let server = Server::start(|_, _| OK);
    let world = world();
    world.track_many(40);
    let pace = Pace { batch_bytes: 1000, ..QUICK };
    let delivery = start(&world, WebhookSettings { pace, ..webhook(&server) });
    delivery.drain(LONG).unwrap();
    let requests = server.requests();
    assert!(requests.iter().all(|request| request.body.len() < 1000 + 10), "commas and brackets");
    let records: usize = requests.iter().map(|request| ids(request).len()).sum();
    assert_eq!((records, requests.len() < 40), (40, true));
}

#[test]
fn records_wait_for_their_batch_to_fill_but_not_for_a_drain() {
    let server = Server::start(|_, _| OK);
    let world = world();
    let pace = Pace { batch_age: Duration::from_millis(400), ..QUICK };
    let delivery = start(&world, WebhookSettings { pace, ..webhook(&server) });
    for _ in 0..4 {
        world.track_many(1);
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(comes_true(|| delivery.statistics()[0].delivered == 4));
    assert_eq!(server.requests().len(), 1, "they went together");
    let pace = Pace { batch_age: Duration::from_secs(3600), ..QUICK };
    drop(delivery);
    let delivery = start(&world, WebhookSettings { pace, ..webhook(&server) });
    world.track_many(2);
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(delivery.statistics()[0].delivered, 0);
    delivery.drain(LONG).unwrap();
}

#[test]
fn a_dead_destination_holds_no_other_up() {
    let world = world();
    let memory = MemorySink::new();
    let port = Server::free_port();
    let dead = WebhookSettings {
        mode: AttributionMode::Backend,
        pace: QUICK,
        ..WebhookSettings::new(format!("http://127.0.0.1:{port}/"))
    };
    let delivery = world.deliver(vec![to_webhook(dead), Box::new(memory.clone())]);
    world.track_many(2000);
    assert!(comes_true(|| delivery.statistics()[1].delivered == 2000));
    assert_eq!(memory.take().len(), 2000);
    assert!(comes_true(|| delivery.statistics()[0].failures > 0));
    let statistics = delivery.statistics().remove(0);
    assert_eq!((statistics.delivered, statistics.dead_letters, world.waiting()), (0, 0, 2000));
}

#[test]
fn records_grow_too_old_only_while_the_destination_is_unavailable() {
    let is_up = Arc::new(AtomicBool::new(true));
    let up = is_up.clone();
    let server = Server::start(move |_, _| {
        if up.load(Ordering::SeqCst) { OK } else { Answer::Status(500, "", "flooded") }
    });
    let world = world();
    world.track_many(30);
    let week_ms = 7 * 24 * 3_600_000;
    let pace = Pace { give_up_after: Pace::default().give_up_after, batch_records: 10, ..QUICK };
    let settings = || WebhookSettings { pace, ..webhook(&server) };
    world.clock.advance_to(1000 + 2 * week_ms);
    let delivery = start(&world, settings());
    delivery.drain(LONG).unwrap();
    assert_eq!(delivery.statistics()[0].delivered, 30, "old as they are");

    is_up.store(false, Ordering::SeqCst);
    world.track_many(25);
    assert!(comes_true(|| delivery.statistics()[0].failures >= 3));
    assert_eq!(delivery.statistics()[0].dead_letters, 0);
    world.clock.advance_to(1000 + 3 * week_ms + 1);
    world.track_many(2);
    assert!(
        comes_true(|| delivery.statistics()[0].dead_letters == 25),
        "{:?}",
        delivery.statistics()
    );
    assert_eq!(delivery.statistics()[0].waiting, 2, "these are young");
    let reason = world.store.dead_letters(0, 1).unwrap().remove(0).reason;
    assert!(reason.starts_with("not delivered before it was too old: "), "{reason}");
    assert!(reason.ends_with("answered 500 Internal Server Error; it said: flooded"), "{reason}");
    is_up.store(true, Ordering::SeqCst);
    delivery.drain(LONG).unwrap();
    assert_eq!(delivery.statistics()[0].delivered, 32);
}

#[test]
fn it_works_inside_and_outside_of_a_runtime() {
    let server = Server::start(|_, _| OK);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let datafile = world().datafile;
        let sink = to_webhook(webhook(&server));
        let client = variate::Client::builder().datafile(datafile).sink(sink).build().unwrap();
        client.user("u").activate("plain").receipt.await.unwrap();
        client.drain(LONG).unwrap();
        drop(client);
    });
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_server_without_tls_is_told_from_one_with() {
    let server = Server::start(|_, _| OK);
    let world = world();
    let url = format!("https://user:secret@127.0.0.1:{}/hook?token=secret", server.port);
    let delivery = start(&world, WebhookSettings { pace: QUICK, ..WebhookSettings::new(url) });
    world.track_many(1);
    assert!(comes_true(|| delivery.statistics()[0].failures > 0));
    let statistics = delivery.statistics().remove(0);
    let name = format!("webhook:https://127.0.0.1:{}/hook~", server.port);
    assert!(statistics.name.starts_with(&name), "{}", statistics.name);
    let said = statistics.last_error.unwrap();
    assert!(said.starts_with("https://127.0.0.1:") && !said.contains("secret"), "{said}");
}

#[test]
fn clocks_of_statistics_are_the_deliverys() {
    let (world, server) = (world(), Server::start(|_, _| Answer::Status(500, "", "")));
    let delivery = start(&world, webhook(&server));
    world.track_many(3);
    world.clock.advance_to(61_000);
    let statistics = delivery.statistics().remove(0);
    assert_eq!(statistics.oldest_waiting, Some(Duration::from_secs(60)), "{statistics:?}");
}

#[test]
fn a_shut_down_without_time_waits_for_nobody() {
    let server = Server::start(|_, _| Answer::Slow(LONG, 204));
    let world = world();
    world.track_many(1);
    let mode = AttributionMode::Backend;
    let settings =
        WebhookSettings { mode, pace: QUICK, ..WebhookSettings::new(server.url("/hook")) };
    let delivery = world.deliver(vec![to_webhook(settings)]);
    assert!(comes_true(|| server.requests().len() == 1));
    let watch = variate::clock::Stopwatch::start();
    assert!(delivery.shut_down(Duration::ZERO).unwrap_err().is_deadline());
    // A sink in the middle of a batch would have a second.
    assert!(watch.elapsed() < Duration::from_millis(900), "{:?}", watch.elapsed());
}

#[test]
fn sinks_that_differ_in_what_is_not_told_keep_their_places_in_any_order() {
    let is_up = Arc::new(AtomicBool::new(false));
    let up = is_up.clone();
    let server = Server::start(move |_, request| {
        let is_second = request.line.contains("token=second");
        if is_second && !up.load(Ordering::SeqCst) { Answer::Status(503, "", "") } else { OK }
    });
    let world = world();
    world.track_many(3);
    let sink = |token: &str| {
        let url = server.url(&format!("/hook?token={token}"));
        let mode = AttributionMode::Backend;
        to_webhook(WebhookSettings { mode, pace: QUICK, ..WebhookSettings::new(url) })
    };
    let delivery = world.deliver(vec![sink("first"), sink("second")]);
    assert!(comes_true(|| delivery.statistics()[0].delivered == 3));
    drop(delivery.shut_down(Duration::from_millis(100)));
    is_up.store(true, Ordering::SeqCst);
    let before = server.requests().len();
    let delivery = world.deliver(vec![sink("second"), sink("first")]);
    delivery.drain(LONG).unwrap();
    let delivered: Vec<u64> = delivery.statistics().iter().map(|sink| sink.delivered).collect();
    assert_eq!(delivered, [3, 0]);
    let requests = server.requests();
    assert_eq!(
        (requests.len() - before, requests.last().unwrap().line.contains("second")),
        (1, true)
    );
}

#[test]
fn a_server_that_drags_its_answer_out_is_left_in_time() {
    let mut answer = b"HTTP/1.1 503 \r\nContent-Length: 1000\r\n\r\n".to_vec();
    answer.extend([b'x'; 1000]);
    let drags = Answer::Drip(answer, Duration::from_millis(5));
    let server = Server::start(move |number, _| if number == 0 { drags.clone() } else { OK });
    let world = world();
    let timeout = Duration::from_millis(400);
    let watch = Stopwatch::start();
    let delivery = start(&world, WebhookSettings { timeout, ..webhook(&server) });
    world.track_many(1);
    assert!(comes_true(|| delivery.statistics()[0].delivered == 1));
    assert!(watch.elapsed() < 4 * timeout, "{:?}", watch.elapsed());
}

#[test]
fn letters_that_cannot_be_delivered_do_not_keep_what_is_behind_them_from_growing_too_old() {
    let is_up = Arc::new(AtomicBool::new(true));
    let up = is_up.clone();
    let server = Server::start(move |_, request| match up.load(Ordering::SeqCst) {
        true if request.body.contains("\"e-1\"") => Answer::Status(400, "", ""),
        true => OK,
        false => Answer::Status(503, "", ""),
    });
    let world = world();
    world.track_many(1);
    let pace = Pace { batch_records: 10, ..QUICK };
    let delivery = start(&world, WebhookSettings { pace, ..webhook(&server) });
    delivery.drain(LONG).unwrap();
    assert_eq!(delivery.statistics()[0].dead_letters, 1);
    is_up.store(false, Ordering::SeqCst);
    assert_eq!(delivery.retry_dead_letters(&[1]).unwrap(), 1);
    assert!(comes_true(|| delivery.statistics()[0].failures > 2));
    world.track_many(35);
    world.clock.advance_to(1000 + 2 * 3_600_000);
    assert!(
        comes_true(|| delivery.statistics()[0].dead_letters == 36),
        "{:?}",
        delivery.statistics()
    );
    world.track_many(12);
    std::thread::sleep(Duration::from_millis(100));
    let statistics = delivery.statistics().remove(0);
    assert_eq!((statistics.waiting, statistics.dead_letters), (12, 36), "these are young");
    is_up.store(true, Ordering::SeqCst);
    delivery.drain(LONG).unwrap();
    assert_eq!(delivery.statistics()[0].delivered, 12);
}

#[cfg(feature = "durable")]
#[test]
fn a_store_is_free_when_its_client_is_gone_although_a_sink_is_stuck() {
    let server = Server::start(|_, _| Answer::Slow(LONG * 30, 200));
    let folder = tempfile::tempdir().unwrap();
    let open = |timeout| {
        let settings = WebhookSettings { timeout, ..webhook(&server) };
        let builder = variate::Client::builder().datafile(world().datafile).store(folder.path());
        builder.sink(to_webhook(settings)).last_drain(Duration::from_millis(100)).build()
    };
    let client = open(LONG * 30).unwrap();
    client.user("u").activate("plain").receipt.wait().unwrap();
    assert!(comes_true(|| server.requests().len() == 1));
    let watch = Stopwatch::start();
    drop(client);
    assert!(watch.elapsed() < Duration::from_secs(3), "{:?}", watch.elapsed());
    // The request is still under way; nothing of it is known to the store, so that it comes again.
    let client = open(Duration::from_millis(200)).unwrap();
    assert!(comes_true(|| server.requests().len() >= 2));
    assert_eq!(client.statistics().sinks[0].waiting, 1);
    assert_eq!(ids(&server.requests()[0]), ids(&server.requests()[1]));
}
