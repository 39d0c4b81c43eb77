//! The measured calls, with their limits and measurements.

use std::collections::BTreeMap;

use alloy_primitives::Bytes;

use super::chain::Sent;

/// A measured call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Call {
    SignalLater,
    SignalFirst,
    SignedLater,
    SignedFirst,
    /// A signal by which its payload takes the lead from another one.
    SignalLeaderChange,
    /// A signal of a proposer whose seat changed hands since the set was closed.
    SignalChangedSeat,
    PushPublished,
    PushReplacing,
    PushUpgrading,
    DepositFirst,
    DepositLater,
    DepositMean,
    BallotFirst,
    BallotLater,
    /// A later ballot of a holder whose power changed 100 times in all, once since the snapshot.
    BallotAfterChange100,
    /// The same with 10,000 changes in all.
    BallotAfterChange10000,
    /// The same with 10,000 changes in all, 2,000 of them since the snapshot.
    BallotAfterChanges,
    Withdraw,
    ExecutePublished,
    ExecuteReplacing,
    ExecuteUpgrading,
    /// Execution of the published payload after a change of power since the snapshot.
    ExecuteAfterChange,
    /// Execution of a payload that changes one field of the configuration.
    ChangeOne,
    /// Execution of a payload that changes all fields.
    ChangeAll,
    /// `Rollup.deposit`.
    Stake,
    /// The first deposit in a system.
    DepositEver,
    /// The first withdrawal in a system.
    WithdrawEver,
    /// The first proposal in a system.
    PushEver,
}

impl Call {
    /// The calls with a limit.
    pub(super) const LIMITED: [Self; 16] = [
        Self::SignalLater,
        Self::SignalFirst,
        Self::SignedLater,
        Self::SignedFirst,
        Self::PushReplacing,
        Self::PushUpgrading,
        Self::DepositFirst,
        Self::DepositLater,
        Self::DepositMean,
        Self::BallotFirst,
        Self::BallotLater,
        Self::Withdraw,
        Self::ExecuteReplacing,
        Self::ExecuteUpgrading,
        Self::ChangeOne,
        Self::Stake,
    ];

    /// The calls with the payload that both systems have, and calls in unusual states.
    pub(super) const VARIED: [Self; 9] = [
        Self::PushPublished,
        Self::ExecutePublished,
        Self::ExecuteAfterChange,
        Self::ChangeAll,
        Self::BallotAfterChange100,
        Self::BallotAfterChange10000,
        Self::BallotAfterChanges,
        Self::SignalLeaderChange,
        Self::SignalChangedSeat,
    ];

    /// The first calls of their kind in a system. They use more gas, because every slot that they write
    /// is empty.
    pub(super) const EVER: [Self; 3] = [Self::DepositEver, Self::WithdrawEver, Self::PushEver];

    /// The name of the call in the tables, also in that of README.md.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::SignalLater => "signal, later in a round",
            Self::SignalFirst => "signal, first of a round",
            Self::SignedLater => "signal by signature, later in a round",
            Self::SignedFirst => "signal by signature, first of a round",
            Self::SignalLeaderChange => "signal that changes the leader",
            Self::SignalChangedSeat => "signal from a seat that changed hands since the set closed",
            Self::PushPublished => "push, payload that 0.67.1 ships",
            Self::PushReplacing => "push, constant payload",
            Self::PushUpgrading => "push, UpgradePayload",
            Self::DepositFirst => "lock, first of a holder",
            Self::DepositLater => "lock, later of a holder",
            Self::DepositMean => "lock, mean of four in a row",
            Self::BallotFirst => "ballot, first of a holder",
            Self::BallotLater => "ballot, later of a holder",
            Self::BallotAfterChange100 => {
                "ballot, power changed since the snapshot, 100 checkpoints"
            }
            Self::BallotAfterChange10000 => {
                "ballot, power changed since the snapshot, 10,000 checkpoints"
            }
            Self::BallotAfterChanges => {
                "ballot, power changed 2,000 times since the snapshot, 10,000 checkpoints"
            }
            Self::Withdraw => "leave",
            Self::ExecutePublished => "execute, payload that 0.67.1 ships",
            Self::ExecuteReplacing => "execute, constant payload",
            Self::ExecuteUpgrading => "execute, UpgradePayload",
            Self::ExecuteAfterChange => {
                "execute, payload that 0.67.1 ships, power changed since the snapshot"
            }
            Self::ChangeOne => "execute, updateConfiguration of one field",
            Self::ChangeAll => "execute, updateConfiguration of all fields",
            Self::Stake => "stake",
            Self::DepositEver => "lock, first of all",
            Self::WithdrawEver => "leave, first of all",
            Self::PushEver => "push, first of all",
        }
    }

    /// The limit in the design of the protocol, which was found with prototypes.
    ///
    /// The limit of `updateConfiguration` is just below an earlier measurement of the earlier system,
    /// which doesn't say which fields changed. It is applied to a change of one field, the cheapest
    /// change. A change of all fields writes more slots in both systems, and has no limit.
    const fn limit(self) -> Limit {
        match self {
            Self::SignalLater => Limit::AtMost(50_500),
            Self::SignalFirst => Limit::AtMost(96_500),
            Self::SignedLater => Limit::Above(Self::SignalLater, 7_000),
            Self::SignedFirst => Limit::Above(Self::SignalFirst, 7_000),
            Self::PushReplacing => Limit::AtMost(157_000),
            Self::PushUpgrading => Limit::AtMost(171_000),
            Self::DepositFirst => Limit::AtMost(97_000),
            Self::DepositLater => Limit::AtMost(101_000),
            Self::DepositMean => Limit::AtMost(85_000),
            Self::BallotFirst => Limit::AtMost(62_000),
            Self::BallotLater => Limit::AtMost(45_000),
            Self::Withdraw => Limit::AtMost(133_000),
            Self::ExecuteReplacing => Limit::AtMost(56_000),
            Self::ExecuteUpgrading => Limit::AtMost(138_000),
            Self::ChangeOne => Limit::AtMost(94_900),
            Self::Stake => Limit::AtMost(166_000),
            _ => Limit::None,
        }
    }
}

/// The most gas that one of our calls may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Limit {
    None,
    AtMost(u64),
    /// The most that another call used, plus this much.
    Above(Call, u64),
}

/// The gas of all measurements of a call.
#[derive(Clone, Debug)]
pub(super) struct Range {
    pub(super) least: u64,
    pub(super) most: u64,
    /// The calldata of the most expensive call.
    pub(super) input: Bytes,
}

/// The measurements of one system.
#[derive(Debug, Default)]
pub(super) struct Samples(BTreeMap<Call, Range>);

impl Samples {
    pub(super) fn add(&mut self, call: Call, sent: &Sent) {
        self.add_gas(call, sent.gas(), sent.input());
    }

    pub(super) fn add_gas(&mut self, call: Call, gas: u64, input: &Bytes) {
        let range = self.0.entry(call).or_insert_with(|| Range {
            least: gas,
            most: 0,
            input: Bytes::new(),
        });
        range.least = range.least.min(gas);
        if gas > range.most {
            range.most = gas;
            range.input = input.clone();
        }
    }

    pub(super) fn get(&self, call: Call) -> Option<&Range> {
        self.0.get(&call)
    }

    /// The most gas that a call may use; `None` if it has no limit.
    pub(super) fn limit(&self, call: Call) -> Option<u64> {
        match call.limit() {
            Limit::None => None,
            Limit::AtMost(limit) => Some(limit),
            Limit::Above(other, more) => Some(self.get(other)?.most + more),
        }
    }
}
