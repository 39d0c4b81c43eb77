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

impl OnTerminal {
    /// Starts a command.
    pub(crate) fn start(mut command: Command) -> Self {
        let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&terminal).unwrap();
        unlockpt(&terminal).unwrap();
        let name = ptsname(&terminal, Vec::new()).unwrap();
        let open = || {
            let mut options = OpenOptions::new();
            options.read(true).write(true).open(name.to_str().unwrap()).unwrap()
        };
        command.stdin(open()).stdout(Stdio::null()).stderr(open());
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

    /// Waits until the command has ended. Returns its exit code, and all that it has said.
    pub(crate) fn ended(mut self) -> (Option<i32>, String) {
        loop {
            match self.output.recv_timeout(PATIENCE) {
                Ok(more) => self.add(&more),
                Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => break,
                Err(error) => panic!("it hasn't ended ({error}): {}", self.said),
            }
        }
        (self.child.wait().unwrap().code(), std::mem::take(&mut self.said))
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
