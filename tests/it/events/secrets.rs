//! Secrets: nothing that is said of sinks tells those in their addresses, or what they sign with.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use variate::Client;
use variate::error::Error;
use variate::events::{
    AttributionMode, BatchNotice, DeliverySettings, EventApiSettings, EventApiSink, Pace, Sink,
    SinkTarget, WebhookSettings, WebhookSink,
};
use variate::store::Outbox as _;

use super::posts::QUICK;
use super::server::{Answer, OK, Server};
use super::world::{SHORT, comes_true, world};

/// Stands in every address of these tests, and is what they sign with.
const SECRET: &str = "hunter2-%C3%A4";
/// As it is meant.
const MEANT: &str = "hunter2-ä";

#[track_caller]
fn check_said(said: &str) {
    assert!(!said.contains("hunter2"), "{said}");
}

/// An error with its causes, in both forms.
fn all_of(error: &Error) -> String {
    let mut said = format!("{error:?} {error}");
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        write!(said, " {error:?} {error}").unwrap();
        cause = error.source();
    }
    said
}

/// Addresses of a host with a secret in each place where one may be.
fn addresses(host: &str) -> Vec<String> {
    vec![
        format!("http://{SECRET}@{host}/hook"),
        format!("http://user:{SECRET}@{host}/hook"),
        format!("http://{SECRET}:{SECRET}@{host}/hook?{SECRET}#{SECRET}"),
        format!("http://{host}/hook?token={SECRET}"),
        format!("http://{host}/hook?a=1&{SECRET}&token={SECRET}&b"),
    ]
}

#[test]
fn targets_hide_them() {
    for (address, expect) in [
        ("https://u:p@x.example/a?t=v&w#f", "https://***@x.example/a?t=***&***#***"),
        ("https://x.example:8080/a@b", "https://x.example:8080/a@b"),
        ("http://[::1]/a", "http://[::1]/a"),
        ("http://u@[::1]:80", "http://***@[::1]:80"),
        ("http://u:p@ss@x.example/", "http://***@x.example/"),
        ("http://x.example/?", "http://x.example/?"),
        // A password with a slash: nobody knows where the secret ends.
        ("http://u:p/p@x.example/", "http://***"),
        ("http://u:p?p@x.example/", "http://***?***"),
    ] {
        for kind in ["webhook", "optimizely"] {
            let target: SinkTarget = format!("{kind}:{address}").parse().unwrap();
            assert_eq!(target.to_string(), format!("{kind}:{expect}"));
            assert_eq!(format!("{target:?}"), format!("SinkTarget({kind}:{expect})"));
        }
    }
}

#[test]
fn what_is_no_target_hides_them() {
    let mut texts = Vec::new();
    for address in addresses("x.example") {
        let bare = address.strip_prefix("http:").unwrap();
        for kind in
            ["", "webhook:", "optimizely:", "kafka:", "stdout:", "webhook:https:", "Webhook:"]
        {
            texts.extend([
                format!("{kind}{address}"),
                format!("{kind}{bare}"),
                format!("{kind}{}", &bare[2..]),
            ]);
        }
    }
    let mut refused = 0;
    for text in &texts {
        match text.parse::<SinkTarget>() {
            Ok(target) => check_said(&format!("{target} {target:?}")),
            Err(error) => {
                refused += 1;
                check_said(&all_of(&error));
            }
        }
    }
    assert!(refused > 80, "{refused}");
}

#[test]
fn addresses_that_are_none_hide_them() {
    for address in [
        format!("http://{SECRET}@"),
        format!("http://u:{SECRET}@x.example:port/"),
        format!("http://u:{SECRET}/x@x.example/"),
        format!("ftp://u:{SECRET}@x.example/?{SECRET}"),
        format!("u:{SECRET}@x.example"),
        format!("//u:{SECRET}@x.example?{SECRET}"),
    ] {
        let webhook = WebhookSink::new(WebhookSettings::new(&address)).unwrap_err();
        let settings = EventApiSettings { url: Some(address), ..EventApiSettings::default() };
        let event_api = EventApiSink::new(settings).unwrap_err();
        check_said(&format!("{} {}", all_of(&webhook), all_of(&event_api)));
    }
}

