//! Addresses: what is asked, what is taken, what is held back.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use variate::Client;
use variate::clock::{Clock, Stopwatch};
use variate::source::{CameFrom, Readiness, Source};
use variate::value::VariableValue;

use super::stage::{Stage, answer};
use super::world::{LONG, check, comes_true, decided, status, text};

/// Asks once more and checks what is said then.
#[track_caller]
fn ask(client: &Client, expect: &str) {
    assert!(client.refresh_and_wait(LONG), "{:?}", status(client));
    check(client, expect);
}

#[test]
fn a_datafile_is_fetched_and_followed() {
    let stage = Stage::new(answer(200, &[], text("1")));
    let client = Client::builder().source(stage.source()).build().unwrap();
    client.wait_until_ready(LONG).unwrap();
    check(&client, "fresh revision 1 from network");
    let request = stage.last_request();
    assert_eq!(request.line, "GET /shop.json HTTP/1.1");
    assert_eq!(request.header("accept"), Some("application/json"));
    assert_eq!(request.header("accept-encoding"), Some("gzip"));
    assert!(request.header("user-agent").unwrap().starts_with("variate/"));
    assert_eq!(request.header("authorization"), None);
    assert_eq!(
        (request.header("if-none-match"), request.header("if-modified-since")),
        (None, None)
    );
    for revision in ["2", "10", "10b", "3"] {
        stage.set(answer(200, &[], text(revision)));
        ask(&client, &format!("fresh revision {revision} from network"));
    }
    ask(&client, "fresh revision 3 from network");
    assert_eq!(status(&client).changes, 5);
}

/// It is asked by itself, too.
#[test]
fn it_is_asked_again_and_again() {
    let stage = Stage::new(answer(200, &[], text("1")));
    let source = stage.source().interval_ms(1000);
    let client = Client::builder().source(source).build().unwrap();
    client.wait_until_ready(LONG).unwrap();
    stage.set(answer(200, &[], text("2")));
    check(&client, "fresh revision 2 from network");
    let is_soon = || {
        let now = status(&client);
        // While it is asked, nobody knows when it will be next.
        let next_ms = now.next_attempt_ms.zip(now.last_attempt_ms);
        next_ms.is_some_and(|(next_ms, last_ms)| next_ms - last_ms < 10_000)
    };
    assert!(comes_true(is_soon), "{:?}", status(&client));
}

#[test]
fn what_has_not_changed_is_not_sent_again() {
    let marks: [(&[&str], Option<&str>, Option<&str>); 4] = [
        (&["ETag: \"a1\""], Some("\"a1\""), None),
        (&["ETag: W/\"a1\""], Some("W/\"a1\""), None),
        (
            &["Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT"],
            None,
            Some("Sun, 06 Nov 1994 08:49:37 GMT"),
        ),
        (&["ETag: \"b\"", "Last-Modified: yesterday"], Some("\"b\""), Some("yesterday")),
    ];
    for (headers, etag, last_modified) in marks {
        let stage = Stage::new(answer(200, headers, text("1")));
        let client = stage.client();
        stage.set(answer(304, &[], ""));
        let before = status(&client);
        ask(&client, "fresh revision 1 from network");
        let request = stage.last_request();
        assert_eq!(
            (request.header("if-none-match"), request.header("if-modified-since")),
            (etag, last_modified)
        );
        let after = status(&client);
        assert!(after.last_success_ms >= before.last_success_ms);
        assert_eq!((after.changes, after.failures), (1, 0));
        assert_eq!(after.fetched_at_ms, before.fetched_at_ms);
    }
}

/// What came with a text that was not taken says nothing about the one in force.
#[test]
fn marks_of_what_was_not_taken_are_not_remembered() {
    let stage = Stage::new(answer(200, &["ETag: \"good\"", "Last-Modified: then"], text("5")));
    let client = stage.client();
    for bad in ["{", "", &text("4")] {
        stage.set(answer(200, &["ETag: \"bad\"", "Last-Modified: now"], bad));
        assert!(client.refresh_and_wait(LONG) && client.refresh_and_wait(LONG));
        let request = stage.last_request();
        assert_eq!(
            (request.header("if-none-match"), request.header("if-modified-since")),
            (Some("\"good\""), Some("then")),
            "after {bad:.20}"
        );
    }
    assert!(client.accept_datafile("4"));
    assert!(client.refresh_and_wait(LONG));
    assert_eq!(stage.last_request().header("if-none-match"), Some("\"bad\""));
}

