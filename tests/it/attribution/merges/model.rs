//! The plain model of histories with merges: what each id holds, one arrival after the other.

use std::collections::{BTreeMap, BTreeSet};

use super::super::world::Folded;
use variate::attribution::Rules;

/// One arrival, in one environment; ids are those of users.
#[derive(Debug, Clone)]
pub(super) struct Arrival {
    pub(super) pause_ms: i64,
    pub(super) user: &'static str,
    pub(super) what: What,
}

#[derive(Debug, Clone)]
pub(super) enum What {
    Activation {
        experiment: &'static str,
        variation: &'static str,
        time_ms: i64,
    },
    /// With the place of the datafile.
    Event {
        key: usize,
        time_ms: i64,
        datafile: usize,
    },
    /// Another id is the user's, too.
    Merge {
        from: &'static str,
    },
}

/// Of which event, and of which experiment.
type Claim = (usize, &'static str);

/// What an id holds.
#[derive(Debug, Clone, Default)]
struct Held {
    /// By experiment the first time and its variation.
    firsts: BTreeMap<&'static str, (i64, &'static str)>,
    /// By experiment all variations that were seen.
    seen: BTreeMap<&'static str, BTreeSet<&'static str>>,
    /// What activations that come late may still say something about.
    claims: BTreeSet<Claim>,
}

#[derive(Debug, Clone, Copy)]
struct Event {
    time_ms: i64,
    until_ms: i64,
}

/// What should come out.
#[derive(Debug, Default)]
pub(crate) struct Model {
    rules: Rules,
    now_ms: i64,
    users: BTreeMap<&'static str, Held>,
    events: BTreeMap<usize, Event>,
    credits: BTreeMap<Claim, (&'static str, i64)>,
    /// What crossovers were counted of: groups of ids that share a person are not told apart by stores, so
    /// it is counted as it happens.
    pub(super) crossovers: u64,
}

impl Model {
    pub(crate) fn new(rules: Rules) -> Self {
        Self { rules, now_ms: 1000, ..Self::default() }
    }

    pub(crate) fn pause(&mut self, pause_ms: i64) {
        self.now_ms += pause_ms;
    }

    pub(crate) fn folded(&self) -> Folded {
        let folded = self.credits.iter().map(|(&(at, experiment), &(variation, first_ms))| {
            ((at.to_string(), experiment.to_owned()), (variation.to_owned(), first_ms))
        });
        folded.collect()
    }

    pub(crate) fn activations(&self) -> u64 {
        self.users.values().map(|held| held.firsts.len() as u64).sum()
    }

    pub(crate) fn activate(
        &mut self,
        user: &'static str,
        (experiment, variation): (&'static str, &'static str),
        time_ms: i64,
    ) {
        let held = self.users.entry(user).or_default();
        let first = held.firsts.entry(experiment).or_insert((time_ms, variation));
        *first = (*first).min((time_ms, variation));
        let seen = held.seen.entry(experiment).or_default();
        if seen.insert(variation) && seen.len() == 2 {
            self.crossovers += 1;
        }
        self.say(user, |claim| claim.1 == experiment);
    }

    /// With the running experiments that the event is tied to.
    pub(crate) fn track(
        &mut self,
        at: usize,
        user: &'static str,
        time_ms: i64,
        tied: impl IntoIterator<Item = &'static str>,
    ) {
        let event = Event { time_ms, until_ms: self.now_ms + self.rules.late_window_ms };
        self.events.insert(at, event);
        let claims = tied.into_iter().map(|experiment| (at, experiment));
        self.users.entry(user).or_default().claims.extend(claims);
        // What it finds, it finds whether anything may come late or not.
        self.say_of(user, |claim, _| claim.0 == at);
    }

    /// Gives how many activations are copied.
    pub(crate) fn merge(&mut self, user: &'static str, from: &'static str) -> usize {
        if user == from {
            return 0;
        }
        let old = self.users.get(from).cloned().unwrap_or_default();
        let rules = self.rules;
        let events = &self.events;
        let new = self.users.entry(user).or_default();
        let mut copied = 0;
        for (experiment, first) in &old.firsts {
            let kept = *new.firsts.entry(experiment).or_insert_with(|| {
                copied += 1;
                *first
            });
            let seen = new.seen.entry(experiment).or_default();
            let was_seen = seen.len() > 1 || old.seen[experiment].len() > 1;
            seen.extend(&old.seen[experiment]);
            // Of the old id only the first variation and whether there were two is known.
            self.crossovers += u64::from(!was_seen && kept.1 != first.1);
        }
        for claim in &old.claims {
            let (held, kept) = (old.firsts.get(claim.1), new.firsts.get(claim.1));
            let believed_ms = events[&claim.0].time_ms + rules.early_tolerance_ms;
            let is_said = held.is_some_and(|(first_ms, _)| *first_ms <= believed_ms);
            if held == kept || !is_said {
                new.claims.insert(*claim);
            }
        }
        if let Some(old) = self.users.get_mut(from) {
            old.claims.clear();
        }
        self.say(user, |_| true);
        copied
    }

    fn say(&mut self, user: &'static str, is_meant: impl Fn(&Claim) -> bool) {
        let now_ms = self.now_ms;
        self.say_of(user, |claim, event| is_meant(claim) && now_ms < event.until_ms);
    }

    /// Says of what may still be claimed what the user's activations say now.
    fn say_of(&mut self, user: &'static str, is_meant: impl Fn(&Claim, &Event) -> bool) {
        let Some(held) = self.users.get(user) else { return };
        for claim in &held.claims {
            let event = &self.events[&claim.0];
            let Some(&(first_ms, variation)) = held.firsts.get(claim.1) else { continue };
            if !is_meant(claim, event) {
                continue;
            }
            let is_early = first_ms > event.time_ms + self.rules.early_tolerance_ms;
            let is_late = self.rules.window_ms.is_some_and(|most| event.time_ms - first_ms > most);
            if is_early || is_late {
                self.credits.remove(claim);
            } else {
                self.credits.insert(*claim, (variation, first_ms));
            }
        }
    }
}
