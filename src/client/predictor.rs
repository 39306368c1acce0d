//! Predictions for contextual bandits: the caller's function.
//!
//! Must not know how decisions use them.

use super::profile::ServiceError;
use crate::targeting::Attribute;

/// Answers which variation a contextual bandit should show.
///
/// Without one, or when it fails, a flag that reaches a contextual bandit gets the error decision.
pub trait Predictor: Send + Sync {
    /// The prediction for one rule and user.
    ///
    /// # Errors
    ///
    /// Whatever keeps it from answering.
    fn predict(&self, request: &PredictionRequest<'_>) -> Result<PredictedVariation, ServiceError>;
}

impl<F> Predictor for F
where
    F: Fn(&PredictionRequest<'_>) -> Result<PredictedVariation, ServiceError> + Send + Sync,
{
    fn predict(&self, request: &PredictionRequest<'_>) -> Result<PredictedVariation, ServiceError> {
        self(request)
    }
}

/// What a prediction is asked for.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct PredictionRequest<'a> {
    /// The rule's id.
    pub rule_id: &'a str,
    /// The rule's key.
    pub rule_key: &'a str,
    /// The user.
    pub user_id: &'a str,
    /// Those of the user's attributes that the rule's prediction may use.
    pub attributes: Vec<Attribute<'a>>,
}

/// A prediction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PredictedVariation {
    /// The id of the variation to show.
    pub variation_id: Box<str>,
    /// The service's id of the prediction, sent with the impression.
    pub prediction_id: Option<Box<str>>,
}
