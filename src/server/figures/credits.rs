//! Credits by experiment, with a limit: datafiles come and go, and so do their experiments.
//!
//! Must not know what a credit is for.

use std::sync::Arc;

use hashbrown::HashMap;
use metrics::{Counter, SharedString, counter, describe_counter};
use parking_lot::Mutex;

const CREDITS: &str = "variate_credits_total";
/// Experiments beyond so many are counted together, for each environment.
const MOST_EXPERIMENTS: usize = 500;
/// The experiment of those.
const OTHERS: &str = "(others)";

pub(super) fn describe() {
    describe_counter!(
        CREDITS,
        "Credits at tracking, by experiment: the first 500 of an environment since the start, and (others)"
    );
}

/// The counters of an environment.
pub(super) struct CreditFigures {
    environment: SharedString,
    by_experiment: Mutex<HashMap<Arc<str>, Counter>>,
}

impl CreditFigures {
    pub(super) fn new(environment: SharedString) -> Self {
        Self { environment, by_experiment: Mutex::default() }
    }

    /// To be called with the recorder in place.
    pub(super) fn count(&self, experiment_key: &Arc<str>) {
        let mut by_experiment = self.by_experiment.lock();
        if let Some(counter) = by_experiment.get(experiment_key) {
            return counter.increment(1);
        }
        let is_full = by_experiment.len() >= MOST_EXPERIMENTS;
        let key = if is_full { Arc::from(OTHERS) } else { Arc::clone(experiment_key) };
        let counter = by_experiment.entry(key).or_insert_with_key(|key| {
            let environment = self.environment.clone();
            let experiment = SharedString::from(Arc::clone(key));
            counter!(CREDITS, "environment" => environment, "experiment" => experiment)
        });
        counter.increment(1);
    }
}

#[cfg(test)]
mod tests {
    //! The limit.

    use metrics::with_local_recorder;
    use metrics_exporter_prometheus::PrometheusBuilder;

    use super::{CreditFigures, MOST_EXPERIMENTS};

    #[test]
    fn experiments_beyond_the_limit_are_counted_together() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let figures = CreditFigures::new("production".into());
        with_local_recorder(&recorder, || {
            for number in 0..MOST_EXPERIMENTS + 7 {
                figures.count(&format!("experiment-{number}").into());
            }
            figures.count(&"experiment-0".into());
        });
        let page = recorder.handle().render();
        let lines: Vec<_> = page.lines().filter(|line| !line.starts_with('#')).collect();
        let check = |experiment: &str, expect: u64| {
            let line = format!(
                "variate_credits_total{{environment=\"production\",experiment=\"{experiment}\"}} {expect}"
            );
            assert!(lines.iter().any(|found| **found == *line), "no {line} in {page}");
        };
        check("experiment-0", 2);
        check("experiment-1", 1);
        check("(others)", 7);
        assert_eq!(lines.iter().filter(|line| !line.is_empty()).count(), MOST_EXPERIMENTS + 1);
    }
}
