//! The changes made by a transaction, as its events report them.

use std::fmt;

use alloy_primitives::{Address, B256};
use canon_chain::{Confirmed, Inclusion};
use canon_protocol::{
    Amount, AssetEvent, BlockNumber, Epoch, Event, GovernanceEvent, Nonce, ProposalId,
    ProposalsEvent, Role, RollupEvent, Round, Slot, Support, Timestamp, WithdrawalId,
    text::{self, Rounding, Time, count, ether, grouped},
};
use canon_views::{IntendedAction, Intent};
use eyre::{Report, eyre};
use serde::Serialize;
use serde_json::Value;

use super::outbox::Delivered;
use crate::{
    exit::Failure,
    page::{self, Page, line},
};

#[cfg(test)]
mod tests;

/// The changes made by a transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Change {
    /// The winner of a round became a proposal.
    Pushed { round: Round, proposal: ProposalId, actions_hash: B256 },
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
    Unlocked {
        withdrawal: WithdrawalId,
        amount: Amount,
        #[serde(with = "text::address")]
        to: Address,
        unlocks_at: Timestamp,
    },
    /// A withdrawal was paid.
    Withdrawn { withdrawal: WithdrawalId },
    /// Power was cast.
    Voted { proposal: ProposalId, support: Support, amount: Amount },
    /// A payload became a proposal without signals.
    Proposed { proposal: ProposalId, actions_hash: B256, unlocks_at: Timestamp },
    /// Signed ballots were voided.
    BallotsVoided { proposal: ProposalId, next_nonce: Nonce },
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
    StakeExited {
        #[serde(with = "text::address")]
        attester: Address,
    },
    /// The stake of an attester was paid.
    StakeClaimed {
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
}

/// Returns the change for an event that matches a pattern, and `None` for all others.
macro_rules! change {
    ($pattern:pat $(if $guard:expr)? => $change:expr) => {
        |event| match event {
            $pattern $(if $guard)? => Some($change),
            _ => None,
        }
    };
}

