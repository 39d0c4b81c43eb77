//! Commands on a terminal, which ask questions.

use std::{
    fs::{File, OpenOptions},
    io::{Read as _, Write as _},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    time::Duration,
};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

/// The time in which a command says something, or ends. Only a command that waits for ever exceeds it.
const PATIENCE: Duration = Duration::from_secs(120);

/// A command whose stdin and stderr are a terminal.
pub(crate) struct OnTerminal {
    child: Child,
    terminal: File,
    output: Receiver<Vec<u8>>,
    said: String,
}

/// The end of a command.
pub(crate) struct Ended {
    /// The exit code; `None` if it was killed.
    pub(crate) code: Option<i32>,
    /// The text on stdout, which must fit a pipe.
    pub(crate) result: String,
    /// The text on the terminal.
    pub(crate) said: String,
}

impl OnTerminal {
    /// Starts a command whose stdout goes to a pipe. The terminal shows no colors.
    pub(crate) fn start(mut command: Command) -> Self {
        command.env("TERM", "dumb");
        Self::start_with(command, |_| Stdio::piped())
    }

    /// Starts a command whose stdout is the terminal, too.
    pub(crate) fn start_alone(command: Command) -> Self {
        Self::start_with(command, Stdio::from)
    }

    fn start_with(mut command: Command, stdout: impl FnOnce(File) -> Stdio) -> Self {
        let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&terminal).unwrap();
        unlockpt(&terminal).unwrap();
        let name = ptsname(&terminal, Vec::new()).unwrap();
        let open = || {
            let mut options = OpenOptions::new();
            options.read(true).write(true).open(name.to_str().unwrap()).unwrap()
        };
        command.stdin(open()).stdout(stdout(open())).stderr(open());
        let child = command.spawn().unwrap();
        // Afterwards only the command has the terminal open, and reading ends with it.
        drop(command);
        let terminal = File::from(terminal);
        let mut reader = terminal.try_clone().unwrap();
        let (sender, output) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = reader.read(&mut buffer) {
                if sender.send(buffer[..length].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self { child, terminal, output, said: String::new() }
    }

    /// Waits until the command has said a text. Returns all that it has said so far.
    pub(crate) fn read_until(&mut self, text: &str) -> &str {
        while !self.said.contains(text) {
            match self.output.recv_timeout(PATIENCE) {
                Ok(more) => self.add(&more),
                Err(error) => panic!("{text:?} is missing ({error}): {}", self.said),
            }
        }
        &self.said
    }

    /// Types a line.
    pub(crate) fn answer(&mut self, line: &str) {
        self.terminal.write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    /// Whether the command hasn't ended yet.
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits until the command has ended.
    pub(crate) fn ended(mut self) -> Ended {
        loop {
            match self.output.recv_timeout(PATIENCE) {
                Ok(more) => self.add(&more),
                Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => break,
                Err(error) => panic!("it hasn't ended ({error}): {}", self.said),
            }
        }
        let mut result = String::new();
        if let Some(mut stdout) = self.child.stdout.take() {
            stdout.read_to_string(&mut result).unwrap();
        }
        let code = self.child.wait().unwrap().code();
        Ended { code, result, said: std::mem::take(&mut self.said) }
    }

    fn add(&mut self, more: &[u8]) {
        // A terminal ends lines with a carriage return as well.
        self.said.push_str(&String::from_utf8_lossy(more).replace('\r', ""));
    }
}

impl Drop for OnTerminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
