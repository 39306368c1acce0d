//! What the status page shows: environments, traffic, sinks, the store, recent problems.
//!
//! Must not know how it comes about. States are words with a sign, never a colour alone.

use maud::{Markup, PreEscaped, html};

use super::words::{ago, count, moment, rate, span, until};
use super::{Refresh, SCRIPT};
use crate::clock::{TimeMs, system_time_ms};
use crate::error::Error;
use crate::events::without_its_words;
use crate::server::admin::environments::answer;
use crate::server::admin::stats::sinks;
use crate::server::admin::wire::{EnvironmentAnswer, SinkAnswer};
use crate::server::app::App;
use crate::server::problems::Problem;
use crate::server::refusal::error_chain;
use crate::server::traffic::{Counted, Rate};
use crate::store::{Statistics, Store as _};

/// More problems are at `/problems`.
const MOST_PROBLEMS: usize = 10;
/// The bars of the traffic: so many, of so many seconds each.
const BARS: usize = 60;
const BAR_SECONDS: usize = 10;

/// All that is shown, as of one moment.
pub(super) struct Overview {
    now_ms: TimeMs,
    uptime_seconds: u64,
    environments: Vec<EnvironmentAnswer>,
    rates: Vec<Rate>,
    bars: Vec<u64>,
    sinks: Vec<SinkAnswer>,
    store: Statistics,
    refusal: Option<String>,
    problems: Vec<Problem>,
}

impl Overview {
    pub(super) fn of(app: &App) -> Result<Self, Error> {
        let latest = app.store.retained()?.latest;
        Ok(Self {
            now_ms: system_time_ms(),
            uptime_seconds: app.started.elapsed().as_secs(),
            environments: app.environments.iter().map(|one| answer(one)).collect(),
            rates: app.figures.traffic.rates(),
            bars: app.figures.traffic.history(Counted::Requests, BARS, BAR_SECONDS),
            sinks: sinks(app, latest)?,
            store: app.store.statistics(),
            refusal: app.store.refusal().map(|refusal| error_chain(&refusal)),
            problems: app.problems.latest(),
        })
    }

    pub(super) fn page(&self, form: &Markup, nonce: &str, refresh: Refresh) -> Markup {
        html! {
            header {
                h1 { "Variate " span.faint { (env!("CARGO_PKG_VERSION")) } }
                p { (self.state()) " · up for " (span(self.uptime_seconds)) }
            }
            main {
                (self.environments())
                (self.traffic())
                (self.sinks())
                (self.store())
                (self.problems())
                (form)
            }
            footer {
                p { "As of " time { (moment(self.now_ms)) } ". " (refreshing(refresh)) }
                p {
                    a href="/metrics" { "metrics" } " · " a href="/settings" { "settings" } " · "
                    a href="/events/stats" { "store" } " · " a href="/problems" { "problems" } " · "
                    a href="/openapi.json" { "all that can be asked" }
                }
            }
            @if refresh == Refresh::Script { script nonce=(nonce) { (PreEscaped(SCRIPT)) } }
        }
    }

    fn state(&self) -> Markup {
        let is = |state: &str| self.environments.iter().any(|one| one.state == state);
        if self.refusal.is_some() || is("never-loaded") {
            return sign("bad", "✕", "not ready");
        }
        if is("stale") { sign("warn", "▲", "stale") } else { sign("good", "●", "ready") }
    }

    fn environments(&self) -> Markup {
        html! {
            section id="environments" {
                h2 { "Environments" }
                table {
                    thead { tr {
                        th scope="col" { "Name" } th scope="col" { "State" } th scope="col" { "Revision" }
                        th scope="col" { "Confirmed" } th scope="col" { "Source" }
                    } }
                    tbody { @for environment in &self.environments { (environment_row(environment, self.now_ms)) } }
                }
            }
        }
    }

    fn traffic(&self) -> Markup {
        html! {
            section id="traffic" {
                h2 { "Traffic" }
                (bars(&self.bars))
                p.faint { "Requests to the API over the last 10 minutes, 10 s a bar" }
                table.narrow {
                    thead { tr {
                        th scope="col" { "A second" } th.number scope="col" { "10 s" }
                        th.number scope="col" { "1 min" } th.number scope="col" { "10 min" }
                        th.number scope="col" { "In all" }
                    } }
                    tbody { @for rate in &self.rates { (rate_row(rate)) } }
                }
            }
        }
    }

    fn sinks(&self) -> Markup {
        html! {
            section id="sinks" {
                h2 { "Sinks and queues" }
                @if self.sinks.is_empty() {
                    p { "There is no sink: records are kept, and can be read at "
                        a href="/events/tail" { "/events/tail" } "." }
                } @else {
                    table {
                        thead { tr {
                            th scope="col" { "Sink" } th scope="col" { "State" } th.number scope="col" { "Waiting" }
                            th scope="col" { "The oldest" } th.number scope="col" { "Delivered" }
                            th.number scope="col" { "Dead letters" }
                        } }
                        tbody { @for sink in &self.sinks { (sink_row(sink, self.now_ms)) } }
                    }
                }
            }
        }
    }

    fn store(&self) -> Markup {
        let store = &self.store;
        let held = [
            ("Users", store.users),
            ("Activations", store.activations),
            ("Pending events", store.pending_events),
            ("Ids", store.ids),
            ("Records waiting", store.waiting_records),
            ("Dead letters", store.dead_letters),
            ("Crossovers", store.crossovers),
            ("Events of unknown users", store.unknown_user_events),
        ];
        html! {
            section id="store" {
                h2 { "Store" }
                p { @match &self.refusal {
                    None => (sign("good", "●", "takes what is recorded")),
                    Some(why) => { (sign("bad", "✕", "takes nothing")) ": " (why) }
                } }
                dl { @for (what, held) in held { div { dt { (what) } dd { (count(held)) } } } }
            }
        }
    }

