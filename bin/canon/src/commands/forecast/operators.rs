//! The file that `--operators` names.

use std::path::Path;

use canon_forecast::{
    Share,
    operators::{ListedOperator, Mistake, MistakeKind, OperatorsError, parse},
};
use canon_protocol::Amount;
use canon_rehearsal::scenario::{FileError, Problem};
use eyre::Report;

use crate::{exit::Failure, toml_file::TomlFile};

/// Reads the operators of a file. Each seat needs a stake of `minimum`; `missed` applies to operators
/// without that field.
pub(super) fn read(
    path: &Path,
    minimum: Amount,
    missed: Share,
) -> Result<Vec<ListedOperator>, Failure> {
    let file = TomlFile::read(path, "name a file of operators with --operators")?;
    parse(file.text(), minimum, missed).map_err(|error| {
        let title = format!("--operators {} has mistakes", file.name());
        let problems = problems(file.text(), &error);
        let error = FileError { file: file.name().to_owned(), problems };
        Failure::bad_input(
            Report::new(error).wrap_err(title),
            "correct the lines above; --help shows what an operator has",
        )
    })
}

/// The mistakes with the lines of `text` in which they are.
fn problems(text: &str, error: &OperatorsError) -> Vec<Problem> {
    match error {
        OperatorsError::Syntax(error) => vec![Problem::unparsed(text, error)],
        OperatorsError::Fields(mistakes) => {
            mistakes.iter().map(|mistake| problem(text, mistake)).collect()
        }
        error => vec![Problem::nowhere(String::new(), error.to_string())],
    }
}

fn problem(text: &str, Mistake { span, field, kind }: &Mistake) -> Problem {
    match (span, kind) {
        (None, kind) => Problem::nowhere(field.clone(), kind.to_string()),
        (Some(span), MistakeKind::Expected(expected)) => {
            Problem::expected(text, span.clone(), field.clone(), expected)
        }
        (Some(span), kind) => Problem::new(text, span.clone(), field.clone(), kind.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each problem without the line that it quotes.
    fn said(text: &str) -> String {
        let error = parse(text, Amount::TOKEN, Share::ALL).unwrap_err();
        let error = FileError { file: "file".to_owned(), problems: problems(text, &error) };
        let text = error.to_string();
        text.lines().filter(|line| line.starts_with("file")).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn mistakes_have_their_place_and_say_what_was_found() {
        let none = "expected at least one [[operator]]";
        for (text, says) in [
            ("", format!("file: operator: {none}")),
            ("operator = 3", format!("file:1:12: operator: {none}, found 3")),
            ("[operator]\nseats = 3", format!("file:1:1: operator: {none}, found [operator]")),
            (
                "[[operator]]\nseats = 0\nside = \"both\"",
                "file:2:9: operator[0].seats: expected a whole number from 1 to 4,294,967,295, found 0\n\
                 file:3:8: operator[0].side: expected \"for\", \"rival\" or \"silent\", found \"both\""
                    .to_owned(),
            ),
            (
                "[[operator]]",
                "file:1:1: operator[0].seats: expected seats or stake, found neither\n\
                 file:1:1: operator[0].side: expected \"for\", \"rival\" or \"silent\", found nothing"
                    .to_owned(),
            ),
        ] {
            assert_eq!(said(text), says, "{text}");
        }
        assert!(said("= 1").starts_with("file:1:1: "), "{}", said("= 1"));
    }
}
