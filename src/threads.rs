//! One piece of work on several threads at once.
//!
//! Must not know the work: whoever gives it hands out its pieces.

use std::thread;

/// Does the work on so many threads, of which the caller's is one, and returns when all have done it.
///
/// Where no further thread is to be had, those that there are do the work: what is not done by one must
/// be done by another.
pub(crate) fn on_threads(threads: usize, work: impl Fn() + Sync) {
    thread::scope(|scope| {
        for _ in 1..threads {
            if thread::Builder::new().spawn_scoped(scope, &work).is_err() {
                break;
            }
        }
        work();
    });
}

#[cfg(test)]
mod tests {
    //! How often the work is done.

    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::on_threads;

    fn check(threads: usize, expect: usize) {
        let done = AtomicUsize::new(0);
        on_threads(threads, || {
            done.fetch_add(1, Ordering::Relaxed);
        });
        assert_eq!(done.into_inner(), expect, "{threads} threads");
    }

    #[test]
    fn each_thread_works_once_and_one_always_does() {
        check(0, 1);
        check(1, 1);
        check(5, 5);
    }
}
