//! Bodies of batches: the event API's, and lists of JSON.
//!
//! Must not know who posts them. A batch for the event API is the requests of its records merged: they
//! differ in their visitors only, and each record keeps a visitor of its own.

use crate::attribution::Record;
use crate::events::batch::Encoded;
use crate::events::event_api::event_api_request;
use crate::events::mode::AttributionMode;

/// What a batch has of a record: its visitor, and as the context what all of them must have in common,
/// which is the rest of the request: where it goes, then the body without visitors.
pub(super) fn encode(record: &Record, mode: AttributionMode) -> Option<Encoded> {
    let mut request = event_api_request(record, mode)?;
    let visitors = request.body.as_object_mut()?.remove("visitors")?;
    let visitor = visitors.get(0)?.to_string();
    let context = format!("{}\n{}", request.url, request.body);
    Some(Encoded { text: visitor, context: context.into() })
}

/// The request of a batch: where it goes, and its body.
pub(super) fn batch_request<'a>(
    context: &'a str,
    visitors: impl Iterator<Item = &'a str>,
) -> Option<(&'a str, String)> {
    let (url, shared) = context.split_once('\n')?;
    let mut body = shared.strip_suffix('}')?.to_owned();
    body.push_str(",\"visitors\":");
    push_array(&mut body, visitors);
    body.push('}');
    Some((url, body))
}

/// Adds a list of elements that are JSON already.
pub(super) fn push_array<'a>(text: &mut String, elements: impl Iterator<Item = &'a str>) {
    let mut opening = '[';
    for element in elements {
        text.push(opening);
        text.push_str(element);
        opening = ',';
    }
    if opening == '[' {
        text.push('[');
    }
    text.push(']');
}
