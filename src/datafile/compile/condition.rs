//! The leaves of an audience's conditions.
//!
//! Must not know trees. What cannot be used is [`Test::Unknown`], as it is in the SDKs.

use crate::datafile::findings::{Findings, quoted, shortened};
use crate::datafile::wire::{Kind, Node, Object, wrong_type};
use crate::name::Name;
use crate::targeting::{Comparison, Condition, Test};
use crate::value::AttributeValue;
use crate::version::Version;

/// What becomes of a condition that cannot be used.
const UNKNOWN: &str = "the condition is neither true nor false";

/// Compiles one condition.
pub(super) fn compile(object: &Object<'_>, findings: &mut Findings) -> Condition {
    let attribute = object.string("name", findings);
    let test =
        if has_known_type(object, findings) { test_of(object, findings) } else { Test::Unknown };
    match (attribute, test) {
        (Some(attribute), test) => Condition { attribute: Name::from(&*attribute), test },
        (None, test @ (Test::Qualified(_) | Test::Unknown)) => {
            Condition { attribute: "".into(), test }
        }
        (None, _) => {
            if object.get("name").is_none() {
                object.missing("name", UNKNOWN, findings);
            }
            Condition { attribute: "".into(), test: Test::Unknown }
        }
    }
}

fn has_known_type(object: &Object<'_>, findings: &mut Findings) -> bool {
    let Some(node) = object.get("type") else {
        object.missing("type", UNKNOWN, findings);
        return false;
    };
    let name = node.as_string(findings);
    match name.as_deref() {
        Some("custom_attribute" | "third_party_dimension") => true,
        Some(name) => {
            let remedy = "use \"custom_attribute\" or \"third_party_dimension\"";
            unknown(
                "unknown-type",
                node,
                || format!("the type {} is not known", quoted(name)),
                remedy,
                findings,
            );
            false
        }
        None => {
            wrong_type(node, "a string", UNKNOWN, findings);
            false
        }
    }
}

fn test_of(object: &Object<'_>, findings: &mut Findings) -> Test {
    let name = match object.get("match") {
        None => "exact".into(),
        Some(node) => match node.as_string(findings) {
            Some(name) => name,
            None => {
                wrong_type(node, "a string", UNKNOWN, findings);
                return Test::Unknown;
            }
        },
    };
    let value = object.get("value");
    let test = match (&*name, value) {
        ("exists", _) => return Test::Exists,
        (name, _) if !is_match(name) => {
            if let Some(node) = object.get("match") {
                let remedy = "use a match that the datafile's version has";
                unknown(
                    "unknown-match",
                    node,
                    || format!("the match {} is not known", quoted(name)),
                    remedy,
                    findings,
                );
            }
            return Test::Unknown;
        }
        (_, None) => {
            object.missing("value", UNKNOWN, findings);
            return Test::Unknown;
        }
        (name, Some(value)) => test_with(name, value, findings),
    };
    test.unwrap_or(Test::Unknown)
}

/// The matches that need a value.
fn is_match(name: &str) -> bool {
    matches!(name, "exact" | "substring" | "qualified")
        || number_match(name).is_some()
        || version_match(name).is_some()
}

fn number_match(name: &str) -> Option<Comparison> {
    match name {
        "gt" => Some(Comparison::Greater),
        "ge" => Some(Comparison::GreaterOrEqual),
        "lt" => Some(Comparison::Less),
        "le" => Some(Comparison::LessOrEqual),
        _ => None,
    }
}

fn version_match(name: &str) -> Option<Comparison> {
    match name {
        "semver_eq" => Some(Comparison::Equal),
        _ => number_match(name.strip_prefix("semver_")?),
    }
}

fn test_with(name: &str, value: &Node<'_>, findings: &mut Findings) -> Option<Test> {
    if let Some(comparison) = number_match(name) {
        return number(value, findings).map(|number| Test::Number(comparison, number));
    }
    if let Some(comparison) = version_match(name) {
        return version(value, findings).map(|version| Test::Version(comparison, version));
    }
    match (name, value.kind()) {
        ("exact", Kind::Boolean) => value.as_boolean().map(Test::ExactBoolean),
        ("exact", Kind::Number) => number(value, findings).map(Test::ExactNumber),
        ("exact", _) => {
            let text = text(value, "a string, a number or a boolean", findings)?;
            Some(Test::ExactString(Name::from(&*text)))
        }
        ("substring", _) => text(value, "a string", findings).map(Test::Substring),
        _ => text(value, "a string", findings).map(Test::Qualified),
    }
}

fn text(value: &Node<'_>, wanted: &str, findings: &mut Findings) -> Option<Box<str>> {
    let text = value.as_string(findings);
    if text.is_none() {
        unusable(value, wanted, findings);
    }
    text.map(Into::into)
}

/// A number that the SDKs compare: finite and at most 2^53 in magnitude, whole ones exactly.
fn number(value: &Node<'_>, findings: &mut Findings) -> Option<f64> {
    let is_whole = value.text().bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    let number = if is_whole {
        value.text().parse().ok().and_then(|whole| AttributeValue::Integer(whole).as_number())
    } else {
        value.as_number().and_then(|number| AttributeValue::Double(number).as_number())
    };
    if number.is_none() {
        unusable(value, "a number of at most 2^53", findings);
    }
    number
}

fn version(value: &Node<'_>, findings: &mut Findings) -> Option<Version> {
    let text = text(value, "a version in quotation marks", findings)?;
    let version = Version::parse(&text);
    if version.is_none() {
        let message = || format!("{} is not a version", quoted(&text));
        unknown(
            "bad-version",
            value,
            message,
            "write it as in \"2.1.3-beta\", without spaces",
            findings,
        );
    }
    version
}

fn unusable(value: &Node<'_>, wanted: &str, findings: &mut Findings) {
    let message = || match value.kind() {
        Kind::Number | Kind::Boolean => {
            format!("the value {} cannot be compared", shortened(value.text()))
        }
        kind => format!("the value is {}, which cannot be compared", kind.name()),
    };
    unknown("unusable-value", value, message, &format!("give {wanted}"), findings);
}

fn unknown(
    code: &'static str,
    node: &Node<'_>,
    message: impl FnOnce() -> String,
    remedy: &str,
    findings: &mut Findings,
) {
    findings.error(code, node.place(), || format!("{}, {UNKNOWN}", message()), remedy);
}
