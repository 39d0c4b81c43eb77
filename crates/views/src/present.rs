//! A set at one block.

use crate::intent::SetId;
use alloy_primitives::{Address, B256, U256};
use canon_protocol::{
    Action, Amount, AttesterStatus, BlockNumber, Code, Configuration, ConfigurationId, Ending,
    Epoch, ExitFloor, Member, Nonce, Payment, ProposalId, ProposalState, PushCandidate, RollupHead,
    Round, RoundRules, Seconds, SetState, SignalingStatus, Slot, SlotClock, StakeExit, StakeMove,
    Tally, Timestamp, Withdrawal, WithdrawalId, text,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Arc};

/// A set at one block, with its history if that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetView {
    /// The set at the block.
    pub present: Present,
    /// The state folded from all events up to the block, with frozen actions, all holders and ballots, and
    /// all stakers. `None` if only the contracts' own views were read.
    pub history: Option<Arc<SetState>>,
}

/// A set at one block. Two makers give the same result: [`Present::of_state`] uses the fold of the set's
/// events, and `Client::view` of `canon-chain` the contracts' own views, in a bounded number of round
/// trips.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Present {
    /// The ID of the chain that the set is on (EIP-155).
    #[serde(with = "text::decimal")]
    pub chain_id: u64,
    /// The block. The set is described as it is after the block's transactions.
    pub block: BlockView,
    /// The expected time of the next block. Slots and proposers are given for it.
    pub next: Timestamp,
    /// The addresses of the contracts in use.
    pub addresses: SetAddresses,
    /// Governance: its configuration, power and proposals.
    pub governance: GovernanceView,
    /// The state of signals. `None` if the canonical rollup or Proposals doesn't answer; governance works
    /// with any rollup.
    pub signaling: Option<SignalingView>,
    /// The canonical rollup and those asked for, if they answer.
    #[serde(with = "text::address::map")]
    pub rollups: BTreeMap<Address, RollupView>,
    /// The payloads asked for.
    #[serde(with = "text::address::map")]
    pub payloads: BTreeMap<Address, PayloadView>,
    /// The holders asked for.
    #[serde(with = "text::address::map")]
    pub holders: BTreeMap<Address, HolderView>,
    /// The withdrawals asked for, if they exist.
    pub withdrawals: BTreeMap<WithdrawalId, WithdrawalView>,
}

/// A block of the L1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockView {
    /// Its number, counted from the genesis block, which is 0.
    pub number: BlockNumber,
    /// Its hash. Reads at this hash see one state, whatever happens to the chain meanwhile.
    pub hash: B256,
    /// The hash of the block before it.
    pub parent: B256,
    /// Its timestamp, in seconds since 1970.
    pub timestamp: Timestamp,
    /// Its base fee, in wei per gas (EIP-1559); 0 if it has none.
    #[serde(with = "text::decimal")]
    pub base_fee: u128,
}

/// The addresses of the contracts in use, all found from the Registry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetAddresses {
    /// The Registry.
    #[serde(with = "text::address")]
    pub registry: Address,
    /// Governance.
    #[serde(with = "text::address")]
    pub governance: Address,
    /// The Proposals contract from which Governance accepts proposals.
    #[serde(with = "text::address")]
    pub proposals: Address,
    /// The Asset.
    #[serde(with = "text::address")]
    pub asset: Address,
    /// The owner of the Asset.
    #[serde(with = "text::address")]
    pub issuer: Address,
    /// The canonical rollup.
    #[serde(with = "text::address")]
    pub rollup: Address,
    /// The contract that pays for the canonical rollup's blocks. `None` if the rollup doesn't answer.
    #[serde(with = "text::address::option")]
    pub reward_distributor: Option<Address>,
}

/// Governance at the block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GovernanceView {
    /// The configuration in force for new proposals.
    pub configuration: Configuration,
    /// The number of the configuration in force, counted from 0.
    pub configuration_id: ConfigurationId,
    /// The least withdrawal delay after past changes of the configuration.
    pub exit_floor: ExitFloor,
    /// All power.
    pub total_power: Amount,
    /// The number of withdrawals so far.
    #[serde(with = "text::decimal")]
    pub withdrawal_count: u64,
    /// All proposals, by id.
    pub proposals: Vec<ProposalView>,
}

/// A proposal at the block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProposalView {
    /// Its number, in the order of creation from 0.
    pub id: ProposalId,
    /// Its state at the block's time.
    pub state: ProposalState,
    /// Its end, if one is stored.
    pub ending: Ending,
    /// The contract that lists its actions.
    #[serde(with = "text::address")]
    pub payload: Address,
    /// The Proposals contract that pushed it; `None` if it was proposed through the lock.
    #[serde(with = "text::address::option")]
    pub pushed_by: Option<Address>,
    /// The time of its creation.
    pub creation: Timestamp,
    /// The configuration frozen for it.
    pub configuration: Configuration,
    /// The ballots cast.
    pub tally: Tally,
    /// The hash of the actions that were published when it was created.
    pub actions_hash: B256,
    /// The total power at the snapshot or, before that, at the block.
    pub total_power: Amount,
}

