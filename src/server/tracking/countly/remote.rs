//! Remote config and A/B tests: what the flags say for a device, and who takes part.
//!
//! Must not know how a decision is made. A parameter is a flag, with the value that OFREP would give it; or
//! an experiment of no flag, whose value is the key of the variation. To be told values exposes nobody: the
//! SDKs get all of them long before they use one. To take part does, and so does asking with `oi=1`.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::events::{attributes, device_id, shown_at_ms};
use super::listed::Tests;
use super::request::{Params, json as json_of};
use super::{Door, SYSTEM, payload};
use crate::client::{DecideOptions, Snapshot, UserContext};
use crate::clock::{TimeMs, system_time_ms};
use crate::datafile::{Datafile, Rule};
use crate::server::app::App;
use crate::server::environment::Environment;
use crate::server::ofrep::flag_value;
use crate::server::refusal::Refusal;
use crate::server::tracking::reading::text;
use crate::server::tracking::record::hand_over;
use crate::server::tracking::recording::{believed, user_id};
use crate::server::tracking::storing::{Seat, Storing};
use crate::server::tracking::unused::{AllUnused, Reason, Unused};
use crate::settings::OfrepSettings;

/// The method that asks for the SDK's own settings.
pub(super) const SETTINGS: &str = "sc";

const TOO_LONG: &str = "Parameter \"device_id\" is too long";

/// So many experiments are taken part in at once.
const MOST_KEYS: usize = 1000;

/// What needs decisions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    /// All values, and whether to take part in what is behind them.
    Values { takes_part: bool },
    /// To take part.
    TakePart,
    /// The variations of tests, and what they mean.
    Variants,
    /// The tests themselves.
    Experiments,
}

impl Method {
    pub(super) fn of(params: &Params) -> Option<Self> {
        let is_one = |value: &Value| value == "1" || value == 1 || value == "true" || value == true;
        Some(match text(params, "method")? {
            "rc" | "fetch_remote_config" => {
                Self::Values { takes_part: params.get("oi").is_some_and(is_one) }
            }
            "ab" | "ab_enroll" => Self::TakePart,
            "ab_fetch_variants" => Self::Variants,
            "ab_fetch_experiments" => Self::Experiments,
            _ => return None,
        })
    }
}

/// Whether a method tells something, wherever it comes in.
pub(super) fn is_told(method: &str) -> bool {
    matches!(method, "ab_enroll_variant" | "ab_opt_out")
}

/// No settings: the SDK keeps its own.
pub(super) fn settings(now_ms: TimeMs) -> Answer {
    Answer::Holds(json!({"v": 1, "t": now_ms, "c": {}}))
}

/// Answers when all is stored that it exposed, and what is told beside the question, also beside one that is refused.
pub(super) async fn answer(
    app: &App,
    environment: &Arc<Environment>,
    params: &Params,
    (method, door): (Method, Door),
) -> Result<Answer, Answer> {
    let mut storing = Storing::new(&app.room);
    let about = (environment, params);
    let (answer, mut unused) = decided(app, about, (method, door), &mut storing).await?;
    let payload = payload(app, environment, params);
    if payload.is_empty() {
        unused.extend(payload.unused);
    } else {
        unused.extend(hand_over(app, (environment, SYSTEM), payload, &mut storing).await?);
    }
    storing.all_stored().await?;
    unused.note(app, Some(environment), SYSTEM);
    Ok(answer)
}

/// Decides, and hands to the store whom that exposes. Gives what was of no use as well, but for what the request's
/// payload has of it.
pub(super) async fn decided(
    app: &App,
    (environment, params): (&Arc<Environment>, &Params),
    (method, door): (Method, Door),
    storing: &mut Storing,
) -> Result<(Answer, AllUnused), Refusal> {
    let snapshot = environment.client.snapshot();
    let datafile = snapshot.datafile().ok_or_else(Refusal::not_ready)?;
    let who = match Who::of(app, params) {
        Ok(who) => who,
        Err(of_no_use) => {
            let answer = match door {
                Door::Asks => Answer::noted_bad_request(TOO_LONG),
                Door::Tells => Answer::ignored(TOO_LONG),
            };
            return Ok((answer, of_no_use.into()));
        }
    };
    let user = who.user(&snapshot);
    let mut unused = AllUnused::default();
    let keys = keys(params, "keys");
    let mut remote = Remote { environment, datafile, user, settings: &app.settings.ofrep, storing };
    let answer = match method {
        Method::Values { takes_part } => {
            let omitted = self::keys(params, "omit_keys").unwrap_or_default();
            let is_asked_for = |key: &str| match &keys {
                Some(keys) if !keys.is_empty() => keys.contains(key),
                _ => !omitted.contains(key),
            };
            Answer::Holds(Value::Object(remote.values(is_asked_for, takes_part).await?))
        }
        Method::TakePart => match keys.filter(|keys| !keys.is_empty()) {
            Some(keys) => {
                unused.extend(remote.take_part_in_all(&keys).await?);
                Answer::success("Successfully enrolled in ab tests")
            }
            None if door == Door::Asks => Answer::bad_request("Missing Keys"),
            None => {
                unused.push(Unused::plain(Reason::NoName, "an enrolment without keys"));
                Answer::ignored("Missing Keys")
            }
        },
        Method::Variants => Answer::Holds(Tests::of(&remote).variants(&keys.unwrap_or_default())),
        Method::Experiments => Answer::Holds(Tests::of(&remote).experiments()),
    };
    Ok((answer, unused))
}

