//! Tasks for the development of the project: `cargo xtask <task>`.

mod anvil;
mod architecture;
mod clients;
mod commands;
mod configuration_files;
mod differential;
mod explore;
mod faithful;
mod gas;
mod speed;
mod upgrade;

use std::{collections::BTreeMap, path::PathBuf};

use eyre::{Result, bail, ensure, eyre};

const USAGE: &str = "\
usage: cargo xtask <task>

  architecture            fail if a crate depends on what it must not, or if a new field of
                          `Configuration` would touch too many files
  clients --anvil PATH [--node PATH] [--python PATH]
                          carry out an upgrade with viem, ethers and web3.py on the devchain and on
                          anvil; fail if a client observes a difference
  commands                write docs/commands.md, the reference of the commands of canon
  differential [--calls N] [--threads N] [--from SEED | --seed SEED]
                          drive the rules and the bytecode in step; fail where they differ
  explore [--scope NAME] [--depth N]
                          try everything that can happen in small scopes; fail with the shortest
                          way to a broken property
  faithful --anvil PATH --cast PATH [--seed N]
                          compare the devchain with anvil, and try cast on it
  gas                     print what every call costs beside the earlier system, the floor and
                          its limit; fail above a limit, or if README.md has other figures
  speed --anvil PATH [--scenario FILE]
                          time a rehearsal, and its transactions on anvil
  upgrade --anvil PATH --cast PATH [--canon PATH] [--proposals N --stakers N]
                          carry out an upgrade on anvil with canon's commands; fail if cast reads
                          anything else from the chain than canon printed. With the two numbers,
                          instead time canon on a set of that size
";

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some("architecture") => {
            architecture::check()?;
            configuration_files::check()
        }
        Some("clients") => clients::command(&arguments[1..]),
        Some("commands") => commands::write(),
        Some("differential") => differential::command(&arguments[1..]),
        Some("explore") => explore::command(&arguments[1..]),
        Some("faithful") => faithful::command(&arguments[1..]),
        Some("gas") => gas::run(&arguments[1..]),
        Some("speed") => speed::command(&arguments[1..]),
        Some("upgrade") => upgrade::command(&arguments[1..]),
        Some("help" | "--help" | "-h") => {
            print!("{USAGE}");
            Ok(())
        }
        _ => bail!("{USAGE}"),
    }
}

/// The values of a task's flags, each `--name VALUE`. A flag that isn't one of `known` is an error.
fn flags<'a>(arguments: &'a [String], known: &[&str]) -> Result<BTreeMap<&'a str, &'a str>> {
    let mut values: BTreeMap<&str, &str> = BTreeMap::new();
    for pair in arguments.chunks(2) {
        let name = pair[0].as_str();
        ensure!(known.contains(&name), "unknown flag {name}: there are {}", known.join(", "));
        let [_, value] = pair else { bail!("{name} needs a value") };
        values.insert(name, value);
    }
    Ok(values)
}

/// The path that a flag gives.
fn path(values: &BTreeMap<&str, &str>, name: &str) -> Result<PathBuf> {
    values.get(name).map(PathBuf::from).ok_or_else(|| eyre!("{name} is missing"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_flags_and_missing_values_are_refused() {
        let read = |arguments: &[&str]| {
            let arguments: Vec<_> = arguments.iter().map(ToString::to_string).collect();
            flags(&arguments, &["--anvil", "--seed"]).map(|values| values.len())
        };
        assert_eq!(read(&["--seed", "1"]).unwrap(), 1);
        let refusal = |arguments: &[&str]| read(arguments).unwrap_err().to_string();
        assert_eq!(refusal(&["--sed", "1"]), "unknown flag --sed: there are --anvil, --seed");
        assert_eq!(refusal(&["--seed", "1", "--anvil"]), "--anvil needs a value");
    }
}