impl Change {
    /// The change made by the transaction of an intent. A creation has no event: the address proves it.
    ///
    /// # Errors
    ///
    /// If the transaction lacks an event, or no command has such an intent.
    pub(super) fn of(intent: &Intent, confirmed: &Confirmed) -> Result<Self, Report> {
        let mined = Mined { confirmed, governance: intent.set.governance };
        match intent.action {
            IntendedAction::Push { round, .. } => {
                let (proposal, actions_hash) = mined.frozen()?;
                Ok(Self::Pushed { round, proposal, actions_hash })
            }
            IntendedAction::Propose { .. } => {
                let (proposal, actions_hash) = mined.frozen()?;
                let (_, unlocks_at) = mined.queued()?;
                Ok(Self::Proposed { proposal, actions_hash, unlocks_at })
            }
            IntendedAction::Execute { id, .. } => mined.in_governance(
                "ProposalExecuted",
                change!(GovernanceEvent::ProposalExecuted { proposal_id } if proposal_id == id =>
                    Self::Executed { proposal: proposal_id }),
            ),
            IntendedAction::Drop { id } => mined.in_governance(
                "ProposalDropped",
                change!(GovernanceEvent::ProposalDropped { proposal_id } if proposal_id == id =>
                    Self::Dropped { proposal: proposal_id }),
            ),
            IntendedAction::RecordSeed { rollup, .. } => {
                let recorded = mined.events(rollup, Role::Rollup).find_map(change!(
                    Event::Rollup(RollupEvent::SeedRecorded { epoch, .. }) =>
                        Self::SeedRecorded { epoch }
                ));
                Ok(recorded.unwrap_or(Self::NothingRecorded))
            }
            IntendedAction::Approve { asset, .. } => {
                let amount = mined.approval(asset, intent.set.governance)?;
                Ok(Self::Allowed { amount })
            }
            IntendedAction::ApproveStake { asset, rollup, .. } => {
                Ok(Self::StakeAllowed { amount: mined.approval(asset, rollup)? })
            }
            IntendedAction::Lock { .. } => mined.in_governance(
                "Deposit",
                change!(GovernanceEvent::Deposit { on_behalf_of, amount, .. } =>
                    Self::Locked { holder: on_behalf_of, amount }),
            ),
            IntendedAction::Withdraw { .. } => {
                let (withdrawal, unlocks_at) = mined.queued()?;
                mined.in_governance(
                    "WithdrawInitiated",
                    change!(GovernanceEvent::WithdrawInitiated { recipient: to, amount, .. } =>
                        Self::Unlocked { withdrawal, amount, to, unlocks_at }),
                )
            }
            IntendedAction::PayWithdrawal { .. } => mined.in_governance(
                "WithdrawFinalised",
                change!(GovernanceEvent::WithdrawFinalised { withdrawal_id: withdrawal } =>
                    Self::Withdrawn { withdrawal }),
            ),
            IntendedAction::Vote { .. } | IntendedAction::VoteSigned { .. } => mined.in_governance(
                "VoteCast",
                change!(GovernanceEvent::VoteCast { proposal_id, support, amount, .. } =>
                    Self::Voted { proposal: proposal_id, support, amount }),
            ),
            IntendedAction::InvalidateBallots { .. } => mined.in_governance(
                "BallotsInvalidated",
                change!(GovernanceEvent::BallotsInvalidated { proposal_id, next_nonce, .. } =>
                    Self::BallotsVoided { proposal: proposal_id, next_nonce }),
            ),
            IntendedAction::Signal { proposals, .. }
            | IntendedAction::SignalSigned { proposals, .. } => {
                let events = || mined.events(proposals, Role::Proposals);
                let slot = change!(Event::Proposals(ProposalsEvent::SlotUsed { slot }) => slot);
                let slot = mined.find("SlotUsed", events(), slot)?;
                mined.find(
                    "VoteCast",
                    events(),
                    change!(Event::Proposals(ProposalsEvent::VoteCast { payload, .. }) =>
                        Self::Signaled { payload, slot }),
                )
            }
            IntendedAction::Stake { rollup, .. } => mined.in_rollup(
                rollup,
                "Deposit",
                change!(RollupEvent::Deposit { attester, amount, .. } =>
                    Self::Staked { attester, amount }),
            ),
            IntendedAction::ExitStake { rollup, .. } => mined.in_rollup(
                rollup,
                "WithdrawInitiated",
                change!(RollupEvent::WithdrawInitiated { attester, .. } =>
                    Self::StakeExited { attester }),
            ),
            IntendedAction::PayExit { rollup, .. } => mined.in_rollup(
                rollup,
                "WithdrawFinalised",
                change!(RollupEvent::WithdrawFinalised { attester, .. } =>
                    Self::StakeClaimed { attester }),
            ),
            IntendedAction::AnnounceMove { rollup, .. } => mined.in_rollup(
                rollup,
                "MoveInitiated",
                change!(RollupEvent::MoveInitiated { attester, new_rollup: to, .. } =>
                    Self::MoveAnnounced { attester, to }),
            ),
            IntendedAction::FinalizeMove { rollup, .. } => mined.in_rollup(
                rollup,
                "MoveFinalised",
                change!(RollupEvent::MoveFinalised { attester, new_attester, .. } =>
                    Self::Moved { attester, new_attester }),
            ),
            IntendedAction::SetCoinbase { rollup, .. } => mined.in_rollup(
                rollup,
                "CoinbaseSet",
                change!(RollupEvent::CoinbaseSet { attester, coinbase } =>
                    Self::CoinbaseSet { attester, coinbase }),
            ),
            IntendedAction::Create { contract, .. } => Ok(Self::Created { contract }),
            IntendedAction::ProposeBlock { .. } => Err(eyre!("no command proposes blocks")),
        }
    }

    /// The proposal that it made, with the hash of the actions that were frozen.
    const fn frozen(&self) -> Option<(ProposalId, B256)> {
        match *self {
            Self::Pushed { proposal, actions_hash, .. }
            | Self::Proposed { proposal, actions_hash, .. } => Some((proposal, actions_hash)),
            _ => None,
        }
    }
}

