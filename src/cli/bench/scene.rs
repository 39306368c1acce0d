//! The calls that are measured, and all that must be there before them.
//!
//! Must not know how often they are made, or what is reported.

use std::sync::Arc;
use std::time::Duration;

use crate::bulk::{Crowd, Outcome, PreparedExperiment};
use crate::client::{Client, DecideOptions, UserContext};
use crate::clock::{Clock, Stopwatch};
use crate::datafile::{Datafile, Rule};
use crate::error::Error;
use crate::hash::PreparedParent;
use crate::store::{MemoryLimits, MemoryStore, Outbox as _};
use crate::targeting::Attribute;

/// Users that take turns: so many that nothing of a user is still in the nearest cache.
const SAMPLE_USERS: usize = 16 * 1024;

/// Calls in a batch of single calls: the clock's own cost is spread over them.
pub(super) const CALLS_OF_BATCH: usize = 64;

/// Users in a batch of bulk.
pub(super) const USERS_OF_BATCH: usize = 4 * 1024;

/// A kind of call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Hashing,
    Bucketing,
    ExperimentDecision,
    FlagDecision,
    NewActivation,
    RepeatedActivation,
}

impl What {
    /// What is measured, in order; a group takes turns batch by batch.
    pub(super) const GROUPS: [&'static [Self]; 5] = [
        &[Self::Hashing, Self::Bucketing],
        &[Self::ExperimentDecision],
        &[Self::FlagDecision],
        &[Self::NewActivation],
        &[Self::RepeatedActivation],
    ];
}

/// A client on the datafile, and users.
pub(super) struct Scene<'a> {
    pub(super) datafile: Arc<Datafile>,
    pub(super) experiment: Option<String>,
    pub(super) flag: Option<String>,
    pub(super) attributes: &'a [Attribute<'a>],
    client: Client,
    store: Arc<MemoryStore>,
    users: Vec<String>,
    /// Those of them who get a variation of the experiment.
    exposed: Vec<String>,
}

impl<'a> Scene<'a> {
    pub(super) fn new(
        datafile: Datafile,
        (experiment, flag): (Option<String>, Option<String>),
        attributes: &'a [Attribute<'a>],
    ) -> Result<Self, Error> {
        let datafile = Arc::new(datafile);
        let clock = Arc::new(Clock::system());
        let store = Arc::new(MemoryStore::new(Arc::clone(&clock), MemoryLimits::default()));
        let client = Client::builder()
            .datafile(Arc::clone(&datafile))
            .clock(clock)
            .store(store.clone())
            .build()?;
        let users: Vec<String> =
            (0..SAMPLE_USERS).map(|number| format!("sample-user-{number:08}")).collect();
        let mut scene = Self {
            datafile,
            experiment,
            flag,
            attributes,
            client,
            store,
            users,
            exposed: Vec::new(),
        };
        scene.exposed = scene.users.iter().filter(|id| scene.is_exposed(id)).cloned().collect();
        Ok(scene)
    }

    /// The experiment's rule.
    pub(super) fn rule(&self) -> Option<&Rule> {
        self.datafile.experiment_by_key(self.experiment.as_deref()?)
    }

    /// The share of the sample who get a variation of the experiment.
    pub(super) fn share_exposed(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a share of a small sample")]
        let share = self.exposed.len() as f64 / self.users.len().max(1) as f64;
        share
    }

    /// Whether there is something to call; who is not exposed cannot be activated.
    pub(super) fn can_measure(&self, what: What) -> bool {
        match what {
            What::FlagDecision => self.flag.is_some(),
            What::NewActivation | What::RepeatedActivation => !self.exposed.is_empty(),
            _ => self.experiment.is_some(),
        }
    }

    fn is_exposed(&self, id: &str) -> bool {
        let key = self.experiment.as_deref();
        key.is_some_and(|key| self.user(id).get_variation(key).variation_key().is_some())
    }

    fn user<'u>(&'u self, id: &'u str) -> UserContext<'u> {
        let with =
            |user: UserContext<'u>, given: &Attribute<'u>| user.with(given.key(), given.value);
        self.attributes.iter().fold(self.client.user(id), with)
    }
}

/// An experiment for bulk, and what of it is hashed.
struct Prepared<'s> {
    experiment: PreparedExperiment<'s>,
    parent: PreparedParent,
    /// Of an experiment in an exclusive group, whose users are hashed twice.
    group: Option<PreparedParent>,
}

/// One thread's own things.
pub(super) struct Worker<'s, 'a> {
    scene: &'s Scene<'a>,
    number: usize,
    prepared: Option<Prepared<'s>>,
    next_user: usize,
    next_new: u64,
    outcomes: Vec<Outcome>,
    buckets: Vec<u16>,
}