/// A "not modified" that nobody asked for is no answer.
#[test]
fn not_modified_means_nothing_without_a_condition() {
    let stage = Stage::new(answer(304, &[], ""));
    let client = stage.client();
    check(
        &client,
        &format!(
            "never-loaded ({} answered 304 Not Modified, although it was not asked for changes only)",
            stage.url("/shop.json")
        ),
    );
}

#[test]
fn lower_revisions_are_held_back_until_accepted() {
    let stage = Stage::new(answer(200, &[], text("10")));
    let client = stage.client();
    stage.set(answer(200, &[], text("9")));
    ask(&client, "fresh revision 10 from network holds back 9");
    let since_ms = status(&client).held_back.unwrap().since_ms;
    ask(&client, "fresh revision 10 from network holds back 9");
    assert_eq!(status(&client).held_back.unwrap().since_ms, since_ms);
    assert!(!client.accept_datafile("10") && !client.accept_datafile(""));
    assert_eq!(decided(&client), "10");
    assert!(client.accept_datafile("9"));
    check(&client, "fresh revision 9 from network");
    assert!(!client.accept_datafile("9"), "it is in force");
    ask(&client, "fresh revision 9 from network");
    stage.set(answer(200, &[], text("8")));
    ask(&client, "fresh revision 9 from network holds back 8");
    stage.set(answer(200, &[], text("7")));
    ask(&client, "fresh revision 9 from network holds back 7");
    stage.set(answer(200, &[], text("9")));
    ask(&client, "fresh revision 9 from network");
    assert!(!client.accept_datafile("7"), "nobody serves it any more");
    stage.set(answer(200, &[], text("11")));
    ask(&client, "fresh revision 11 from network");
}

#[test]
fn a_higher_revision_ends_what_was_held_back() {
    let stage = Stage::new(answer(200, &["ETag: \"x\""], text("10")));
    let client = stage.client();
    stage.set(answer(200, &[], text("9")));
    ask(&client, "fresh revision 10 from network holds back 9");
    stage.set(answer(304, &[], ""));
    ask(&client, "fresh revision 10 from network");
    stage.set(answer(200, &[], text("9")));
    ask(&client, "fresh revision 10 from network holds back 9");
    stage.set(answer(200, &[], text("11")));
    ask(&client, "fresh revision 11 from network");
    assert!(!client.accept_datafile("9"));
}

#[test]
fn lower_revisions_are_taken_where_that_is_meant() {
    let stage = Stage::new(answer(200, &[], text("10")));
    let source = stage.source().accept_lower_revisions(true);
    let client = Client::builder().source(source).build().unwrap();
    client.wait_until_ready(LONG).unwrap();
    stage.set(answer(200, &[], text("9")));
    ask(&client, "fresh revision 9 from network");
}

#[test]
fn keys_and_tokens_go_where_they_belong() {
    let stage = Stage::new(answer(200, &[], text("1")));
    let check = |key: &str, token: Option<&str>, path: &str, authorization: Option<&str>| {
        let mut source = Source::url(stage.url("/datafiles/%s.json")).sdk_key(key);
        if let Some(token) = token {
            source = source.token(token);
        }
        let client = Client::builder().source(source).build().unwrap();
        client.wait_until_ready(LONG).unwrap();
        let request = stage.last_request();
        assert_eq!(request.line, format!("GET {path} HTTP/1.1"));
        assert_eq!(request.header("authorization"), authorization);
        assert_eq!(&*status(&client).source, &stage.url("/datafiles/***.json"));
        client.environment().to_owned()
    };
    assert_eq!(check("abc", None, "/datafiles/abc.json", None), "abc");
    assert_eq!(check("abc:t0", None, "/datafiles/abc.json", Some("Bearer t0")), "abc");
    check("abc:t0", Some("t1"), "/datafiles/abc.json", Some("Bearer t1"));
    check("a+b=", Some("t1"), "/datafiles/a+b=.json", Some("Bearer t1"));
}

