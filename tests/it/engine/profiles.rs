//! Sticky profiles: how often the service is asked, what a profile changes, and services that fail.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use super::world::{World, brief, datafile};
use variate::client::{MemoryProfileService, ProfileService, ServiceError};
use variate::decide::Profile;
use variate::{DecideOptions, UserContext};

/// Counts what the client asks of a service.
#[derive(Default)]
struct Counting {
    service: MemoryProfileService,
    lookups: AtomicU32,
    saves: AtomicU32,
}

impl Counting {
    fn take(&self) -> (u32, u32) {
        (self.lookups.swap(0, Relaxed), self.saves.swap(0, Relaxed))
    }
}

struct Handle(Arc<Counting>);

impl ProfileService for Handle {
    fn lookup(&self, user_id: &str) -> Result<Option<Profile>, ServiceError> {
        self.0.lookups.fetch_add(1, Relaxed);
        self.0.service.lookup(user_id)
    }

    fn save(&self, user_id: &str, profile: &Profile) -> Result<(), ServiceError> {
        self.0.saves.fetch_add(1, Relaxed);
        self.0.service.save(user_id, profile)
    }
}

/// How often a call looks up and saves, for a new user and for the same user again.
fn check(call: impl Fn(&UserContext<'_>), first: (u32, u32), again: (u32, u32)) {
    let counts = Arc::new(Counting::default());
    let service = Handle(Arc::clone(&counts));
    let world = World::with(|builder| builder.datafile(datafile()).profile_service(service));
    let user = world.client.user("u");
    for (round, expected) in [first, again, again].into_iter().enumerate() {
        call(&user);
        assert_eq!(counts.take(), expected, "round {round}: (lookups, saves)");
    }
}

#[test]
fn one_lookup_and_at_most_one_save() {
    let flags = ["plain", "off", "plain"];
    check(|user| drop(user.activate("x")), (1, 1), (1, 0));
    check(|user| drop(user.get_variation("x")), (1, 1), (1, 0));
    check(|user| drop(user.decide("plain")), (1, 1), (1, 0));
    check(|user| drop(user.decide_all(DecideOptions::NONE)), (1, 1), (1, 0));
    check(
        |user| drop(user.decide_for_keys(&flags, DecideOptions::INCLUDE_REASONS)),
        (1, 1),
        (1, 0),
    );
    check(|user| assert!(user.is_feature_enabled("plain")), (1, 1), (1, 0));
    check(|user| assert_eq!(user.get_enabled_features(), ["plain"]), (1, 1), (1, 0));
    check(|user| drop(user.get_feature_variable("plain", "color")), (1, 1), (1, 0));
    check(|user| drop(user.get_all_feature_variables("plain")), (1, 1), (1, 0));
    check(|user| drop(user.decide("off")), (1, 0), (1, 0));
    check(|user| drop(user.get_variation("stopped")), (1, 0), (1, 0));
    check(|user| drop(user.explain("plain")), (1, 0), (1, 0));
    check(|user| drop(user.explain_experiment("x")), (1, 0), (1, 0));
    check(|user| drop(user.decide("nope")), (0, 0), (0, 0));
    check(|user| drop(user.track("buy")), (0, 0), (0, 0));
    let ignored = DecideOptions::IGNORE_USER_PROFILE_SERVICE;
    check(|user| drop(user.decide_with("plain", ignored)), (0, 0), (0, 0));
    check(|user| drop(user.decide_all(ignored)), (0, 0), (0, 0));
}

#[test]
fn chosen_variations_are_not_saved() {
    let forced = |user: &UserContext<'_>| {
        let mut user = user.clone();
        user.set_forced_decision("plain", None, "b");
        assert_eq!(brief(&user.decide("plain")), "b - on blue");
        assert!(user.set_forced_variation("x", Some("b")));
        assert_eq!(user.get_variation("x").variation_key(), Some("b"));
        assert!(user.set_forced_variation("x", None));
    };
    check(forced, (2, 0), (2, 0));
}

#[test]
fn a_profile_keeps_the_variation() {
    let service = MemoryProfileService::default();
    let mut profile = Profile::default();
    profile.set("10", "102");
    profile.set("another", "1");
    service.save("stuck", &profile).unwrap();
    let mut profile = Profile::default();
    profile.set("10", "gone");
    service.save("lost", &profile).unwrap();
    let world = World::with(|builder| builder.datafile(datafile()).profile_service(service));
    let decide = |user, options| brief(&world.client.user(user).decide_with("plain", options));
    let ignored = DecideOptions::IGNORE_USER_PROFILE_SERVICE;
    assert_eq!(decide("stuck", DecideOptions::NONE), "b x on blue");
    assert_eq!(decide("stuck", ignored), "a x on red");
    assert_eq!(decide("lost", DecideOptions::NONE), "a x on red");
}

/// Fails in one way, or panics.
struct Broken {
    lookup: Fault,
    save: Fault,
}

#[derive(Debug, Clone, Copy)]
enum Fault {
    None,
    Error,
    Panic,
}

impl Fault {
    fn happen<T>(self, good: T) -> Result<T, ServiceError> {
        match self {
            Self::None => Ok(good),
            Self::Error => Err("the service is down".into()),
            Self::Panic => panic!("the service panics"),
        }
    }
}

impl ProfileService for Broken {
    fn lookup(&self, _: &str) -> Result<Option<Profile>, ServiceError> {
        self.lookup.happen(None)
    }

    fn save(&self, _: &str, _: &Profile) -> Result<(), ServiceError> {
        self.save.happen(())
    }
}

fn check_faults(lookup: Fault, save: Fault, failures: u64) {
    let service = Broken { lookup, save };
    let world = World::with(|builder| builder.datafile(datafile()).profile_service(service));
    assert_eq!(brief(&world.client.user("u").decide("plain")), "a x on red");
    assert_eq!(world.records().len(), 1);
    assert_eq!(world.client.statistics().service_failures, failures, "{lookup:?} {save:?}");
}

#[test]
fn a_failing_service_is_counted_and_changes_nothing() {
    check_faults(Fault::None, Fault::None, 0);
    check_faults(Fault::Error, Fault::None, 1);
    check_faults(Fault::Panic, Fault::None, 1);
    check_faults(Fault::None, Fault::Error, 1);
    check_faults(Fault::None, Fault::Panic, 1);
    check_faults(Fault::Error, Fault::Panic, 2);
}