    fn problems(&self) -> Markup {
        html! {
            section id="problems" {
                h2 { "Recent problems" }
                @if self.problems.is_empty() { p { "None since the start." } }
                ol { @for problem in self.problems.iter().take(MOST_PROBLEMS) {
                    li {
                        strong { (problem.kind.as_str()) " " (problem.about) } " "
                        span.faint title=(moment(problem.last_at_ms)) {
                            (ago(problem.last_at_ms, self.now_ms))
                            @if problem.count > 1 { ", " (count(problem.count)) " times" }
                        }
                        p { (problem.text) }
                    }
                } }
            }
        }
    }
}

/// A state: its sign and its word.
fn sign(kind: &str, sign: &str, word: &str) -> Markup {
    html! { span.state.(kind) { span aria-hidden="true" { (sign) } " " (word) } }
}

fn environment_row(environment: &EnvironmentAnswer, now_ms: TimeMs) -> Markup {
    let state = match environment.state {
        "fresh" => sign("good", "●", "fresh"),
        "stale" => sign("warn", "▲", "stale"),
        _ => sign("bad", "✕", "never loaded"),
    };
    let none = "none";
    html! {
        tr {
            th scope="row" { (environment.name) }
            td data-label="State" { div { (state)
                @if let Some(revision) = &environment.held_back_revision {
                    p.warn { "▲ revision " (revision) " is lower, and held back until it is accepted" }
                }
                @if let Some(problem) = &environment.problem { p.bad { "✕ " (problem) } }
            } }
            td data-label="Revision" { div { (environment.revision.as_deref().unwrap_or(none))
                @if environment.findings > 0 { p.faint { (count(environment.findings as u64)) " findings" } }
            } }
            td data-label="Confirmed" { @match environment.age_seconds {
                Some(age) => (format!("{} ago", span(age))),
                None => "never"
            } }
            td data-label="Source" { div { (environment.source.as_deref().unwrap_or(none))
                @if let Some(next_ms) = environment.next_attempt_at {
                    p.faint { "asked again " (until(next_ms, now_ms)) }
                }
            } }
        }
    }
}

fn rate_row(shown: &Rate) -> Markup {
    let what = match shown.counted {
        Counted::Requests => "Requests",
        Counted::Failed => "Failed requests (5xx)",
        Counted::Decisions => "Decisions",
        Counted::Activations => "Activations",
        Counted::Events => "Events",
        Counted::Conversions => "Conversions",
    };
    let [now, minute, minutes] = shown.per_second;
    html! {
        tr {
            th scope="row" { (what) }
            td.number data-label="10 s" { (rate(now)) }
            td.number data-label="1 min" { (rate(minute)) }
            td.number data-label="10 min" { (rate(minutes)) }
            td.number data-label="In all" { (count(shown.total)) }
        }
    }
}

fn sink_row(sink: &SinkAnswer, now_ms: TimeMs) -> Markup {
    let state = match sink.state {
        "stopped" => sign("bad", "✕", "stopped"),
        "left-out" => sign("warn", "▲", "left out of this run"),
        "delivering" => sign("good", "●", "delivering"),
        _ => sign("good", "●", "waiting"),
    };
    let oldest = sink.oldest_waiting_seconds.map_or("–".to_owned(), span);
    html! {
        tr {
            th scope="row" { (sink.name) }
            td data-label="State" { div { (state)
                @if let Some(at_ms) = sink.next_attempt_at { p.faint { "asked again " (until(at_ms, now_ms)) } }
                @if let (Some(error), "stopped") = (&sink.last_error, sink.state) { p.bad { "✕ " (without_its_words(error)) } }
                @if let Some(warning) = &sink.last_warning { p.warn { "▲ " (warning) } }
            } }
            td.number data-label="Waiting" { (count(sink.waiting)) }
            td data-label="The oldest" { (oldest) }
            td.number data-label="Delivered" { (count(sink.delivered)) }
            td.number data-label="Dead letters" { (count(sink.dead_letters)) }
        }
    }
}

/// One bar each; the highest fills the height.
fn bars(counts: &[u64]) -> Markup {
    let most = counts.iter().copied().max().unwrap_or_default();
    let height = |count: u64| if most == 0 { 0 } else { (count * 38).div_ceil(most) };
    html! {
        svg viewBox={ "0 0 " (counts.len() * 4) " 40" } preserveAspectRatio="none" role="img"
            aria-label={ "Requests of the last 10 minutes; at most " (count(most)) " in 10 s" } {
            line x1="0" y1="39.5" x2=(counts.len() * 4) y2="39.5" stroke-width="1" {}
            @for (place, &times) in counts.iter().enumerate() {
                rect x=(place * 4) y=(39 - height(times)) width="3" height=(height(times)) {
                    title { (count(times)) }
                }
            }
        }
    }
}

fn refreshing(refresh: Refresh) -> Markup {
    html! {
        @match refresh {
            Refresh::Every(seconds) => {
                "Looked at again every " (span(seconds)) ": " a href="/" { "stop" }
            }
            Refresh::Never => a href="/" { "Back to the status" },
            Refresh::Script => noscript { a href="/?refresh=10" { "Look again every 10 s" } }
        }
    }
}
