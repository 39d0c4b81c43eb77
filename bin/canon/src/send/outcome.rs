//! The changes made by a transaction, from its events.

use std::fmt;

use alloy_primitives::{Address, B256};
use canon_chain::{Confirmed, Inclusion};
use canon_protocol::{
    Amount, BlockNumber, Epoch, Event, GovernanceEvent, Nonce, ProposalId, Role, RollupEvent,
    Round, Slot, Support, Timestamp, WithdrawalId,
    text::{self, Rounding, Time, count, ether, grouped},
};
use canon_views::{IntendedAction, Intent};
use serde::Serialize;
use serde_json::Value;

use super::outbox::Delivered;
use crate::page::{self, Page, line};

#[cfg(test)]
mod tests;

/// The changes made by a transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Change {
    /// A payload became a proposal.
    Proposed { proposal: Option<ProposalId>, round: Round },
    /// A proposal's actions were carried out.
    Executed { proposal: ProposalId },
    /// The drop of a proposal was recorded.
    Dropped { proposal: ProposalId },
    /// The seed of an epoch was recorded.
    SeedRecorded { epoch: Epoch },
    /// No seed was recorded: it was recorded before, or can't be recorded in that block.
    NothingRecorded,
    /// Governance may take some of the asset.
    Allowed { amount: Amount },
    /// Tokens were locked as power.
    Locked {
        #[serde(with = "text::address")]
        holder: Address,
        amount: Amount,
    },
    /// Power was given up. Its tokens become due later.
    Unlocking {
        withdrawal: Option<WithdrawalId>,
        amount: Amount,
        #[serde(with = "text::address")]
        to: Address,
        unlocks_at: Option<Timestamp>,
    },
    /// A withdrawal was paid.
    Paid { withdrawal: WithdrawalId },
    /// Power was cast.
    Voted { proposal: ProposalId, support: Support, amount: Amount },
    /// A payload became a proposal through the lock.
    ProposedThroughLock { proposal: Option<ProposalId>, unlocks_at: Option<Timestamp> },
    /// Signed ballots were voided.
    BallotsVoided { proposal: ProposalId, next_nonce: Option<Nonce> },
    /// A slot was used for a signal.
    Signaled {
        #[serde(with = "text::address")]
        payload: Address,
        slot: Slot,
    },
    /// An attester was registered.
    Staked {
        #[serde(with = "text::address")]
        attester: Address,
        amount: Amount,
    },
    /// A rollup may take a stake.
    StakeAllowed { amount: Amount },
    /// An attester left the set.
    Exiting {
        #[serde(with = "text::address")]
        attester: Address,
    },
    /// The stake of an attester was paid.
    StakePaid {
        #[serde(with = "text::address")]
        attester: Address,
    },
    /// A move was announced.
    MoveAnnounced {
        #[serde(with = "text::address")]
        attester: Address,
        #[serde(with = "text::address")]
        to: Address,
    },
    /// A stake moved.
    Moved {
        #[serde(with = "text::address")]
        attester: Address,
        /// The attester in the new rollup.
        #[serde(with = "text::address")]
        new_attester: Address,
    },
    /// The recipient of an attester's rewards was changed.
    CoinbaseSet {
        #[serde(with = "text::address")]
        attester: Address,
        #[serde(with = "text::address")]
        coinbase: Address,
    },
    /// A contract was created.
    Created {
        #[serde(with = "text::address")]
        contract: Address,
    },
    /// The chain had the contract already when the transaction that creates it was mined, which failed.
    CreatedByOthers {
        #[serde(with = "text::address")]
        contract: Address,
    },
    /// Any other call.
    Done { call: &'static str },
}