#[test]
fn redirects_are_followed_so_far() {
    let stage = Stage::new(answer(200, &[], ""));
    let elsewhere = Stage::new(answer(200, &["ETag: \"e\""], text("1")));
    let moved = format!("Location: {}", elsewhere.url("/there.json"));
    stage.set(answer(302, &[&moved], ""));
    let source = stage.source().token("secret");
    let client = Client::builder().source(source).build().unwrap();
    client.wait_until_ready(LONG).unwrap();
    check(&client, "fresh revision 1 from network");
    assert_eq!(stage.last_request().header("authorization"), Some("Bearer secret"));
    assert_eq!(elsewhere.last_request().line, "GET /there.json HTTP/1.1");
    assert_eq!(elsewhere.last_request().header("authorization"), None, "it is for the first one");
    stage.set(answer(302, &["Location: /shop.json"], ""));
    assert!(client.refresh_and_wait(LONG));
    let problem = status(&client).last_problem.unwrap().to_string();
    assert!(
        problem.ends_with(
            "redirects too often, or from https to http: give the address that it leads to"
        ),
        "{problem}"
    );
    assert_eq!(decided(&client), "1");
}

#[test]
fn calls_that_come_together_are_answered_by_asking_once() {
    let stage = Stage::new(answer(200, &[], text("1")));
    let client = stage.client();
    let (asked, gate) = (Arc::new(AtomicUsize::new(0)), Arc::new(std::sync::Barrier::new(2)));
    let (counted, opened) = (asked.clone(), gate.clone());
    stage.set_rule(move |_| {
        if counted.fetch_add(1, Ordering::SeqCst) == 0 {
            opened.wait();
        }
        answer(200, &[], text("2"))
    });
    client.refresh();
    assert!(comes_true(|| asked.load(Ordering::SeqCst) == 1), "the first is under way");
    std::thread::scope(|scope| {
        for _ in 0..50 {
            scope.spawn(|| client.refresh());
        }
    });
    gate.wait();
    check(&client, "fresh revision 2 from network");
    // One was under way, which did not see what came later; one answers all the others.
    assert!(comes_true(|| asked.load(Ordering::SeqCst) == 2));
    assert!(client.refresh_and_wait(LONG));
    assert_eq!(asked.load(Ordering::SeqCst), 3);
}

/// The end of the client does not wait for an answer that never comes.
#[test]
fn the_end_breaks_off_what_is_asked() {
    let bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{".to_vec();
    for asked in [
        crate::events::server::Answer::Slow(LONG, 200),
        crate::events::server::Answer::Drip(bytes, Duration::from_secs(1)),
    ] {
        let stage = Stage::new(asked);
        let source = stage.source().timeout_ms(60_000);
        let client = Client::builder().source(source).build().unwrap();
        assert!(comes_true(|| !stage.requests().is_empty()));
        let waited = Stopwatch::start();
        drop(client);
        assert!(waited.elapsed() < Duration::from_secs(10), "{:?}", waited.elapsed());
    }
}

/// Whatever a call sees while datafiles come in is of one of them.
#[test]
fn decisions_are_of_one_datafile() {
    let (stage, served) = (Stage::new(answer(200, &[], text("1"))), Arc::new(AtomicUsize::new(1)));
    let next = served.clone();
    stage.set_rule(move |_| {
        answer(200, &[], text(&next.fetch_add(1, Ordering::SeqCst).to_string()))
    });
    let client = stage.client();
    let is_over = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let decide = || {
            let mut latest = 0;
            while !is_over.load(Ordering::SeqCst) {
                let decision = client.user("anna").decide("f");
                let mark = decision.variation_key.unwrap();
                let variable = decision.variables.get("mark").cloned();
                assert_eq!(variable, Some(VariableValue::String(mark.as_str().into())));
                let revision: u64 = mark[1..].parse().unwrap();
                assert!(revision >= latest, "{revision} after {latest}");
                latest = revision;
            }
        };
        let deciding = [scope.spawn(decide), scope.spawn(decide)];
        for _ in 0..100 {
            assert!(client.refresh_and_wait(LONG));
        }
        is_over.store(true, Ordering::SeqCst);
        deciding.into_iter().for_each(|thread| thread.join().unwrap());
    });
    assert!(status(&client).changes >= 100);
}

