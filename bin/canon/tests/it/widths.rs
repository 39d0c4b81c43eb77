//! The width of all texts that the program prints: a terminal has 80 columns.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// The width of a text.
const WIDTH: usize = 80;

/// The width of a text that fits itself to the terminal, where there is none.
const WITHOUT_TERMINAL: usize = 98;

/// The text that stands for a hash or an address in snapshots, and an address.
const ADDRESS: (&str, &str) = ("0x[..]", "0x0000000000000000000000000000000000000000");

/// The first words of the lines of an error or a note, which tests let go on one line each.
const OF_ERRORS: [&str; 4] = ["error: ", "  because ", "next: ", "note: "];

/// The first words of the lines with the command in a snapshot of several.
const COMMAND: &str = "$ canon ";

/// The lines that may be wider, by their file and their first words.
const EXCEPTIONS: [(&str, &str); 16] = [
    // The source of a page that `man` wraps.
    ("man.txt", "canon\\-completions \\- "),
    ("man.txt", "\\fBcanon completions\\fR "),
    // A line to be copied into a file.
    ("deploy-refused.txt", "  accept = ["),
    // A command to be copied.
    ("deploy.txt", "  canon stake deposit --attester "),
    // Outcomes in one line each.
    ("propose.txt", "The payload is proposal 0; "),
    ("stake-move.txt", "The move of "),
    ("stake.txt", "The rewards of "),
    ("stake.txt", "The move of "),
    ("finish.txt", "The stake of "),
    ("unlock.txt", "Withdrawal 0: "),
    // clap doesn't wrap this.
    ("stake-deposit-help.txt", "Usage: "),
    // What programs read.
    ("calendar.txt", "DESCRIPTION:"),
    ("holders.txt", "    \"name\": "),
    // The place of a mistake in a file.
    ("deployments.txt", "  [FOLDER]/deployment.toml:"),
    // Four bytes, which have a text as short as this one.
    ("proposal-actions.txt", "     unknown function "),
    ("push-refused-actions.txt", "     2. "),
];

/// The snapshot of a rehearsal, which shortens addresses.
const REHEARSAL: &str = "rehearse.txt";

/// The most columns of a file's lines. Helps and rehearsals fit themselves to the terminal.
fn limit(name: &str) -> usize {
    match name == REHEARSAL || name.ends_with("-help.txt") {
        true => WITHOUT_TERMINAL,
        false => WIDTH,
    }
}

/// The columns of a line of a file.
fn columns(name: &str, line: &str) -> usize {
    match name == REHEARSAL {
        true => line.chars().count(),
        false => line.replace(ADDRESS.0, ADDRESS.1).chars().count(),
    }
}

/// The snapshots of texts.
fn snapshots() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    let folders = [folder.join("errors"), folder.join("shown"), folder];
    let files = folders.iter().flat_map(|folder| fs::read_dir(folder).unwrap());
    let files = files.map(|entry| entry.unwrap().path());
    files.filter(|file| file.extension().is_some_and(|ending| ending == "txt")).collect()
}

#[test]
fn no_text_is_wider_than_a_terminal() {
    let (mut wide, mut used) = (Vec::new(), BTreeSet::new());
    for file in snapshots() {
        let name = file.file_name().unwrap().to_str().unwrap().to_owned();
        let limit = limit(&name);
        for (number, line) in (1..).zip(fs::read_to_string(&file).unwrap().lines()) {
            let columns = columns(&name, line);
            // A number or a mark stays before its word, which has no place to break.
            let is_one_word = line.split_whitespace().count() <= 2;
            let is_of_error = OF_ERRORS.iter().any(|start| line.starts_with(start));
            if columns <= limit || is_one_word || is_of_error || line.starts_with(COMMAND) {
                continue;
            }
            let is_meant = |(of, start): &&(&str, &str)| *of == name && line.starts_with(start);
            match EXCEPTIONS.iter().find(is_meant) {
                Some(exception) => _ = used.insert(exception),
                None => wide.push(format!("{name}:{number}: {columns} columns: {line}")),
            }
        }
    }
    assert!(wide.is_empty(), "wider than a terminal:\n{}", wide.join("\n"));
    let unused: Vec<_> = EXCEPTIONS.iter().filter(|one| !used.contains(one)).collect();
    assert!(unused.is_empty(), "no longer needed: {unused:?}");
}
