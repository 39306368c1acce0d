//! Decide options: their names, and what each does.

use super::world::{World, brief, datafile};
use variate::DecideOptions;

fn check_name(name: &str, expected: Option<DecideOptions>) {
    assert_eq!(DecideOptions::parse(name), expected, "{name}");
}

#[test]
fn names() {
    check_name("DISABLE_DECISION_EVENT", Some(DecideOptions::DISABLE_DECISION_EVENT));
    check_name("ENABLED_FLAGS_ONLY", Some(DecideOptions::ENABLED_FLAGS_ONLY));
    check_name("IGNORE_USER_PROFILE_SERVICE", Some(DecideOptions::IGNORE_USER_PROFILE_SERVICE));
    check_name("INCLUDE_REASONS", Some(DecideOptions::INCLUDE_REASONS));
    check_name("EXCLUDE_VARIABLES", Some(DecideOptions::EXCLUDE_VARIABLES));
    check_name("IGNORE_CMAB_CACHE", Some(DecideOptions::NONE));
    check_name("RESET_CMAB_CACHE", Some(DecideOptions::NONE));
    check_name("INVALIDATE_USER_CMAB_CACHE", Some(DecideOptions::NONE));
    check_name("include_reasons", None);
    check_name("", None);
}

#[test]
fn sets() {
    let both = DecideOptions::INCLUDE_REASONS | DecideOptions::EXCLUDE_VARIABLES;
    assert!(both.contains(DecideOptions::INCLUDE_REASONS) && both.contains(both));
    assert!(!both.contains(DecideOptions::ENABLED_FLAGS_ONLY));
    assert!(!both.contains(both | DecideOptions::ENABLED_FLAGS_ONLY));
    assert!(!DecideOptions::INCLUDE_REASONS.contains(both));
    assert!(both.contains(DecideOptions::NONE) && DecideOptions::default() == DecideOptions::NONE);
}

/// What `decide` and `decide_all` of the flags `plain` and `off` give, with whether there are reasons,
/// and how many impressions were sent.
fn check(options: DecideOptions, decision: &str, has_reasons: bool, flags: &[&str], sent: usize) {
    let as_defaults = World::with(|builder| builder.datafile(datafile()).decide_options(options));
    let of_the_call = World::new();
    for (world, options) in [(of_the_call, options), (as_defaults, DecideOptions::NONE)] {
        let user = world.client.user("u");
        let decided = user.decide_with("plain", options);
        assert_eq!(brief(&decided), decision, "{options:?}");
        assert_eq!(!decided.reasons.is_empty(), has_reasons, "{options:?}");
        let all = user.decide_for_keys(&["plain", "off"], options);
        let keys: Vec<&str> = all.iter().map(|decision| &*decision.flag_key).collect();
        assert_eq!(keys, flags, "{options:?}");
        assert_eq!(world.records().len(), sent, "{options:?}");
    }
}

#[test]
fn effects() {
    use DecideOptions as Options;
    check(Options::NONE, "a x on red", false, &["plain", "off"], 3);
    check(Options::DISABLE_DECISION_EVENT, "a x on red", false, &["plain", "off"], 0);
    check(Options::ENABLED_FLAGS_ONLY, "a x on red", false, &["plain"], 3);
    check(Options::EXCLUDE_VARIABLES, "a x on -", false, &["plain", "off"], 3);
    check(Options::INCLUDE_REASONS, "a x on red", true, &["plain", "off"], 3);
    let two = Options::INCLUDE_REASONS | Options::DISABLE_DECISION_EVENT;
    check(two, "a x on red", true, &["plain", "off"], 0);
}
