//! Settings of sources that cannot be meant, and what errors say about them.

use variate::Client;
use variate::source::Source;

#[track_caller]
fn check(source: impl Into<Source>, expect: &str) {
    let error = Client::builder().source(source).build().unwrap_err();
    assert_eq!(error.to_string(), expect);
}

#[test]
fn files_are_not_looked_at_all_the_time() {
    check(
        Source::file("shop.json").interval_ms(99),
        "source shop.json cannot be asked every 99 ms: give an interval of at least 100 ms",
    );
}

#[test]
fn a_file_has_a_name() {
    check(Source::file(""), "the path of the datafile is empty: give a file");
}

#[cfg(feature = "http")]
#[test]
fn addresses_must_be_some() {
    check(
        Source::url("example.com/d.json"),
        "source the address is no URL (relative URL without a base): write it like https://example.com/path",
    );
    check(
        Source::url("file:///etc/passwd"),
        "source the address is no address of the web: write it like https://example.com/path",
    );
    check(
        Source::url("https://u:secret@h/d.json?token=t").interval_ms(999),
        "source https://h/d.json cannot be asked every 999 ms: give an interval of at least 1000 ms",
    );
    check(
        Source::url("https://h/d.json").timeout_ms(0),
        "source https://h/d.json cannot answer within 0 ms: give it some time",
    );
    check(
        Source::url("https://h/d.json").token("line\nend"),
        "source https://h/d.json cannot be asked with this token: give one without line ends and the like",
    );
}

#[cfg(feature = "http")]
#[test]
fn keys_and_templates_belong_together() {
    check(
        Source::sdk_key("not-a-key"),
        "the SDK key is none: it is letters, digits and any of + / = _, then a colon and the same again where there is a token",
    );
    check(
        Source::sdk_key("abc").template("https://h/d.json"),
        "source https://h/d.json has no place for the SDK key: write `%s` where it belongs, or give no key",
    );
    check(
        Source::url("https://h/datafiles/%s.json"),
        "source https://h/datafiles/***.json has `%s` in the place of an SDK key: give the key",
    );
}

#[cfg(feature = "http")]
#[test]
fn secrets_are_not_in_the_debug_form() {
    let source = Source::url("https://u:hidden1@h/%s.json?k=hidden2").sdk_key("hidden3:hidden4");
    let shown = format!("{source:?} {:?}", Source::from(source.clone().token("hidden5")));
    assert!(!shown.contains("hidden"), "{shown}");
    assert!(shown.contains("https://h/***.json"), "{shown}");
}
