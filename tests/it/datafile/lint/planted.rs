//! `datafiles/planted`: a datafile with one fault of each kind, and the clean one that it was made from.

use variate::datafile::CODES;

use super::checked_text;

fn codes(name: &str) -> Vec<&'static str> {
    let path = format!("{}/datafiles/planted/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).expect("a datafile");
    checked_text(&text).findings.iter().map(|found| found.finding.code).collect()
}

#[test]
fn each_kind_is_found_once_and_none_invented() {
    let mut found = codes("planted");
    found.sort_unstable();
    let mut planted: Vec<_> = CODES.iter().map(|code| code.name).collect();
    planted.retain(|code| *code != "too-many-findings");
    assert_eq!(found, planted);
    assert_eq!(codes("clean"), Vec::<&str>::new());
}

#[test]
fn codes_are_in_order() {
    assert!(CODES.is_sorted_by(|one, next| one.name < next.name), "{CODES:?}");
}
