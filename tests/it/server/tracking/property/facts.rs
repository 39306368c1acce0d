//! Facts in no form: who was shown what, who did what, and who was whom.
//!
//! Must not know how any system writes them.

use proptest::prelude::*;
use proptest::sample::select;

use super::shop::{EVENTS, EXPERIMENTS, Experiment};

/// Users by their names in a case; all of a case are others than those of the next one.
pub(super) const USERS: [&str; 4] = ["a", "b", "c", "d"];
/// Within a few seconds of each other, at one millisecond, and at the ends of seconds.
const TIMES_MS: [i64; 8] = [0, 1, 400, 999, 1_000, 1_001, 1_999, 2_000];

/// Whose client tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum System {
    Optimizely,
    Flagger,
    Segment,
    Thrivestack,
    Countly,
    Onboardflow,
    Agent,
    Ofrep,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum What {
    Shown {
        experiment: &'static Experiment,
        variation: usize,
    },
    Done {
        event: usize,
    },
    /// Another id is the user's, too.
    Merged {
        from: &'static str,
    },
}

/// When the client says that it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// It does not say, so that the time of receipt counts.
    Receipt,
    /// So long after the begin of the case's own time.
    At(i64),
    /// So many minutes before that; no two facts of a case share them.
    MinutesBefore(i64),
}

/// What is measured of an event, as far as a form can say it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Measures {
    pub(super) revenue_cents: Option<i64>,
    pub(super) value: Option<f64>,
    pub(super) count: Option<u64>,
    pub(super) duration_seconds: Option<f64>,
}

#[derive(Debug, Clone)]
pub(super) struct Fact {
    /// Its place in the history.
    pub(super) number: usize,
    pub(super) user: &'static str,
    pub(super) system: System,
    pub(super) what: What,
    pub(super) when: When,
    /// Whether the client gives it an id, if its form has one.
    pub(super) has_id: bool,
    pub(super) measures: Measures,
    /// Chooses among the ways in which the form can say the same.
    pub(super) way: usize,
}

impl Fact {
    /// One of several ways; different `salt`s are chosen apart.
    pub(super) fn way(&self, salt: usize, of: usize) -> usize {
        (self.way >> (salt * 2)) % of
    }
}

/// All that is random in one fact.
type Drawn = ((usize, usize, usize, usize), (usize, usize, bool, usize), (i64, u8));

fn what((kind, which, variation, _): (usize, usize, usize, usize)) -> What {
    match kind {
        0..=4 => {
            let experiment = &EXPERIMENTS[which % EXPERIMENTS.len()];
            What::Shown { experiment, variation: variation % experiment.variations.len() }
        }
        5..=10 => What::Done { event: [0, 0, 1, 2, 3, 4, 5][which % 7] },
        _ => What::Merged { from: USERS[which % USERS.len()] },
    }
}

/// The systems whose clients can say it; what Agent's interface activates has no time.
fn systems(what: &What, has_receipts: bool) -> Vec<System> {
    use System::{Agent, Countly, Flagger, Ofrep, Onboardflow, Optimizely, Segment, Thrivestack};
    match what {
        What::Shown { experiment, .. } => {
            let all = vec![Optimizely, Flagger, Segment, Thrivestack, Countly];
            let is_activated = has_receipts && experiment.id == EXPERIMENTS[0].id;
            all.into_iter().chain(is_activated.then_some(Agent)).collect()
        }
        What::Done { .. } => {
            vec![Optimizely, Flagger, Segment, Thrivestack, Countly, Onboardflow, Agent, Ofrep]
        }
        What::Merged { .. } => vec![Segment, Thrivestack, Countly],
    }
}

fn fact(number: usize, drawn: Drawn, has_receipts: bool) -> Fact {
    let (what_drawn, (system, when, has_id, way), (amount, is_measured)) = drawn;
    let mut what = what(what_drawn);
    let systems = systems(&what, has_receipts);
    let system = systems[system % systems.len()];
    let is_now = when % 6 == 0 || (system == System::Agent && matches!(what, What::Shown { .. }));
    let when = match when {
        _ if is_now && has_receipts => When::Receipt,
        when if when % 6 == 1 => {
            When::MinutesBefore(i64::try_from((when / 6) * 64 + number).unwrap())
        }
        when => When::At(TIMES_MS[(when / 6) % TIMES_MS.len()]),
    };
    // Which of two that are received in one millisecond is first must not matter.
    if let (What::Shown { variation, .. }, When::Receipt) = (&mut what, when) {
        *variation = 0;
    }
    let measures = Measures {
        revenue_cents: (is_measured & 1 > 0).then_some(amount),
        value: (is_measured & 2 > 0).then_some(amount as f64 / 4.0),
        count: (is_measured & 4 > 0).then_some(amount.unsigned_abs() + 1),
        duration_seconds: (is_measured & 8 > 0).then_some(amount.unsigned_abs() as f64 / 8.0),
    };
    Fact { number, user: USERS[what_drawn.3], system, what, when, has_id, measures, way }
}

/// A history; with or without merges, and what has no time.
pub(super) fn history(has_merges: bool, has_receipts: bool) -> impl Strategy<Value = Vec<Fact>> {
    let kinds: usize = if has_merges { 13 } else { 11 };
    let what = (0..kinds, any::<usize>(), 0..6_usize, 0..USERS.len());
    let how = (0..40_usize, 0..48_usize, any::<bool>(), any::<usize>());
    let measured = (-5_000..5_000_i64, select(&[0_u8, 0, 1, 2, 3, 15, 12][..]));
    prop::collection::vec((what, how, measured), 1..24).prop_map(move |drawn| {
        let facts = drawn.into_iter().enumerate();
        facts.map(|(number, drawn)| fact(number, drawn, has_receipts)).collect()
    })
}

/// The key of an event by its place.
pub(super) fn event_key(event: usize) -> &'static str {
    EVENTS[event].1
}
