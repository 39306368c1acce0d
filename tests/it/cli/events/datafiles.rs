//! The last good datafiles of a store, as it is looked at from outside.

use variate::store::{KeptDatafile, Store as _};

use super::{morning, open, transcript};

#[test]
fn last_good_datafiles_are_shown() {
    let folder = morning();
    let store = open(folder.path());
    let kept = |revision: &str, text: &str| KeptDatafile {
        text: text.into(),
        revision: revision.into(),
        fetched_at_ms: 1_772_442_000_000,
        source: "5f0c6c1e".into(),
        etag: Some("\"e\"".into()),
        last_modified: None,
    };
    store.keep_datafile("production", &kept("87", "{}")).unwrap();
    store.keep_datafile("the other one", &kept("", "x")).unwrap();
    drop(store);
    let uses: &[&[&str]] =
        &[&["stats"], &["stats", "--format", "json"], &["verify"], &["verify", "--format", "json"]];
    insta::assert_snapshot!(transcript(folder.path(), uses));
}
