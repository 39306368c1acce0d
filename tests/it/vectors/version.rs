//! The version ordering, held against the matrix of JavaScript's answers.

use serde_json::Value;
use variate::version::Version;

const VECTORS: &str = include_str!("../../../datafiles/vectors/versions.json");

#[test]
fn every_row_of_the_matrix() {
    let rows: Vec<Value> = serde_json::from_str(VECTORS).unwrap();
    assert_eq!(rows.len(), 2116);
    let wrong: Vec<String> = rows.iter().filter_map(mismatch).collect();
    assert!(wrong.is_empty(), "{} rows differ:\n{}", wrong.len(), wrong.join("\n"));
}

fn mismatch(row: &Value) -> Option<String> {
    let (target, user) = (row["target"].as_str().unwrap(), row["user"].as_str().unwrap());
    let answer = Version::parse(target)
        .and_then(|version| version.compare(user))
        .map(|ordering| ordering as i64);
    let expected = row["expected"].as_i64();
    (answer != expected).then(|| format!("{user:?} to {target:?}: {answer:?}, not {expected:?}"))
}
