//! Reading what may be of any kind: members of objects, ids, sums of money.
//!
//! Must not know any system. What is not of the kind that is asked for is as if it were not there; who needs
//! it says so.

use serde_json::{Map, Value};
use uuid::Uuid;

use super::payload::Payload;
use super::unused::{Reason, Unused};

/// No number is believed beyond this, where floats are not exact any more.
const MOST_EXACT: f64 = 9_007_199_254_740_992.0;
/// What ids of content are made under.
const CONTENT: Uuid = Uuid::from_u128(0x6d6f_5b54_93f8_4d0c_8a55_1f0e_27c1_7e0b);

/// A text that is not empty.
pub(super) fn text<'a>(object: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    object.get(key)?.as_str().filter(|text| !text.is_empty())
}

/// An id: a text that is not empty, or a whole number, which is its digits.
pub(super) fn id(object: &Map<String, Value>, key: &str) -> Option<String> {
    match object.get(key)? {
        Value::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
        Value::Number(number) if !number.is_f64() => Some(number.to_string()),
        _ => None,
    }
}

/// An id that the same members always have.
pub(super) fn content_id(object: &Map<String, Value>) -> Uuid {
    Uuid::new_v5(&CONTENT, &serde_json::to_vec(object).unwrap_or_default())
}

/// An object; none is an empty one.
pub(super) fn object(object: &Map<String, Value>, key: &str) -> Map<String, Value> {
    object.get(key).and_then(Value::as_object).cloned().unwrap_or_default()
}

/// The objects of a list, and whether there was anything else in it.
pub(super) fn objects<'a>(
    object: &'a Map<String, Value>,
    key: &str,
) -> (Vec<&'a Map<String, Value>>, bool) {
    let list = match object.get(key) {
        None | Some(Value::Null) => return (Vec::new(), false),
        Some(Value::Array(list)) => list,
        Some(_) => return (Vec::new(), true),
    };
    let objects: Vec<_> = list.iter().filter_map(Value::as_object).collect();
    let is_mixed = objects.len() < list.len();
    (objects, is_mixed)
}

/// Takes `revenue` in units of the currency out of tags, where it would be cents.
pub(super) fn take_revenue(tags: &mut Map<String, Value>, payload: &mut Payload) -> Option<i64> {
    let revenue = tags.remove("revenue").filter(|revenue| !revenue.is_null())?;
    let cents = cents_of_units(&revenue);
    if cents.is_none() {
        payload.unused.push(Unused::plain(Reason::WrongKind, "a revenue that is no sum"));
    }
    cents
}

/// A sum in units of the currency, as cents.
fn cents_of_units(value: &Value) -> Option<i64> {
    let units = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    whole((units * 100.0).round())
}

/// A number without a fraction, within what floats hold exactly.
pub(super) fn whole(number: f64) -> Option<i64> {
    if number.abs() <= MOST_EXACT { format!("{number:.0}").parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    //! Sums.

    use serde_json::{Value, json};

    use super::cents_of_units;

    #[test]
    fn sums_are_cents() {
        let check = |value: Value, expect: Option<i64>| {
            assert_eq!(cents_of_units(&value), expect, "{value}")
        };
        check(json!(19.99), Some(1999));
        check(json!(42), Some(4200));
        check(json!("12.50"), Some(1250));
        check(json!(-0.29), Some(-29));
        check(json!(0.001), Some(0));
        check(json!(-0.001), Some(0));
        check(json!("NaN"), None);
        check(json!(1e17), None);
        check(json!("12 EUR"), None);
        check(json!(true), None);
    }
}
