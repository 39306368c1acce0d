//! Tracking: why an event is not credited, and what revenue and value tags count for.

use serde_json::{Value, json};

use super::world::{NOW_MS, World, datafile};
use variate::Track;
use variate::attribution::{NotCredited, Rules};

/// The user `u` was activated at [`NOW_MS`], `never` was not; the window is a minute.
fn check(user_id: &str, call: Track<'_>, expected: Option<NotCredited>) {
    let rules = Rules { window_ms: Some(60_000), ..Rules::default() };
    let world = World::with(|builder| builder.datafile(datafile()).rules(rules));
    let _ = world.client.user("u").activate("x");
    let before = world.client.user("u").track(Track::new("look").id("known"));
    assert_eq!(before.reason, Some(NotCredited::NotTied));
    let records = world.records().len();
    let tracked = world.client.user(user_id).track(call);
    assert_eq!(tracked.reason, expected);
    let credited: Vec<(&str, &str)> = tracked
        .credits
        .iter()
        .map(|credit| (&*credit.experiment.experiment_key, &*credit.experiment.variation_key))
        .collect();
    assert_eq!(credited, if expected.is_none() { vec![("x", "a")] } else { vec![] });
    assert_eq!(tracked.is_known, expected != Some(NotCredited::UnknownEvent));
    assert_eq!(tracked.duplicate, expected == Some(NotCredited::Duplicate));
    let is_recorded = tracked.is_known && !tracked.duplicate;
    assert_eq!(world.records().len(), records + usize::from(is_recorded));
    assert!(tracked.receipt.wait().is_ok());
}

#[test]
fn every_reason() {
    check("u", Track::new("buy"), None);
    check("u", Track::new("buy").time_ms(NOW_MS + 60_000), None);
    check("u", Track::new("nope"), Some(NotCredited::UnknownEvent));
    check("u", Track::new("buy").id("known"), Some(NotCredited::Duplicate));
    check("u", Track::new("look"), Some(NotCredited::NotTied));
    check("u", Track::new("leave"), Some(NotCredited::NotRunning));
    check("never", Track::new("buy"), Some(NotCredited::NoActivation));
    check("u", Track::new("buy").time_ms(NOW_MS - 1), Some(NotCredited::BeforeActivation));
    check("u", Track::new("buy").time_ms(NOW_MS + 60_001), Some(NotCredited::OutsideWindow));
}

/// What the tag counts for as revenue and as value.
fn check_tag(tag: Value, revenue_cents: Option<i64>, value: Option<f64>) {
    let world = World::new();
    let tags = json!({"revenue": tag, "value": tag, "note": null});
    let tags = tags.as_object().unwrap().clone();
    let _ = world.client.user("u").track(Track::new("buy").tags(tags.clone()));
    let event = world.last_conversion().event;
    assert_eq!(event.revenue_cents, revenue_cents, "revenue {tag}");
    assert_eq!(event.value, value, "value {tag}");
    // Tags go out as they are, also null ones, but not these two.
    let sent = if tag.is_null() { json!({"note": null}) } else { Value::Object(tags) };
    assert_eq!(event.tags.as_ref(), sent.as_object());
}

#[test]
fn revenue_and_value_tags() {
    check_tag(json!(12), Some(12), Some(12.0));
    check_tag(json!(0), Some(0), Some(0.0));
    check_tag(json!(-5), Some(-5), Some(-5.0));
    check_tag(json!(12.0), None, Some(12.0));
    check_tag(json!(12.5), None, Some(12.5));
    check_tag(json!("12"), None, Some(12.0));
    check_tag(json!(" 12.5 "), None, Some(12.5));
    check_tag(json!("1e3"), None, Some(1000.0));
    check_tag(json!("12 cents"), None, None);
    check_tag(json!("inf"), None, None);
    check_tag(json!("nan"), None, None);
    check_tag(json!(""), None, None);
    check_tag(json!(true), None, None);
    check_tag(json!(null), None, None);
    check_tag(json!([12]), None, None);
    check_tag(json!({"cents": 12}), None, None);
}

#[test]
fn what_goes_with_an_event() {
    let world = World::new();
    let call = Track::new("buy").id("o-1").revenue_cents(4900).value(49.5).count(3);
    let _ = world.client.user("u").track(call.duration_seconds(1.5).tag("color", "red"));
    let record = world.last_conversion();
    let event = &record.event;
    assert_eq!(record.event.about.id.to_string(), "o-1");
    assert_eq!((event.revenue_cents, event.value), (Some(4900), Some(49.5)));
    assert_eq!((event.count, event.duration_seconds), (Some(3), Some(1.5)));
    let tags = json!({"revenue": 4900, "value": 49.5, "color": "red"});
    assert_eq!(event.tags.as_ref(), tags.as_object());
    assert!(event.attributes.is_none(), "none at all were given");

    let _ = world.client.user("u").with("undeclared", 1).track("buy");
    let event = world.last_conversion().event;
    assert_eq!(event.attributes.as_ref().map(|all| all.len()), Some(0), "some were given");
    assert!(event.tags.is_none());
}
