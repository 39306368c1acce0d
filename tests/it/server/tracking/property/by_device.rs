//! Histories as Countly's SDKs tell them: requests of one device each, alone or in bulks.
//!
//! Must not know what becomes of them.

use serde_json::{Map, Value, json};

use super::by_message::ordered;
use super::facts::{Fact, What};
use super::sent::{Arrival, At, Case, Sent, event_name};
use crate::server::http::Request;

/// What one request tells.
struct Told {
    params: Map<String, Value>,
    arrivals: Vec<Arrival>,
}

/// Requests, each alone or all in one.
pub(super) fn countly(case: &Case, facts: &[Fact]) -> Vec<Sent> {
    let mut all: Vec<Vec<&Fact>> = Vec::new();
    for fact in facts {
        match all.last_mut().filter(|group| is_of(case, group, fact)) {
            Some(group) => group.push(fact),
            None => all.push(vec![fact]),
        }
    }
    let told: Vec<Told> = all.iter().map(|group| told(case, group)).collect();
    let first = &facts[0];
    let has_merge = facts.iter().any(|fact| matches!(fact.what, What::Merged { .. }));
    let has_now = facts.iter().any(|fact| case.ms(fact).is_none());
    // Of what has no time, what is recorded later is later, and merges divide a bulk.
    let is_bulk = first.way(1, 2) == 0 && !(has_merge && has_now);
    if is_bulk { vec![bulk(first, told)] } else { told.into_iter().map(alone).collect() }
}

/// Whether a fact can go into the same request: of one device, with one enrolment and one merge at most, and
/// with a time of its own if the request has one.
fn is_of(case: &Case, group: &[&Fact], fact: &Fact) -> bool {
    let is_event = |fact: &Fact| matches!(fact.what, What::Done { .. });
    let is_enrolment = |fact: &Fact| matches!(fact.what, What::Shown { .. });
    let has = |is: &dyn Fn(&Fact) -> bool| group.iter().any(|fact| is(fact));
    let is_merge = |fact: &Fact| !is_event(fact) && !is_enrolment(fact);
    let is_alike = (is_enrolment(fact) && !has(&is_enrolment))
        || (is_merge(fact) && !has(&is_merge))
        || is_event(fact);
    group[0].user == fact.user
        && is_alike
        && group.iter().chain([&fact]).all(|fact| case.ms(fact).is_some())
}

fn told(case: &Case, group: &[&Fact]) -> Told {
    let first = group[0];
    let is_text = first.way(2, 2) == 0;
    let number = |value: Value| if is_text { json!(value.to_string()) } else { value };
    let mut params = Map::new();
    let mut put = |name: &str, value: Value| drop(params.insert(name.to_owned(), value));
    put("device_id", json!(case.user(first.user)));
    put("sdk_name", json!(format!("test-{}", case.id(first))));
    let (mut arrivals, mut events) = (Vec::new(), Vec::new());
    let time_of_request = || {
        let enrolled = group.iter().find(|fact| matches!(fact.what, What::Shown { .. }));
        let is_wanted = enrolled.is_some() || first.way(3, 2) == 0;
        let fact = enrolled.unwrap_or(&first);
        is_wanted.then(|| written(case, fact)).flatten()
    };
    let time_of_request = time_of_request();
    if let Some((time, _)) = &time_of_request {
        put("timestamp", number(time.clone()));
    }
    for fact in group {
        let mut at = written(case, fact).map_or(At::Receipt, |(_, at)| at);
        let mut is_known_again = time_of_request.is_some();
        match fact.what {
            What::Shown { experiment, variation } => {
                put("method", json!("ab_enroll_variant"));
                put("key", json!(experiment.id));
                let (id, key) = experiment.variations[variation];
                put("variant", json!(if fact.way(4, 2) == 0 { id } else { key }));
            }
            What::Merged { from } => put("old_device_id", json!(case.user(from))),
            What::Done { event } => {
                let told = event_of(case, fact, event, (&time_of_request, &mut at), &number);
                is_known_again = fact.has_id || at != At::Receipt;
                events.push(told);
            }
        }
        arrivals.push(Arrival { fact: (*fact).clone(), at, is_known_again });
    }
    if !events.is_empty() {
        put("events", json!(events));
    }
    Told { params, arrivals: ordered(arrivals) }
}

/// A time in milliseconds or whole seconds, and which it then is: of what was shown a second's begin, of what
/// was done its end.
fn written(case: &Case, fact: &Fact) -> Option<(Value, At)> {
    let ms = case.ms(fact)?;
    if fact.way(5, 2) == 0 {
        return Some((json!(ms), At::Ms(ms)));
    }
    let second = ms.div_euclid(1_000);
    let is_done = matches!(fact.what, What::Done { .. });
    let at_ms = second * 1_000 + if is_done { 999 } else { 0 };
    Some((json!(second), case.at(at_ms)))
}

fn event_of(
    case: &Case,
    fact: &Fact,
    event: usize,
    (time_of_request, at): (&Option<(Value, At)>, &mut At),
    number: &dyn Fn(Value) -> Value,
) -> Value {
    let mut told = json!({"key": event_name(fact, event), "segmentation": {"fact": fact.number, "nothing": null}});
    let own = written(case, fact);
    let is_of_request =
        own.as_ref().zip(time_of_request.as_ref()).is_some_and(|(own, other)| own.0 == other.0);
    match &own {
        // What a whole second means depends on what it is the time of.
        Some(_) if is_of_request && fact.way(6, 2) == 0 => {}
        Some((time, own_at)) => {
            told["timestamp"] = number(time.clone());
            *at = *own_at;
        }
        None => {}
    }
    let measures = [
        ("sum", fact.measures.value.map(|value| json!(value))),
        ("count", fact.measures.count.map(|count| json!(count))),
        ("dur", fact.measures.duration_seconds.map(|seconds| json!(seconds))),
    ];
    for (name, measured) in measures {
        if let Some(measured) = measured {
            told[name] = number(measured);
        }
    }
    if fact.has_id {
        told["id"] = json!(case.id(fact));
    }
    told
}

fn form(params: Map<String, Value>) -> String {
    let text = |value: Value| match value {
        Value::String(text) => text,
        value => value.to_string(),
    };
    let pairs = params.into_iter().map(|(name, value)| (name, text(value)));
    let key = [("app_key".to_owned(), "key".to_owned())];
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(key.into_iter().chain(pairs))
        .finish()
}

/// Short ones as a query, others as a form.
fn alone(told: Told) -> Sent {
    let Told { params, arrivals } = told;
    let way = arrivals[0].fact.way(7, 2);
    Sent { request: request("/i", form(params), way), arrivals, status: 200 }
}

fn bulk(first: &Fact, told: Vec<Told>) -> Sent {
    let (mut requests, mut arrivals) = (Vec::new(), Vec::new());
    for Told { params, arrivals: own } in told {
        requests.push(Value::Object(params));
        arrivals.extend(own);
    }
    let params = Map::from_iter([("requests".to_owned(), json!(requests))]);
    Sent { request: request("/i/bulk", form(params), first.way(7, 2)), arrivals, status: 200 }
}

fn request(path: &str, form: String, way: usize) -> Request {
    if way == 0 && form.len() < 2_000 {
        return Request::new(&format!("GET {path}?{form}"));
    }
    let request = Request::new(&format!("POST {path}"));
    request.header("Content-Type", "application/x-www-form-urlencoded").raw_body(&form)
}
