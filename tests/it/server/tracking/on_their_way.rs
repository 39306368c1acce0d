//! Messages of one sender, some of which take longer than others: what was first stays first.
//!
//! Must not know how times are put right, nor where exactly their bounds are: requests take as long as they take.

use serde_json::{Value, json};

use super::super::Daemon;
use super::{credits, iso};

/// A sender whose clock is so far ahead of the daemon's.
struct Sender {
    ahead_ms: i64,
    /// When it begins, by the daemon's clock.
    began_ms: i64,
}

const SHOWN: &str = "Experiment Viewed";

/// A daemon that has answered before: the first request takes longest.
fn shop() -> Daemon {
    let shop = Daemon::shop();
    assert_eq!(shop.ask("POST /segment/v1/batch", r#"{"batch":[]}"#).status, 200);
    shop
}

impl Sender {
    fn new(ahead_ms: i64) -> Self {
        Self { ahead_ms, began_ms: variate::clock::system_time_ms() }
    }

    /// Something that was half a minute before it began, and so long after that.
    fn message(&self, name: &str, after_ms: i64) -> Value {
        let at_ms = self.began_ms - 30_000 + after_ms + self.ahead_ms;
        json!({
            "type": "track", "userId": "anna", "event": name, "messageId": format!("{name} {after_ms}"),
            "timestamp": iso(at_ms), "properties": {"experiment_id": "checkout_button", "variation_id": "green"},
        })
    }

    /// Sends messages at once, which take so long.
    #[track_caller]
    fn send(&self, shop: &Daemon, messages: &[Value], way_ms: i64) {
        let sent_ms = variate::clock::system_time_ms() + self.ahead_ms - way_ms;
        let body = json!({"batch": messages, "sentAt": iso(sent_ms)});
        assert_eq!(shop.ask("POST /segment/v1/batch", &body.to_string()).status, 200);
    }
}

/// Somebody is shown something, and does something so long after that, in two requests that take so long; whether it
/// is credited, whichever of them comes first.
#[track_caller]
fn check(ahead_ms: i64, (shown_way_ms, done_way_ms): (i64, i64), after_ms: i64, expect: bool) {
    for is_done_first in [false, true] {
        let shop = shop();
        let sender = Sender::new(ahead_ms);
        let mut requests = [
            (sender.message(SHOWN, 0), shown_way_ms),
            (sender.message("purchase", after_ms), done_way_ms),
        ];
        if is_done_first {
            requests.reverse();
        }
        for (message, way_ms) in requests {
            sender.send(&shop, &[message], way_ms);
        }
        let about = format!("{ahead_ms} ms ahead, {shown_way_ms} and {done_way_ms} ms, {after_ms}");
        assert_eq!(!credits(&shop).is_empty(), expect, "{about}, done first: {is_done_first}");
    }
}

#[test]
fn what_is_done_at_once_counts_however_long_the_exposure_takes() {
    for way_ms in [0, 30, 400, 9_000, 12_000] {
        check(0, (way_ms, 0), 20, true);
        check(0, (0, way_ms), 20, true);
        check(0, (way_ms, way_ms), 20, true);
    }
    // By a clock that is behind no less.
    check(-3_000, (400, 0), 20, true);
    // What was done before it is known as such as far as requests take equally long.
    check(0, (0, 0), -4_000, false);
    check(0, (400, 0), -4_000, false);
}

#[test]
fn by_a_clock_that_is_wrong_a_second_is_allowed() {
    for ahead_ms in [1_000, 2_500, 3_600_000, -60_000, -86_400_000] {
        check(ahead_ms, (300, 0), 20, true);
        check(ahead_ms, (0, 300), 20, true);
        check(ahead_ms, (0, 0), -8_000, false);
    }
}

/// In one request, that takes so long: whether what was done counts.
#[track_caller]
fn check_together(ahead_ms: i64, way_ms: i64, done_after_ms: i64, expect: bool) {
    let shop = shop();
    let sender = Sender::new(ahead_ms);
    let shown = sender.message(SHOWN, 0);
    let mut done = sender.message("purchase", 0);
    let at: jiff::Timestamp = shown["timestamp"].as_str().unwrap().parse().unwrap();
    done["timestamp"] = json!(iso(at.as_millisecond() + done_after_ms));
    sender.send(&shop, &[done, shown], way_ms);
    let about = format!("{ahead_ms} ms ahead, {way_ms} ms, {done_after_ms}");
    assert_eq!(!credits(&shop).is_empty(), expect, "{about}");
}

/// What was shown may be told by a server, and what was done right after that with something that was shown later.
#[test]
fn what_was_done_stays_behind_what_others_say_was_shown() {
    let shop = shop();
    let sender = Sender::new(0);
    sender.send(&shop, &[sender.message(SHOWN, 5_000)], 0);
    let (done, shown) = (sender.message("purchase", 500), sender.message(SHOWN, 600));
    sender.send(&shop, &[done, shown], 9_000);
    assert_eq!(credits(&shop).len(), 1);
}

/// Who was shown something is known by another id of the request: what that one did first stays first.
#[test]
fn what_a_user_did_stays_before_what_the_visitor_was_shown() {
    for (done_after_ms, expect) in [(-20, 0), (20, 1)] {
        let shop = shop();
        let sender = Sender::new(0);
        let mut shown = sender.message(SHOWN, 0);
        shown["userId"] = Value::Null;
        shown["anonymousId"] = json!("visitor");
        let done = sender.message("purchase", done_after_ms);
        let identify = json!({"type": "identify", "userId": "anna", "anonymousId": "visitor"});
        sender.send(&shop, &[done, shown, identify], 400);
        assert_eq!(credits(&shop).len(), expect, "{done_after_ms}");
    }
}

#[test]
fn in_one_request_it_is_certain_what_was_first() {
    for (ahead_ms, way_ms) in
        [(0, 0), (0, 400), (0, 9_000), (-5_000, 0), (1_000, 0), (3_600_000, 400), (-60_000, 400)]
    {
        check_together(ahead_ms, way_ms, 0, true);
        check_together(ahead_ms, way_ms, 1, true);
        check_together(ahead_ms, way_ms, -1, false);
        check_together(ahead_ms, way_ms, -500, false);
        check_together(ahead_ms, way_ms, -20_000, false);
    }
}
