//! A source at work: prepared, started, asked in between, ended.
//!
//! Must not know how it is asked, nor who takes what it supplies.

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::choice::{Origin, Source};
use super::desk::Desk;
use super::rounds;
use super::signals::Signals;
use super::status::SourceStatus;
use super::supplied::{LastGood, Taker, Validators};
use crate::clock::Clock;
use crate::datafile::Datafile;
use crate::error::Error;

const THREAD: &str = "variate-source";

/// A source that nobody takes anything from yet.
#[derive(Debug)]
pub(crate) struct Prepared {
    desk: Desk,
    origin: Origin,
    environment: Option<String>,
}

impl Prepared {
    /// Checks the settings, and takes what can be had without waiting for anybody.
    ///
    /// # Errors
    ///
    /// If a setting cannot be used, or an embedded datafile is refused.
    pub(crate) fn new(source: Source, clock: Arc<Clock>) -> Result<Self, Error> {
        let environment = source.environment();
        let (about, mut origin) = source.open()?;
        if let Origin::Embedded(text) = &origin {
            // There will never be another one.
            Datafile::compile(text)?;
        }
        let desk = Desk::new(about, clock);
        if origin.is_at_hand() {
            desk.note_attempt();
            desk.settle(origin.fetch(&Validators::default(), &Signals::default()));
        }
        Ok(Self { desk, origin, environment })
    }

    /// The datafile to begin with.
    pub(crate) fn datafile(&self) -> Option<Arc<Datafile>> {
        self.desk.datafile()
    }

    /// What to call an environment whose datafile does not say it: the SDK key, or the file's name.
    pub(crate) fn environment(&self) -> Option<&str> {
        self.environment.as_deref()
    }

    /// A datafile of the program's own to begin with where the source has given none yet.
    pub(crate) fn fall_back(&self, datafile: Arc<Datafile>) {
        self.desk.fall_back(datafile);
    }

    /// The last good datafile of an earlier run, or why it cannot be had.
    pub(crate) fn restore(&self, last_good: Result<Option<LastGood>, Error>) {
        match last_good {
            Ok(Some(last_good)) => self.desk.restore(last_good),
            Ok(None) => {}
            Err(error) => {
                self.desk
                    .note_keep_problem(format!("the last good datafile cannot be read: {error}"));
            }
        }
    }

    /// Starts to ask the source. What it supplies from now on goes to the taker, who has the first one.
    pub(crate) fn start(self, taker: Taker) -> Result<Supply, Error> {
        let Self { desk, origin, .. } = self;
        let (desk, signals) = (Arc::new(desk), Arc::new(Signals::default()));
        desk.open(taker);
        if matches!(origin, Origin::Embedded(_)) {
            return Ok(Supply { desk, signals, thread: None });
        }
        let shared = (Arc::clone(&desk), Arc::clone(&signals));
        let thread = thread::Builder::new()
            .name(THREAD.into())
            .spawn(move || rounds::run(&shared.0, &shared.1, origin))
            .map_err(|error| Error::thread(THREAD, error))?;
        Ok(Supply { desk, signals, thread: Some(thread) })
    }
}

/// A source at work, until it is dropped: then what is under way is broken off.
pub(crate) struct Supply {
    desk: Arc<Desk>,
    signals: Arc<Signals>,
    /// `None` where there is nothing to ask again.
    thread: Option<JoinHandle<()>>,
}

impl Supply {
    pub(crate) fn status(&self) -> SourceStatus {
        self.desk.status()
    }

    /// Has the source asked at once.
    pub(crate) fn refresh(&self) {
        self.signals.hurry();
    }

    /// The same, and waits for what comes of it; gives whether it came in time.
    pub(crate) fn refresh_and_wait(&self, patience: Duration) -> bool {
        self.thread.is_none() || self.signals.wait_for_answer(self.signals.hurry(), patience)
    }

    /// Puts in force what is held back, if it is of this revision.
    pub(crate) fn accept(&self, revision: &str) -> bool {
        self.desk.accept(revision)
    }
}

impl Drop for Supply {
    fn drop(&mut self) {
        self.signals.stop();
        if let Some(thread) = self.thread.take()
            // Whom it tells may hold the last of what holds this, and let go of it on that thread.
            && thread.thread().id() != thread::current().id()
        {
            // A panic of the thread has been written down, as far as it could be.
            drop(thread.join());
        }
    }
}

/// Its name alone: the rest is datafiles.
impl std::fmt::Debug for Supply {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("Supply").field(&self.desk.name()).finish()
    }
}

#[cfg(test)]
mod tests {
    //! Takers that fail.

    use std::sync::Arc;
    use std::sync::mpsc::{Receiver, channel};
    use std::time::Duration;

    use super::{Prepared, Supply};
    use crate::clock::Clock;
    use crate::error::Error;
    use crate::source::{Source, Taker};

    const LONG: Duration = Duration::from_secs(30);
    const TEXT: &str = r#"{"version":"4","accountId":"1","projectId":"2","revision":"7"}"#;

    /// A supply of a file, whose taker fails to keep as it is told; and what it was given to keep. The
    /// file changes after the start.
    fn supply(failures: Vec<fn() -> Error>) -> (Supply, Receiver<Box<str>>, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("d.json");
        let source = Source::file(&path).interval_ms(100).into();
        let prepared = Prepared::new(source, Arc::new(Clock::system())).unwrap();
        let (given, kept) = channel();
        let mut failures = failures.into_iter();
        let supply = prepared.start(Taker {
            put_in_force: Box::new(|_| ()),
            keep: Box::new(move |last_good| {
                given.send(last_good.revision).unwrap();
                failures.next().map_or(Ok(()), |failure| Err(failure()))
            }),
        });
        std::fs::write(path, TEXT).unwrap();
        (supply.unwrap(), kept, folder)
    }

    fn check(failures: Vec<fn() -> Error>) -> Supply {
        let times = failures.len() + 1;
        let (supply, kept, _folder) = supply(failures);
        for time in 0..times {
            assert_eq!(kept.recv_timeout(LONG).as_deref(), Ok("7"), "time {time}");
        }
        assert!(supply.refresh_and_wait(LONG));
        assert!(kept.try_recv().is_err(), "what is kept is not kept again");
        let status = supply.status();
        assert_eq!((status.revision.as_deref(), status.changes), (Some("7"), 1));
        assert!(status.keep_problem.is_none(), "{status:?}");
        supply
    }

    #[test]
    fn what_could_not_be_kept_is_kept_later() {
        check(vec![]);
        let supply = check(vec![Error::not_ready, Error::sdk_key]);
        let problem = supply.status().last_problem.unwrap().to_string();
        assert!(problem.contains("is not there"), "that was before the start: {problem}");
    }

    #[test]
    fn the_source_goes_on_after_a_panic() {
        let supply = check(vec![|| panic!("as takers do not")]);
        let problem = supply.status().last_problem.unwrap().to_string();
        assert_eq!(problem, "the source panicked: report it, this is a defect");
    }
}