/// A listener may hold the last of a client, and let go of it: then the source ends on its own thread.
#[test]
fn a_client_may_end_on_its_sources_thread() {
    use std::sync::Mutex;
    use std::sync::mpsc::{RecvTimeoutError, Sender, channel};

    struct Last {
        client: Arc<Mutex<Option<Client>>>,
        _ended: Sender<()>,
    }
    impl variate::client::Listener for Last {
        fn datafile_update(&self, _: &str) {
            drop(self.client.lock().unwrap().take());
        }
    }
    let stage = Stage::new(answer(200, &[], text("1")));
    let (held, (ended, has_ended)) = (Arc::new(Mutex::new(None)), channel());
    let last = Last { client: held.clone(), _ended: ended };
    let own = variate::Datafile::compile(text("0")).unwrap().datafile;
    let mut place = held.lock().unwrap();
    let builder = Client::builder().datafile(own).source(stage.source()).listener(last);
    *place = Some(builder.build().unwrap());
    drop(place);
    assert_eq!(has_ended.recv_timeout(LONG), Err(RecvTimeoutError::Disconnected));
}

/// When a client is gone, so is all that it held, whatever its source was doing.
#[test]
fn the_end_of_a_client_leaves_nothing_behind() {
    struct Held(#[expect(dead_code, reason = "its end is what is looked at")] Arc<()>);
    impl variate::client::Listener for Held {
        fn datafile_update(&self, _: &str) {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
    let stage = Stage::new(answer(200, &[], text("1")));
    for _ in 0..10 {
        let held = Arc::new(());
        let builder = Client::builder().source(stage.source()).listener(Held(held.clone()));
        let client = builder.build().unwrap();
        client.wait_until_ready(LONG).unwrap();
        drop(client);
        assert_eq!(Arc::strong_count(&held), 1);
    }
}

/// A source works inside of a caller's runtime, which nothing blocks but the waiting itself.
#[test]
fn it_works_inside_of_a_runtime() {
    let stage = Stage::new(answer(200, &[], text("1")));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let client = Client::builder().source(stage.source()).build().unwrap();
        client.wait_until_ready(LONG).unwrap();
        stage.set(answer(200, &[], text("2")));
        ask(&client, "fresh revision 2 from network");
        drop(client);
    });
}

#[test]
fn an_address_becomes_stale_by_the_clock() {
    let clock = Arc::new(Clock::manual(1_000_000));
    let stage = Stage::new(answer(200, &["ETag: \"x\""], text("1")));
    let source = stage.source().stale_after_ms(60_000);
    let client = Client::builder().clock(clock.clone()).source(source).build().unwrap();
    client.wait_until_ready(LONG).unwrap();
    check(&client, "fresh revision 1 from network");
    assert_eq!(status(&client).fetched_at_ms, Some(1_000_000));
    clock.advance_to(1_060_000 + 10_000);
    assert_eq!(status(&client).readiness, Readiness::Stale);
    assert!(status(&client).checked_ago_ms >= Some(70_000));
    stage.set(answer(304, &[], ""));
    ask(&client, "fresh revision 1 from network");
    let now = status(&client);
    assert_eq!((now.last_success_ms, now.fetched_at_ms), (Some(1_070_000), Some(1_000_000)));
    clock.advance_to(2_000_000);
    stage.set(answer(200, &[], "{"));
    assert!(client.refresh_and_wait(LONG));
    assert_eq!(status(&client).readiness, Readiness::Stale, "a bad answer confirms nothing");
    stage.set(answer(200, &[], text("0")));
    assert!(client.refresh_and_wait(LONG));
    check(&client, "fresh revision 1 from network holds back 0");
}

#[test]
fn a_datafile_of_the_programs_own_is_replaced_by_later_ones() {
    let own = || variate::Datafile::compile(text("5")).unwrap().datafile;
    let begin = |stage: &Stage| {
        let client = Client::builder().datafile(own()).source(stage.source()).build().unwrap();
        assert_eq!(decided(&client), "5");
        assert!(client.refresh_and_wait(LONG));
        client
    };
    let stage = Stage::new(answer(200, &[], text("6")));
    check(&begin(&stage), "fresh revision 6 from network");
    stage.set(answer(200, &[], text("5")));
    check(&begin(&stage), "fresh revision 5 from network");
    stage.set(answer(200, &[], text("4")));
    let client = begin(&stage);
    assert_eq!(status(&client).came_from, Some(CameFrom::Embedded));
    assert_eq!(&*status(&client).held_back.unwrap().revision, "4");
}
