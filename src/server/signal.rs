//! What tells the process to end, or to read its settings again.
//!
//! Must not know what is ended.

use std::io;

use tokio::runtime::Handle;

use crate::error::Error;

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signalled {
    /// To end: SIGTERM, or SIGINT as by Ctrl-C.
    End,
    /// To read the settings again: SIGHUP.
    Reload,
}

/// The signals that tell the process to end, or to read its settings again. As long as this lives, they do
/// nothing else.
#[derive(Debug)]
pub struct Signals {
    runtime: Handle,
    inner: Inner,
}

impl Signals {
    pub(super) fn new(runtime: Handle) -> Result<Self, Error> {
        let entered = runtime.enter();
        let inner = Inner::new().map_err(|error| Error::thread("variate-server", error))?;
        drop(entered);
        Ok(Self { runtime, inner })
    }

    /// Waits for one of them.
    pub fn wait(&mut self) -> Signalled {
        let Self { runtime, inner } = self;
        runtime.block_on(inner.next())
    }
}

#[cfg(unix)]
#[derive(Debug)]
struct Inner {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
    hangup: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Inner {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let terminate = signal(SignalKind::terminate())?;
        let interrupt = signal(SignalKind::interrupt())?;
        Ok(Self { terminate, interrupt, hangup: signal(SignalKind::hangup())? })
    }

    async fn next(&mut self) -> Signalled {
        tokio::select! {
            _ = self.terminate.recv() => Signalled::End,
            _ = self.interrupt.recv() => Signalled::End,
            _ = self.hangup.recv() => Signalled::Reload,
        }
    }
}

#[cfg(not(unix))]
#[derive(Debug)]
struct Inner;

#[cfg(not(unix))]
impl Inner {
    fn new() -> io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) -> Signalled {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        Signalled::End
    }
}
