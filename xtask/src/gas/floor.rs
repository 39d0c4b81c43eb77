//! The least gas that a call of ours can use: the price of the accesses, writes and logs that the
//! protocol requires of the call, without any computation.

use alloy_sol_types::SolEvent;
use canon_abi::{Asset, Governance, Proposals, Registry, Rollup};

use super::samples::Call;

/// A transaction (Yellow Paper: G_transaction).
const TRANSACTION: u64 = 21_000;
/// A zero byte of calldata (EIP-2028; the standard price of EIP-7623).
const CALLDATA_ZERO: u64 = 4;
/// Any other byte of calldata.
const CALLDATA_NONZERO: u64 = 16;
/// The first access to an account in a transaction (EIP-2929).
const COLD_ACCOUNT: u64 = 2_600;
/// The first access to a storage slot in a transaction (EIP-2929).
const COLD_SLOT: u64 = 2_100;
/// A further access (EIP-2929).
const WARM: u64 = 100;
/// Writing a slot that was zero, in addition to the access (EIP-2200, EIP-3529).
const SSTORE_SET: u64 = 20_000;
/// Changing a slot that wasn't zero, in addition to the access (EIP-2200 as amended by EIP-2929).
const SSTORE_RESET: u64 = 5_000 - COLD_SLOT;
/// A log (G_log).
const LOG: u64 = 375;
/// A topic of a log (G_logtopic).
const LOG_TOPIC: u64 = 375;
/// A byte of a log's data (G_logdata).
const LOG_BYTE: u64 = 8;
/// The precompiled ecrecover (G_ecrec).
const ECRECOVER: u64 = 3_000;

const WORD: usize = 32;

/// A kind of cost, which is a column of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    ColdAccount,
    WarmAccount,
    ColdSlot,
    NewSlot,
    ChangedSlot,
    Log,
    Precompile,
}

impl Kind {
    pub(super) const ALL: [Self; 7] = [
        Self::ColdAccount,
        Self::WarmAccount,
        Self::ColdSlot,
        Self::NewSlot,
        Self::ChangedSlot,
        Self::Log,
        Self::Precompile,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::ColdAccount => "calls",
            Self::WarmAccount => "again",
            Self::ColdSlot => "slots",
            Self::NewSlot => "new",
            Self::ChangedSlot => "old",
            Self::Log => "logs",
            Self::Precompile => "other",
        }
    }
}

/// A single cost.
#[derive(Clone, Copy, Debug)]
struct Item {
    kind: Kind,
    /// The name of the account, slot, event or precompile.
    what: &'static str,
    gas: u64,
}

/// All costs of a call.
#[derive(Clone, Debug)]
pub(super) struct Floor {
    calldata: u64,
    items: Vec<Item>,
}

impl Floor {
    /// The floor of a call with this calldata; `None` for calls without a limit.
    pub(super) fn of(call: Call, input: &[u8]) -> Option<Self> {
        let zeros = input.iter().filter(|byte| **byte == 0).count() as u64;
        let calldata = zeros * CALLDATA_ZERO + (input.len() as u64 - zeros) * CALLDATA_NONZERO;
        let floor = Self { calldata, items: Vec::new() };
        Some(match call {
            Call::SignalLater => floor.signal(),
            Call::SignalFirst => floor.signal().first_of_round(),
            Call::SignedLater => floor.signal().signed(),
            Call::SignedFirst => floor.signal().first_of_round().signed(),
            Call::PushReplacing => floor.push(&[REPLACE]),
            Call::PushUpgrading => floor.push(&UPGRADE),
            Call::DepositFirst => {
                floor.deposit().archive_total().fresh("Governance: holder's power")
            }
            Call::DepositLater => floor
                .deposit()
                .archive_total()
                .changed("Governance: holder's power")
                .fresh("Governance: holder's archive"),
            // Two entries share a word of an archive: one deposit begins the word, the next one
            // completes it.
            Call::DepositMean => floor
                .deposit()
                .archive_total()
                .changed("Governance: holder's power")
                .changed("Governance: holder's archive"),
            Call::BallotFirst => floor.ballot().fresh("Governance: ballot"),
            Call::BallotLater => floor.ballot().changed("Governance: ballot"),
            Call::Withdraw => floor.withdraw(),
            Call::ExecuteReplacing => floor
                .execute()
                .changed("Governance: term")
                .cold("new Proposals")
                .warm("Governance: code, call", 2)
                .log::<Governance::GovernanceProposerUpdated>(1, 0),
            Call::ExecuteUpgrading => floor.execute().slot("Governance: term").upgrade(),
            Call::ChangeOne => floor
                .execute()
                .changed("Governance: term")
                .warm("Governance: code, call", 2)
                .item(Kind::ChangedSlot, "Governance: exit floor", SSTORE_RESET)
                .fresh("Governance: new voting rules")
                .log::<Governance::ConfigurationUpdated>(1, 0)
                .log::<Governance::ConfigurationSet>(1, 9),
            Call::Stake => floor
                .changed("Rollup: set")
                .fresh("Rollup: seat")
                .fresh("Rollup: number of the attester's registration")
                .fresh("Rollup: member's proposer, seat, status")
                .fresh("Rollup: member's attester, stake")
                .fresh("Rollup: member's withdrawer")
                .cold("Asset")
                .changed("Asset: allowance")
                .changed("Asset: staker's balance")
                .changed("Asset: Rollup's balance")
                .log::<Asset::Approval>(2, 1)
                .log::<Asset::Transfer>(2, 1)
                .log::<Rollup::Deposit>(3, 1),
            _ => return None,
        })
    }

