//! The signals that end a program that runs until somebody stops it.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::exit::Failure;

/// SIGTERM and SIGINT (Ctrl-C), watched from the start on.
#[derive(Debug)]
pub(crate) struct Stop {
    terminate: Signal,
    interrupt: Signal,
}

impl Stop {
    /// Watches for them: from now on they don't end the program by themselves.
    ///
    /// # Errors
    ///
    /// If the system doesn't allow it.
    pub(crate) fn watch() -> Result<Self, Failure> {
        let watch = || -> io::Result<Self> {
            Ok(Self {
                terminate: signal(SignalKind::terminate())?,
                interrupt: signal(SignalKind::interrupt())?,
            })
        };
        watch().map_err(|error| {
            Failure::internal(error.into(), "free some of the machine's resources")
        })
    }

    /// Waits for one of them. Returns its name.
    pub(crate) async fn wait(&mut self) -> &'static str {
        tokio::select! {
            biased;
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}