impl Change {
    /// The change made by the transaction of an intent.
    pub(super) fn of(intent: &Intent, confirmed: &Confirmed) -> Self {
        let governance = intent.set.governance;
        let of_governance = || {
            events(confirmed, governance, Role::Governance).filter_map(|event| match event {
                Event::Governance(event) => Some(event),
                _ => None,
            })
        };
        match &intent.action {
            IntendedAction::Push { round, .. } => {
                let proposal = of_governance().find_map(|event| match event {
                    GovernanceEvent::ProposalFrozen { proposal_id, .. } => Some(proposal_id),
                    _ => None,
                });
                Self::Proposed { proposal, round: *round }
            }
            IntendedAction::Execute { id, .. } => Self::Executed { proposal: *id },
            IntendedAction::Drop { id } => Self::Dropped { proposal: *id },
            IntendedAction::RecordSeed { rollup, .. } => {
                let epoch =
                    events(confirmed, *rollup, Role::Rollup).find_map(|event| match event {
                        Event::Rollup(RollupEvent::SeedRecorded { epoch, .. }) => Some(epoch),
                        _ => None,
                    });
                epoch.map_or(Self::NothingRecorded, |epoch| Self::SeedRecorded { epoch })
            }
            IntendedAction::Approve { amount, .. } => Self::Allowed { amount: *amount },
            IntendedAction::Lock { holder, beneficiary, amount, .. } => {
                Self::Locked { holder: beneficiary.unwrap_or(*holder), amount: *amount }
            }
            IntendedAction::Withdraw { to, amount, .. } => {
                let queued = of_governance().find_map(|event| match event {
                    GovernanceEvent::WithdrawalQueued { id, unlocks_at, .. } => {
                        Some((id, unlocks_at))
                    }
                    _ => None,
                });
                let (withdrawal, unlocks_at) = queued.unzip();
                Self::Unlocking { withdrawal, amount: *amount, to: *to, unlocks_at }
            }
            IntendedAction::PayWithdrawal { id } => Self::Paid { withdrawal: *id },
            IntendedAction::Propose { .. } => {
                let proposal = of_governance().find_map(|event| match event {
                    GovernanceEvent::ProposalFrozen { proposal_id, .. } => Some(proposal_id),
                    _ => None,
                });
                let unlocks_at = of_governance().find_map(|event| match event {
                    GovernanceEvent::WithdrawalQueued { unlocks_at, .. } => Some(unlocks_at),
                    _ => None,
                });
                Self::ProposedThroughLock { proposal, unlocks_at }
            }
            IntendedAction::InvalidateBallots { id, .. } => {
                let next_nonce = of_governance().find_map(|event| match event {
                    GovernanceEvent::BallotsInvalidated { next_nonce, .. } => Some(next_nonce),
                    _ => None,
                });
                Self::BallotsVoided { proposal: *id, next_nonce }
            }
            IntendedAction::Signal { payload, slot, .. }
            | IntendedAction::SignalSigned { payload, slot, .. } => {
                Self::Signaled { payload: *payload, slot: *slot }
            }
            IntendedAction::ApproveStake { amount, .. } => Self::StakeAllowed { amount: *amount },
            IntendedAction::Stake { attester, amount, .. } => {
                Self::Staked { attester: *attester, amount: *amount }
            }
            IntendedAction::ExitStake { attester, .. } => Self::Exiting { attester: *attester },
            IntendedAction::PayExit { attester, .. } => Self::StakePaid { attester: *attester },
            IntendedAction::AnnounceMove { attester, to, .. } => {
                Self::MoveAnnounced { attester: *attester, to: *to }
            }
            IntendedAction::FinalizeMove { attester, new_attester, .. } => {
                let new_attester = new_attester.map_or(*attester, |there| there.attester);
                Self::Moved { attester: *attester, new_attester }
            }
            IntendedAction::SetCoinbase { attester, coinbase, .. } => {
                Self::CoinbaseSet { attester: *attester, coinbase: *coinbase }
            }
            IntendedAction::Vote { id, support, amount, .. }
            | IntendedAction::VoteSigned { id, support, amount, .. } => {
                Self::Voted { proposal: *id, support: *support, amount: *amount }
            }
            IntendedAction::Create { contract, .. } => Self::Created { contract: *contract },
            IntendedAction::ProposeBlock { .. } => Self::Done { call: confirmed.what },
        }
    }
}

