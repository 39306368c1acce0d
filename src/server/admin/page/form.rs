//! The form that decides for one user, and what came of it.
//!
//! Must not know how a decision is made.

use std::sync::Arc;

use maud::{Markup, html};

use super::decided::{Outcome, Shown};
use crate::server::app::App;
use crate::server::environment::Environment;

/// More keys are not offered; they can be typed.
const MOST_OFFERED: usize = 300;

/// What stands in the form.
#[derive(Debug, Default)]
pub(super) struct Filled {
    pub(super) environment: String,
    pub(super) user: String,
    pub(super) key: String,
    pub(super) attributes: String,
}

impl Filled {
    /// Before anybody wrote anything.
    pub(super) fn first(app: &App) -> Self {
        let environment = app.environments.iter().next().map(|first| first.name().to_owned());
        Self { environment: environment.unwrap_or_default(), ..Self::default() }
    }

    pub(super) fn of(pairs: Vec<(String, String)>) -> Self {
        let mut filled = Self::default();
        for (name, value) in pairs {
            match name.as_str() {
                "environment" => filled.environment = value,
                "user" => filled.user = value,
                "key" => filled.key = value,
                "attributes" => filled.attributes = value,
                _ => {}
            }
        }
        filled
    }
}

pub(super) fn form(app: &App, filled: &Filled, outcome: Option<&Outcome>) -> Markup {
    let chosen = app.environments.iter().find(|one| one.name() == filled.environment);
    html! {
        section id="decide" {
            h2 { "Decide for one user" }
            p.faint { "Nothing is recorded." }
            form method="post" action="/decide#decide" autocomplete="off" {
                label {
                    "Environment"
                    select name="environment" {
                        @for environment in app.environments.iter() {
                            option value=(environment.name()) selected[environment.name() == filled.environment] {
                                (environment.name())
                            }
                        }
                    }
                }
                label {
                    "Flag or experiment"
                    input name="key" list="keys" required value=(filled.key);
                }
                datalist id="keys" {
                    @for key in chosen.map(keys).unwrap_or_default() { option value=(key) {} }
                }
                label { "User id" input name="user" required value=(filled.user); }
                label.wide {
                    "Attributes " span { "a JSON object, or key=value, one a line" }
                    textarea name="attributes" rows="3" spellcheck="false" { (filled.attributes) }
                }
                div.wide { button { "Decide" } }
            }
            @match outcome {
                Some(Outcome::Wrong(text) | Outcome::Unknown(text)) => p.bad role="alert" { "✕ " (text) },
                Some(Outcome::Decided(shown)) => (shown_markup(shown)),
                None => {}
            }
        }
    }
}

fn shown_markup(shown: &Shown) -> Markup {
    html! {
        h3 { "The decision" }
        dl id="decision" {
            @for (what, said) in &shown.said {
                div { dt { (what) } dd { (said) } }
            }
        }
        @if !shown.variables.is_empty() {
            h3 { "Variables" }
            dl {
                @for (key, value) in &shown.variables { div { dt { (key) } dd { code { (value) } } } }
            }
        }
        h3 { "Why" }
        pre id="explanation" tabindex="0" { (shown.explanation) }
    }
}

/// The keys of an environment: flags first.
fn keys(environment: &Arc<Environment>) -> Vec<String> {
    let Some(datafile) = environment.client.datafile() else { return Vec::new() };
    let flags = datafile.flags().iter().map(|flag| flag.key().to_owned());
    let experiments = datafile.experiments().map(|rule| rule.key().to_owned());
    flags.chain(experiments).take(MOST_OFFERED).collect()
}
