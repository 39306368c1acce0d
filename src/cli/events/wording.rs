//! Records and times in words, for people.
//!
//! Must not know where records come from.

use jiff::Timestamp;

use crate::attribution::{ConversionRecord, Credit, ImpressionRecord, Record, Shown};
use crate::cli::words::{listed, money, name};
use crate::clock::TimeMs;

/// A date and time in UTC: `2026-03-02 09:00:00`.
pub(super) fn moment(time_ms: TimeMs) -> String {
    let format = if time_ms % 1000 == 0 { "%Y-%m-%d %H:%M:%S" } else { "%Y-%m-%d %H:%M:%S%.3f" };
    match Timestamp::from_millisecond(time_ms) {
        Ok(time) => time.strftime(format).to_string(),
        Err(_) => format!("{time_ms} ms"),
    }
}

/// Who, what and in which environment, in a line.
pub(super) fn record_words(record: &Record) -> String {
    let about = record.about();
    let what = match record {
        Record::Impression(record) => impression_words(record),
        Record::Conversion(record) => conversion_words(record),
    };
    format!("{}  {}  {what}", name(&about.environment), name(&about.user_id))
}

fn impression_words(record: &ImpressionRecord) -> String {
    let shown = record.shown.as_ref();
    let what = match (&record.flag_key, shown) {
        (_, Some(shown)) if record.is_activation => shown_words(shown),
        (Some(flag), Some(shown)) => format!("{}: {}", name(flag), name(&shown.variation_key)),
        (Some(flag), None) => format!("{}: nothing", name(flag)),
        (None, Some(shown)) => shown_words(shown),
        (None, None) => "nothing".to_owned(),
    };
    let verb = if record.is_activation { "activated in" } else { "shown" };
    let forced = if record.is_forced { ", forced" } else { "" };
    let again = if record.is_activation && !record.first { ", again" } else { "" };
    format!("{verb} {what}{forced}{again}")
}

fn conversion_words(record: &ConversionRecord) -> String {
    let event = &record.event;
    let revenue = event.revenue_cents.map(|cents| format!(" ({})", money(cents.into())));
    let late = if record.late { "late, " } else { "" };
    let credits = match &*record.credits {
        [] => "no credits".to_owned(),
        credits => listed(credits.iter().map(credit_words)),
    };
    format!("{}{} -> {late}{credits}", name(&event.key), revenue.unwrap_or_default())
}

fn credit_words(credit: &Credit) -> String {
    let shown = shown_words(&credit.experiment);
    match (credit.withdrawn, credit.replaces) {
        (true, _) => format!("{shown} (withdrawn)"),
        (false, true) => format!("{shown} (corrected)"),
        (false, false) => shown,
    }
}

/// `checkout_button: green`.
pub(super) fn shown_words(shown: &Shown) -> String {
    format!("{}: {}", name(&shown.experiment_key), name(&shown.variation_key))
}