/// The events that a contract with a role emitted in a transaction.
fn events(confirmed: &Confirmed, contract: Address, role: Role) -> impl Iterator<Item = Event> {
    let logs = confirmed.logs.iter().filter(move |log| log.address() == contract);
    logs.filter_map(move |log| Event::from_log_data(role, &log.inner.data))
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Proposed { proposal: Some(id), round } => {
                write!(f, "The winner of round {round} is proposal {id}")
            }
            Self::Proposed { proposal: None, round } => {
                write!(f, "The winner of round {round} is a proposal")
            }
            Self::Executed { proposal } => write!(f, "Proposal {proposal} is executed"),
            Self::Dropped { proposal } => write!(f, "Proposal {proposal} is recorded as dropped"),
            Self::SeedRecorded { epoch } => write!(f, "The seed of epoch {epoch} is recorded"),
            Self::NothingRecorded => f.write_str("Nothing was recorded"),
            Self::Allowed { amount } => {
                write!(f, "Governance may take {}", page::tokens(*amount))
            }
            Self::Locked { holder, amount } => {
                write!(f, "Locked {} as power of {holder}", page::tokens(*amount))
            }
            Self::Unlocking { withdrawal, amount, to, unlocks_at } => {
                match withdrawal {
                    Some(id) => write!(f, "Withdrawal {id}: ")?,
                    None => f.write_str("A withdrawal: ")?,
                }
                write!(f, "{}, due to {to}", page::tokens(*amount))?;
                unlocks_at.map_or(Ok(()), |time| write!(f, " from {} on", Time(time)))
            }
            Self::Paid { withdrawal } => write!(f, "Withdrawal {withdrawal} is paid"),
            Self::Voted { proposal, support, amount } => {
                let side = page::side(*support);
                write!(f, "Cast {} {side} proposal {proposal}", page::tokens(*amount))
            }
            Self::ProposedThroughLock { proposal, unlocks_at } => {
                match proposal {
                    Some(id) => write!(f, "The payload is proposal {id}")?,
                    None => f.write_str("The payload is a proposal")?,
                }
                unlocks_at.map_or(Ok(()), |time| {
                    write!(f, "; the tokens of the lock are due from {} on", Time(time))
                })
            }
            Self::BallotsVoided { proposal, .. } => write!(
                f,
                "All ballots signed so far on proposal {proposal} are void; later ones are valid"
            ),
            Self::Signaled { payload, slot } => {
                write!(f, "Slot {slot} signals for {payload}")
            }
            Self::Staked { attester, amount } => {
                let verb = if *amount == Amount::TOKEN { "is" } else { "are" };
                write!(f, "{} {verb} staked for attester {attester}", page::tokens(*amount))
            }
            Self::StakeAllowed { amount } => {
                write!(f, "The rollup may take {}", page::tokens(*amount))
            }
            Self::Exiting { attester } => write!(f, "Attester {attester} has left the set"),
            Self::StakePaid { attester } => write!(f, "The stake of {attester} is paid"),
            Self::MoveAnnounced { attester, to } => {
                write!(f, "The move of {attester} to {to} is announced")
            }
            Self::Moved { attester, new_attester } if attester == new_attester => {
                write!(f, "The stake of {attester} has moved")
            }
            Self::Moved { attester, new_attester } => {
                write!(f, "The stake of {attester} has moved, under attester {new_attester}")
            }
            Self::CoinbaseSet { attester, coinbase } => {
                write!(f, "The rewards of {attester} go to {coinbase}")
            }
            Self::Created { contract } => write!(f, "The contract {contract} is created"),
            Self::CreatedByOthers { contract } => write!(
                f,
                "The contract {contract} exists: somebody else created it first, at the same address and thus \
                 from the same code"
            ),
            Self::Done { call } => write!(f, "{call} is done"),
        }
    }
}

/// The outcome of a command as JSON.
#[derive(Debug, Serialize)]
pub(super) struct OutcomeDocument<'a> {
    #[serde(with = "text::address")]
    account: Address,
    transactions: Vec<TransactionDocument<'a>>,
    #[serde(flatten)]
    result: Option<&'a Value>,
}

/// A transaction that was mined.
#[derive(Debug, Serialize)]
struct TransactionDocument<'a> {
    /// The title of the step that it carried out.
    step: String,
    hash: B256,
    block: BlockNumber,
    gas_used: u64,
    /// The fee in wei.
    fee: String,
    changed: &'a Change,
}

impl<'a> OutcomeDocument<'a> {
    pub(super) fn new(
        account: Address,
        delivered: &'a [Delivered],
        result: Option<&'a Value>,
    ) -> Self {
        let transactions = delivered.iter().filter_map(|done| {
            let Inclusion { hash, block, gas_used, fee } = done.transaction?;
            Some(TransactionDocument {
                step: done.step.title().to_owned(),
                hash,
                block,
                gas_used,
                fee: fee.to_string(),
                changed: &done.change,
            })
        });
        Self { account, transactions: transactions.collect(), result }
    }
}

/// The outcome of a command as text.
pub(super) fn text(delivered: &[Delivered]) -> String {
    let mut page = Page::default();
    for Delivered { transaction, change, .. } in delivered {
        line!(page, "{change}");
        let Some(Inclusion { hash, block, gas_used, fee }) = *transaction else { continue };
        if let Change::CreatedByOthers { .. } = change {
            line!(page, "  The transaction of this command failed, and was paid all the same:");
        }
        line!(page, "  hash   {hash}");
        line!(page, "  block  {}", grouped(block.get()));
        line!(page, "  gas    {}", count(gas_used, "unit"));
        line!(page, "  fee    {} ether", ether(fee, Rounding::Up));
    }
    page.into_text()
}
