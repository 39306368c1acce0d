//! JSON values as attributes, and variables as JSON values.
//!
//! Must not know calls or commands.

use serde_json::{Value, json};

use crate::client::Variables;
use crate::value::{AttributeValue, VariableValue};

/// A JSON value as an attribute's value.
pub(super) fn attribute(value: &Value) -> AttributeValue<'_> {
    match value {
        Value::Null => AttributeValue::Null,
        Value::Bool(flag) => AttributeValue::Boolean(*flag),
        Value::String(text) => AttributeValue::String(text),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => AttributeValue::Integer(whole),
            (None, Some(number)) => AttributeValue::Double(number),
            (None, None) => AttributeValue::Other,
        },
        Value::Array(_) | Value::Object(_) => AttributeValue::Other,
    }
}

/// A variable's value as JSON; null where it has none.
pub(super) fn variable(value: Option<&VariableValue>) -> Value {
    match value {
        None => Value::Null,
        Some(VariableValue::Boolean(flag)) => json!(flag),
        Some(VariableValue::String(text)) => json!(text),
        Some(VariableValue::Integer(number)) => json!(number),
        Some(VariableValue::Double(number)) => json!(number),
        Some(VariableValue::Json(value)) => value.clone(),
    }
}

/// A flag's variables as a JSON object.
pub(super) fn variables(variables: &Variables) -> Value {
    variables
        .iter()
        .map(|(key, value)| (key.to_owned(), variable(value)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}
