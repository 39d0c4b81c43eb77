//! The file that `--operators` names.

use std::path::Path;

use canon_forecast::{
    Share,
    operators::{ListedOperator, parse},
};
use canon_protocol::Amount;

use crate::{exit::Failure, toml_file::TomlFile};

/// Reads the operators from a file. Each seat needs a stake of `minimum`; `missed` is the default for
/// operators without that field.
pub(super) fn read(
    path: &Path,
    minimum: Amount,
    missed: Share,
) -> Result<Vec<ListedOperator>, Failure> {
    let file = TomlFile::read(path, "name a file of operators with --operators")?;
    parse(file.text(), minimum, missed).map_err(|problems| {
        let title = format!("--operators {} has mistakes", file.name());
        file.mistakes(title, problems, "correct the lines above; --help shows what an operator has")
    })
}
