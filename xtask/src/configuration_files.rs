//! Counts the Rust files that a new field of `Configuration` touches.

use std::{
    fs,
    path::{Path, PathBuf},
};

use eyre::{Result, ensure};

/// The largest number of files that a new field may touch.
const MAX_FILES: usize = 6;

/// Two fields of `Configuration`, by their names in Rust and in Solidity. Code that lists both between
/// the same braces must list a new field too.
const FIELDS: [[&str; 2]; 2] =
    [["execution_delay", "grace_period"], ["executionDelay", "gracePeriod"]];

/// The folders that contain Rust files.
const FOLDERS: [&str; 3] = ["crates", "bin", "xtask"];

/// Fails if more files than [`MAX_FILES`] list the fields of `Configuration`.
pub(crate) fn check() -> Result<()> {
    let mut files = Vec::new();
    for folder in FOLDERS {
        find(Path::new(folder), &mut files)?;
    }
    let names = files.iter().map(|file| format!("\n  {}", file.display())).collect::<String>();
    ensure!(
        files.len() <= MAX_FILES,
        "a new field of `Configuration` would touch {} Rust files, at most {MAX_FILES} are allowed. \
         Each of these lists the fields in a struct, a literal or a pattern: write `..` where the \
         others don't matter, or change a copy of an existing configuration:{names}",
        files.len()
    );
    println!("a new field of `Configuration` touches {} Rust files:{names}", files.len());
    Ok(())
}

/// Appends the Rust files below `folder` that list the fields, in order.
fn find(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let entries = fs::read_dir(folder)?.map(|entry| Ok(entry?.path()));
    let mut paths = entries.collect::<Result<Vec<_>>>()?;
    paths.sort();
    for path in paths {
        if path.is_dir() {
            find(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs")
            && lists_fields(&fs::read_to_string(&path)?)
        {
            files.push(path);
        }
    }
    Ok(())
}

/// Whether a struct, a literal or a pattern of `source` has both fields and no `..`.
fn lists_fields(source: &str) -> bool {
    /// The items found so far between two braces or brackets.
    #[derive(Default)]
    struct Block {
        items: Vec<String>,
        item: String,
    }
    let lines = source.lines().map(|line| line.split("//").next().unwrap_or_default());
    let code = lines.collect::<Vec<_>>().join("\n");
    let mut blocks = vec![Block::default()];
    for character in code.chars() {
        match character {
            '{' | '(' | '[' => blocks.push(Block::default()),
            '}' | ')' | ']' => {
                let Some(mut block) = blocks.pop() else { return false };
                block.items.push(block.item);
                if character == '}' && is_list_of_fields(&block.items) {
                    return true;
                }
            }
            ',' => {
                if let Some(block) = blocks.last_mut() {
                    block.items.push(std::mem::take(&mut block.item));
                }
            }
            other => {
                if let Some(block) = blocks.last_mut() {
                    block.item.push(other);
                }
            }
        }
    }
    false
}

/// Whether `items`, found between two braces, contain both fields and no `..`.
fn is_list_of_fields(items: &[String]) -> bool {
    let names = items.iter().map(|item| {
        let name = item.split(':').next().unwrap_or_default();
        name.split_whitespace().last().unwrap_or_default()
    });
    let names: Vec<_> = names.collect();
    let is_whole = !items.iter().any(|item| item.trim_start().starts_with(".."));
    is_whole && FIELDS.iter().any(|fields| fields.iter().all(|field| names.contains(field)))
}

#[cfg(test)]
mod tests {
    use super::{FIELDS, lists_fields};

    /// `source` with `first`, `second`, `First` and `Second` replaced by the names of the fields.
    /// Written out, they would make this file count.
    fn named(source: &str) -> String {
        let [rust, solidity] = FIELDS;
        let source = source.replace("first", rust[0]).replace("second", rust[1]);
        source.replace("First", solidity[0]).replace("Second", solidity[1])
    }

    #[test]
    fn whole_lists_are_found() {
        for source in [
            "Configuration { quorum, first: of(3), second: of(2, 4) }",
            "let Self { second, first } = rules;",
            "Configuration { First: a.first, Second: a.second }",
            "struct Form {\n    /// Seconds.\n    #[serde(with = \"x\")]\n    pub first: Seconds,\n    pub(super) second: Field,\n}",
            "abi_struct!(Raw { first: U256, second: U256 });",
            "fn f() { g(C { a: b { c }, first: 0..=3, second: 1 }) }",
        ] {
            assert!(lists_fields(&named(source)), "{source}");
        }
    }

    #[test]
    fn partial_lists_and_uses_are_not_found() {
        for source in [
            "Configuration { first: of(3), second: of(2), ..base }",
            "let Self { first, second, .. } = rules;",
            "fn f() { check(raw.first, raw.second) }",
            "rules.first = a; rules.second = b;",
            "C { first: 1, rest: R { second: 2 } }",
            "C {\n    first: 1,\n    // second: 2,\n}",
        ] {
            assert!(!lists_fields(&named(source)), "{source}");
        }
    }
}
