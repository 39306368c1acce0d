//! How long a request has, for what it waits for on its way.
//!
//! Must not know what that is. It goes with the task that answers the request, so that nothing in between has
//! to hand it on; a task that is spawned on the way has none, until it is given one.

use std::time::Duration;

use crate::clock::Stopwatch;

tokio::task_local! {
    static OF_THE_REQUEST: Deadline;
}

/// When a request began, and how long it may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline {
    pub(super) watch: Stopwatch,
    pub(super) limit: Duration,
}

impl Deadline {
    /// Answers a request that has this long.
    pub(super) async fn during<T>(self, answering: impl Future<Output = T>) -> T {
        OF_THE_REQUEST.scope(self, answering).await
    }

    /// That of the request that is being answered.
    pub(super) fn of_the_request() -> Option<Self> {
        OF_THE_REQUEST.try_with(|deadline| *deadline).ok()
    }

    /// How long it still has.
    pub(super) fn left(&self) -> Duration {
        self.limit.saturating_sub(self.watch.elapsed())
    }

    /// How long it may wait for the disk: half of what it has left, so that who asks is told in time,
    /// however long it took to send it.
    pub(super) fn patience(&self) -> Duration {
        self.left() / 2
    }
}

#[cfg(test)]
mod tests {
    //! What is left for the disk.

    use std::time::Duration;

    use super::Deadline;
    use crate::clock::Stopwatch;

    #[test]
    fn who_was_slow_has_less_time_and_never_more_than_is_left() {
        let of = |limit| Deadline { watch: Stopwatch::start(), limit };
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
