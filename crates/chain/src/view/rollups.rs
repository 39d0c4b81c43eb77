//! Rollups, and the signals of the canonical one, computed from their answers.
//!
//! Parts that a rollup or Proposals doesn't answer, or answers with an impossible value, are left out: the
//! contract may be of another implementation.

use super::reader::{Gap, Read, Reader, all, optional, some};
use crate::error::{Error, InRange};
use alloy_primitives::{Address, U256};
use canon_abi::{Proposals, Rollup};
use canon_protocol::{
    AttesterStatus, Epoch, Leader, ProposalId, PushCandidate, RollupHead, Round, RoundRules,
    SignalingStatus, Slot, SlotClock, StakeExit, StakeMove, pinned_code_hash,
};
use canon_views::{AttesterView, PayloadView, RollupView, SeedStatus, SignalingView};
use core::num::NonZeroU64;
use std::collections::{BTreeMap, BTreeSet};

impl Reader<'_> {
    /// The canonical rollup and the requested ones, without those that don't answer.
    pub(super) fn rollups(&self) -> Read<BTreeMap<Address, RollupView>> {
        let none = BTreeSet::new();
        let asked = self.question.rollups.iter();
        let mut rollups: BTreeMap<_, _> =
            asked.map(|(rollup, attesters)| (*rollup, attesters)).collect();
        let canonical = self.canonical_rollup();
        if let Ok(canonical) = &canonical {
            rollups.entry(*canonical).or_insert(&none);
        }
        let views: Read<Vec<_>> = all(rollups
            .into_iter()
            .map(|(rollup, attesters)| Ok((rollup, optional(self.rollup(rollup, attesters))?))));
        canonical?;
        Ok(views?.into_iter().filter_map(|(rollup, view)| Some((rollup, view?))).collect())
    }

    fn rollup(&self, rollup: Address, attesters: &BTreeSet<Address>) -> Read<RollupView> {
        let genesis = match self.call(rollup, Rollup::GENESIS_TIMECall {}) {
            // Nothing more is requested from a contract that isn't a rollup.
            Err(Gap::Failed(error)) => return Err(error.into()),
            read => read,
        };
        let next = self.next;
        let registry = optional(self.call(rollup, Rollup::REGISTRYCall {}));
        let slot_duration = self.call(rollup, Rollup::SLOT_DURATIONCall {});
        let epoch_duration = self.call(rollup, Rollup::EPOCH_DURATIONCall {});
        let minimum_stake = self.call(rollup, Rollup::MINIMUM_STAKECall {});
        let exit_delay = self.call(rollup, Rollup::EXIT_DELAYCall {});
        let number = self.call(rollup, Rollup::blockNumberCall {});
        let last = self.call(rollup, Rollup::lastBlockSlotCall {});
        let proposer = self.call(rollup, Rollup::getProposerAtCall { timestamp: next.to_word() });
        let attesters = all(attesters
            .iter()
            .map(|attester| Ok((*attester, self.attester(rollup, *attester)?))));
        let duration = |what, value: Read<U256>| -> Read<NonZeroU64> {
            let value = u64::try_from(value?).ok().and_then(NonZeroU64::new);
            Ok(value.ok_or(Error::BadAnswer { what, address: rollup })?)
        };
        let clock = SlotClock {
            genesis: genesis?.try_into().in_range("GENESIS_TIME()")?,
            slot_duration: duration("SLOT_DURATION()", slot_duration)?,
            epoch_duration: duration("EPOCH_DURATION()", epoch_duration)?,
        };
        let is_known = |epoch: &Epoch| clock.is_answered(*epoch, self.block.timestamp);
        let slot = clock.slot_at(next);
        let epoch = slot.map(|slot| clock.epoch_of(slot));
        let size = |epoch: Option<Epoch>| {
            epoch.filter(is_known).map(|epoch| self.set_size(rollup, epoch)).transpose()
        };
        let set_size = size(epoch);
        let next_set_size = size(epoch.map(Epoch::next));
        let seed = match slot.and_then(|slot| clock.recordable_epoch(slot)) {
            Some(epoch) => self.seed(rollup, epoch, is_known(&epoch)),
            None => Ok(SeedStatus::NotYet),
        };
        let proposer = match epoch.filter(is_known) {
            Some(_) => some(proposer?),
            None => None,
        };
        let (number, last) = (number?, last?);
        let head = RollupHead {
            number: number.try_into().in_range("blockNumber()")?,
            slot: last.slot.try_into().in_range("lastBlockSlot()")?,
        };
        Ok(RollupView {
            registry: registry?,
            clock,
            minimum_stake: minimum_stake?.try_into().in_range("MINIMUM_STAKE()")?,
            exit_delay: exit_delay?.try_into().in_range("EXIT_DELAY()")?,
            slot,
            proposer,
            head: last.exists.then_some(head),
            seed: seed?,
            set_size: set_size?,
            next_set_size: next_set_size?,
            attesters: attesters?,
        })
    }

    fn set_size(&self, rollup: Address, epoch: Epoch) -> Read<u32> {
        let size = self.call(rollup, Rollup::getSetSizeCall { epoch: epoch.to_word() })?;
        count("getSetSize(uint256)", rollup, size)
    }

    /// The seed of an epoch, which has none recorded if it isn't known yet.
    fn seed(&self, rollup: Address, epoch: Epoch, is_known: bool) -> Read<SeedStatus> {
        let is_recorded =
            is_known && self.call(rollup, Rollup::getSeedCall { epoch: epoch.to_word() })?.recorded;
        Ok(if is_recorded { SeedStatus::Recorded } else { SeedStatus::Missing(epoch) })
    }

    fn attester(&self, rollup: Address, attester: Address) -> Read<AttesterView> {
        let info = self.call(rollup, Rollup::getInfoCall { attester });
        let exit = self.call(rollup, Rollup::getExitCall { attester });
        let moving = self.call(rollup, Rollup::getMoveCall { attester });
        let (info, exit, moving) = (info?, exit?, moving?);
        let what = "getInfo(address)";
        let status = AttesterStatus::ALL.get(usize::from(info.status));
        let exitable_at = exit.exitableAt.try_into().in_range("getExit(address)")?;
        let ready_at = moving.readyAt.try_into().in_range("getMove(address)")?;
        Ok(AttesterView {
            status: *status.ok_or(Error::BadAnswer { what, address: rollup })?,
            stake: info.stake.try_into().in_range(what)?,
            withdrawer: info.withdrawer,
            proposer: info.proposer,
            exit: some(exit.recipient).map(|recipient| StakeExit { recipient, exitable_at }),
            moving: some(moving.newRollup).map(|new_rollup| StakeMove { new_rollup, ready_at }),
        })
    }

    /// The present signaling; `None` if Proposals or the canonical rollup doesn't answer.
    pub(super) fn signaling(&self) -> Read<Option<SignalingView>> {
        let Some((rules, status)) = self.signaling_status()? else { return Ok(None) };
        let proposals = self.proposals()?;
        let rounds = RoundRules::push_candidates(status.round);
        let rounds: Read<Vec<_>> =
            all(rounds.map(|round| self.candidate(proposals, status.instance, round)));
        let rounds = optional(rounds)?.map(|rounds| rounds.into_iter().flatten().collect());
        Ok(rounds.map(|rounds| SignalingView { rules, status, rounds }))
    }

    /// N and M, with the present slot and round; `None` if Proposals or the canonical rollup doesn't
    /// answer.
    pub(super) fn signaling_status(&self) -> Read<Option<(RoundRules, SignalingStatus)>> {
        let (proposals, instance) = (self.proposals(), self.canonical_rollup());
        let (proposals, instance) = (proposals?, instance?);
        optional(self.signaling_status_at(proposals, instance))
    }

    fn signaling_status_at(
        &self,
        proposals: Address,
        instance: Address,
    ) -> Read<(RoundRules, SignalingStatus)> {
        let n = self.call(proposals, Proposals::NCall {});
        let m = self.call(proposals, Proposals::MCall {});
        let status = self.call(proposals, Proposals::currentStatusCall {});
        let (n, m) = (count("N()", proposals, n?)?, count("M()", proposals, m?)?);
        let rules = RoundRules::new(n, m).ok();
        let rules = rules.ok_or(Error::BadAnswer { what: "N(), M()", address: proposals })?;
        let status = status?;
        // A malicious rollup may return any slot. Nobody can signal in one beyond 64 bits.
        let slot = |slot: U256| Slot::try_from(slot).unwrap_or(Slot::MAX);
        let (current, first_free_slot) = (slot(status.slot), slot(status.firstFreeSlot));
        let round = rules.round_of(current);
        let votes = count("currentStatus()", proposals, status.count)?;
        let leader = some(status.leader).map(|payload| Leader { payload, count: votes });
        let status = SignalingStatus { instance, slot: current, round, leader, first_free_slot };
        Ok((rules, status))
    }

    /// A round, if it has signals and wasn't pushed.
    fn candidate(
        &self,
        proposals: Address,
        instance: Address,
        round: Round,
    ) -> Read<Option<PushCandidate>> {
        let number = round.to_word();
        let stored = self.call(proposals, Proposals::roundsCall { instance, round: number })?;
        let Some(payload) = some(stored.leader).filter(|_| !stored.executed) else {
            return Ok(None);
        };
        let signals = self.signals(proposals, instance, round, payload);
        let call = Proposals::pinnedCodeHashCall { instance, round: number, payload };
        let expected_code = self.call(proposals, call);
        let code = self.account(payload);
        let latest = self.latest_proposal(proposals, payload);
        Ok(Some(PushCandidate {
            round,
            leader: Leader { payload, count: signals? },
            expected_code: expected_code?,
            found_code: pinned_code_hash(code?.hash),
            latest: latest?,
        }))
    }

    fn signals(
        &self,
        proposals: Address,
        instance: Address,
        round: Round,
        payload: Address,
    ) -> Read<u32> {
        let call = Proposals::yeaCountCall { instance, round: round.to_word(), payload };
        count("yeaCount(address,uint256,address)", proposals, self.call(proposals, call)?)
    }

    fn latest_proposal(&self, proposals: Address, payload: Address) -> Read<Option<ProposalId>> {
        let latest = self.call(proposals, Proposals::latestProposalOfCall { payload })?;
        let id = latest.proposalId.try_into().in_range("latestProposalOf(address)")?;
        Ok(latest.exists.then_some(id))
    }

    /// A payload, with its signals in the round of the next block.
    pub(super) fn payload(
        &self,
        payload: Address,
        signaling: Read<&Option<(RoundRules, SignalingStatus)>>,
        rollups: Read<&BTreeMap<Address, RollupView>>,
    ) -> Read<PayloadView> {
        let code = self.account(payload);
        let proposals = self.proposals()?;
        let (signaling, rollups) = (signaling?, rollups?);
        let round = signaling.as_ref().map(|(rules, status)| {
            let clock = rollups.get(&status.instance).map(|rollup| &rollup.clock);
            (status.instance, rules.round_of(status.slot_at(clock, self.next)))
        });
        let signals = match round {
            Some((instance, round)) => optional(self.signals(proposals, instance, round, payload))?,
            None => None,
        };
        Ok(PayloadView {
            code: code?,
            round: round.map(|(_, round)| round),
            signals: signals.unwrap_or_default(),
        })
    }
}

fn count(what: &'static str, address: Address, value: U256) -> Read<u32> {
    Ok(u32::try_from(value).map_err(|_| Error::BadAnswer { what, address })?)
}