impl<'s, 'a> Worker<'s, 'a> {
    pub(super) fn new(scene: &'s Scene<'a>, number: usize) -> Self {
        let prepared = scene.rule().and_then(|rule| {
            let index = scene.datafile.experiment_index(rule.key())?;
            let crowd = Crowd { attributes: scene.attributes, segments: None };
            let experiment = PreparedExperiment::new(&scene.datafile, index, crowd);
            let group = rule.group().and_then(|group| scene.datafile.group(group));
            let group = group.filter(|group| group.is_exclusive);
            Some(Prepared {
                experiment,
                parent: rule.parent.clone(),
                group: group.map(|group| group.parent.clone()),
            })
        });
        Self {
            scene,
            number,
            prepared,
            // Threads begin apart, so that they do not all work on the same user.
            next_user: number * CALLS_OF_BATCH * 17,
            next_new: 0,
            outcomes: vec![Outcome::default(); USERS_OF_BATCH],
            buckets: vec![0; USERS_OF_BATCH],
        }
    }

    /// Makes a batch of calls; gives how many, and how long they took.
    pub(super) fn batch(&mut self, what: What) -> (usize, Duration) {
        let scene = self.scene;
        let experiment = scene.experiment.as_deref().unwrap_or_default();
        match what {
            What::Hashing | What::Bucketing => self.bulk_batch(what),
            What::ExperimentDecision => self.batch_of_calls(&scene.users, |id| {
                drop(std::hint::black_box(scene.user(id).get_variation(experiment)));
            }),
            What::FlagDecision => {
                let flag = scene.flag.as_deref().unwrap_or_default();
                self.batch_of_calls(&scene.users, |id| {
                    let options = DecideOptions::DISABLE_DECISION_EVENT;
                    drop(std::hint::black_box(scene.user(id).decide_with(flag, options)));
                })
            }
            What::NewActivation => {
                let ids = self.new_ids();
                self.batch_of_activations(&ids, experiment)
            }
            What::RepeatedActivation => self.batch_of_activations(&scene.exposed, experiment),
        }
    }

    fn bulk_batch(&mut self, what: What) -> (usize, Duration) {
        let Some(prepared) = &self.prepared else { return (0, Duration::ZERO) };
        let Prepared { experiment, parent, group } = prepared;
        let start = self.next_user % (SAMPLE_USERS / USERS_OF_BATCH) * USERS_OF_BATCH;
        self.next_user += usize::from(what == What::Bucketing);
        let ids = self.scene.users.get(start..start + USERS_OF_BATCH).unwrap_or_default();
        let watch = Stopwatch::start();
        let buckets = ids.iter().zip(&mut self.buckets);
        match (what, group) {
            (What::Hashing, None) => buckets.for_each(|(id, bucket)| *bucket = parent.bucket(id)),
            (What::Hashing, Some(group)) => buckets.for_each(|(id, bucket)| {
                *bucket = parent.bucket(id) ^ group.bucket(id);
            }),
            _ => experiment.outcomes_into(ids, &mut self.outcomes),
        }
        let elapsed = watch.elapsed();
        std::hint::black_box((&self.buckets, &self.outcomes));
        (ids.len(), elapsed)
    }

    /// The next users in turn; at the end of the list the batch is shorter.
    fn batch_of_calls(&mut self, ids: &[String], call: impl Fn(&str)) -> (usize, Duration) {
        let start = self.next_user % ids.len().max(1);
        let end = ids.len().min(start + CALLS_OF_BATCH);
        self.next_user = end;
        let turn = ids.get(start..end).unwrap_or_default();
        let watch = Stopwatch::start();
        turn.iter().for_each(|id| call(id));
        (turn.len(), watch.elapsed())
    }

    fn batch_of_activations(&mut self, ids: &[String], experiment: &str) -> (usize, Duration) {
        let scene = self.scene;
        let done = self.batch_of_calls(ids, |id| {
            drop(std::hint::black_box(scene.user(id).activate(experiment)));
        });
        // One thread takes the records away, as a sink's would, but between the batches.
        if self.number == 0 {
            scene.store.release(scene.store.latest());
        }
        done
    }

    /// Ids that the ledger has never seen, of users who get a variation.
    fn new_ids(&mut self) -> Vec<String> {
        let mut ids = Vec::with_capacity(CALLS_OF_BATCH);
        // Where hardly anybody gets one, the batch is smaller rather than the search endless.
        for _ in 0..CALLS_OF_BATCH * 64 {
            let id = format!("new-user-{}-{:09}", self.number, self.next_new);
            self.next_new += 1;
            if self.scene.is_exposed(&id) {
                ids.push(id);
            }
            if ids.len() == CALLS_OF_BATCH {
                break;
            }
        }
        ids
    }
}