/// Everything that is said of a sink while it delivers to a server that answers like this.
fn said_of(sink: Box<dyn Sink>) -> String {
    let world = world();
    let mut records = world.activate("in", 900);
    records.push(world.track(world.event("buy")));
    let said = Arc::new(Mutex::new(String::new()));
    let log = said.clone();
    let on_batch = move |notice: &BatchNotice<'_>| {
        write!(log.lock().unwrap(), "{notice:?}").unwrap();
    };
    let settings = DeliverySettings {
        clock: world.clock.clone(),
        last_drain: SHORT,
        on_batch: Some(Arc::new(on_batch)),
    };
    let delivery =
        variate::events::Delivery::start_with(world.store.clone(), vec![sink], settings).unwrap();
    assert!(comes_true(|| delivery.statistics()[0].failures > 0), "{:?}", delivery.statistics());
    let drained = delivery.drain(SHORT);
    let letters = world.store.dead_letters(0, 100).unwrap();
    let mut all = format!("{delivery:?} {:?} {drained:?} {letters:?}", delivery.statistics());
    drop(delivery);
    all.push_str(&said.lock().unwrap());
    all
}

fn sinks(address: &str) -> Vec<Box<dyn Sink>> {
    let pace = Pace { batch_age: Duration::ZERO, ..QUICK };
    let timeout = Duration::from_millis(200);
    let secret = Some(MEANT.to_owned());
    let webhook = WebhookSettings { secret, timeout, pace, ..WebhookSettings::new(address) };
    let url = Some(address.to_owned());
    let event_api = EventApiSettings { url, timeout, pace, ..EventApiSettings::default() };
    let said = format!("{webhook:?} {event_api:?}");
    let sinks = (WebhookSink::new(webhook).unwrap(), EventApiSink::new(event_api).unwrap());
    check_said(&format!("{said} {sinks:?} {} {}", sinks.0.name(), sinks.1.name()));
    vec![Box::new(sinks.0), Box::new(sinks.1)]
}

#[test]
fn failures_hide_them() {
    // Servers that tell them back, as some do with the address of a request, and one that sends on.
    let echo = "no such page: /hook?token=hunter2-%C3%A4, nor hunter2-ä {\"token\": \"hunter2-ä\"}";
    let location =
        "Location: http://user:hunter2-%C3%A4@elsewhere.example/?token=hunter2-%C3%A4\r\n";
    for answer in [
        Answer::Status(400, "", echo),
        Answer::Status(404, "", echo),
        Answer::Status(503, "", echo),
        Answer::Status(308, location, echo),
        Answer::ResetInHead,
        Answer::Nonsense,
        Answer::Slow(Duration::from_millis(500), 200),
    ] {
        let told = answer.clone();
        let server = Server::start(move |_, _| told.clone());
        for address in addresses(&format!("127.0.0.1:{}", server.port)) {
            for sink in sinks(&address) {
                check_said(&said_of(sink));
            }
        }
    }
    // Nobody listens, and no TLS.
    for host in [format!("127.0.0.1:{}", Server::free_port()), "no.such.host.invalid".into()] {
        for sink in sinks(&addresses(&host)[2]) {
            check_said(&said_of(sink));
        }
    }
    let server = Server::start(|_, _| OK);
    let address = addresses(&format!("127.0.0.1:{}", server.port))[2].replace("http:", "https:");
    for sink in sinks(&address) {
        check_said(&said_of(sink));
    }
}

#[test]
fn clients_hide_them() {
    let server = Server::start(|_, _| Answer::Status(500, "", ""));
    let address = &addresses(&format!("127.0.0.1:{}", server.port))[2];
    let target: SinkTarget = format!("webhook:{address}").parse().unwrap();
    let sink = target.build(AttributionMode::Activated, Some(MEANT)).unwrap();
    let builder = Client::builder().datafile(world().datafile).sink(sink).last_drain(SHORT);
    let said = format!("{builder:?}");
    let client = builder.build().unwrap();
    client.user("u").activate("plain").receipt.wait().unwrap();
    let drained = client.drain(Duration::from_millis(500)).unwrap_err();
    check_said(&format!("{said} {client:?} {:?} {}", client.statistics(), all_of(&drained)));
}
