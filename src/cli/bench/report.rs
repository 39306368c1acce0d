//! What was measured, in words and as JSON.
//!
//! Must not know how it was measured, beyond saying it.

use std::num::NonZero;
use std::thread;

use serde_json::{Value, json};

use super::measure::Measurement;
use super::scene::{CALLS_OF_BATCH, Scene, USERS_OF_BATCH, What};
use crate::cli::arguments::BenchArguments;
use crate::cli::words::name;

pub(super) struct Report<'r> {
    arguments: &'r BenchArguments,
    scene: &'r Scene<'r>,
    measurements: Vec<Measurement>,
}

impl What {
    /// Its name in JSON.
    fn name(self) -> &'static str {
        match self {
            Self::Hashing => "hashing",
            Self::Bucketing => "bucketing",
            Self::ExperimentDecision => "experimentDecision",
            Self::FlagDecision => "flagDecision",
            Self::NewActivation => "newActivation",
            Self::RepeatedActivation => "repeatedActivation",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Hashing => "hashing alone",
            Self::Bucketing => "bucketing in bulk",
            Self::ExperimentDecision => "decide experiment",
            Self::FlagDecision => "decide flag",
            Self::NewActivation => "activate, new user",
            Self::RepeatedActivation => "activate, repeated",
        }
    }

    fn calls_of_batch(self) -> usize {
        match self {
            Self::Hashing | Self::Bucketing => USERS_OF_BATCH,
            _ => CALLS_OF_BATCH,
        }
    }
}

impl<'r> Report<'r> {
    pub(super) fn new(
        arguments: &'r BenchArguments,
        scene: &'r Scene<'r>,
        measurements: Vec<Measurement>,
    ) -> Self {
        Self { arguments, scene, measurements }
    }

    fn datafile(&self) -> String {
        let path = self.arguments.datafile.as_ref();
        path.map_or_else(|| "built-in shop".to_owned(), |path| path.display().to_string())
    }

    /// The medians of bucketing over those of hashing, by threads: they took turns.
    fn ratios(&self) -> impl Iterator<Item = (usize, f64)> {
        let of = |wanted: What| self.measurements.iter().filter(move |one| one.what == wanted);
        of(What::Hashing).zip(of(What::Bucketing)).map(|(hashing, bucketing)| {
            (bucketing.threads, bucketing.median_ns / hashing.median_ns.max(f64::MIN_POSITIVE))
        })
    }

    /// One object.
    pub(super) fn json(&self) -> Value {
        let measurement = |one: &Measurement| {
            json!({
                "what": one.what.name(),
                "threads": one.threads,
                "calls": one.calls,
                "callsPerSecond": one.per_second.round(),
                "nsPerCall": {
                    "best": rounded(one.best_ns),
                    "median": rounded(one.median_ns),
                    "p99": rounded(one.p99_ns),
                },
                "callsPerBatch": one.what.calls_of_batch(),
            })
        };
        let ratio =
            |(threads, ratio): (usize, f64)| json!({"threads": threads, "ratio": rounded(ratio)});
        let experiment = self.scene.experiment.as_ref().map(
            |key| json!({"experimentKey": key, "shareWithVariation": self.scene.share_exposed()}),
        );
        json!({
            "datafile": self.datafile(),
            "revision": self.scene.datafile.revision(),
            "machineThreads": machine_threads(),
            "durationMs": u64::try_from(self.arguments.duration().as_millis()).unwrap_or(u64::MAX),
            "experiment": experiment,
            "flagKey": self.scene.flag,
            "measurements": self.measurements.iter().map(measurement).collect::<Vec<_>>(),
            "bucketingToHashing": self.ratios().map(ratio).collect::<Vec<_>>(),
        })
    }

    /// Lines for people.
    pub(super) fn text(&self) -> String {
        let mut lines = vec![format!(
            "datafile    {}, revision {}",
            self.datafile(),
            name(self.scene.datafile.revision())
        )];
        lines.extend(self.scene.experiment.as_ref().map(|key| {
            let percent = self.scene.share_exposed() * 100.0;
            format!("experiment  {}: {percent:.1} % of the sample users get a variation", name(key))
        }));
        lines.extend(self.scene.flag.as_ref().map(|key| format!("flag        {}", name(key))));
        lines.push(String::new());
        lines.push(format!(
            "{:<20} {:>7} {:>14} {:>10} {:>10} {:>10}",
            "what", "threads", "calls a second", "best ns", "median ns", "p99 ns"
        ));
        lines.extend(self.measurements.iter().map(|one| {
            format!(
                "{:<20} {:>7} {:>14.0} {:>10.1} {:>10.1} {:>10.1}",
                one.what.words(),
                one.threads,
                one.per_second,
                one.best_ns,
                one.median_ns,
                one.p99_ns
            )
        }));
        lines.push(String::new());
        lines.extend(self.ratios().map(|(threads, ratio)| {
            format!("bucketing costs {ratio:.2} times hashing alone, by the medians, on {threads} of {} threads", machine_threads())
        }));
        lines.extend(self.left_out());
        lines.push(HOW_IT_WAS_MEASURED.to_owned());
        lines.join("\n")
    }

    fn left_out(&self) -> Option<String> {
        let is_left_out =
            self.scene.experiment.is_some() && !self.scene.can_measure(What::NewActivation);
        is_left_out.then(|| {
            "activations are left out, since no sample user gets a variation: give their --attribute, or another --experiment"
                .to_owned()
        })
    }
}

const HOW_IT_WAS_MEASURED: &str = "\
Nanoseconds are a call's share of its batch: 4096 users in bulk, 64 calls else; p99 is that of batches. Decisions and
activations go through the client, which loads its snapshot for each call; users and their attributes are made
for each call. Activations are kept in the ledger and their records captured, not delivered. Calls a second are
those of all threads together, while they call. These are figures of this machine at this moment.";

fn rounded(figure: f64) -> f64 {
    (figure * 100.0).round() / 100.0
}

fn machine_threads() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}
