//! A rule's audience conditions in words: `"us" AND ("female" OR "adult")`.
//!
//! Must not know rules. The result is the SDKs', odd inputs included: the text is built from what is
//! written, not from what it is compiled to.

use hashbrown::HashMap;
use serde_json::Value;

/// Puts audience conditions (JSON text) in words, given the audiences' names by id. Conditions that are
/// nested deeper than JSON is read give no text.
pub(super) fn audience_text(conditions: &str, names: &HashMap<&str, &str>) -> String {
    match serde_json::from_str(conditions) {
        Ok(Value::Array(items)) => of_list(&items, names),
        Ok(Value::Null) | Err(_) => String::new(),
        Ok(single) => of_list(&[single], names),
    }
}

/// The nesting is that of JSON which was read, so that the recursion is bounded.
fn of_list(items: &[Value], names: &HashMap<&str, &str>) -> String {
    let mut text = String::new();
    let mut operator = "OR";
    for item in items {
        let part = match item {
            Value::Array(parts) => format!("({})", of_list(parts, names)),
            Value::String(id) => match operator_of(id) {
                Some(word) => {
                    operator = word;
                    continue;
                }
                None => format!("\"{}\"", names.get(&**id).copied().unwrap_or(id)),
            },
            other => format!("\"{other}\""),
        };
        if !text.is_empty() {
            text.push(' ');
        }
        if !text.is_empty() || operator == "NOT" {
            text.push_str(operator);
            text.push(' ');
        }
        text.push_str(&part);
    }
    text
}

fn operator_of(word: &str) -> Option<&'static str> {
    match word {
        "and" => Some("AND"),
        "or" => Some("OR"),
        "not" => Some("NOT"),
        _ => None,
    }
}
