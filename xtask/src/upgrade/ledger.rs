//! The commands that were run, and what was checked after each of them.

use eyre::{Result, bail, ensure};
use serde_json::Value;

/// Counts commands and checks, and prints a line for each command.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    step: &'static str,
    command: String,
    /// The fields checked since the command, each once.
    checked: Vec<String>,
    checks_of_command: usize,
    pub(super) commands: usize,
    pub(super) checks: usize,
}

impl Ledger {
    /// Begins a step of the upgrade.
    ///
    /// # Errors
    ///
    /// As [`Self::end`].
    pub(super) fn step(&mut self, step: &'static str) -> Result<()> {
        self.end()?;
        self.step = step;
        println!("{step}");
        Ok(())
    }

    /// Begins a command.
    ///
    /// # Errors
    ///
    /// As [`Self::end`].
    pub(super) fn command(&mut self, command: &str) -> Result<()> {
        self.end()?;
        command.clone_into(&mut self.command);
        self.commands += 1;
        Ok(())
    }

    /// Ends a command, and prints it with the number of checks and their fields.
    ///
    /// # Errors
    ///
    /// If nothing was checked after it.
    pub(super) fn end(&mut self) -> Result<()> {
        if self.command.is_empty() {
            return Ok(());
        }
        ensure!(self.checks_of_command > 0, "{}: nothing was checked", self.place());
        println!("  {}", without_flags(&short(&self.command)));
        println!("      {} checked: {}", self.checks_of_command, self.checked.join(", "));
        self.command.clear();
        self.checked.clear();
        self.checks_of_command = 0;
        Ok(())
    }

    /// Checks that canon's answer is the chain's.
    ///
    /// # Errors
    ///
    /// If they differ, or either is missing.
    pub(super) fn same(&mut self, field: &str, canon: &Value, chain: &Value) -> Result<()> {
        let place = self.place();
        ensure!(!chain.is_null(), "{place}: {field}: the chain has no value to compare with");
        let (canon, chain) = (text(canon), text(chain));
        ensure!(canon == chain, "{place}: {field}: canon says {canon}, the chain {chain}");
        self.count(field);
        Ok(())
    }

    /// Checks a text that isn't a value of the chain.
    ///
    /// # Errors
    ///
    /// If `found` lacks `expected`.
    pub(super) fn says(&mut self, field: &str, found: &str, expected: &str) -> Result<()> {
        if !found.contains(expected) {
            bail!("{}: {field}: expected {expected:?}, found {found:?}", self.place());
        }
        self.count(field);
        Ok(())
    }

    fn count(&mut self, field: &str) {
        self.checks += 1;
        self.checks_of_command += 1;
        // The items of a list are checked alike.
        let is_name = |part: &&str| part.parse::<usize>().is_err();
        let field = field.split('.').filter(is_name).collect::<Vec<_>>().join(".");
        if !self.checked.contains(&field) {
            self.checked.push(field);
        }
    }

    /// The step and the command, for errors.
    pub(super) fn place(&self) -> String {
        format!("{}: {}", self.step, self.command)
    }
}

/// A value as text: numbers are strings in one document and not in another.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A command with shortened addresses and hashes.
fn short(command: &str) -> String {
    let words = command.split_whitespace().map(|word| match word.len() {
        42 | 66 if word.starts_with("0x") => format!("{}…{}", &word[..6], &word[word.len() - 4..]),
        _ => word.to_owned(),
    });
    words.collect::<Vec<_>>().join(" ")
}

/// A command without the flags that all of them have.
fn without_flags(command: &str) -> String {
    let words = command.split_whitespace();
    words.filter(|word| !["--yes", "--json"].contains(word)).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn begun() -> Ledger {
        let mut ledger = Ledger::default();
        ledger.step("lock").unwrap();
        ledger.command("canon lock 5 --yes").unwrap();
        ledger
    }

    #[test]
    fn a_mismatch_names_step_command_field_and_both_values() {
        let error = begun().same("power", &json!("5"), &json!(6)).unwrap_err().to_string();
        assert_eq!(error, "lock: canon lock 5 --yes: power: canon says 5, the chain 6");
        let error = begun().same("power", &Value::Null, &json!(6)).unwrap_err().to_string();
        assert!(error.ends_with("canon says null, the chain 6"), "{error}");
        let error = begun().same("power", &Value::Null, &Value::Null).unwrap_err().to_string();
        assert!(error.ends_with("the chain has no value to compare with"), "{error}");
        let error = begun().says("exit", "exit 1", "exit 4").unwrap_err().to_string();
        assert!(error.ends_with("expected \"exit 4\", found \"exit 1\""), "{error}");
    }

    #[test]
    fn numbers_are_compared_as_texts_and_counted() {
        let mut ledger = begun();
        ledger.same("power", &json!("5"), &json!(5)).unwrap();
        ledger.same("power", &json!(true), &json!(true)).unwrap();
        ledger.end().unwrap();
        assert_eq!((ledger.commands, ledger.checks), (1, 2));
    }

    #[test]
    fn a_command_after_which_nothing_is_checked_is_an_error() {
        let error = begun().command("canon status").unwrap_err().to_string();
        assert_eq!(error, "lock: canon lock 5 --yes: nothing was checked");
    }
}