/// The state of signals at the block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignalingView {
    /// N and M.
    pub rules: RoundRules,
    /// The present slot and round, and the leader.
    pub status: SignalingStatus,
    /// The present round and the earlier ones that aren't too old to be pushed, oldest first. Only rounds
    /// with signals that weren't pushed are included.
    pub rounds: Vec<PushCandidate>,
}

/// A rollup at the block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RollupView {
    /// The Registry from which it gets the canonical rollup. `None` if it doesn't answer.
    #[serde(with = "text::address::option")]
    pub registry: Option<Address>,
    /// Its slots and epochs.
    pub clock: SlotClock,
    /// The least stake of a member of the set.
    pub minimum_stake: Amount,
    /// The time from leaving the set to the payment of the stake.
    pub exit_delay: Seconds,
    /// The slot of the next L1 block; `None` before genesis.
    pub slot: Option<Slot>,
    /// The account that may signal and propose in that slot. `None` if its epoch has no seed or an empty
    /// set.
    #[serde(with = "text::address::option")]
    pub proposer: Option<Address>,
    /// The rollup's newest block; `None` if none was proposed yet.
    pub head: Option<RollupHead>,
    /// Whether the seed of the epoch after the slot's is recorded.
    pub seed: SeedStatus,
    /// The number of members of the set of the slot's epoch. `None` if that is later than the epoch after
    /// the block's.
    pub set_size: Option<u32>,
    /// The number of members of the set of the epoch after the slot's. `None` under the same condition for
    /// that epoch.
    pub next_set_size: Option<u32>,
    /// The attesters asked for. Those that aren't registered have the default values.
    #[serde(with = "text::address::map")]
    pub attesters: BTreeMap<Address, AttesterView>,
}

/// The status of an epoch's seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SeedStatus {
    /// It is recorded.
    Recorded,
    /// It can't be recorded yet: the rollup is before its genesis, or the slot is the first of its epoch.
    NotYet,
    /// It isn't recorded yet: a call in the next block records the seed of this epoch. Without one, the
    /// epoch has no proposers.
    Missing(Epoch),
}

/// An attester at the block. One that isn't registered has the default values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttesterView {
    /// Whether it is in the set, was slashed out of it, is exiting, or is unknown to the rollup.
    pub status: AttesterStatus,
    /// Its stake. While it is exiting, this amount is due to it.
    pub stake: Amount,
    /// The account that decides about the stake.
    #[serde(with = "text::address")]
    pub withdrawer: Address,
    /// The account that signals and proposes for it.
    #[serde(with = "text::address")]
    pub proposer: Address,
    /// Its exit, if it is leaving.
    pub exit: Option<StakeExit>,
    /// The move that it announced, if any.
    pub moving: Option<StakeMove>,
}

/// A payload at the block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PayloadView {
    /// The code at its address.
    pub code: Code,
    /// The round of the next L1 block's slot, or the present round if the canonical rollup's slots aren't
    /// known. `None` if the state of signals isn't known.
    pub round: Option<Round>,
    /// The number of its signals in that round.
    pub signals: u32,
}

/// A holder at the block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HolderView {
    /// Its balance of the Asset.
    pub balance: Amount,
    /// Governance's allowance for it. An allowance of 2^256 − 1 isn't reduced by transfers.
    #[serde(with = "text::decimal")]
    pub allowance: U256,
    /// The nonce for its next permit.
    pub permit_nonce: Nonce,
    /// Its power at the block, in base units of the Asset.
    pub power: Amount,
    /// Its ballots on the proposals that take ballots or will, and on those asked for.
    pub ballots: BTreeMap<ProposalId, BallotView>,
}

/// A holder's ballot on a proposal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BallotView {
    /// The power that it cast.
    pub cast: Tally,
    /// Its power at the snapshot or, before that, at the block.
    pub power: Amount,
    /// The nonce for its next signed ballot.
    pub nonce: Nonce,
}

/// The least amount that isn't [dust](WithdrawalView::is_dust_for): one token.
pub const DUST_LIMIT: Amount = Amount::of(1_000_000_000_000_000_000);

/// A withdrawal as Governance returns it. The holder that gave the power up is only in an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WithdrawalView {
    /// The account that the asset is due to.
    #[serde(with = "text::address")]
    pub recipient: Address,
    /// The amount that is paid, in base units of the Asset.
    pub amount: Amount,
    /// The first second in which it can be paid.
    pub unlocks_at: Timestamp,
    /// Whether it was paid.
    pub payment: Payment,
}

impl WithdrawalView {
    /// Whether it can be paid at `now`.
    pub fn is_payable(&self, now: Timestamp) -> bool {
        self.payment.is_due(self.unlocks_at, now)
    }

