//! The values that variations give to variables.
//!
//! Must not know rules beyond their variations. The SDKs keep the values in one map by variation id,
//! so the last definition counts, in whatever rule it stands. Holdouts are not part of that map.

use std::sync::Arc;

use hashbrown::HashMap;

use super::draft::{Drafts, duplicate_id, keep_last};
use super::flags::kind_of;
use crate::datafile::findings::{Findings, quoted};
use crate::datafile::model::{RuleKind, VariationValue};
use crate::datafile::wire::{Text, WireFlag, WireValue, Written};
use crate::value::{VariableType, VariableValue};

/// Values by variation id.
#[derive(Debug)]
pub(super) struct Values {
    by_variation_id: HashMap<Box<str>, Arc<[VariationValue]>>,
    none: Arc<[VariationValue]>,
}

impl Values {
    pub(super) fn new(
        drafts: &Drafts<'_>,
        flags: &[WireFlag<'_>],
        legacy_ids: &[Text<'_>],
        findings: &mut Findings,
    ) -> Self {
        let kinds_by_id = kinds_by_id(flags, legacy_ids);
        let mut last: HashMap<&str, (usize, &[WireValue<'_>])> = HashMap::new();
        let rules = drafts.list.iter().filter(|draft| draft.kind != RuleKind::Holdout);
        let variations = rules.flat_map(|draft| &draft.wire.variations).enumerate();
        for (order, variation) in variations {
            if let Some(values) = &variation.values {
                last.insert(&variation.id, (order, values));
            }
        }
        let mut in_order: Vec<_> = last.into_iter().collect();
        in_order.sort_unstable_by_key(|(_, (order, _))| *order);
        let mut by_variation_id = HashMap::new();
        for (id, (_, values)) in in_order {
            by_variation_id.insert(id.into(), compile(values, &kinds_by_id, findings));
        }
        Self { by_variation_id, none: Arc::from([]) }
    }

    /// The values of a variation, shared by all rules that have it.
    pub(super) fn of(&self, variation_id: &str) -> Arc<[VariationValue]> {
        Arc::clone(self.by_variation_id.get(variation_id).unwrap_or(&self.none))
    }
}

/// The types that flags give to each variable: one, in any datafile that Optimizely made, and none for
/// the live variables that came before flags.
fn kinds_by_id<'a>(
    flags: &'a [WireFlag<'_>],
    legacy_ids: &'a [Text<'_>],
) -> HashMap<&'a str, Vec<VariableType>> {
    let mut kinds_by_id: HashMap<&str, Vec<VariableType>> =
        legacy_ids.iter().map(|id| (&**id, Vec::new())).collect();
    for variable in flags.iter().flat_map(|flag| &flag.variables) {
        let kinds = kinds_by_id.entry(&variable.id).or_default();
        let kind = kind_of(variable).unwrap_or(VariableType::String);
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    kinds_by_id
}

fn compile(
    values: &[WireValue<'_>],
    kinds_by_id: &HashMap<&str, Vec<VariableType>>,
    findings: &mut Findings,
) -> Arc<[VariationValue]> {
    let references: Vec<&WireValue<'_>> = values.iter().collect();
    let report =
        |one: &&WireValue<'_>| duplicate_id(&one.place, "value", &one.variable_id, findings);
    let (kept, _) = keep_last(references, |one| &one.variable_id, report);
    let mut compiled = Vec::with_capacity(kept.len());
    for one in kept {
        let Some(kinds) = kinds_by_id.get(&*one.variable_id) else {
            findings.dangling_lightly(
                &one.place.field("id"),
                "variable",
                &one.variable_id,
                "the value is not used",
            );
            continue;
        };
        for kind in kinds {
            let value = parsed(&one.written, *kind);
            if value.is_none() {
                let message = || {
                    format!(
                        "{} is not {}, so it is served as null",
                        quoted(&one.written.text),
                        kind_name(*kind)
                    )
                };
                findings.error(
                    "bad-variable",
                    &one.place.field("value"),
                    message,
                    "give a value of the variable's type",
                );
            }
            compiled.push(VariationValue {
                variable_id: (*one.variable_id).into(),
                kind: *kind,
                text: (*one.written.text).into(),
                value,
            });
        }
    }
    compiled.sort_unstable_by(|one, other| one.order_against(&other.variable_id, other.kind));
    compiled.into()
}

/// A value by its type. Of a JSON number for a whole one both official SDKs take the part before the point, unless
/// JavaScript writes it with an exponent; of such a text they differ.
pub(super) fn parsed(written: &Written<'_>, kind: VariableType) -> Option<VariableValue> {
    let value = VariableValue::parse(&written.text, kind);
    if value.is_some() || kind != VariableType::Integer || !written.is_number {
        return value;
    }
    let number: f64 = written.text.parse().ok()?;
    let is_written_out = number == 0.0 || (1e-6..1e15).contains(&number.abs());
    let whole = is_written_out.then(|| number.trunc().to_string())?;
    VariableValue::parse(&whole, kind)
}

/// A variable's type in words.
pub(super) fn kind_name(kind: VariableType) -> &'static str {
    match kind {
        VariableType::Boolean => "\"true\" or \"false\"",
        VariableType::String => "text",
        VariableType::Integer => "a whole number",
        VariableType::Double => "a number",
        VariableType::Json => "JSON",
    }
}
