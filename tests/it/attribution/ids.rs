//! Ids that others must be able to compute, and ids that never change.

use uuid::Uuid;
use variate::attribution::{EntryId, Record, Rules, credit_id};

use super::world::{given, memory, world};

#[test]
fn credit_ids_can_be_computed_by_others() {
    let namespace = Uuid::new_v5(&Uuid::NAMESPACE_URL, b"urn:variate:credit");
    assert_eq!(namespace.to_string(), "b0be56c5-667c-557a-ae12-e212350f5d5d");
    let id = credit_id("shop", &EntryId::Given("e-1".into()), "777");
    assert_eq!(id, Uuid::new_v5(&namespace, b"4:shop3:e-13:777"));
    assert_eq!(id.to_string(), "80026db2-9ee7-53cd-9eea-ef575b610560");
    let made = EntryId::Made(Uuid::nil());
    let given = EntryId::Given(made.to_string().into());
    assert_eq!(credit_id("é", &made, ""), credit_id("é", &given, ""));
    assert_ne!(credit_id("a", &given, "1"), credit_id("a1", &given, ""));
}

#[test]
fn the_store_in_memory_forgets_ids_when_they_no_longer_count() {
    let world = world(&memory, Rules { repeat_window_ms: 500, ..Rules::default() });
    for id in ["a", "b", "c"] {
        world.track(&given().id(id), "buy");
    }
    assert_eq!(world.store.statistics().ids, 3);
    world.clock.advance_to(1500);
    world.track(&given().id("a"), "buy");
    assert_eq!(world.store.statistics().ids, 1);
}

#[test]
fn records_carry_the_callers_id_or_a_new_one() {
    let world = world(&memory, Rules { late_window_ms: 100, ..Rules::default() });
    world.activate(&given().id("mine"), "10", "9");
    world.activate(&given(), "10", "9");
    world.track(&given().id("mine"), "buy");
    world.track(&given(), "buy");
    let ids = || -> Vec<String> {
        let id = |record: &Record| match record {
            Record::Impression(record) => record.about.id.to_string(),
            Record::Conversion(record) => {
                assert_eq!(record.id, record.event.about.id);
                record.id.to_string()
            }
            other => format!("{other:?}"),
        };
        world.records().iter().map(|(_, record)| id(record)).collect()
    };
    let seen = ids();
    assert_eq!([&*seen[0], &*seen[2]], ["mine", "mine"]);
    assert_ne!(seen[1], seen[3]);
    assert_eq!(seen, ids(), "reading again changes no id");
    let late = world.activate(&given().at(0), "10", "107");
    assert_eq!(late.late_credits.len(), 2);
    let records = world.records();
    let Record::Conversion(record) = &*records[5].1 else { panic!("a late record") };
    // Derived from the credit: {credit id}{variation id}{activated at}{state}.
    let namespace = Uuid::new_v5(&Uuid::NAMESPACE_URL, b"urn:variate:late-record");
    let name = format!("36:{}3:1071:08:credited", record.credits[0].id);
    assert_eq!(record.id, EntryId::Made(Uuid::new_v5(&namespace, name.as_bytes())));
}
