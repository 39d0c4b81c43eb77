//! The rules that parameters break, and whether they stop the command.

use canon_chain::deploy::{BrokenRule, FindingLevel};
use eyre::eyre;
use serde::Serialize;

use crate::{
    exit::{Exit, Failure},
    page::{Page, line, wrapped},
};

/// The width of the text about a broken rule.
const WIDTH: usize = 65;

/// The rules that parameters break, and the names of the rules that their file accepts to be
/// broken.
#[derive(Debug, Serialize)]
pub(crate) struct Judgement {
    pub(crate) broken: Vec<BrokenRule>,
    accepted: Vec<&'static str>,
}

impl Judgement {
    pub(crate) const fn new(broken: Vec<BrokenRule>, accepted: Vec<&'static str>) -> Self {
        Self { broken, accepted }
    }

    fn is_accepted(&self, broken: &BrokenRule) -> bool {
        self.accepted.contains(&broken.rule)
    }

    /// The accepted rules that aren't broken.
    pub(crate) fn unneeded(&self) -> impl Iterator<Item = &'static str> {
        let broken = |name: &str| self.broken.iter().any(|broken| broken.rule == name);
        self.accepted.iter().copied().filter(move |name| !broken(name))
    }

    /// Refuses broken rules of level `Error` that aren't accepted.
    ///
    /// # Errors
    ///
    /// If there are such rules. The error names all of them.
    pub(crate) fn ensure_accepted(&self) -> Result<(), Failure> {
        let refused: Vec<_> = self
            .broken
            .iter()
            .filter(|broken| broken.level == FindingLevel::Error && !self.is_accepted(broken))
            .collect();
        if refused.is_empty() {
            return Ok(());
        }
        let mut page = Page::default();
        for broken in &refused {
            // Errors indent these lines by two more columns.
            show(&mut page, broken, &broken.level.to_string(), WIDTH - 2);
        }
        let names: Vec<_> = refused.iter().map(|broken| format!("\"{}\"", broken.rule)).collect();
        line!(page, "accept = [{}]", names.join(", "));
        let report = eyre!("{}", page.into_text()).wrap_err("these parameters break rules");
        Err(Failure {
            exit: Exit::CheckFailed,
            report,
            next: "change the parameters; or, to accept these consequences, put the line above at the start \
                   of the file",
        })
    }

    /// Writes all broken rules to a page.
    pub(crate) fn render(&self, page: &mut Page) {
        for broken in &self.broken {
            let word = match self.is_accepted(broken) {
                true => "accepted".to_owned(),
                false => broken.level.to_string(),
            };
            show(page, broken, &word, WIDTH);
        }
    }
}

/// Writes a broken rule. Its text has at most `width` columns.
fn show(page: &mut Page, broken: &BrokenRule, word: &str, width: usize) {
    let BrokenRule { rule, found, why, .. } = broken;
    line!(page, "  {word:<8}  {rule}");
    for part in wrapped(&format!("{found}; {why}"), width) {
        line!(page, "            {part}");
    }
}
