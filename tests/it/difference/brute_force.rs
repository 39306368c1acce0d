//! Whose variation changes, found out the slow way: a client for each datafile, asked user by user.
//!
//! Must not know how the library compares datafiles.

use std::collections::BTreeMap;
use std::thread;

use variate::client::{PredictedVariation, PredictionRequest, ServiceError};
use variate::value::AttributeValue;
use variate::{Client, DecideOptions, UserContext};

/// What a user gets: of an experiment the variation, of a flag also whether it is on and by which rule.
pub(super) type Got = (Option<String>, bool, Option<String>);

/// Users by what they get before and after, where that is not the same, of `experiment KEY` or `flag KEY`.
pub(super) type Changed = BTreeMap<String, BTreeMap<(Got, Got), u64>>;

/// The variation that is always predicted.
pub(super) const PREDICTED: (&str, &str) = ("1652361", "five_percent");

/// The attributes and segments of a user.
pub(super) struct Traits<'a> {
    pub(super) attributes: Vec<(&'a str, AttributeValue<'a>)>,
    pub(super) segments: Option<&'a [&'a str]>,
}

pub(super) struct Brute<'a> {
    pub(super) datafiles: (&'a str, &'a str),
    pub(super) experiments: &'a [&'a str],
    pub(super) flags: &'a [&'a str],
}

impl Brute<'_> {
    /// Asks both clients about each user with a number below the given one.
    pub(super) fn changed(
        &self,
        users: u64,
        of_user: &(dyn Fn(u64) -> (String, Traits<'static>) + Sync),
    ) -> Changed {
        let clients = (client(self.datafiles.0), client(self.datafiles.1));
        let half = |parity: u64| {
            let mut changed = Changed::new();
            for number in (0..users).filter(|number| number % 2 == parity) {
                let (id, traits) = of_user(number);
                let both = (user(&clients.0, &id, &traits), user(&clients.1, &id, &traits));
                self.ask(&both, &mut changed);
            }
            changed
        };
        thread::scope(|scope| {
            let even = scope.spawn(|| half(0));
            let mut changed = half(1);
            for (subject, ways) in even.join().unwrap() {
                let sums = changed.entry(subject).or_default();
                ways.into_iter().for_each(|(way, users)| *sums.entry(way).or_default() += users);
            }
            changed
        })
    }

    fn ask(&self, (old, new): &(UserContext<'_>, UserContext<'_>), changed: &mut Changed) {
        for key in self.experiments {
            let got = |user: &UserContext<'_>| {
                (user.get_variation(key).variation_key().map(str::to_owned), false, None)
            };
            note(changed, format!("experiment {key}"), got(old), got(new));
        }
        for key in self.flags {
            let options = DecideOptions::DISABLE_DECISION_EVENT | DecideOptions::EXCLUDE_VARIABLES;
            let got = |user: &UserContext<'_>| {
                let decision = user.decide_with(key, options);
                (decision.variation_key, decision.enabled, decision.rule_key)
            };
            note(changed, format!("flag {key}"), got(old), got(new));
        }
    }
}

fn note(changed: &mut Changed, subject: String, before: Got, after: Got) {
    if before != after {
        *changed.entry(subject).or_default().entry((before, after)).or_default() += 1;
    }
}

fn client(text: &str) -> Client {
    let predict = |_: &PredictionRequest<'_>| -> Result<PredictedVariation, ServiceError> {
        Ok(PredictedVariation { variation_id: PREDICTED.0.into(), prediction_id: None })
    };
    Client::builder().datafile(super::compiled(text)).predictor(predict).build().unwrap()
}

fn user<'c>(client: &'c Client, id: &'c str, traits: &Traits<'c>) -> UserContext<'c> {
    let user = client.user(id);
    let user = traits.attributes.iter().fold(user, |user, (key, value)| user.with(key, *value));
    match traits.segments {
        Some(segments) => user.with_segments(segments),
        None => user,
    }
}
