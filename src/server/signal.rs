//! What tells the process to end, or to read its settings again.
//!
//! Must not know what is ended.

use std::io;

use tokio::runtime::{Builder, Runtime};

use crate::error::Error;

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signalled {
    /// To end: SIGTERM, or SIGINT as by Ctrl-C.
    End,
    /// To read the settings again: SIGHUP.
    Reload,
}

/// SIGHUP, taken before there is anything to reload: it would end the process, and what it asks for while a server
/// starts is not to be lost.
#[derive(Debug)]
pub struct Hangups {
    runtime: Runtime,
    inner: Hangup,
}

/// The signals that tell the process to end, or to read its settings again. As long as this lives, they do
/// nothing else.
#[derive(Debug)]
pub struct Signals {
    runtime: Runtime,
    inner: Inner,
}

impl Hangups {
    /// Takes it from now on.
    ///
    /// # Errors
    ///
    /// If the system gives no signals.
    pub fn take() -> Result<Self, Error> {
        let runtime = Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let entered = runtime.enter();
        let inner = hangup().map_err(failed)?;
        drop(entered);
        Ok(Self { runtime, inner })
    }

    /// Takes the signals that end a process as well.
    ///
    /// # Errors
    ///
    /// If the system gives no signals.
    pub fn and_ends(self) -> Result<Signals, Error> {
        let Self { runtime, inner } = self;
        let entered = runtime.enter();
        let inner = Inner::new(inner).map_err(failed)?;
        drop(entered);
        Ok(Signals { runtime, inner })
    }
}

impl Signals {
    /// Waits for one of them.
    pub fn wait(&mut self) -> Signalled {
        let Self { runtime, inner } = self;
        runtime.block_on(inner.next())
    }
}

fn failed(error: io::Error) -> Error {
    Error::thread("variate-server", error)
}

#[cfg(unix)]
type Hangup = tokio::signal::unix::Signal;

#[cfg(unix)]
fn hangup() -> io::Result<Hangup> {
    use tokio::signal::unix::{SignalKind, signal};
    signal(SignalKind::hangup())
}

#[cfg(unix)]
#[derive(Debug)]
struct Inner {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
    hangup: Hangup,
}

#[cfg(unix)]
impl Inner {
    fn new(hangup: Hangup) -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let terminate = signal(SignalKind::terminate())?;
        let interrupt = signal(SignalKind::interrupt())?;
        Ok(Self { terminate, interrupt, hangup })
    }

    async fn next(&mut self) -> Signalled {
        tokio::select! {
            _ = self.terminate.recv() => Signalled::End,
            _ = self.interrupt.recv() => Signalled::End,
            _ = self.hangup.recv() => Signalled::Reload,
        }
    }
}

/// There is none.
#[cfg(not(unix))]
type Hangup = ();

#[cfg(not(unix))]
fn hangup() -> io::Result<Hangup> {
    Ok(())
}

#[cfg(not(unix))]
#[derive(Debug)]
struct Inner;

#[cfg(not(unix))]
impl Inner {
    fn new((): Hangup) -> io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) -> Signalled {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        Signalled::End
    }
}
