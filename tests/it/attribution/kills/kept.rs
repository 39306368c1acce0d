//! What a destination has kept of the bodies that came in, record by record.
//!
//! A body is cut as the batches fall, and batches are cut otherwise after a restart or a refusal. So what
//! must stay the same is a record's own JSON: the element of a webhook's array; of the event API the
//! visitor, together with all of the body that is not visitors.

use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::value::RawValue;

/// Records by what identifies them at this destination.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) records: BTreeMap<String, Arrived>,
    /// How often a record came that was here.
    pub(super) repeats: u64,
    /// What must not happen, in words.
    pub(super) faults: Vec<String>,
}

/// A record as it came first.
#[derive(Debug)]
pub(super) struct Arrived {
    pub(super) text: Box<str>,
    /// Its place in the order of first arrivals.
    pub(super) place: usize,
}

/// A record in a body: what identifies it, and its bytes.
pub(super) struct Element {
    pub(super) id: String,
    pub(super) text: Box<str>,
}

impl Kept {
    pub(super) fn take(&mut self, elements: Vec<Element>) {
        let first_new = self.records.len();
        for Element { id, text } in elements {
            let place = self.records.len();
            match self.records.get(&id) {
                None => drop(self.records.insert(id, Arrived { text, place })),
                Some(first) if first.place >= first_new => {
                    self.faults.push(format!("{id} is twice in one body"));
                }
                Some(first) => {
                    self.repeats += 1;
                    if first.text != text {
                        let fault = format!("{id} came as {} and again as {text}", first.text);
                        self.faults.push(fault);
                    }
                }
            }
        }
    }
}

/// The records of a webhook's body.
pub(super) fn of_webhook(body: &str) -> Vec<Element> {
    let records: Vec<&RawValue> = serde_json::from_str(body).unwrap();
    let element = |record: &RawValue| {
        let value: Value = serde_json::from_str(record.get()).unwrap();
        Element { id: value["id"].as_str().unwrap().into(), text: record.get().into() }
    };
    records.into_iter().map(element).collect()
}

/// The records of a body of the event API.
pub(super) fn of_event_api(body: &str) -> Vec<Element> {
    let mut fields: BTreeMap<&str, &RawValue> = serde_json::from_str(body).unwrap();
    let visitors = fields.remove("visitors").unwrap();
    let context: Vec<_> =
        fields.into_iter().map(|(name, value)| format!("{name}: {}", value.get())).collect();
    let context = context.join(", ");
    let visitors: Vec<&RawValue> = serde_json::from_str(visitors.get()).unwrap();
    let element = |visitor: &RawValue| {
        let value: Value = serde_json::from_str(visitor.get()).unwrap();
        let id = value["snapshots"][0]["events"][0]["uuid"].as_str().unwrap().into();
        Element { id, text: format!("{context} {}", visitor.get()).into() }
    };
    visitors.into_iter().map(element).collect()
}
