//! Datafiles: whatever the bytes, an error or a datafile whose every part can be used.
//!
//! Must not know how datafiles are read. Parts are bounded in number here, not in the crate: the
//! fuzzer is to look for crashes, not to wait for the thousandth decision.

use std::collections::HashSet;
use std::sync::Arc;

use variate::client::{Client, DecideOptions};
use variate::datafile::{Compiled, Datafile, Finding, Rule};
use variate::decide::{Explanation, FlagDecision, Given, Silent, User, experiment, flag};
use variate::targeting::{Attribute, Test};
use variate::value::AttributeValue;

/// What is listed, and one more that counts the rest.
const MOST_FINDINGS: usize = 1001;
/// A finding is read in one line; names and values of the datafile are cut in it.
const LONGEST_MESSAGE_BYTES: usize = 1500;
/// A step of a path is cut to this, so deep ones stay readable.
const LONGEST_STEP_BYTES: usize = 700;
/// Findings that concern the text as a whole have no place in it.
const CODES_WITHOUT_PLACE: [&str; 2] = ["byte-order-mark", "too-many-findings"];
/// What the datafile's own object lacks has that object as its place, whose path is empty.
const CODE_OF_THE_ROOT: &str = "missing-field";
/// How many of each kind of part are exercised.
const MOST_PARTS: usize = 24;

/// Checks one text.
pub fn check(bytes: &[u8]) {
    match Datafile::compile(bytes) {
        Err(error) => {
            let said = error.to_string();
            assert!(
                !said.is_empty() && !said.ends_with('.'),
                "an error says what is wrong: {said:?}"
            );
        }
        Ok(compiled) => {
            compiled.findings.iter().for_each(check_finding);
            assert!(compiled.findings.len() <= MOST_FINDINGS);
            check_kept_text(bytes, &compiled);
            check_use(&Arc::new(compiled.datafile));
        }
    }
}

fn check_finding(finding: &Finding) {
    let shown = finding.to_string();
    assert!(!shown.contains(['\n', '\r']), "a finding is one line: {shown:?}");
    assert!(!finding.message.is_empty() && !finding.remedy.is_empty(), "{shown}");
    assert!(finding.message.len() <= LONGEST_MESSAGE_BYTES, "a long message: {shown}");
    let steps = finding.path.matches(['.', '[']).count() + 1;
    assert!(finding.path.len() <= steps * LONGEST_STEP_BYTES, "a long path: {shown}");
    let is_without_place = CODES_WITHOUT_PLACE.contains(&finding.code);
    assert!(!is_without_place || finding.path.is_empty(), "a place for {shown}");
    let may_be_root = is_without_place || finding.code == CODE_OF_THE_ROOT;
    assert!(may_be_root || !finding.path.is_empty(), "no place for {shown}");
}

/// The text that is kept is the text given, and compiles to the same again.
fn check_kept_text(bytes: &[u8], compiled: &Compiled) {
    let given = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    assert_eq!(compiled.datafile.text().as_bytes(), given);
    let again = Datafile::compile(compiled.datafile.text()).expect("what was accepted is again");
    let of_parts = |one: &Compiled| -> Vec<Finding> {
        one.findings.iter().filter(|finding| finding.code != "byte-order-mark").cloned().collect()
    };
    if compiled.findings.len() < MOST_FINDINGS {
        assert_eq!(of_parts(&again), of_parts(compiled), "findings of the kept text");
    }
    assert_eq!(again.datafile.flags().len(), compiled.datafile.flags().len());
    assert_eq!(again.datafile.rules().len(), compiled.datafile.rules().len());
}

/// Every decision, explanation and call that the datafile allows.
fn check_use(datafile: &Arc<Datafile>) {
    let matching = attributes_that_match(datafile);
    let matching: Vec<Attribute<'_>> =
        matching.iter().map(|(key, value)| Attribute::new(key, value.as_attribute())).collect();
    let odd: Vec<Attribute<'_>> = matching
        .iter()
        .zip(
            [AttributeValue::Null, AttributeValue::Other, AttributeValue::Double(f64::NAN)]
                .iter()
                .cycle(),
        )
        .map(|(attribute, value)| Attribute::new(attribute.key(), *value))
        .collect();
    let whitelisted = whitelisted_user(datafile);
    let users = [
        User::known("anna", &matching, Some(&["vip"])),
        User::known("", &odd, Some(&[])),
        User::new(&whitelisted),
    ];
    for user in &users {
        check_decisions(datafile, user);
    }
    check_client(datafile, &users);
}

/// An attribute's value that a condition of the datafile wants.
enum Wanted {
    Text(String),
    Number(f64),
    Flag(bool),
}

impl Wanted {
    fn as_attribute(&self) -> AttributeValue<'_> {
        match self {
            Self::Text(text) => AttributeValue::String(text),
            Self::Number(number) => AttributeValue::Double(*number),
            Self::Flag(flag) => AttributeValue::Boolean(*flag),
        }
    }
}