    /// Whether it is dust for `account`, which therefore doesn't pay for its payment unless asked to: less than
    /// [`DUST_LIMIT`], and another holder gave up the power. Anybody can make any number of such withdrawals due to
    /// anybody. `holder` is the holder that gave it up, if that is known.
    pub fn is_dust_for(&self, account: Address, holder: Option<Address>) -> bool {
        holder.is_some_and(|holder| holder != account) && self.amount < DUST_LIMIT
    }
}

impl From<Withdrawal> for WithdrawalView {
    fn from(withdrawal: Withdrawal) -> Self {
        let Withdrawal { holder: _, recipient, amount, unlocks_at, payment } = withdrawal;
        Self { recipient, amount, unlocks_at, payment }
    }
}

impl From<&Member> for AttesterView {
    fn from(member: &Member) -> Self {
        Self {
            status: member.status(),
            stake: member.stake(),
            withdrawer: member.withdrawer(),
            proposer: member.proposer(),
            exit: member.exit(),
            moving: member.moving(),
        }
    }
}

/// A withdrawal that a view contains.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KnownWithdrawal {
    pub(crate) id: WithdrawalId,
    /// The holder that gave up the power; `None` without the history.
    pub(crate) holder: Option<Address>,
    pub(crate) view: WithdrawalView,
}

/// A stake that a view contains.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KnownStake {
    pub(crate) rollup: Address,
    pub(crate) attester: Address,
    /// The Registry of the rollup.
    pub(crate) registry: Option<Address>,
    pub(crate) view: AttesterView,
}

impl From<Present> for SetView {
    fn from(present: Present) -> Self {
        Self { present, history: None }
    }
}

impl SetView {
    /// The actions that were frozen when a proposal was made; `None` if the history isn't known.
    pub fn frozen_actions(&self, id: ProposalId) -> Option<&Arc<[Action]>> {
        let (_, proposal) = self.history.as_ref()?.governance().proposal(id.to_word()).ok()?;
        Some(proposal.actions())
    }

    /// All withdrawals if the history is known, otherwise those asked for.
    pub(crate) fn withdrawals(&self) -> impl Iterator<Item = KnownWithdrawal> {
        let all = self.history.iter().flat_map(|history| {
            let numbered = (0..).zip(history.governance().withdrawals());
            numbered.filter_map(|(id, withdrawal)| {
                let (id, holder) = (WithdrawalId::new(id)?, Some(withdrawal.holder));
                Some(KnownWithdrawal { id, holder, view: (*withdrawal).into() })
            })
        });
        let asked = self.without_history().into_iter().flat_map(|present| &present.withdrawals);
        let asked = asked.map(|(id, view)| KnownWithdrawal { id: *id, holder: None, view: *view });
        all.chain(asked)
    }

    /// All stakes registered so far if the history is known, otherwise those of the attesters asked for.
    pub(crate) fn stakes(&self) -> impl Iterator<Item = KnownStake> {
        let rollups = self.history.iter().flat_map(|history| history.rollups());
        let all = rollups.flat_map(|(rollup, state)| {
            let registry = Some(state.parameters().registry);
            state.registrations().iter().map(move |member| {
                let attester = member.attester();
                KnownStake { rollup, attester, registry, view: member.into() }
            })
        });
        let asked = self.without_history().into_iter().flat_map(|present| &present.rollups);
        let asked = asked.flat_map(|(rollup, seen)| {
            seen.attesters.iter().map(|(attester, view)| KnownStake {
                rollup: *rollup,
                attester: *attester,
                registry: seen.registry,
                view: *view,
            })
        });
        all.chain(asked)
    }

    /// The set at the block if the history isn't known.
    fn without_history(&self) -> Option<&Present> {
        self.history.is_none().then_some(&self.present)
    }
}

impl RollupView {
    /// The first epoch with members in its set if those of the slot's epoch are none: the next one or, if that has none
    /// either, the first in whose set an attester is that registers now. `None` if there are members, or if that isn't
    /// known.
    pub fn first_draw(&self) -> Option<Epoch> {
        let next = self.clock.epoch_of(self.slot?).next();
        match (self.set_size, self.next_set_size) {
            (Some(0), Some(0)) => Some(next.next()),
            (Some(0), Some(_)) => Some(next),
            _ => None,
        }
    }
}

impl BallotView {
    /// The power that the holder can still cast while ballots are taken.
    pub fn left(&self) -> Amount {
        self.cast.left_of(self.power)
    }
}

impl Present {
    /// The identity of the set.
    pub const fn set_id(&self) -> SetId {
        SetId { chain_id: self.chain_id, governance: self.addresses.governance }
    }

    /// Proposal `id`.
    pub fn proposal(&self, id: ProposalId) -> Option<&ProposalView> {
        self.governance.proposals.get(usize::try_from(id.get()).ok()?)
    }

    /// The canonical rollup, if it answers.
    pub fn canonical_rollup(&self) -> Option<&RollupView> {
        self.rollups.get(&self.addresses.rollup)
    }

    /// The entry of an attester that the view was asked for.
    pub fn attester(&self, rollup: Address, attester: Address) -> Option<&AttesterView> {
        self.rollups.get(&rollup)?.attesters.get(&attester)
    }
}