    /// The gas of all costs of a kind.
    pub(super) fn gas_of(&self, kind: Kind) -> u64 {
        self.items.iter().filter(|item| item.kind == kind).map(|item| item.gas).sum()
    }

    /// The gas of every transaction.
    pub(super) const fn base(&self) -> u64 {
        TRANSACTION
    }

    pub(super) const fn calldata(&self) -> u64 {
        self.calldata
    }

    /// The gas of the transaction with all costs.
    pub(super) fn total(&self) -> u64 {
        TRANSACTION + self.calldata + self.items.iter().map(|item| item.gas).sum::<u64>()
    }

    /// The names of the accounts, slots and events of a kind.
    pub(super) fn list(&self, kind: Kind) -> Vec<&'static str> {
        self.items.iter().filter(|item| item.kind == kind).map(|item| item.what).collect()
    }

    /* kinds of expenses */

    fn item(mut self, kind: Kind, what: &'static str, gas: u64) -> Self {
        self.items.push(Item { kind, what, gas });
        self
    }

    /// Adds the first access to an account, by a call or to read its code.
    fn cold(self, what: &'static str) -> Self {
        self.item(Kind::ColdAccount, what, COLD_ACCOUNT)
    }

    /// Adds `times` further accesses to an account.
    fn warm(self, what: &'static str, times: u64) -> Self {
        self.item(Kind::WarmAccount, what, times * WARM)
    }

    /// Adds reading a slot.
    fn slot(self, what: &'static str) -> Self {
        self.item(Kind::ColdSlot, what, COLD_SLOT)
    }

    /// Adds writing the first value of a slot.
    fn fresh(self, what: &'static str) -> Self {
        self.slot(what).item(Kind::NewSlot, what, SSTORE_SET)
    }

    /// Adds changing the value of a slot.
    fn changed(self, what: &'static str) -> Self {
        self.slot(what).item(Kind::ChangedSlot, what, SSTORE_RESET)
    }

    /// Adds an event with `indexed` indexed arguments and `words` words of data.
    fn log<E: SolEvent>(self, indexed: u64, words: usize) -> Self {
        let name = E::SIGNATURE.split_once('(').map_or(E::SIGNATURE, |(name, _)| name);
        let data = LOG_BYTE * (words * WORD) as u64;
        self.item(Kind::Log, name, LOG + LOG_TOPIC * (1 + indexed) + data)
    }

    /* what the calls require */

    fn signal(self) -> Self {
        self.cold("payload")
            .cold("Registry")
            .slot("Registry: newest")
            .cold("Rollup")
            .warm("Rollup: slot, proposer", 2)
            .slot("Rollup: set")
            .slot("Rollup: seed")
            .slot("Rollup: seat")
            .changed("Proposals: tally")
            .log::<Proposals::SlotUsed>(0, 1)
            .log::<Proposals::VoteCast>(3, 0)
    }

    fn first_of_round(self) -> Self {
        self.fresh("Proposals: archived round")
            .warm("payload: code hash", 1)
            .fresh("Proposals: pin")
            .log::<Proposals::PayloadSeen>(1, 1)
    }

    fn signed(self) -> Self {
        self.item(Kind::Precompile, "ecrecover", ECRECOVER).warm("ecrecover", 1)
    }

    fn push(self, actions: &[usize]) -> Self {
        self.cold("Registry")
            .warm("Registry: owner", 1)
            .slot("Registry: newest")
            .slot("Registry: owner")
            .cold("Rollup")
            .warm("Rollup: slot", 1)
            .slot("Proposals: tally")
            .changed("Proposals: archived round")
            .slot("Proposals: pin")
            .fresh("Proposals: latest of the payload")
            .cold("payload")
            .warm("payload: code, actions", 2)
            .cold("Governance")
            .warm("Governance: propose", 1)
            .changed("Governance: term")
            .fresh("Governance: tally")
            .fresh("Governance: payload")
            .fresh("Governance: hash of the actions")
            .log::<Proposals::ProposalPushed>(2, 0)
            .log::<Governance::Proposed>(2, 0)
            .log::<Governance::ProposalFrozen>(2, 3 + words(actions))
    }

    fn deposit(self) -> Self {
        self.cold("Asset")
            .changed("Asset: allowance")
            .changed("Asset: holder's balance")
            .changed("Asset: Governance's balance")
            .changed("Governance: total power")
            .log::<Asset::Approval>(2, 1)
            .log::<Asset::Transfer>(2, 1)
            .log::<Governance::Deposit>(2, 1)
    }

    fn archive_total(self) -> Self {
        self.fresh("Governance: archive of the total")
    }

    fn ballot(self) -> Self {
        self.slot("Governance: term")
            .changed("Governance: tally")
            .slot("Governance: voting rules")
            .slot("Governance: holder's power")
            .log::<Governance::VoteCast>(2, 2)
    }

    fn withdraw(self) -> Self {
        self.slot("Governance: term")
            .slot("Governance: voting rules")
            .changed("Governance: holder's power")
            .fresh("Governance: holder's archive")
            .changed("Governance: total power")
            .archive_total()
            .fresh("Governance: withdrawal's recipient, amount")
            .fresh("Governance: withdrawal's unlock time")
            .log::<Governance::WithdrawInitiated>(2, 1)
            .log::<Governance::WithdrawalQueued>(2, 1)
    }

    fn execute(self) -> Self {
        self.changed("Governance: tally")
            .slot("Governance: voting rules")
            .slot("Governance: lock rules")
            .slot("Governance: total power")
            .slot("Governance: payload")
            .slot("Governance: hash of the actions")
            .cold("payload")
            .log::<Governance::ProposalExecuted>(1, 0)
    }

    fn upgrade(self) -> Self {
        self.cold("Expect")
            .warm("Expect: code, calls", 5)
            .cold("Registry")
            .warm("Registry: code, call", 2)
            .cold("new Rollup")
            .warm("new Rollup: owner, code, slot, proposer", 4)
            .slot("new Rollup: owner")
            .slot("new Rollup: set")
            .slot("new Rollup: seed")
            .slot("new Rollup: seat")
            .slot("Registry: owner")
            .changed("Registry: newest")
            .fresh("Registry: version")
            .fresh("Registry: snapshot")
            .log::<Registry::InstanceAdded>(2, 0)
    }
}

/// The length in bytes of a call with this number of one-word arguments.
const fn call_bytes(arguments: usize) -> usize {
    4 + WORD * arguments
}

/// The length of the only call of the constant payload, `updateGovernanceProposer`.
const REPLACE: usize = call_bytes(1);
/// The lengths of the calls of `UpgradePayload`.
const UPGRADE: [usize; 4] = [call_bytes(2), call_bytes(4), call_bytes(2), call_bytes(1)];

/// The number of words of an encoded list of actions whose calls have these lengths in bytes: the
/// length of the list, and for each action an offset, target, offset, length and data.
fn words(calls: &[usize]) -> usize {
    1 + calls.iter().map(|bytes| 4 + bytes.div_ceil(WORD)).sum::<usize>()
}