/// For each attribute that conditions name, the value that one of them wants.
fn attributes_that_match(datafile: &Datafile) -> Vec<(String, Wanted)> {
    let leaves = datafile.audiences().iter().flat_map(|audience| audience.conditions().leaves());
    let mut found: Vec<(String, Wanted)> = Vec::new();
    for leaf in leaves.take(10 * MOST_PARTS) {
        let wanted = match &leaf.test {
            Test::ExactString(text) => Wanted::Text(text.to_string()),
            Test::Substring(text) => Wanted::Text(text.to_string()),
            Test::ExactNumber(number) | Test::Number(_, number) => Wanted::Number(*number),
            Test::ExactBoolean(flag) => Wanted::Flag(*flag),
            Test::Version(_, version) => Wanted::Text(version.as_str().to_owned()),
            _ => Wanted::Flag(true),
        };
        if found.len() < MOST_PARTS && found.iter().all(|(key, _)| **key != *leaf.attribute) {
            found.push((leaf.attribute.to_string(), wanted));
        }
    }
    found
}

fn whitelisted_user(datafile: &Datafile) -> String {
    let mut entries = datafile.rules().iter().flat_map(Rule::whitelist);
    entries.next().map_or_else(|| "bob".to_owned(), |(user_id, _)| user_id.to_owned())
}

/// The silent and the explained decision are one, and name variations that exist.
fn check_decisions(datafile: &Datafile, user: &User<'_>) {
    let given = Given::default();
    for part in datafile.flags().iter().take(MOST_PARTS) {
        let index = datafile.flag_index(part.key()).expect("a listed flag is found by its key");
        let decision = flag(datafile, index, user, &given, &mut Silent);
        let (explained, explanation) = Explanation::of_flag(datafile, index, user, &given);
        assert_eq!(decision, explained, "flag {:?}", part.key());
        check_flag_decision(datafile, &decision);
        check_explanation(&explanation);
        variate::decide::variable_values(datafile, part, &decision).for_each(drop);
    }
    for part in datafile.experiments().take(MOST_PARTS) {
        let Some(index) = datafile.experiment_index(part.key()) else { continue };
        let decision = experiment(datafile, index, user, &given, &mut Silent);
        let (explained, explanation) = Explanation::of_experiment(datafile, index, user, &given);
        assert_eq!(decision, explained, "experiment {:?}", part.key());
        check_explanation(&explanation);
    }
}

fn check_flag_decision(datafile: &Datafile, decision: &FlagDecision) {
    for (rule, variation) in decision.variation.into_iter().chain(decision.set_aside) {
        let found = datafile.rule(rule).and_then(|rule| rule.variation(variation));
        assert!(found.is_some(), "a decision for what is not there: {decision:?}");
    }
}

/// There is always something to tell, if only that no rule decided.
fn check_explanation(explanation: &Explanation) {
    assert!(!explanation.to_string().is_empty());
    assert!(explanation.to_json().as_array().is_some_and(|steps| !steps.is_empty()));
    explanation.reasons().iter().for_each(|reason| assert!(!reason.is_empty()));
}

/// The calls of the client: what is credited was activated before, and by nothing else.
fn check_client(datafile: &Arc<Datafile>, users: &[User<'_>]) {
    let client = Client::builder().datafile(Arc::clone(datafile)).build();
    let client = client.expect("a client without sinks");
    let config = client.config().expect("a config view of the datafile given");
    assert!(format!("{config:?}").contains("revision"));
    for user in users {
        let mut handle = client.user(user.id());
        for attribute in user.attributes() {
            handle = handle.with(attribute.key(), attribute.value);
        }
        let event_keys = || datafile.events().iter().take(MOST_PARTS).map(|event| event.key());
        for key in event_keys() {
            assert!(handle.track(key).credits.is_empty(), "credited before any activation");
        }
        let mut activated: HashSet<&str> = HashSet::new();
        for part in datafile.experiments().take(MOST_PARTS) {
            let chosen = handle.get_variation(part.key()).variation_key().map(str::to_owned);
            let activation = handle.activate(part.key());
            assert_eq!(activation.chosen.how(), handle.get_variation(part.key()).how());
            assert_eq!(activation.variation_key(), chosen.as_deref());
            activated.extend(chosen.and(Some(part.key())));
        }
        for key in event_keys() {
            for credit in handle.track(key).credits {
                let key = &*credit.experiment.experiment_key;
                assert!(activated.contains(key), "credit for {key:?}, which was not activated");
            }
        }
        for decision in handle.decide_all(DecideOptions::INCLUDE_REASONS) {
            let one = handle.decide(&decision.flag_key);
            assert_eq!(one.variation_key, decision.variation_key);
            assert_eq!(one.variables, decision.variables);
            assert!(handle.explain(&decision.flag_key).is_some());
            assert!(handle.get_all_feature_variables(&decision.flag_key).is_some());
        }
        let enabled = handle.get_enabled_features();
        assert!(enabled.iter().all(|key| handle.is_feature_enabled(key)), "{enabled:?}");
        client.forget(user.id()).expect("the store in memory forgets at once");
    }
}
