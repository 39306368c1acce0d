//! What a merge means, whatever the store is made of.

use variate::attribution::{ConversionRecord, MergeOutcome, NotCredited, Record, Rules};

use super::super::world::{Folded, Given, MakeStore, World, fold_records, given, words, world};

type Clause = fn(MakeStore<'_>);

/// The merges of the contract of stores.
pub(in crate::attribution) const CLAUSES: [Clause; 13] = [
    copies_what_the_new_id_lacks,
    credits_what_waits_for_the_new_id,
    moves_what_waits_for_the_old_id,
    keeps_working_for_what_was_moved,
    changes_no_credit_that_was_given,
    judges_by_the_windows,
    changes_nothing_when_there_is_nothing_to_merge,
    adds_nothing_when_it_is_repeated,
    keeps_what_waits_in_order_when_it_is_repeated,
    takes_a_merges_id_once,
    goes_on_over_chains_and_both_ways,
    joins_the_attributes_over_time,
    numbers_and_inherits_what_it_credits,
];

const LATE: Rules = Rules {
    window_ms: None,
    early_tolerance_ms: 0,
    late_window_ms: 100,
    repeat_window_ms: 500,
    future_tolerance_ms: 10,
};

fn old() -> Given {
    given().user("old")
}

fn new() -> Given {
    given().user("new")
}

/// `activations moved-events: credits`
fn said(outcome: &MergeOutcome) -> String {
    let MergeOutcome { copied_activations, moved_events, late_credits, .. } = outcome;
    format!("{copied_activations} {moved_events}: {}", words(late_credits))
}

fn check_merge(world: &World, from: &str, into: &str, expect: &str) {
    let outcome = world.merge("shop", from, into);
    assert!(!outcome.duplicate);
    assert_eq!(said(&outcome), expect, "{from} into {into}");
}

fn credits(world: &World, given: &Given, event: &str) -> String {
    words(&world.track(given, event).credits)
}

fn copies_what_the_new_id_lacks(make: MakeStore<'_>) {
    let world = world(make, Rules::default());
    world.activate(&old().at(5), "10", "9");
    world.activate(&old().at(7), "11", "9");
    world.activate(&old().at(8), "20", "107");
    world.activate(&new().at(6), "10", "107");
    world.activate(&new().at(9), "20", "107");
    check_merge(&world, "old", "new", "1 0: ");
    assert_eq!(credits(&world, &new().at(50), "look"), "10:107@6 11:9@7 20:107@9");
    assert_eq!(credits(&world, &old().at(50), "look"), "10:9@5 11:9@7 20:107@8");
    assert_eq!(
        world.track(&new().at(6), "both").reason,
        Some(NotCredited::BeforeActivation),
        "a copy has its own time, and what was kept is not moved"
    );
    assert!(!world.activate(&new(), "11", "9").first, "it was received for this person");
    let statistics = world.store.statistics();
    assert_eq!((statistics.users, statistics.activations), (2, 6));
    assert_eq!(statistics.crossovers, 1, "10 was seen in both variations");
    assert!(!world.activate(&new(), "10", "9").crossover, "which counts once");
    let unmerged = Given { environment: "blog", ..new() };
    assert_eq!(
        world.track(&unmerged, "look").reason,
        Some(NotCredited::NoActivation),
        "environments have their own users"
    );
}

fn credits_what_waits_for_the_new_id(make: MakeStore<'_>) {
    let world = world(make, LATE);
    world.track(&new().at(940).id("early"), "look");
    world.track(&new().at(960).id("e"), "look");
    world.activate(&new().at(900), "10", "107");
    world.activate(&old().at(950), "10", "9");
    world.activate(&old().at(950), "11", "9");
    world.activate(&old().at(960), "20", "9");
    world.activate(&old().at(900), "12", "9");
    check_merge(&world, "old", "new", "3 0: 11:9@950 20:9@960");
    let of = |event: &str, experiment: &str, variation: &str, at_ms| {
        ((event.to_owned(), experiment.to_owned()), (variation.to_owned(), at_ms))
    };
    let expect = [
        of("early", "10", "107", 900),
        of("e", "10", "107", 900),
        of("e", "11", "9", 950),
        of("e", "20", "9", 960),
    ];
    assert_eq!(fold_records(&world.records()), Folded::from(expect));
    world.clock.advance_to(1100);
    world.activate(&old().at(900), "10", "9");
    world.activate(&given().user("older").at(900), "13", "9");
    check_merge(&world, "older", "new", "1 0: ");
    assert_eq!(world.store.statistics().pending_events, 0, "the late window is over");
}

fn moves_what_waits_for_the_old_id(make: MakeStore<'_>) {
    let world = world(make, LATE);
    world.activate(&new().at(900), "10", "9");
    world.track(&old().at(910).id("e"), "look");
    world.track(&old().at(890).id("early"), "buy");
    assert_eq!(world.store.statistics().users, 2);
    check_merge(&world, "old", "new", "0 2: 10:9@900");
    let statistics = world.store.statistics();
    assert_eq!(
        (statistics.users, statistics.pending_events),
        (1, 2),
        "nothing is left of the old one"
    );
    assert_eq!(
        words(&world.activate(&old().at(880), "11", "9").late_credits),
        "",
        "it waits there no more"
    );
    check_merge(&world, "old", "new", "1 0: 11:9@880");
    let late = world.records().into_iter().rev().find_map(|(_, record)| match &*record {
        Record::Conversion(record) if record.late => Some(record.event.about.user_id.to_string()),
        _ => None,
    });
    assert_eq!(late.as_deref(), Some("old"), "an event is about whom it was tracked for");
}

fn keeps_working_for_what_was_moved(make: MakeStore<'_>) {
    let world = world(make, LATE);
    world.activate(&old().at(940), "10", "9");
    assert_eq!(credits(&world, &old().at(950).id("e"), "look"), "10:9@940");
    world.track(&old().at(930).id("early"), "look");
    check_merge(&world, "old", "new", "1 2: ");
    let late = |at_ms, experiment, variation| {
        words(&world.activate(&new().at(at_ms), experiment, variation).late_credits)
    };
    assert_eq!(late(935, "10", "107"), "~10:107@935");
    assert_eq!(late(920, "10", "107"), "~=10:107@920 10:107@920");
    assert_eq!(late(945, "11", "9"), "11:9@945");
    let folded = fold_records(&world.records());
    assert_eq!(folded.len(), 3);
    for (now_ms, expect) in [(1099, 2), (1100, 0)] {
        world.clock.advance_to(now_ms);
        assert_eq!(late(945, "11", "9"), "");
        let waiting = world.store.statistics().pending_events;
        assert_eq!(waiting, expect, "it waits as long as before");
    }
}

/// The old id was activated before its event, the new one after, or before in another variation: what was
/// true when it was said stays.
fn changes_no_credit_that_was_given(make: MakeStore<'_>) {
    for (kept_ms, kept, later) in [(960, "9", "107"), (960, "107", "107"), (920, "107", "9")] {
        let world = world(make, LATE);
        world.activate(&old().at(940), "10", "9");
        world.activate(&new().at(kept_ms), "10", kept);
        assert_eq!(credits(&world, &old().at(950).id("e"), "look"), "10:9@940");
        check_merge(&world, "old", "new", "0 1: ");
        assert_eq!(words(&world.activate(&new().at(910), "10", later).late_credits), "");
        let late = world.activate(&new().at(910), "11", later).late_credits;
        assert_eq!(words(&late), format!("11:{later}@910"), "the event is not forgotten");
        let folded = fold_records(&world.records());
        assert_eq!(
            folded.get(&("e".into(), "10".into())),
            Some(&("9".to_owned(), 940)),
            "{kept_ms} {kept}"
        );
    }
    // The same activation on both sides, as a merge leaves it: nothing was said that does not hold.
    let world = world(make, LATE);
    world.activate(&old().at(940), "10", "9");
    check_merge(&world, "old", "new", "1 0: ");
    assert_eq!(credits(&world, &old().at(950).id("e"), "buy"), "10:9@940");
    check_merge(&world, "old", "new", "0 1: ");
    assert_eq!(words(&world.activate(&new().at(910), "10", "107").late_credits), "~10:107@910");
}

fn judges_by_the_windows(make: MakeStore<'_>) {
    let world = world(make, Rules { window_ms: Some(50), early_tolerance_ms: 3, ..LATE });
    for at_ms in [946, 947, 1000, 1001] {
        world.track(&new().at(at_ms).id(&at_ms.to_string()), "buy");
    }
    world.activate(&old().at(950), "10", "9");
    check_merge(&world, "old", "new", "1 0: 10:9@950 10:9@950");
    let folded = fold_records(&world.records());
    let credited: Vec<_> = folded.keys().map(|(event, _)| event.as_str()).collect();
    assert_eq!(credited, ["1000", "947"]);
    // What was outside the window of the old id's first activation is not brought back by the new one's.
    world.activate(&given().user("a").at(900), "10", "9");
    world.track(&given().user("a").at(960).id("outside"), "buy");
    world.activate(&given().user("b").at(950), "10", "9");
    check_merge(&world, "a", "b", "0 1: ");
}

fn changes_nothing_when_there_is_nothing_to_merge(make: MakeStore<'_>) {
    let world = world(make, LATE);
    check_merge(&world, "nobody", "no one", "0 0: ");
    world.activate(&new().at(5), "10", "9");
    world.track(&new().at(6), "buy");
    let before = (world.store.statistics(), world.store.latest());
    check_merge(&world, "nobody", "new", "0 0: ");
    check_merge(&world, "new", "new", "0 0: ");
    check_merge(&world, "", "new", "0 0: ");
    assert_eq!((world.store.statistics(), world.store.latest()), before);
    assert!(!world.store.forget("shop", "nobody").unwrap());
}

fn adds_nothing_when_it_is_repeated(make: MakeStore<'_>) {
    let world = world(make, LATE);
    world.activate(&old().at(900).attributes("phone"), "10", "9");
    world.track(&old().at(950).id("of old"), "look");
    world.activate(&new().at(905).attributes("desk"), "11", "107");
    world.track(&new().at(950).id("of new"), "look");
    check_merge(&world, "old", "new", "1 1: 10:9@900 11:107@905");
    let before = (world.store.statistics(), world.store.latest());
    for _ in 0..3 {
        check_merge(&world, "old", "new", "0 0: ");
    }
    assert_eq!((world.store.statistics(), world.store.latest()), before);
    fold_records(&world.records());
}

/// Repeats between all that happens change nothing of it.
fn keeps_what_waits_in_order_when_it_is_repeated(make: MakeStore<'_>) {
    let told = |repeats: usize| {
        let world = world(make, LATE);
        let again = || (0..repeats).for_each(|_| check_merge(&world, "old", "new", "0 0: "));
        world.activate(&old().at(900), "13", "9");
        check_merge(&world, "old", "new", "1 0: ");
        for number in 0..30 {
            world.clock.advance_to(1000 + number);
            world.track(&new().at(950).id(&format!("n{number}")), "look");
            again();
            world.track(&given().user("other").at(950).id(&format!("o{number}")), "look");
        }
        world.clock.advance_to(1110);
        again();
        let claimed = world.activate(&new().at(890), "10", "9");
        let others = world.activate(&given().user("other").at(890), "10", "9");
        let statistics = world.store.statistics();
        let counts = (statistics.pending_events, statistics.forgotten_events, statistics.users);
        (words(&claimed.late_credits), words(&others.late_credits), counts)
    };
    assert_eq!(told(3), told(0));
}

fn takes_a_merges_id_once(make: MakeStore<'_>) {
    let world = world(make, LATE);
    let merge = |id, from, into| {
        let recorded = world.try_merge(Some(id), "shop", from, into);
        recorded.receipt.wait().unwrap();
        (recorded.outcome.duplicate, recorded.outcome.copied_activations)
    };
    assert_eq!(merge("m", "old", "new"), (false, 0), "also where there was nothing to do");
    world.activate(&old().id("m"), "10", "9");
    assert_eq!(merge("m", "old", "new"), (true, 0));
    assert_eq!(merge("m2", "old", "new"), (false, 1));
    assert_eq!(merge("same", "new", "new"), (false, 0));
    assert_eq!(merge("same", "old", "newer"), (true, 0), "whoever it is about");
    assert!(!world.track(&new().id("m"), "buy").duplicate, "merges have their own ids");
    let statistics = world.store.statistics();
    assert_eq!((statistics.duplicates, statistics.ids), (2, 5));
    world.clock.advance_to(1500);
    assert_eq!(merge("same", "old", "newer"), (false, 1), "the repeat window is over");
}

fn goes_on_over_chains_and_both_ways(make: MakeStore<'_>) {
    let world = world(make, LATE);
    let user = |name: &str| given().user(name);
    world.activate(&user("a").at(900), "10", "9");
    world.activate(&user("b").at(901), "11", "9");
    world.activate(&user("c").at(902), "20", "9");
    for name in ["a", "b", "c"] {
        world.track(&user(name).at(950).id(name), "look");
    }
    check_merge(&world, "a", "b", "1 1: 10:9@900 11:9@901");
    check_merge(&world, "b", "c", "2 2: 10:9@900 11:9@901 20:9@902 20:9@902");
    assert_eq!(fold_records(&world.records()).len(), 9, "each for each");
    // Back again: the first one gets all, and nothing is credited twice.
    check_merge(&world, "c", "a", "2 3: ");
    check_merge(&world, "a", "c", "0 3: ");
    check_merge(&world, "c", "a", "0 3: ");
    assert_eq!(words(&world.activate(&user("a").at(890), "12", "9").late_credits), "");
    let late = world.activate(&user("a").at(890), "10", "107").late_credits;
    assert_eq!(words(&late), "~10:107@890 ~10:107@890 ~10:107@890");
    assert_eq!(fold_records(&world.records()).len(), 9);
    assert_eq!(credits(&world, &user("b"), "look"), "10:9@900 11:9@901", "who was passed by stays");
}

/// Activations of the old and of the new id as time and attributes, and what events then inherit.
fn joins_the_attributes_over_time(make: MakeStore<'_>) {
    type At = (i64, &'static str);
    let check = |olds: &[At], news: &[At], expect: &[At]| {
        let world = world(make, Rules::default());
        for (given, activations) in [(old(), olds), (new(), news)] {
            for &(at_ms, text) in activations {
                world.activate(&given.clone().at(at_ms).attributes(text), "10", "9");
            }
        }
        for round in 0..2 {
            world.merge("shop", "old", "new");
            for &(at_ms, text) in expect {
                let id = format!("{round} {at_ms}");
                world.track(&new().at(at_ms).id(&id), "free");
                let records = world.records();
                let found = records.iter().find_map(|(_, record)| match &**record {
                    Record::Conversion(record) if record.id.to_string() == id => Some(record),
                    _ => None,
                });
                let record = found.unwrap();
                assert_eq!(inherited(record), text, "at {at_ms} after {olds:?} and {news:?}");
            }
        }
    };
    check(&[], &[(10, "a")], &[(9, ""), (10, "a")]);
    check(&[(10, "a")], &[], &[(9, ""), (10, "a"), (99, "a")]);
    check(&[(10, "a")], &[(20, "b")], &[(9, ""), (10, "a"), (19, "a"), (20, "b")]);
    check(&[(20, "a")], &[(10, "b")], &[(9, ""), (10, "b"), (19, "b"), (20, "a")]);
    check(&[(10, "a")], &[(10, "b")], &[(9, ""), (10, "b")]);
    check(&[(20, "a")], &[(10, "b"), (30, "b")], &[(10, "b"), (20, "a"), (29, "a"), (30, "b")]);
    check(&[(10, "a"), (30, "a")], &[(20, "b")], &[(19, "a"), (20, "b"), (29, "b"), (30, "a")]);
    check(&[(10, "a"), (20, "a"), (20, "c")], &[], &[(19, "a"), (20, "c"), (99, "c")]);
    let many = |from: i64| {
        let texts = ["a", "b", "c", "d", "e", "f"];
        (0..6).map(|at| (from + at * 10, texts[usize::try_from(at).unwrap()])).collect::<Vec<_>>()
    };
    // Eight changes are remembered.
    let expect = [(49, ""), (50, "e"), (60, "f"), (104, "f"), (105, "a"), (155, "f")];
    check(&many(10), &many(105), &expect);
}

fn inherited(record: &ConversionRecord) -> &str {
    let attributes = record.inherited_attributes.as_deref().unwrap_or_default();
    match attributes.first().map(|attribute| &attribute.value) {
        Some(variate::value::RecordedValue::String(text)) => text,
        _ => "",
    }
}

fn numbers_and_inherits_what_it_credits(make: MakeStore<'_>) {
    let world = world(make, LATE);
    world.track(&new().at(950).id("bare"), "look");
    world.track(&new().at(950).id("own").attributes("mine"), "look");
    world.track(&old().at(945).id("of old"), "both");
    world.activate(&old().at(940).attributes("phone"), "10", "9");
    world.activate(&new().at(930).attributes("desk"), "20", "9");
    let before = world.store.latest();
    check_merge(&world, "old", "new", "1 1: 10:9@940 10:9@940 20:9@930");
    let records = world.records();
    let after: Vec<_> = records.iter().filter(|(number, _)| *number > before).collect();
    assert!(records.iter().zip(1..).all(|((number, _), place)| *number == place));
    let told = after.iter().map(|(_, record)| match &**record {
        Record::Conversion(record) if record.late => {
            let about = &record.event.about;
            format!(
                "{} {} {}:{}",
                about.user_id,
                about.id,
                words(&record.credits),
                inherited(record)
            )
        }
        other => format!("{other:?}"),
    });
    let expect = ["new bare 10:9@940:phone", "new own 10:9@940:", "old of old 20:9@930:phone"];
    assert_eq!(told.collect::<Vec<_>>(), expect);
}
