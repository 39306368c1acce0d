//! `POST /v1/decide`: flags with variation, variables and reasons.
//!
//! Must not know how a decision is made. It always answers: where the store does not take an impression,
//! the decision says `"recorded": false`.

use axum::response::{IntoResponse as _, Response};
use serde_json::Map;

use super::chosen::{Chosen, check_repeated, user};
use super::wire::{
    DecideBody, DecisionAnswer, ForcedDecisionBody, ReasonsAnswer, UserAnswer, VariablesAnswer,
};
use crate::client::{DecideOptions, Decision, UserContext};
use crate::datafile::Datafile;
use crate::server::answer::{By, Json};
use crate::server::asked::{Asked, Said};
use crate::server::explained::explained;
use crate::server::refusal::Refusal;

/// How the keys of rules begin that Optimizely makes for everyone else.
const DEFAULT_RULE: &str = "default-";

pub(in crate::server) async fn decide(
    Chosen(environment): Chosen,
    asked: Asked,
    Said(body): Said<DecideBody>,
) -> Result<Response, Refusal> {
    let user_id = body.user_id.as_deref().filter(|id| !id.is_empty());
    let user_id = user_id.ok_or_else(Refusal::missing_user)?;
    let mut options = options(body.decide_options.as_deref().unwrap_or_default())?;
    if asked.is_true("explain") {
        options = options | DecideOptions::EXPLAIN;
    }
    if body.fetch_segments == Some(true) {
        // As Optimizely Agent answers where its real-time segments are not set up.
        return Err(Refusal::not_set_up("failed to fetch qualified segments"));
    }
    let snapshot = environment.client.snapshot();
    let mut user = user(&snapshot, user_id, body.user_attributes.as_ref());
    for forced in body.forced_decisions.as_deref().unwrap_or_default() {
        let ForcedDecisionBody { flag_key, rule_key, variation_key } = forced;
        let flag_key = flag_key.as_deref().unwrap_or_default();
        let rule_key = rule_key.as_deref().filter(|key| !key.is_empty());
        user.set_forced_decision(flag_key, rule_key, variation_key.as_deref().unwrap_or_default());
    }
    let keys: Vec<&str> = asked.all("keys").collect();
    let flags = snapshot.datafile().map_or(0, |datafile| datafile.flags().len());
    let parts = if keys.is_empty() { flags } else { keys.len() };
    check_repeated(parts, user_id, body.user_attributes.as_ref())?;
    let no_attributes = Map::new();
    let answering = Answering {
        user: &user,
        shown: UserAnswer {
            user_id,
            attributes: body.user_attributes.as_ref().unwrap_or(&no_attributes),
        },
        datafile: snapshot.datafile().map(|datafile| &**datafile),
    };
    let revision = answering.datafile.map_or("", Datafile::revision);
    if let [key] = keys.as_slice() {
        let decision = user.decide_with(key, options);
        environment.figures.decided(&decision);
        let answer = Json(answering.answer(&decision));
        return Ok(By(&environment, revision, answer).into_response());
    }
    let decisions = if keys.is_empty() {
        user.decide_all(options)
    } else {
        user.decide_for_keys(&keys, options)
    };
    decisions.iter().for_each(|decision| environment.figures.decided(decision));
    let answers: Vec<_> = decisions.iter().map(|decision| answering.answer(decision)).collect();
    Ok(By(&environment, revision, Json(answers)).into_response())
}

fn options(names: &[String]) -> Result<DecideOptions, Refusal> {
    names.iter().try_fold(DecideOptions::NONE, |options, name| {
        let option = DecideOptions::parse(name);
        let wrong = || Refusal::bad_request(format!("invalid option: {name}"));
        Ok(options | option.ok_or_else(wrong)?)
    })
}

/// What all decisions of an answer have in common.
struct Answering<'a, 'u> {
    user: &'a UserContext<'u>,
    shown: UserAnswer<'a>,
    datafile: Option<&'a Datafile>,
}

impl Answering<'_, '_> {
    fn answer<'d>(&'d self, decision: &'d Decision) -> DecisionAnswer<'d> {
        let rule_key = decision.rule_key.as_deref().unwrap_or_default();
        let was_refused = decision.receipts.iter().any(|receipt| receipt.refusal().is_some());
        DecisionAnswer {
            variation_key: decision.variation_key.as_deref().unwrap_or_default(),
            enabled: decision.enabled,
            rule_key,
            flag_key: &decision.flag_key,
            user_context: self.shown,
            reasons: ReasonsAnswer::new(Some(&decision.variables), &decision.reasons),
            variables: VariablesAnswer::of(decision),
            is_everyone_else_variation: self.is_for_everyone_else(&decision.flag_key, rule_key),
            recorded: was_refused.then_some(false),
            explanation: explained(self.user, decision),
        }
    }

    /// Whether a rule is the one that Optimizely made for everyone whom no other rule takes.
    fn is_for_everyone_else(&self, flag_key: &str, rule_key: &str) -> bool {
        if !rule_key.starts_with(DEFAULT_RULE) {
            return false;
        }
        let Some(datafile) = self.datafile else { return false };
        let flag = datafile.flag_by_key(flag_key);
        let rollout = flag.map(|flag| flag.rollout()).unwrap_or_default();
        let mut rules = rollout.iter().filter_map(|index| datafile.rule(*index));
        rules.find(|rule| rule.key() == rule_key).is_some_and(|rule| rule.id() == rule_key)
    }
}
