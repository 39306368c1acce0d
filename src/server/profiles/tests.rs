//! What is saved while another call works with what it saw before.

use std::sync::Arc;

use super::{DAY_MS, Profiles};
use crate::clock::Clock;
use crate::decide::Profile;
use crate::store::{DurableSettings, DurableStore, Store as _};

type Outcome = Result<(), Box<dyn std::error::Error + Send + Sync>>;

fn profile(entries: &[(&str, &str)]) -> Profile {
    let mut profile = Profile::default();
    for (experiment_id, variation_id) in entries {
        profile.set(experiment_id, variation_id);
    }
    profile
}

fn with_profiles(test: impl FnOnce(&Arc<Clock>, &Arc<Profiles>) -> Outcome) -> Outcome {
    let folder = tempfile::tempdir()?;
    let clock = Arc::new(Clock::manual(1_000_000));
    let settings = DurableSettings::default();
    let store = Arc::new(DurableStore::open(folder.path(), Arc::clone(&clock), settings)?);
    let profiles = Arc::new(Profiles::new(&store, &clock));
    profiles.belong_to("production");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build()?;
    let _entered = runtime.enter();
    test(&clock, &profiles)
}

#[test]
fn what_is_new_is_added_to_what_there_is_by_then() -> Outcome {
    with_profiles(|_, profiles| {
        profiles.add("anna", &profile(&[("1", "11")]))?;
        profiles.add("anna", &profile(&[("2", "22")]))?;
        assert_eq!(profiles.find("anna")?, Some(profile(&[("1", "11"), ("2", "22")])));
        Ok(())
    })
}

#[test]
fn one_that_is_on_its_way_is_forgotten_like_others() -> Outcome {
    with_profiles(|_, profiles| {
        for user in 0..100 {
            let user = format!("user {user}");
            profiles.add(&user, &profile(&[("1", "11")]))?;
            assert!(profiles.forget(&user)?, "{user}");
            assert_eq!(profiles.find(&user)?, None, "{user}");
            assert!(!profiles.forget(&user)?, "{user}");
        }
        assert!(profiles.store.flush(std::time::Duration::from_secs(20)).is_ok());
        assert_eq!(profiles.store.kept_profile("production", "user 7")?, None);
        Ok(())
    })
}

#[test]
fn remembering_an_old_one_for_longer_takes_nothing_back() -> Outcome {
    with_profiles(|clock, profiles| {
        let old = profile(&[("1", "11")]);
        profiles.store.keep_profile("production", "anna", &old).wait()?;
        clock.advance_to(clock.now_ms() + 2 * DAY_MS);
        // Another call saw that it is old, and is not there yet.
        profiles.add("anna", &profile(&[("2", "22")]))?;
        profiles.refresh("anna")?;
        let both = profile(&[("1", "11"), ("2", "22")]);
        assert_eq!(profiles.find("anna")?, Some(both.clone()));
        profiles.store.keep_profile("production", "ben", &old).wait()?;
        profiles.refresh("anna")?;
        let kept = profiles.store.kept_profile("production", "anna")?;
        assert_eq!(kept.map(|kept| kept.profile), Some(both), "what is stored is as new");
        Ok(())
    })
}
