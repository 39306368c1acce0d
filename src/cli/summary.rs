//! The summary at the end of a replay for people: what was counted.
//!
//! Must not know how single calls are told.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use uuid::Uuid;

use super::answer::Answer;
use super::call::CALL_NAMES;
use super::story::Told;
use super::words::{counted, listed, money, name};
use crate::attribution::{ConversionRecord, EntryId, Record, Shown};
use crate::store::Statistics;

/// What a replay counts as it goes.
#[derive(Debug, Default)]
pub(super) struct Summary {
    calls: HashMap<&'static str, u64>,
    malformed: u64,
    activations: u64,
    other_impressions: u64,
    not_credited: BTreeMap<&'static str, u64>,
    /// Folded by the credit's id: the latest stands.
    credits: HashMap<Uuid, StandingCredit>,
}

#[derive(Debug)]
struct StandingCredit {
    event_id: EntryId,
    shown: Arc<Shown>,
    revenue_cents: i64,
}

#[derive(Debug, Default)]
struct Total {
    credits: u64,
    revenue_cents: i128,
}

impl Summary {
    pub(super) fn count(&mut self, told: &Told<'_>) {
        *self.calls.entry(told.call.name).or_default() += 1;
        if let Answer::Tracked(tracked) = told.answer
            && let Some(reason) = tracked.reason
        {
            *self.not_credited.entry(reason).or_default() += 1;
        }
        for record in told.records {
            match &**record {
                Record::Impression(record) if record.is_activation => {
                    self.activations += 1;
                }
                Record::Impression(_) => self.other_impressions += 1,
                Record::Conversion(record) => self.count_conversion(record),
            }
        }
    }

    pub(super) fn count_malformed(&mut self) {
        self.malformed += 1;
    }

    fn count_conversion(&mut self, record: &ConversionRecord) {
        for credit in &record.credits {
            if credit.withdrawn {
                self.credits.remove(&credit.id);
            } else {
                let event_id = record.event.about.id.clone();
                let shown = Arc::clone(&credit.experiment);
                let revenue_cents = record.event.revenue_cents.unwrap_or_default();
                self.credits.insert(credit.id, StandingCredit { event_id, shown, revenue_cents });
            }
        }
    }

    /// The lines of the summary.
    pub(super) fn lines(&self, statistics: &Statistics) -> Vec<String> {
        let mut lines = vec![String::new(), "Summary".to_owned(), self.line_of_calls()];
        if self.malformed > 0 {
            lines.push(format!("  malformed lines: {}", self.malformed));
        }
        let others = counted(self.other_impressions, "other impression");
        lines.push(format!("  activations: {}, and {others}", self.activations));
        lines.push(self.line_of_events());
        lines.extend(self.lines_of_credits());
        if !self.not_credited.is_empty() {
            lines.push("  not credited when tracked:".to_owned());
            let line = |(reason, count): (&&str, &u64)| format!("    {reason:17}  {count}");
            lines.extend(self.not_credited.iter().map(line));
        }
        let crossovers = statistics.crossovers;
        lines.push(format!("  crossovers, users seen in a second variation: {crossovers}"));
        lines
    }

    fn line_of_calls(&self) -> String {
        let kinds = CALL_NAMES.iter().filter_map(|name| Some((*name, *self.calls.get(name)?)));
        let total: u64 = self.calls.values().sum();
        match listed(kinds.map(|(name, count)| format!("{count} {name}"))) {
            kinds if kinds.is_empty() => "  calls: 0".to_owned(),
            kinds => format!("  calls: {total} ({kinds})"),
        }
    }

    /// An event is tracked once for each call; it is credited while one of its credits stands.
    fn line_of_events(&self) -> String {
        let tracked = self.calls.get("track").copied().unwrap_or_default();
        let credited: HashSet<_> = self.credits.values().map(|credit| &credit.event_id).collect();
        let credits = counted(self.credits.len() as u64, "credit");
        format!("  events: {tracked} tracked, {} credited ({credits})", credited.len())
    }

    fn lines_of_credits(&self) -> Vec<String> {
        let mut totals: BTreeMap<(&str, &str), Total> = BTreeMap::new();
        for StandingCredit { shown, revenue_cents, .. } in self.credits.values() {
            let total = totals.entry((&shown.experiment_key, &shown.variation_key)).or_default();
            total.credits += 1;
            total.revenue_cents += i128::from(*revenue_cents);
        }
        let names: Vec<_> = totals.keys().map(|(left, right)| (name(left), name(right))).collect();
        let width = |of: fn(&(String, String)) -> &String| {
            names.iter().map(|names| of(names).chars().count()).max().unwrap_or_default()
        };
        let (left, right) = (width(|names| &names.0), width(|names| &names.1));
        let line = |((experiment, variation), total): (&(String, String), &Total)| {
            let revenue = match total.revenue_cents {
                0 => String::new(),
                cents => format!(", revenue {}", money(cents)),
            };
            let credits = counted(total.credits, "credit");
            format!("    {experiment:left$}  {variation:right$}  {credits}{revenue}")
        };
        names.iter().zip(totals.values()).map(line).collect()
    }
}
