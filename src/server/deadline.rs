//! How long a request has, for what it waits for on its way.
//!
//! Must not know what that is. It goes with the task that answers the request, so that nothing in between has
//! to hand it on; a task that is spawned on the way has none, until it is given one.

use std::pin::pin;
use std::time::Duration;

use super::timers::KeptTimer;
use crate::clock::Stopwatch;

tokio::task_local! {
    static OF_THE_REQUEST: Deadline;
}

/// When a request began, and how long it may take.
#[derive(Debug, Clone)]
pub(super) struct Deadline {
    pub(super) watch: Stopwatch,
    pub(super) limit: Duration,
    /// For what is waited for on its way.
    pub(super) timer: KeptTimer,
}

impl Deadline {
    /// Answers a request that has this long. No `async fn`, which would have room for what answers twice.
    pub(super) fn during<F: Future>(self, answering: F) -> impl Future<Output = F::Output> {
        OF_THE_REQUEST.scope(self, answering)
    }

    /// That of the request that is being answered.
    pub(super) fn of_the_request() -> Option<Self> {
        OF_THE_REQUEST.try_with(Self::clone).ok()
    }

    /// How long it still has.
    pub(super) fn left(&self) -> Duration {
        self.limit.saturating_sub(self.watch.elapsed())
    }

    /// How long it may wait for the disk: half of what it has left, so that who asks is told in time,
    /// however long it took to send it.
    fn patience(&self) -> Duration {
        self.left() / 2
    }

    /// Waits so long for the disk; `None` where it takes longer.
    pub(super) async fn patiently<T>(&self, storing: impl Future<Output = T>) -> Option<T> {
        let until = self.watch.after(self.limit.saturating_sub(self.patience()));
        self.timer.until(until, pin!(storing)).await
    }
}

#[cfg(test)]
mod tests {
    //! What is left for the disk.

    use std::time::Duration;

    use super::{Deadline, KeptTimer};
    use crate::clock::Stopwatch;

    #[test]
    fn who_was_slow_has_less_time_and_never_more_than_is_left() {
        let of = |limit| Deadline { watch: Stopwatch::start(), limit, timer: KeptTimer::default() };
        let deadline = of(Duration::from_secs(60));
        assert!(deadline.patience() <= Duration::from_secs(30));
        assert!(deadline.patience() > Duration::from_secs(20));
        let late = of(Duration::from_millis(200));
        std::thread::sleep(Duration::from_millis(120));
        assert!(late.patience() <= Duration::from_millis(40), "{:?}", late.patience());
        std::thread::sleep(Duration::from_millis(100));
        assert_eq!((late.left(), late.patience()), (Duration::ZERO, Duration::ZERO));
    }
}
