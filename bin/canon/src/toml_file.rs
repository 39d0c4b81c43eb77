//! TOML files written by users. Errors name the line and the field.

use std::{ops::Range, path::Path};

use canon_chain::deploy::{InvalidParameters, rules};
use canon_toml_file::{FileError, Problem};
use eyre::{Report, WrapErr as _};
use serde::de::DeserializeOwned;
use toml::Spanned;

use crate::exit::Failure;

/// The name and the text of a file, from which errors quote.
#[derive(Clone, Debug)]
pub(crate) struct TomlFile {
    name: String,
    text: String,
}

impl TomlFile {
    /// Reads a file. `next` tells the user what to do if that fails.
    ///
    /// # Errors
    ///
    /// If it can't be read.
    pub(crate) fn read(path: &Path, next: &'static str) -> Result<Self, Failure> {
        let name = path.display().to_string();
        let text = canon_chain::read_text(path).wrap_err_with(|| format!("{name} can't be read"));
        Ok(Self { text: text.map_err(|report| Failure::bad_input(report, next))?, name })
    }

    /// The path of the file, as the user gave it.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The contents of the file.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Parses the file. `next` tells the user what to do if that fails.
    ///
    /// # Errors
    ///
    /// The first mistake, with its line and field.
    pub(crate) fn parse<T: DeserializeOwned>(&self, next: &'static str) -> Result<T, Failure> {
        toml::from_str(&self.text)
            .map_err(|error| self.unusable(vec![Problem::unparsed(&self.text, &error)], next))
    }

    /// The identifiers of the rules in a list of `accept`.
    ///
    /// # Errors
    ///
    /// If a name isn't that of a rule.
    pub(crate) fn accepted(
        &self,
        names: &[Spanned<String>],
        next: &'static str,
    ) -> Result<Vec<&'static str>, Failure> {
        let known = |name: &str| rules().map(|rule| rule.id).find(|id| *id == name);
        let unknown: Vec<_> = names.iter().filter(|name| known(name.get_ref()).is_none()).collect();
        if unknown.is_empty() {
            return Ok(names.iter().filter_map(|name| known(name.get_ref())).collect());
        }
        let expected = "the name of a rule, as the warnings have it";
        let problem = |name: &Spanned<String>| {
            let span: Range<usize> = name.span();
            Problem::expected(&self.text, span, "accept".to_owned(), expected)
        };
        Err(self.unusable(unknown.into_iter().map(problem).collect(), next))
    }

    /// The failure for parameters that no constructor accepts.
    pub(crate) fn undeployable(&self, error: &InvalidParameters, next: &'static str) -> Failure {
        let problems = error.problems().iter();
        let mut problems: Vec<_> = problems
            .map(|problem| Problem::of_field(&self.text, &problem.field, problem.message.clone()))
            .collect();
        problems.sort_by_key(|problem| problem.line);
        self.mistakes("the parameters can't be deployed".to_owned(), problems, next)
    }

    fn unusable(&self, problems: Vec<Problem>, next: &'static str) -> Failure {
        self.mistakes("the file can't be used".to_owned(), problems, next)
    }

    /// The failure for a file with mistakes.
    pub(crate) fn mistakes(
        &self,
        title: String,
        problems: Vec<Problem>,
        next: &'static str,
    ) -> Failure {
        let error = FileError { file: self.name.clone(), problems };
        Failure::bad_input(Report::new(error).wrap_err(title), next)
    }
}
