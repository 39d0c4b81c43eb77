//! Parameter files with comments on the meaning, unit and bounds of each field.

use canon_chain::deploy::{RollupSettings, SetParameters};
use serde::Serialize;

/// The comments before sections and fields. An empty line of a comment becomes an empty line of the
/// file.
const COMMENTS: [(&str, &str); 25] = [
    (
        "asset",
        "The token. Its contract can't be replaced.
Amounts are tokens of 18 decimals: \"1,000\" or \"0.5\". Durations have units: \"3 d\", \"1 h 30 min\".",
    ),
    ("asset.name", "ERC-20 name; also names the domain of permits."),
    ("asset.symbol", "ERC-20 symbol."),
    (
        "asset.initial_supply",
        "initial_holder = \"0x…\"  # receiver of the initial supply; default: the deployer

Initial supply: 20 base units to 79,228,162,514 tokens.",
    ),
    (
        "asset.issued_per_second",
        "Tokens per second that Governance may mint. What isn't minted accrues for 365 days at most.",
    ),
    (
        "asset.block_reward",
        "Tokens paid for each block of the canonical rollup, while the RewardDistributor has any.",
    ),
    (
        "signaling",
        "Signals of sequencers: a payload that gets n of a round's m slots becomes a proposal.",
    ),
    ("signaling.n", "Signals that win a round: at least 2, more than m / 2, at most m."),
    ("signaling.m", "Slots of a round: below 16,777,216."),
    (
        "governance",
        "Votes of holders. Delays and the grace period are 60 s to 90 d. A proposal keeps the
configuration that was in force when it was created; a vote can change it for later ones.",
    ),
    ("governance.voting_delay", "Time between a proposal's creation and its vote."),
    ("governance.voting_duration", "Length of the vote."),
    (
        "governance.execution_delay",
        "Time between the end of the vote and the first possible execution. Ballots against are
taken in its first half.",
    ),
    ("governance.grace_period", "Time in which an accepted proposal can be executed."),
    ("governance.quorum", "Share of all power that must be cast: above 0 %, at most 90 %."),
    (
        "governance.vote_differential",
        "Share of the cast power by which votes for must exceed votes against: at most 90 %.",
    ),
    (
        "governance.minimum_votes",
        "Total power below which no proposal passes: above 0, at most half of the initial supply.",
    ),
    (
        "governance.lock_amount",
        "Power that a proposal without signals costs (Governance.proposeWithLock): at least two base
units, at most a tenth of the initial supply.",
    ),
    (
        "governance.lock_delay",
        "Least time for which the tokens of that power are withheld: 60 s to 365 d.",
    ),
    ("rollup", "The rollup. Nothing of it can be changed later; another rollup can replace it."),
    (
        "rollup.genesis",
        "First second of slot 0, in Unix seconds; not in the future. The rollup's address follows from
it, so that it isn't deployed twice.",
    ),
    (
        "rollup.slot_duration",
        "Length of a slot: at least 1 s; a multiple of L1's 12 s is best.",
    ),
    (
        "rollup.epoch_slots",
        "Slots of an epoch: at least two, with at least 24 s after the first.",
    ),
    ("rollup.minimum_stake", "The least stake of a member of the sequencer set: above 0 tokens."),
    (
        "rollup.exit_delay",
        "Time between leaving and getting the stake back: at least two epochs, at most 365 d.",
    ),
];

const ACCEPT: &str = "\
# Rules that these parameters may break, by the names that the command says. On chains of
# development nodes (31337, 1337) broken rules are warnings.
# accept = [\"short-epochs\"]
";

const REWARD_DISTRIBUTOR: &str = "\
# Contract that pays for the rollup's blocks: a RewardDistributor that belongs to this set's Governance and
# uses its Registry. Default: the one of the present rollup.
# reward_distributor = \"0x…\"
";

const GENESIS: &str = "[rollup]

# First second of slot 0, in Unix seconds; not in the future. Default: the time of the newest block.
# With --unsigned it has to be named.
# genesis = 1767225600
";

const ORIGIN: &str = "
# The factory that creates the contracts (CREATE2), and its salt. Another salt gives other
# addresses. Default: the deterministic deployment proxy, and 0.
# [origin]
# factory = \"0x4e59b44847b379578588920cA78FbF26c0B4956C\"
# salt = \"0x0000000000000000000000000000000000000000000000000000000000000000\"
";

/// Returns the file of a set.
///
/// # Errors
///
/// If the parameters can't be written as TOML, which doesn't happen.
pub(crate) fn set(parameters: &SetParameters) -> Result<String, toml::ser::Error> {
    let text = commented(&toml::to_string(parameters)?).replace("[rollup]\n", GENESIS);
    Ok(format!("{ACCEPT}\n{text}{ORIGIN}"))
}

/// The sections of the file of a rollup.
#[derive(Serialize)]
struct Sections<'a> {
    rollup: &'a RollupSettings,
}

/// Returns the file of a rollup.
///
/// # Errors
///
/// If the parameters can't be written as TOML, which doesn't happen.
pub(crate) fn rollup(settings: &RollupSettings) -> Result<String, toml::ser::Error> {
    let text = toml::to_string(&Sections { rollup: settings })?;
    Ok(format!("{ACCEPT}\n{REWARD_DISTRIBUTOR}\n{}{ORIGIN}", commented(&text)))
}

/// Adds the comments to a TOML text. Every value must be on one line.
fn commented(text: &str) -> String {
    let mut out = String::new();
    let mut section = "";
    for line in text.lines() {
        let header = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let path = match (header, line.split_once(" = ")) {
            (Some(name), _) => {
                section = name;
                name.to_owned()
            }
            (None, Some((field, _))) => format!("{section}.{field}"),
            (None, None) => String::new(),
        };
        let comment =
            COMMENTS.iter().find(|(field, _)| *field == path).map(|(_, comment)| *comment);
        if let (None, Some(_)) = (header, comment) {
            out.push('\n');
        }
        for comment in comment.into_iter().flat_map(str::lines) {
            let comment = format!("# {comment}");
            out.push_str(comment.strip_suffix("# ").unwrap_or(&comment));
            out.push('\n');
        }
        out.push_str(line);
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use canon_protocol::Timestamp;

    use super::*;

    #[test]
    fn a_printed_file_has_the_parameters_and_nothing_else() {
        for preset in [SetParameters::tests(), SetParameters::mainnet_like()] {
            assert_eq!(toml::from_str::<SetParameters>(&set(&preset).unwrap()).unwrap(), preset);
            let settings = RollupSettings { genesis: Some(Timestamp::of(7)), ..preset.rollup };
            let table: toml::Table = rollup(&settings).unwrap().parse().unwrap();
            assert_eq!(table.keys().collect::<Vec<_>>(), ["rollup"]);
            assert_eq!(table["rollup"].clone().try_into::<RollupSettings>().unwrap(), settings);
        }
    }

    #[test]
    fn every_section_and_field_is_explained() {
        let mut parameters = SetParameters::mainnet_like();
        parameters.rollup.genesis = Some(Timestamp::of(7));
        let table = toml::Table::try_from(parameters).unwrap();
        for (section, fields) in &table {
            let explained = |path: &str| COMMENTS.iter().any(|(field, _)| *field == path);
            assert!(explained(section), "{section}");
            for field in fields.as_table().unwrap().keys() {
                assert!(explained(&format!("{section}.{field}")), "{section}.{field}");
            }
        }
    }
}
