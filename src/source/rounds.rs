//! When a source is asked: in rounds, sooner for those in a hurry and after changes, later after failures.
//!
//! Must not know what becomes of the answers.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use super::choice::Origin;
use super::desk::{Desk, Settled};
use super::signals::{Next, Signals};
use crate::back_off::{BackOff, chance};
use crate::clock::Stopwatch;

/// The part of an interval by which it may be shorter or longer.
const JITTER: f64 = 0.1;
/// Whatever panicked, it does not do so all the time.
const AFTER_A_PANIC: Duration = Duration::from_secs(1);

/// Asks a source until it is over.
pub(super) fn run(desk: &Desk, signals: &Arc<Signals>, mut origin: Origin) {
    let mut pace = Pace::new(&origin);
    let mut delay = pace.first();
    loop {
        let round = catch_unwind(AssertUnwindSafe(|| {
            if !await_turn(desk, signals, &mut origin, &delay) {
                return None;
            }
            signals.begin();
            Some(ask(desk, signals, &mut origin))
        }));
        delay = match round {
            Ok(None) => return,
            Ok(Some(settled)) => pace.after(settled),
            // It goes on, since a thread that is gone would leave the datafile to grow old in silence.
            Err(_) => {
                desk.note_failure("the source panicked: report it, this is a defect".to_owned());
                if signals.wait(AFTER_A_PANIC, true) == Next::Stop {
                    return;
                }
                pace.after(Settled::Badly { retry_after: None })
            }
        };
        desk.note_next_attempt(delay.time);
        signals.end();
    }
}

/// How long to wait, and whether that was asked for by the other side, so that nobody's hurry counts.
#[derive(Debug, Clone, Copy)]
struct Delay {
    time: Duration,
    is_patient: bool,
}

/// Waits until the source is to be asked; `false` if it is over.
fn await_turn(desk: &Desk, signals: &Arc<Signals>, origin: &mut Origin, delay: &Delay) -> bool {
    let waited = Stopwatch::start();
    loop {
        if let Origin::File(file) = origin {
            let followed = file.follow(signals);
            // What changed before it was watched, nobody tells.
            if followed == Ok(true) && file.looks_changed() {
                return true;
            }
            desk.note_watch_problem(followed.err());
        }
        let left = delay.time.saturating_sub(waited.elapsed());
        match signals.wait(left, delay.is_patient) {
            Next::Ask => return true,
            Next::Stop => return false,
            // Folders hold other files, too.
            Next::Look => {
                if matches!(origin, Origin::File(file) if file.looks_changed()) {
                    return true;
                }
            }
        }
    }
}

fn ask(desk: &Desk, signals: &Signals, origin: &mut Origin) -> Settled {
    desk.note_attempt();
    desk.settle(origin.fetch(&desk.validators(), signals))
}

/// How the delays between rounds come about.
#[derive(Debug)]
struct Pace {
    interval: Duration,
    /// Only for those whom many ask, and who may be busy.
    back_off: Option<BackOff>,
}

impl Pace {
    fn new(origin: &Origin) -> Self {
        Self { interval: origin.interval(), back_off: origin.back_off() }
    }

    /// An address is asked at once; a file has been read already.
    const fn first(&self) -> Delay {
        let time = if self.back_off.is_some() { Duration::ZERO } else { self.interval };
        Delay { time, is_patient: false }
    }

    fn after(&mut self, settled: Settled) -> Delay {
        let Some(back_off) = &mut self.back_off else {
            return Delay { time: self.interval, is_patient: false };
        };
        match settled {
            Settled::Well => {
                back_off.reset();
                let share = JITTER.mul_add(chance() * 2.0 - 1.0, 1.0);
                Delay { time: self.interval.mul_f64(share), is_patient: false }
            }
            Settled::Badly { retry_after } => {
                let time = back_off.after_failure(retry_after);
                Delay { time, is_patient: retry_after.is_some() }
            }
        }
    }
}
