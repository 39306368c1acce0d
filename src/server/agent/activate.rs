//! `POST /v1/activate`: experiments and flags with the exposure recorded, acknowledged when it is stored.
//!
//! Must not know how a decision is made.

use axum::response::{IntoResponse as _, Response};

use super::chosen::{Chosen, check_repeated, user};
use super::wire::{ActivateBody, ActivationAnswer, OwnedVariables};
use crate::client::{DecideOptions, UserContext};
use crate::datafile::Datafile;
use crate::decide::Source;
use crate::error::Error;
use crate::server::answer::{By, Json};
use crate::server::asked::{Asked, Said};
use crate::server::figures::EnvironmentFigures;
use crate::server::refusal::Refusal;
use crate::store::Receipt;

const EXPERIMENT: &str = "experiment";
const FEATURE: &str = "feature";

pub(in crate::server) async fn activate(
    Chosen(environment): Chosen,
    asked: Asked,
    Said(body): Said<ActivateBody>,
) -> Result<Response, Refusal> {
    let user_id = body.user_id.as_deref().filter(|id| !id.is_empty());
    let user_id = user_id.ok_or_else(Refusal::missing_user)?;
    let snapshot = environment.client.snapshot();
    let datafile = snapshot.datafile().ok_or_else(Refusal::not_ready)?;
    let wanted = Wanted::read(&asked, datafile)?;
    check_repeated(wanted.experiments.len() + wanted.features.len(), user_id, None)?;
    let mut activating = Activating {
        user: user(&snapshot, user_id, body.user_attributes.as_ref()),
        datafile,
        figures: &environment.figures,
        is_recorded: !asked.is_true("disableTracking"),
        receipts: Vec::new(),
    };
    let experiments = wanted.experiments.iter().map(|key| (*key, EXPERIMENT));
    let features = wanted.features.iter().map(|key| (*key, FEATURE));
    let mut answers: Vec<_> = experiments
        .chain(features)
        .map(|(key, kind)| match kind {
            EXPERIMENT => activating.experiment(key),
            _ => activating.feature(key),
        })
        .collect();
    let receipts = std::mem::take(&mut activating.receipts);
    drop(activating);
    let are_several = receipts.len() > 1;
    let storing = async {
        check_stored(receipts).await.map_err(|cause| {
            let refusal = environment.not_stored(&cause);
            if are_several { Refusal::not_all_stored() } else { refusal }
        })
    };
    environment.in_time(storing).await?;
    match asked.first("enabled") {
        Some("true") => answers.retain(|answer| answer.enabled),
        Some("false") => answers.retain(|answer| !answer.enabled),
        _ => {}
    }
    Ok(By(&environment, datafile.revision(), Json(answers)).into_response())
}

/// Waits for all of them: of several some may be stored, and their fate is known when it is answered.
async fn check_stored(receipts: Vec<Receipt>) -> Result<(), Error> {
    let mut stored = Ok(());
    for receipt in receipts {
        stored = stored.and(receipt.await);
    }
    stored
}

/// Keys in the order in which they are answered, each once.
struct Wanted<'a> {
    experiments: Vec<&'a str>,
    features: Vec<&'a str>,
}

impl<'a> Wanted<'a> {
    fn read(asked: &'a Asked, datafile: &'a Datafile) -> Result<Self, Refusal> {
        let mut wanted = Self { experiments: Vec::new(), features: Vec::new() };
        for kind in asked.all("type") {
            match kind {
                EXPERIMENT => {
                    datafile
                        .experiments()
                        .for_each(|rule| add(&mut wanted.experiments, rule.key()));
                }
                FEATURE => {
                    datafile.flags().iter().for_each(|flag| add(&mut wanted.features, flag.key()));
                }
                _ => return Err(Refusal::bad_request(format!("type {kind:?} not supported"))),
            }
        }
        asked.all("experimentKey").for_each(|key| add(&mut wanted.experiments, key));
        asked.all("featureKey").for_each(|key| add(&mut wanted.features, key));
        Ok(wanted)
    }
}

fn add<'a>(keys: &mut Vec<&'a str>, key: &'a str) {
    if !keys.contains(&key) {
        keys.push(key);
    }
}

struct Activating<'a> {
    user: UserContext<'a>,
    datafile: &'a Datafile,
    figures: &'a EnvironmentFigures,
    is_recorded: bool,
    receipts: Vec<Receipt>,
}

impl Activating<'_> {
    fn experiment(&mut self, key: &str) -> ActivationAnswer {
        let answer = self.about(key, "");
        if self.datafile.experiment_by_key(key).is_none() {
            return ActivationAnswer { error: Some("experimentKey not found"), ..answer };
        }
        let variation_key = if self.is_recorded {
            let activated = self.user.activate(key);
            let variation_key = activated.variation_key().map(str::to_owned);
            if variation_key.is_some() {
                self.figures.activated(&activated.receipt);
                self.receipts.push(activated.receipt);
            }
            variation_key
        } else {
            self.user.get_variation(key).variation_key().map(str::to_owned)
        };
        ActivationAnswer {
            enabled: variation_key.is_some(),
            variation_key: variation_key.unwrap_or_default(),
            r#type: EXPERIMENT,
            ..answer
        }
    }

    fn feature(&mut self, key: &str) -> ActivationAnswer {
        let answer = self.about("", key);
        if self.datafile.flag_by_key(key).is_none() {
            return ActivationAnswer { error: Some("featureKey not found"), ..answer };
        }
        let options = if self.is_recorded {
            DecideOptions::NONE
        } else {
            DecideOptions::DISABLE_DECISION_EVENT
        };
        let decision = self.user.decide_with(key, options);
        self.figures.decided(&decision);
        self.receipts.extend(decision.receipts);
        // What a rollout decides is no experiment.
        let is_test = decision.source != Some(Source::Rollout);
        let of_test = |key: Option<String>| key.filter(|_| is_test).unwrap_or_default();
        ActivationAnswer {
            experiment_key: of_test(decision.rule_key),
            variation_key: of_test(decision.variation_key),
            enabled: decision.enabled,
            variables: OwnedVariables::new(decision.variables),
            r#type: FEATURE,
            ..answer
        }
    }

    fn about(&self, experiment_key: &str, feature_key: &str) -> ActivationAnswer {
        ActivationAnswer {
            user_id: self.user.id().to_owned(),
            experiment_key: experiment_key.to_owned(),
            feature_key: feature_key.to_owned(),
            ..ActivationAnswer::default()
        }
    }
}
