//! A store of format version 1 that is kept in the project: every later version must open it, and find in
//! it what a store that was filled alike holds.
//!
//! `VARIATE_WRITE_STORE_V1=1 cargo test --test it version_1` writes it anew; only before a release that has
//! the format is there a reason to.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::{TempDir, tempdir};
use variate::decide::Profile;
use variate::store::{KeptDatafile, Override, Store as _};

use super::{CALLS, delivered, open, replay_into, transcript};

/// All kinds of things that a store keeps: rows, events that wait, records, ids, cursors, dead letters of
/// which one is to be sent again, a datafile, an override, a profile.
fn filled() -> TempDir {
    let folder = delivered();
    let kept = KeptDatafile {
        text: r#"{"version":"4","revision":"87"}"#.into(),
        revision: "87".into(),
        fetched_at_ms: 1_772_442_000_000,
        source: "5f0c6c1e".into(),
        etag: Some("\"e\"".into()),
        last_modified: Some("Mon, 02 Mar 2026 09:00:00 GMT".into()),
    };
    let store = open(folder.path());
    store.keep_datafile("production", &kept).unwrap();
    store.forget("production", "b").unwrap();
    let wanted = Override {
        user_id: "anna".into(),
        experiment_key: "checkout_button".into(),
        variation_key: "orange".into(),
        owner: Some("mia".into()),
        reason: None,
        set_at_ms: 1_772_442_000_000,
        expires_at_ms: Some(4_102_444_800_000),
    };
    store.keep_override("production", &wanted).wait().unwrap();
    let mut profile = Profile::default();
    profile.set("9300001201101", "9300001301101");
    store.keep_profile("production", "anna", &profile).wait().unwrap();
    drop(store);
    transcript(folder.path(), &[&["dead", "retry", "1"]]);
    // Opened once more, its journal is small.
    drop(open(folder.path()));
    folder
}

/// What it holds, as far as it does not depend on how often it was opened.
fn held(store: &Path) -> String {
    let uses: &[&[&str]] = &[
        &["stats", "--format", "json"],
        &["stats", "--user", "anna", "--format", "json"],
        &["stats", "--user", "b", "--format", "json"],
        &["export"],
        &["dead", "list", "--format", "json"],
    ];
    let text = transcript(store, uses);
    let verified = transcript(store, &[&["verify"]]);
    assert!(verified.contains("=> 0"), "{verified}");
    let store = open(store);
    let overrides = store.kept_overrides("production").unwrap();
    let said = overrides.iter().map(|one| {
        let Override { user_id, experiment_key, variation_key, owner, reason, .. } = one;
        let times = (one.set_at_ms, one.expires_at_ms);
        format!("{user_id} {experiment_key} {variation_key} {owner:?} {reason:?} {times:?}\n")
    });
    let said: String = said.collect();
    assert_eq!(overrides.len(), 1);
    let profile = store.kept_profile("production", "anna").unwrap().unwrap().profile;
    format!("{text}{said}{profile:?}\n")
}

fn kept_in_the_project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("datafiles/store-v1")
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

#[test]
fn a_store_of_version_1_is_opened() {
    let fresh = filled();
    #[expect(clippy::disallowed_methods, reason = "says whether to write the store anew")]
    let is_written = std::env::var_os("VARIATE_WRITE_STORE_V1").is_some();
    if is_written {
        drop(fs::remove_dir_all(kept_in_the_project()));
        copy(fresh.path(), &kept_in_the_project());
    }
    let folder = tempdir().unwrap();
    let old = folder.path().join("store");
    copy(&kept_in_the_project(), &old);
    assert_eq!(held(&old), held(fresh.path()));

    // It goes on: ids are known, rows are there, numbers follow.
    assert_eq!(replay_into(&old, CALLS), replay_into(fresh.path(), CALLS));
    let more = CALLS.replace("-1\"", "-9\"").replace("-2\"", "-8\"").replace("-3\"", "-7\"");
    assert_eq!(replay_into(&old, &more), replay_into(fresh.path(), &more));
    assert_eq!(held(&old), held(fresh.path()));
}
