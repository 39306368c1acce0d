//! What tells the process to end.
//!
//! Must not know what is ended.

use std::io;

use tokio::runtime::Handle;

use crate::error::Error;

/// The signals that tell the process to end: SIGTERM, and SIGINT as by Ctrl-C. As long as this lives, they
/// do nothing else.
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
    pub fn wait(&mut self) {
        let Self { runtime, inner } = self;
        runtime.block_on(inner.next());
    }
}

#[cfg(unix)]
#[derive(Debug)]
struct Inner {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Inner {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let terminate = signal(SignalKind::terminate())?;
        Ok(Self { terminate, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
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

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