/// Who it is about, and when it is.
struct Who {
    user_id: String,
    attributes: Map<String, Value>,
    /// The SDK's clock dates what is done later, too.
    at_ms: TimeMs,
}

impl Who {
    fn of(app: &App, params: &Params) -> Result<Self, Unused> {
        let settings = app.in_force.now();
        let prefix = settings.tracking.user_prefixes.get(&SYSTEM).map_or("", String::as_str);
        let device_id = device_id(params).unwrap_or_default();
        let user_id = user_id(prefix, &device_id, "what nobody did")?;
        let attributes = attributes(params, &mut AllUnused::default());
        Ok(Self { user_id, attributes, at_ms: believed(shown_at_ms(params), system_time_ms()) })
    }

    fn user<'w>(&'w self, snapshot: &'w Snapshot<'w>) -> UserContext<'w> {
        let user = snapshot.user(&self.user_id).from_origin(SYSTEM.origin());
        user.with_all(&self.attributes).at(self.at_ms)
    }
}

/// A list of keys, as JSON, each once; what is no text in it names nothing.
fn keys(params: &Params, name: &str) -> Option<BTreeSet<String>> {
    let list = json_of(params, name)?;
    let texts = list.as_array()?.iter().filter_map(Value::as_str);
    Some(texts.map(str::to_owned).collect())
}

/// All that is decided for one device.
pub(super) struct Remote<'a> {
    environment: &'a Arc<Environment>,
    pub(super) datafile: &'a Arc<Datafile>,
    pub(super) user: UserContext<'a>,
    pub(super) settings: &'a OfrepSettings,
    storing: &'a mut Storing,
}

impl Remote<'_> {
    async fn values(
        &mut self,
        is_asked_for: impl Fn(&str) -> bool,
        takes_part: bool,
    ) -> Result<Map<String, Value>, Refusal> {
        let mut values = Map::new();
        let datafile = self.datafile;
        for flag in datafile.flags().iter().filter(|flag| is_asked_for(flag.key())) {
            let value = self.flag(flag.key(), takes_part).await?;
            values.extend(value.map(|value| (flag.key().into(), value)));
        }
        for experiment in lone(datafile).filter(|experiment| is_asked_for(experiment.key())) {
            let value = self.experiment(experiment.key(), takes_part).await?;
            values.extend(value.map(|value| (experiment.key().into(), value.into())));
        }
        Ok(values)
    }

    /// Gives what cannot be taken part in.
    async fn take_part_in_all(&mut self, keys: &BTreeSet<String>) -> Result<AllUnused, Refusal> {
        let mut unused = AllUnused::default();
        for key in keys.iter().take(MOST_KEYS) {
            if !self.take_part(key).await? {
                let what = "taking part in the experiment";
                unused.push(Unused::named(Reason::UnknownExperiment, what, key));
            }
        }
        for _ in keys.iter().skip(MOST_KEYS) {
            unused.push(Unused::plain(Reason::TooLarge, "a list of keys to take part in"));
        }
        Ok(unused)
    }

    /// Whether there is anything to take part in by this name.
    async fn take_part(&mut self, key: &str) -> Result<bool, Refusal> {
        if self.datafile.flag_index(key).is_some() {
            self.flag(key, true).await?;
            return Ok(true);
        }
        let by_id = || self.datafile.rule_by_id(key).map(|rule| rule.key().to_owned());
        let is_known = self.datafile.experiment_by_key(key).is_some();
        let Some(key) = is_known.then(|| key.to_owned()).or_else(by_id) else { return Ok(false) };
        self.experiment(&key, true).await?;
        Ok(true)
    }

    /// The value of a flag, if it has one; who is given none is shown nothing of it.
    async fn flag(&mut self, key: &str, takes_part: bool) -> Result<Option<Value>, Refusal> {
        let seat = self.seat(takes_part).await?;
        let unsettled = self.user.decide_unsettled(self.datafile, key, DecideOptions::NONE);
        let decision = unsettled.decision();
        let value = flag_value(decision, self.settings).ok().flatten();
        let value = value.filter(|_| !decision.is_error);
        let value = value.and_then(|value| serde_json::to_value(value).ok());
        let decision = unsettled.settle(takes_part && value.is_some());
        self.environment.figures.decided(&decision);
        if let Some(seat) = seat {
            self.storing.keep(seat, self.environment, decision.receipts)?;
        }
        Ok(value)
    }

    /// The variation of an experiment, if there is one.
    async fn experiment(&mut self, key: &str, takes_part: bool) -> Result<Option<String>, Refusal> {
        let Some(seat) = self.seat(takes_part).await? else {
            return Ok(self.user.get_variation(key).variation_key().map(str::to_owned));
        };
        let activated = self.user.activate(key);
        let variation = activated.variation_key().map(str::to_owned);
        if variation.is_some() {
            self.environment.figures.activated(&activated.receipt);
            self.storing.keep(seat, self.environment, [activated.receipt])?;
        }
        Ok(variation)
    }

    async fn seat(&mut self, takes_part: bool) -> Result<Option<Seat>, Refusal> {
        if !takes_part {
            return Ok(None);
        }
        self.storing.seat(self.environment).await.map(Some)
    }
}

/// Experiments that run and belong to no flag.
pub(super) fn lone(datafile: &Datafile) -> impl Iterator<Item = &Rule> {
    datafile.experiments().filter(|experiment| {
        experiment.is_running()
            && experiment.flag().is_none()
            && datafile.flag_index(experiment.key()).is_none()
    })
}
