//! What a replay came to, in a few lines at its end.
//!
//! Must not know the client: it counts calls, answers and records.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::attribution::{Credit, Record};
use crate::cli::call::{Call, Kind};
use crate::client::ClientStatistics;

/// Counts of a replay.
#[derive(Debug, Default)]
pub(super) struct Summary {
    calls: u64,
    malformed: u64,
    activations: u64,
    events: u64,
    conversions: u64,
    /// By experiment and variation.
    credits: BTreeMap<(String, String), i64>,
    not_credited: BTreeMap<String, u64>,
}

impl Summary {
    pub(super) fn count(&mut self, call: Option<&Call>, answer: &Value, records: &[Arc<Record>]) {
        self.calls += 1;
        match call.map(|call| &call.kind) {
            None => self.malformed += 1,
            Some(Kind::Track(_)) => {
                self.events += 1;
                if let Some(reason) = answer.get("reason").and_then(Value::as_str) {
                    *self.not_credited.entry(reason.to_owned()).or_default() += 1;
                }
            }
            Some(_) => {}
        }
        for record in records {
            match &**record {
                Record::Impression(record) => {
                    self.activations += u64::from(record.impression.activates().is_some())
                }
                Record::Conversion(record) => {
                    self.conversions += u64::from(!record.late && !record.credits.is_empty());
                    record.credits.iter().for_each(|credit| self.credit(credit));
                }
            }
        }
    }

    /// A credit that takes another's place names a variation that the other did not: only the sum of an
    /// experiment stays right, so replaced ones are left to readers who fold by id.
    fn credit(&mut self, credit: &Credit) {
        let change = match (credit.withdrawn, credit.replaces) {
            (true, _) => -1,
            (false, true) => 0,
            (false, false) => 1,
        };
        let shown = &credit.experiment;
        let key = (shown.experiment_key.to_string(), shown.variation_key.to_string());
        *self.credits.entry(key).or_default() += change;
    }

    pub(super) fn tell(&self, statistics: &ClientStatistics) -> String {
        let Self { calls, malformed, activations, events, conversions, .. } = self;
        let mut lines = vec![
            String::new(),
            format!("{calls} calls, {malformed} of them malformed"),
            format!("{activations} activations, {} users in the ledger", statistics.store.users),
            format!("{events} events, {conversions} of them conversions"),
        ];
        if statistics.store.crossovers > 0 {
            lines.push(format!("{} users seen in a second variation", statistics.store.crossovers));
        }
        if !self.credits.is_empty() {
            lines.push("credits:".to_owned());
            let width = self
                .credits
                .keys()
                .map(|(experiment, _)| experiment.chars().count())
                .max()
                .unwrap_or(0);
            for ((experiment, variation), count) in &self.credits {
                lines.push(format!("  {experiment:<width$}  {variation:<12} {count:>5}"));
            }
        }
        if !self.not_credited.is_empty() {
            lines.push("events that count for nothing:".to_owned());
            lines.extend(
                self.not_credited
                    .iter()
                    .map(|(reason, count)| format!("  {reason:<18} {count:>5}")),
            );
        }
        lines.push(String::new());
        lines.join("\n")
    }
}
