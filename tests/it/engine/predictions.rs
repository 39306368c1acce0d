//! Contextual bandits: who is asked, what an answer does, and what none does.

use std::sync::{Arc, Mutex};

use super::world::{World, brief, datafile};
use variate::client::{PredictedVariation, PredictionRequest, Predictor, ServiceError};
use variate::events::{AttributionMode, event_api_request};
use variate::{Client, DecideOptions};

#[derive(Debug, Clone, Copy)]
enum Answer {
    Variation(&'static str),
    Error,
    Panic,
}

/// Gives one answer, and keeps what it was asked.
struct Fixed {
    answer: Answer,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Predictor for Fixed {
    fn predict(&self, request: &PredictionRequest<'_>) -> Result<PredictedVariation, ServiceError> {
        let keys: Vec<&str> = request.attributes.iter().map(|attribute| attribute.key()).collect();
        let asked =
            format!("{} {} {} {keys:?}", request.rule_id, request.rule_key, request.user_id);
        self.asked.lock().unwrap().push(asked);
        match self.answer {
            Answer::Variation(id) => Ok(PredictedVariation {
                variation_id: id.into(),
                prediction_id: Some("p-1".into()),
            }),
            Answer::Error => Err("no model".into()),
            Answer::Panic => panic!("the predictor panics"),
        }
    }
}

struct Case {
    world: World,
    asked: Arc<Mutex<Vec<String>>>,
}

fn case(answer: Option<Answer>) -> Case {
    let asked = Arc::default();
    let world = World::with(|builder| {
        let builder = builder.datafile(datafile());
        match answer {
            Some(answer) => builder.predictor(Fixed { answer, asked: Arc::clone(&asked) }),
            None => builder,
        }
    });
    Case { world, asked }
}

/// The decision of `offer`, the prediction's id in its impression (if there is one), and failures.
fn check(
    answer: Option<Answer>,
    decision: &str,
    prediction_id: Option<Option<&str>>,
    failures: u64,
) {
    let case = case(answer);
    let client: &Client = &case.world.client;
    let user = client.user("u").with("country", "SE").with("plan", "gold").with("undeclared", 1);
    let decided = user.decide("offer");
    assert_eq!(brief(&decided), decision, "{answer:?}");
    let impressions = case.world.records();
    assert_eq!(impressions.len(), usize::from(prediction_id.is_some()), "{answer:?}");
    assert_eq!(decided.receipts.len(), impressions.len());
    if let Some(prediction_id) = prediction_id {
        assert_eq!(case.world.impression().prediction_id.as_deref(), prediction_id);
        let request = event_api_request(&impressions[0], AttributionMode::Backend).unwrap();
        let metadata = &request.body["visitors"][0]["snapshots"][0]["decisions"][0]["metadata"];
        assert_eq!(metadata.get("cmab_uuid").and_then(|id| id.as_str()), prediction_id);
    }
    if decided.is_error {
        assert_eq!(decided.reasons, ["Failed to fetch CMAB data for experiment bandit."]);
    }
    assert_eq!(client.statistics().service_failures, failures, "{answer:?}");
    let asked = if answer.is_some() { vec!["12 bandit u [\"plan\"]".to_owned()] } else { vec![] };
    assert_eq!(*case.asked.lock().unwrap(), asked, "asked once, with what the rule may use");
}

#[test]
fn answers_and_none() {
    let error = "- - error -";
    check(None, error, None, 0);
    check(Some(Answer::Variation("122")), "second bandit on -", Some(Some("p-1")), 0);
    check(Some(Answer::Variation("121")), "first bandit on -", Some(Some("p-1")), 0);
    check(Some(Answer::Variation("999")), "rest everyone on -", Some(None), 0);
    check(Some(Answer::Error), error, None, 1);
    check(Some(Answer::Panic), error, None, 1);
}

#[test]
fn an_error_decision_is_off_everywhere_and_sends_nothing() {
    let case = case(None);
    let user = case.world.client.user("u");
    assert!(!user.is_feature_enabled("offer"));
    assert_eq!(user.get_variation("bandit").variation_key(), None);
    assert_eq!(user.activate("bandit").variation_key(), None);
    let all = user.decide_for_keys(&["offer"], DecideOptions::ENABLED_FLAGS_ONLY);
    assert_eq!(all.iter().map(brief).collect::<Vec<_>>(), ["- - error -"]);
    assert!(case.world.records().is_empty());
    assert_eq!(
        user.explain("offer").map(|explanation| explanation.reasons().is_empty()),
        Some(false)
    );
}

#[test]
fn calls_on_experiments_are_predicted_too() {
    let case = case(Some(Answer::Variation("122")));
    let user = case.world.client.user("u");
    assert_eq!(user.get_variation("bandit").variation_key(), Some("second"));
    assert_eq!(user.activate("bandit").variation_key(), Some("second"));
    assert_eq!(case.world.impression().prediction_id.as_deref(), Some("p-1"));
    assert_eq!(case.asked.lock().unwrap().len(), 2);
    let decided = user.decide_with("offer", DecideOptions::INCLUDE_REASONS);
    assert_eq!(brief(&decided), "second bandit on -");
    assert_eq!(case.asked.lock().unwrap().len(), 3, "also the traced decision asks once");
}

#[test]
fn nobody_is_asked_where_the_variation_is_chosen() {
    let case = case(Some(Answer::Panic));
    let user = case.world.client.user("u");
    assert!(user.set_forced_variation("bandit", Some("second")));
    assert_eq!(brief(&user.decide("offer")), "second bandit on -");
    assert_eq!(case.world.impression().prediction_id, None);
    assert!(case.asked.lock().unwrap().is_empty());
}
