//! The table of README.md, which must contain the measured figures.

use std::{fs, path::Path};

use canon_protocol::text::grouped;
use eyre::{OptionExt, Result, WrapErr};

use super::{
    earlier,
    samples::{Call, Samples},
};

/// Reads README.md.
pub(super) fn read() -> Result<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    fs::read_to_string(path).wrap_err("README.md can't be read")
}

/// The rows that the table must have, in any order: the most gas that each call used, by system.
pub(super) fn rows(ours: &Samples, earlier: &Samples) -> Result<Vec<String>> {
    let row = |call: &Call| {
        let most = |samples: &Samples| Some(grouped(samples.get(*call)?.most));
        let was = most(earlier).map_or_else(String::new, |was| format!(" {was}"));
        let ours = most(ours).ok_or_eyre("a call was not measured")?;
        Ok(format!("| {} |{was} | {ours} |", call.name()))
    };
    Call::LIMITED.iter().chain(&Call::VARIED).map(row).collect()
}

/// The rows of the table in `readme` that aren't in `measured`, and the measured rows that it
/// lacks.
pub(super) fn differences(readme: &str, measured: &[String]) -> Result<Vec<String>> {
    let header = format!("| call | {} | Canon |\n", earlier::VERSION);
    let (_, table) = readme.split_once(&header).ok_or_eyre("README.md has no table of gas")?;
    // The first line contains the alignment of the columns.
    let rows = table.lines().take_while(|line| line.starts_with('|')).skip(1);
    let rows: Vec<_> = rows.map(str::to_owned).collect();
    let other = rows.iter().filter(|row| !measured.contains(row)).map(|row| format!("- {row}"));
    let missing = measured.iter().filter(|row| !rows.contains(row)).map(|row| format!("+ {row}"));
    Ok(other.chain(missing).collect())
}

#[cfg(test)]
mod tests {
    use super::differences;

    const README: &str = "\
# Gas

| call | 0.67.1 | Canon |
| --- | ---: | ---: |
| leave | 211,570 | 130,835 |
| stake | | 165,112 |

| another | table |
";

    #[test]
    fn every_row_has_to_be_as_measured() {
        let [leave, stake] = ["| leave | 211,570 | 130,835 |", "| stake | | 165,112 |"];
        let changed = "| leave | 211,570 | 130,834 |";
        let found = |measured: &[&str]| {
            let measured: Vec<_> = measured.iter().map(|row| (*row).to_owned()).collect();
            differences(README, &measured).unwrap()
        };
        assert_eq!(found(&[stake, leave]), [""; 0]);
        assert_eq!(found(&[changed, stake]), [format!("- {leave}"), format!("+ {changed}")]);
        assert_eq!(found(&[leave]), [format!("- {stake}")]);
        assert_eq!(found(&[leave, stake, changed]), [format!("+ {changed}")]);
        assert!(differences("no table", &[]).is_err());
    }
}
