//! The programs that are run: cast, which reads the chain, and canon.

use std::{path::PathBuf, process::Output};

use canon_testkit::TestFolder;
use eyre::{Result, WrapErr, ensure};
use serde_json::Value;
use tokio::process::Command;

/// cast on one endpoint.
#[derive(Debug)]
pub(super) struct Cast {
    pub(super) program: PathBuf,
    pub(super) url: String,
    pub(super) home: PathBuf,
}

impl Cast {
    /// Runs a command and returns what it prints.
    pub(super) async fn text(&self, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new(&self.program);
        command.args(arguments).env_clear().env("HOME", &self.home).env("ETH_RPC_URL", &self.url);
        let output = command.output().await;
        let output = output.wrap_err_with(|| format!("can't run {}", self.program.display()))?;
        let error = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "cast {}: {error}", arguments.join(" "));
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }

    /// Runs a command that prints JSON.
    pub(super) async fn json(&self, arguments: &[&str]) -> Result<Value> {
        let text = self.text(&[arguments, &["--json"]].concat()).await?;
        serde_json::from_str(&text)
            .wrap_err_with(|| format!("cast {}: {text}", arguments.join(" ")))
    }

    /// Calls a view at the newest block. Returns the value, or the list of values if it has several.
    pub(super) async fn call(&self, to: &str, function: &str, arguments: &[&str]) -> Result<Value> {
        let mut values = self.json(&[&["call", to, function], arguments].concat()).await?;
        Ok(match values.as_array_mut() {
            Some(values) if values.len() == 1 => values.remove(0),
            _ => values,
        })
    }

    /// Sends a transaction, which must succeed.
    pub(super) async fn send(&self, arguments: &[&str]) -> Result<()> {
        let receipt = self.json(&[&["send"], arguments].concat()).await?;
        ensure!(receipt["status"] == "0x1", "cast send {}: {receipt}", arguments.join(" "));
        Ok(())
    }
}

/// canon in a folder of its own, which is its home and its working directory.
#[derive(Debug)]
pub(super) struct Canon {
    pub(super) program: PathBuf,
    pub(super) folder: TestFolder,
}

impl Canon {
    /// A command, ready to be started.
    pub(super) fn prepare(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments).current_dir(self.folder.path()).env_clear();
        for (variable, folder) in
            [("HOME", ""), ("XDG_STATE_HOME", "state"), ("XDG_CACHE_HOME", "cache")]
        {
            command.env(variable, self.folder.file(folder));
        }
        // Errors are compared as they are written, not as they are wrapped.
        command.env("COLUMNS", "10000").kill_on_drop(true);
        command
    }

    /// Runs a command to its end.
    pub(super) async fn run(&self, arguments: &[&str]) -> Result<Output> {
        let output = self.prepare(arguments).output().await;
        output.wrap_err_with(|| format!("can't run {}", self.program.display()))
    }
}
