//! The chapter and the actors of an event.

use std::fmt;

use canon_protocol::text::grouped;
use serde::{Serialize, Serializer};

/// The chapters of a timeline, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Chapter {
    /// Deployment of contracts; distribution, staking and locking of tokens.
    Setting,
    /// Blocks and rewards on the old rollup.
    OldRollup,
    /// Agreement on AZIPs; deployment of new contracts and payloads.
    Preparation,
    /// Signals of sequencers, and the push of the winner.
    Signaling,
    /// The holders' vote.
    Vote,
    /// The execution delay and the execution.
    Execution,
    /// Stakes, rewards and tokens afterwards.
    Aftermath,
}

impl fmt::Display for Chapter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Setting => "The set is deployed",
            Self::OldRollup => "The old rollup at work",
            Self::Preparation => "A change is agreed and prepared",
            Self::Signaling => "The way to the vote",
            Self::Vote => "The holders vote",
            Self::Execution => "Delay and execution",
            Self::Aftermath => "Afterwards",
        })
    }
}

/// The actors of an event. Individuals are numbered from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// The account that deployed the set, and has no rights any more.
    Deployer,
    /// The authors of AZIPs, who also deploy the contracts that these need.
    Authors,
    /// One sequencer.
    Sequencer(u64),
    /// Several sequencers, by their number.
    Sequencers(u64),
    /// A sequencer that staked on the new rollup before the switch.
    Pioneer(u64),
    /// Several sequencers that staked there before the switch, by their number.
    Pioneers(u64),
    /// One holder.
    Holder(u64),
    /// Several holders, by their number.
    Holders(u64),
    /// The account that pushes rounds and executes proposals.
    Keeper,
    /// The account that registered others' attesters as its own.
    Squatter,
    /// An account without any role.
    Anyone,
    /// Nobody: the event followed from time alone.
    Time,
}

impl Who {
    /// Whether the actors are several.
    pub const fn is_many(self) -> bool {
        match self {
            Self::Authors => true,
            Self::Sequencers(count) | Self::Pioneers(count) | Self::Holders(count) => count != 1,
            _ => false,
        }
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deployer => f.write_str("deployer"),
            Self::Authors => f.write_str("authors"),
            Self::Sequencer(number) => write!(f, "sequencer {number:02}"),
            Self::Sequencers(1) => f.write_str("1 sequencer"),
            Self::Sequencers(count) => write!(f, "{} sequencers", grouped(*count)),
            Self::Pioneer(number) => write!(f, "pioneer {number:02}"),
            Self::Pioneers(1) => f.write_str("1 pioneer"),
            Self::Pioneers(count) => write!(f, "{count} pioneers"),
            Self::Holder(number) => write!(f, "holder {number:02}"),
            Self::Holders(1) => f.write_str("1 holder"),
            Self::Holders(count) => write!(f, "{} holders", grouped(*count)),
            Self::Keeper => f.write_str("keeper"),
            Self::Squatter => f.write_str("squatter"),
            Self::Anyone => f.write_str("anyone"),
            Self::Time => f.write_str("·"),
        }
    }
}

impl Serialize for Who {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Time => serializer.serialize_none(),
            who => serializer.collect_str(who),
        }
    }
}
