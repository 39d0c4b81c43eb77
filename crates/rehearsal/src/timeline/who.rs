//! The chapter of an event, and who acts in it.

use std::fmt;

use canon_protocol::text::grouped;
use serde::{Serialize, Serializer};

/// The chapters of a timeline, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Chapter {
    /// Contracts, tokens, stakes, locks.
    Setting,
    /// Blocks and rewards on the old rollup.
    OldRollup,
    /// An AZIP is agreed; new contracts and the payload are deployed.
    Preparation,
    /// Sequencers signal, the winner is pushed.
    Signaling,
    /// Holders vote.
    Vote,
    /// Delay, execution.
    Execution,
    /// Stake, rewards and tokens afterwards.
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

/// The actors of an event. People are numbered from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// Deployed the set, and has no rights left.
    Deployer,
    /// The author of AZIPs, who also deploys the contracts that they need.
    Authors,
    /// One sequencer.
    Sequencer(u64),
    /// A number of sequencers.
    Sequencers(u64),
    /// One who staked on the new rollup before the switch.
    Pioneer(u64),
    /// A number of sequencers who staked there before the switch.
    Pioneers(u64),
    /// One holder.
    Holder(u64),
    /// A number of holders.
    Holders(u64),
    /// Pushes and executes.
    Keeper,
    /// Registered attesters of others as its own.
    Squatter,
    /// Somebody without any role.
    Anyone,
    /// Nobody: time alone.
    Time,
}

impl Who {
    /// Whether these are several people.
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
