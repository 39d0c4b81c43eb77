//! The calls that are measured, what they may cost, and what was measured of them.

use std::collections::BTreeMap;

use alloy::primitives::Bytes;

use super::chain::Sent;

/// A call that is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Call {
    SignalLater,
    SignalFirst,
    SignedLater,
    SignedFirst,
    /// A signal with which its payload takes the lead from another.
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
    /// A later ballot; power of its holder changed once since the snapshot, 100 times in all.
    BallotAfterChange100,
    /// The same with 10,000 changes in all.
    BallotAfterChange10000,
    /// The same with 10,000 changes in all, 2,000 of them since the snapshot.
    BallotAfterChanges,
    Withdraw,
    ExecutePublished,
    ExecuteReplacing,
    ExecuteUpgrading,
    /// The published payload; power changed since the snapshot.
    ExecuteAfterChange,
    /// Execution of a change of one field of the configuration.
    ChangeOne,
    /// The same for all fields.
    ChangeAll,
    /// `Rollup.deposit`.
    Stake,
    /// The first deposit that a system sees.
    DepositEver,
    /// Its first withdrawal.
    WithdrawEver,
    /// Its first proposal.
    PushEver,
}

impl Call {
    /// Those that have limits.
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

    /// The same payload in both systems, and what a call costs in other states than the usual one.
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

    /// Those that are dear because nothing was there before. No system does them twice.
    pub(super) const EVER: [Self; 3] = [Self::DepositEver, Self::WithdrawEver, Self::PushEver];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::SignalLater => "signal, later in round",
            Self::SignalFirst => "signal, first of round",
            Self::SignedLater => "voteWithSig, later in round",
            Self::SignedFirst => "voteWithSig, first of round",
            Self::SignalLeaderChange => "signal, new leader",
            Self::SignalChangedSeat => "signal, seat changed hands since the set closed",
            Self::PushPublished => "pushProposal, published payload of 0.67.1",
            Self::PushReplacing => "pushProposal, one action",
            Self::PushUpgrading => "pushProposal, UpgradePayload",
            Self::DepositFirst => "deposit, first of holder",
            Self::DepositLater => "deposit, later of holder",
            Self::DepositMean => "deposit, mean of 4 in a row",
            Self::BallotFirst => "ballot, first of holder",
            Self::BallotLater => "ballot, later of holder",
            Self::BallotAfterChange100 => {
                "ballot, later, 100 checkpoints, power changed once since"
            }
            Self::BallotAfterChange10000 => {
                "ballot, later, 10,000 checkpoints, power changed once since"
            }
            Self::BallotAfterChanges => {
                "ballot, later, 10,000 checkpoints, power changed 2,000 times since"
            }
            Self::Withdraw => "initiateWithdraw",
            Self::ExecutePublished => "execute, published payload of 0.67.1",
            Self::ExecuteReplacing => "execute, one action",
            Self::ExecuteUpgrading => "execute, UpgradePayload",
            Self::ExecuteAfterChange => "execute, published payload, power changed since",
            Self::ChangeOne => "execute, updateConfiguration",
            Self::ChangeAll => "execute, updateConfiguration, all fields",
            Self::Stake => "Rollup.deposit",
            Self::DepositEver => "the first deposit of all",
            Self::WithdrawEver => "the first withdrawal of all",
            Self::PushEver => "the first proposal of all",
        }
    }

    /// What was set when the protocol was designed, after prototypes.
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

/// The most that one of our calls may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Limit {
    None,
    AtMost(u64),
    /// So much more than the worst of another call.
    Above(Call, u64),
}

/// What a call used each time it was made.
#[derive(Clone, Debug)]
pub(super) struct Range {
    pub(super) least: u64,
    pub(super) most: u64,
    /// The calldata of the most expensive one.
    pub(super) input: Bytes,
}

/// What was measured of one system.
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

    /// The most that a call of these may use.
    pub(super) fn limit(&self, call: Call) -> Option<u64> {
        match call.limit() {
            Limit::None => None,
            Limit::AtMost(limit) => Some(limit),
            Limit::Above(other, more) => Some(self.get(other)?.most + more),
        }
    }
}