/// The failure if proposals were made of other actions than were shown before: a payload decides what it lists when
/// the transaction is mined. `None` if there are none.
pub(super) fn other_actions(delivered: &[Delivered]) -> Option<Failure> {
    let other = delivered.iter().filter_map(|Delivered { step, change, .. }| {
        let (IntendedAction::Push { actions_hash: shown, .. }
        | IntendedAction::Propose { actions_hash: shown, .. }) = step.intent.action
        else {
            return None;
        };
        let ((proposal, found), expected) = (change.frozen()?, shown?);
        (found != expected).then(|| {
            format!(
                "proposal {proposal} froze other actions than were shown, with the hash {found} instead of \
                 {expected}: vote against it"
            )
        })
    });
    let other: Vec<_> = other.collect();
    let next = "`canon proposal` shows the actions that it froze";
    (!other.is_empty()).then(|| Failure::refused(eyre!(other.join("; ")), next))
}

/// A mined transaction, whose events say what it changed.
struct Mined<'a> {
    confirmed: &'a Confirmed,
    governance: Address,
}

impl Mined<'_> {
    /// The events that a contract with a role emitted in the transaction.
    fn events(&self, contract: Address, role: Role) -> impl Iterator<Item = Event> {
        let logs = self.confirmed.logs.iter().filter(move |log| log.address() == contract);
        logs.filter_map(move |log| Event::from_log_data(role, &log.inner.data))
    }

    /// What `read` returns for the first event that it knows. `name` is that of the event.
    fn find<T, E>(
        &self,
        name: &str,
        mut events: impl Iterator<Item = E>,
        read: impl FnMut(E) -> Option<T>,
    ) -> Result<T, Report> {
        let missing = || eyre!("{} lacks the event {name}", self.confirmed.hash);
        events.find_map(read).ok_or_else(missing)
    }

    /// What `read` returns for the first event of Governance that it knows.
    fn in_governance<T>(
        &self,
        name: &str,
        read: impl FnMut(GovernanceEvent) -> Option<T>,
    ) -> Result<T, Report> {
        let events = self.events(self.governance, Role::Governance);
        self.find(name, events.filter_map(change!(Event::Governance(event) => event)), read)
    }

    /// What `read` returns for the first event of a rollup that it knows.
    fn in_rollup<T>(
        &self,
        rollup: Address,
        name: &str,
        read: impl FnMut(RollupEvent) -> Option<T>,
    ) -> Result<T, Report> {
        let events = self.events(rollup, Role::Rollup);
        self.find(name, events.filter_map(change!(Event::Rollup(event) => event)), read)
    }

    /// The proposal that was made, and the hash of the actions that were frozen with it.
    fn frozen(&self) -> Result<(ProposalId, B256), Report> {
        let frozen = change!(GovernanceEvent::ProposalFrozen { proposal_id, actions_hash, .. } =>
            (proposal_id, actions_hash));
        self.in_governance("ProposalFrozen", frozen)
    }

    /// The withdrawal that was made, and the first second in which it can be paid.
    fn queued(&self) -> Result<(WithdrawalId, Timestamp), Report> {
        let queued = change!(GovernanceEvent::WithdrawalQueued { id, unlocks_at, .. } =>
            (id, unlocks_at));
        self.in_governance("WithdrawalQueued", queued)
    }

    /// The amount of an asset that `by` may take. An order's amount is never more than all tokens.
    fn approval(&self, asset: Address, by: Address) -> Result<Amount, Report> {
        let events = self.events(asset, Role::Asset).filter_map(change!(
            Event::Asset(AssetEvent::Approval { spender, amount, .. }) if spender == by => amount
        ));
        self.find("Approval", events, |amount| Amount::try_from(amount).ok())
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pushed { round, proposal, .. } => {
                write!(f, "The winner of round {round} is proposal {proposal}")
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
            Self::Unlocked { withdrawal, amount, to, unlocks_at } => write!(
                f,
                "Withdrawal {withdrawal}: {}, due to {to} from {} on",
                page::tokens(*amount),
                Time(*unlocks_at)
            ),
            Self::Withdrawn { withdrawal } => write!(f, "Withdrawal {withdrawal} is paid"),
            Self::Voted { proposal, support, amount } => {
                let side = page::side(*support);
                write!(f, "Cast {} {side} proposal {proposal}", page::tokens(*amount))
            }
            Self::Proposed { proposal, unlocks_at, .. } => write!(
                f,
                "The payload is proposal {proposal}; the tokens given up for it are due from {} on",
                Time(*unlocks_at)
            ),
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
            Self::StakeExited { attester } => write!(f, "Attester {attester} has left the set"),
            Self::StakeClaimed { attester } => write!(f, "The stake of {attester} is paid"),
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
