//! The timers that a connection keeps from request to request. To set one to a later time is a store; to make one
//! and to let go of it takes the lock of all timers of the process twice, for every request.
//!
//! Must not know what is waited for.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::rt::{Sleep, Timer};
use parking_lot::Mutex;
use tokio::task::coop::unconstrained;
use tokio::time::{Sleep as TokioSleep, sleep_until};

use crate::clock::{Moment, Stopwatch};

/// A timer that is kept while nobody waits for it. Where two wait at once, the second has one of its own.
#[derive(Debug, Clone, Default)]
pub(super) struct KeptTimer(Arc<Mutex<Option<Pin<Box<TokioSleep>>>>>);

impl KeptTimer {
    /// Waits for something at most until then; `None` where it is not there by then. Nothing is set before it
    /// has to be waited for.
    pub(super) async fn until<T>(
        &self,
        moment: Moment,
        mut awaited: Pin<&mut impl Future<Output = T>>,
    ) -> Option<T> {
        let mut lent = None;
        poll_fn(|context| {
            if let Poll::Ready(there) = awaited.as_mut().poll(context) {
                return Poll::Ready(Some(there));
            }
            let timer = lent.get_or_insert_with(|| self.lend(moment));
            Pin::new(timer).poll(context).map(|()| None)
        })
        .await
    }

    fn lend(&self, moment: Moment) -> Lent {
        let kept = self.0.lock().take();
        let sleep = match kept {
            Some(mut sleep) => {
                sleep.as_mut().reset(moment.into());
                sleep
            }
            None => Box::pin(sleep_until(moment.into())),
        };
        Lent { sleep: Some(sleep), home: self.clone() }
    }
}

/// A timer that goes back where it is kept.
struct Lent {
    sleep: Option<Pin<Box<TokioSleep>>>,
    home: KeptTimer,
}

impl Future for Lent {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        // What is waited for may use up the task's budget each time: the time is over all the same.
        self.sleep.as_mut().map_or(Poll::Ready(()), |sleep| {
            Pin::new(&mut unconstrained(sleep.as_mut())).poll(context)
        })
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        *self.home.0.lock() = self.sleep.take();
    }
}

impl Sleep for Lent {}

/// For the heads of requests, each of which hyper gives a new timer.
impl Timer for KeptTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(Stopwatch::start().after(duration))
    }

    fn sleep_until(&self, moment: Moment) -> Pin<Box<dyn Sleep>> {
        Box::pin(self.lend(moment))
    }

    fn now(&self) -> Moment {
        Stopwatch::start().after(Duration::ZERO)
    }
}
