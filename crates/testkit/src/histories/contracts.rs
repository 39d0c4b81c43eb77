//! Code outside the set: payloads, most of them honest; rollups that lie; wallets that sign for
//! anybody; and meaningless calldata.

use super::abi::{ACTIONS, CURRENT_PROPOSER, CURRENT_SLOT, VALID_SIGNATURE, encode_actions};
use super::{Behavior, Conduct, Director, Foreign, Program, Put, Step, foreign::answer_word};
use alloy_primitives::{Address, B256, Bytes, Selector, U256};
use alloy_sol_types::{SolCall, sol};
use canon_protocol::{
    Action, Amount, AssetCall, Call, DistributorCall, GovernanceCall, MAX_ACTIONS_LENGTH,
    ProposalsCall, RegistryCall, RollupCall, SetState, Support, Timestamp,
};
use core::num::NonZeroU64;

sol! {
    /// Makes a rollup outside the set claim a reward for itself.
    function claimReward();
}

/// The largest number of payloads that a history writes.
const MAX_PAYLOADS: usize = 96;
/// The largest length in bytes of a list of actions that is put into the code of a contract.
const MAX_LIST_IN_CODE: usize = 4096;
/// The largest number of rollups outside the set that a history writes.
const MAX_IMPOSTORS: usize = 4;

impl Director {
    /// Writes a payload. Most payloads never change their list.
    pub(super) fn write_payload(
        &mut self,
        set: &SetState,
        now: Timestamp,
        foreign: &Foreign,
    ) -> Option<Step> {
        if self.payloads.len() >= MAX_PAYLOADS {
            return None;
        }
        let payload = self.new_address();
        self.payloads.push(payload);
        let program = self.payload_program(set, now, foreign, payload);
        Some(Step::Put(payload, Put::Program(program)))
    }

    fn payload_program(
        &mut self,
        set: &SetState,
        now: Timestamp,
        foreign: &Foreign,
        payload: Address,
    ) -> Program {
        let actions = self.list(set, foreign);
        let answer = |data: Bytes| Behavior::only(vec![(ACTIONS, Conduct::Answers(data))]);
        match self.rng.below(44) {
            0 => {
                let list = Bytes::from(encode_actions(&actions));
                answer(list.slice(..self.rng.below(list.len() as u64) as usize)).into()
            }
            1 => answer(self.with_a_flipped_bit(&encode_actions(&actions))).into(),
            2 => answer([&encode_actions(&actions)[..], &[0xff; 40]].concat().into()).into(),
            3 => Behavior::only(vec![(ACTIONS, Conduct::Reverts(self.noise()))]).into(),
            // The payload lists other actions, or none, some time after it may have been proposed.
            turn @ 4..7 => {
                let later = match turn {
                    4 | 5 => Behavior::payload(&self.list(set, foreign)),
                    _ => Behavior::only(Vec::new()),
                };
                let until = self.soon(now);
                Program { first: Behavior::payload(&actions), later: Some((until, later)) }
            }
            // The payload calls Governance back while its proposal is executed.
            7..10 => {
                let itself = Action { target: payload, data: Bytes::new() };
                let actions: Vec<_> = actions.into_iter().chain([itself]).collect();
                let mut behavior = Behavior::payload(&actions);
                behavior.otherwise = Conduct::Calls(self.reentrant_calls(set, now, payload));
                behavior.into()
            }
            10..12 => self.long_answer(&actions).into(),
            12 | 13 => answer(self.shared_data()).into(),
            _ => Behavior::payload(&actions).into(),
        }
    }

    /// A payload whose answer is its list padded with zeros: as long as an answer may be, or longer.
    fn long_answer(&mut self, actions: &[Action]) -> Behavior {
        let answer = Bytes::from(encode_actions(actions));
        let lengths = [MAX_ACTIONS_LENGTH, MAX_ACTIONS_LENGTH + 1, 3 * MAX_ACTIONS_LENGTH];
        let length = self.rng.pick(&lengths).copied().unwrap_or_default();
        Behavior::only(vec![(ACTIONS, Conduct::Pads { answer, length })])
    }

    /// A short answer in which all offsets lead to the same action, so that the decoded list is about
    /// as long as a list may be, or longer.
    fn shared_data(&mut self) -> Bytes {
        const DATA: usize = 800;
        // Each action takes four words and its data; the list takes two.
        let most = (MAX_ACTIONS_LENGTH - 2 * 32) / (4 * 32 + DATA);
        let count = most + self.rng.below(3) as usize - 1;
        let word = |number: usize| U256::from(number).to_be_bytes::<32>();
        let mut answer = [word(32), word(count)].concat();
        answer.extend(word(count * 32).repeat(count));
        let target = self.anybody().into_word();
        answer.extend([target.0, word(64), word(DATA)].concat());
        answer.extend([0x5a; DATA]);
        answer.into()
    }

    /// The list of a payload. Some lists are empty.
    pub(super) fn list(&mut self, set: &SetState, foreign: &Foreign) -> Vec<Action> {
        if self.rng.chance(1, 6)
            && let Some(actions) = self.upgrade(set, foreign)
        {
            return actions;
        }
        if self.rng.chance(1, 10)
            && let Some(actions) = self.rival_claims(set)
        {
            return actions;
        }
        let count = self.rng.pick(&[0, 1, 1, 1, 1, 1, 1, 1, 2, 3]).copied().unwrap_or_default();
        (0..count).filter_map(|_| self.plan(set, foreign)).collect()
    }

    /// A list that makes two rollups outside the set canonical, one after the other, and lets each
    /// claim a reward. The second claim comes in the same second as the first.
    pub(super) fn rival_claims(&self, set: &SetState) -> Option<Vec<Action>> {
        let at = *set.addresses();
        let is_unlisted = |rollup: &&Address| set.registry().version_for(**rollup).is_err();
        let mut rivals = self.impostors.iter().filter(is_unlisted).copied();
        let rivals = [rivals.next()?, rivals.next()?];
        let claim = Bytes::from(claimRewardCall::SELECTOR);
        let turns = rivals.map(|rollup| {
            let upgrade = RegistryCall::Upgrade { rollup }.abi_encode();
            [
                Action { target: at.registry, data: upgrade },
                Action { target: rollup, data: claim.clone() },
            ]
        });
        Some(turns.concat())
    }

    /// A time at most 2,500 seconds after `now`.
    pub(super) fn soon(&mut self, now: Timestamp) -> Timestamp {
        Timestamp::new(now.get() + self.rng.below(2500)).unwrap_or(Timestamp::MAX)
    }

    /// The calls that a contract makes while it is called itself.
    fn reentrant_calls(&mut self, set: &SetState, now: Timestamp, itself: Address) -> Vec<Action> {
        let count = self.rng.between(1, 2);
        (0..count).map(|_| self.reentrant_call(set, now, itself)).collect()
    }

    fn reentrant_call(&mut self, set: &SetState, now: Timestamp, itself: Address) -> Action {
        let at = *set.addresses();
        let governance = set.governance();
        let id = U256::from(governance.proposals().len()) - U256::from(self.rng.below(2));
        let withdrawals = governance.withdrawals().len() as u64;
        let rollup = self.any_rollup(set).map(|(rollup, _)| rollup).unwrap_or_default();
        let attester =
            self.rng.pick(&self.accounts.stakers).map(|staker| staker.attester).unwrap_or_default();
        let (target, call): (Address, Call) = match self.rng.below(12) {
            0 | 1 => (at.governance, GovernanceCall::Execute { id }.into()),
            2 => {
                let actions = governance.proposals().last().map(|p| p.actions().to_vec());
                // A long list doesn't fit into the code of a contract.
                let is_short = |list: &Vec<Action>| encode_actions(list).len() < MAX_LIST_IN_CODE;
                let actions = actions.filter(is_short).unwrap_or_default();
                (at.governance, GovernanceCall::ExecuteWith { id, actions }.into())
            }
            3 => {
                let amount = Amount::TOKEN.to_word();
                (at.governance, GovernanceCall::Vote { id, amount, support: Support::Yea }.into())
            }
            4 => {
                let id = U256::from(self.rng.below(withdrawals + 1));
                (at.governance, GovernanceCall::FinaliseWithdraw { id }.into())
            }
            5 => (
                at.governance,
                GovernanceCall::ProposeWithLock { payload: itself, to: itself }.into(),
            ),
            6 => {
                let proposals = governance.governance_proposer();
                (proposals, ProposalsCall::Vote { payload: itself }.into())
            }
            7 => {
                let proposals = governance.governance_proposer();
                let present = set.proposals(proposals).zip(set.canonical_rollup());
                let round = present.and_then(|(proposals, (_, rollup))| {
                    proposals.rules().round_of(rollup.slot_at(now).ok()?).previous()
                });
                let round = round.unwrap_or_default().to_word();
                (proposals, ProposalsCall::PushProposal { round }.into())
            }
            8 => (rollup, RollupCall::SetupEpoch.into()),
            9 => (rollup, RollupCall::FinaliseMove { attester }.into()),
            10 => (at.reward_distributor, DistributorCall::Claim { to: itself }.into()),
            _ => (at.governance, GovernanceCall::DropProposal { id }.into()),
        };
        Action { target, data: call.abi_encode() }
    }

    /// Writes code for an account that isn't a new payload.
    pub(super) fn write_else(
        &mut self,
        set: &SetState,
        now: Timestamp,
        foreign: &Foreign,
    ) -> Option<Step> {
        match self.rng.below(8) {
            0..3 if self.impostors.len() < MAX_IMPOSTORS => {
                let impostor = self.new_address();
                self.impostors.push(impostor);
                let program = self.impostor_program(set, now, impostor)?;
                Some(Step::Put(impostor, Put::Program(program)))
            }
            // Replaces the code of a payload, which no real account can do.
            3 => {
                let payload = self.payload()?;
                Some(self.rewrite(set, now, foreign, payload))
            }
            4 if self.taker.is_none() || self.rng.chance(1, 2) => self.write_taker(set, now),
            4 => {
                let target = self.impostor_address().or_else(|| self.payload())?;
                let caller = self.anybody();
                Some(Step::Transaction { caller, target, data: Bytes::new() })
            }
            _ => {
                let wallet = *self.rng.pick(&self.accounts.wallets)?;
                let put = self.wallet();
                Some(Step::Put(wallet, put))
            }
        }
    }

    /// Replaces the code of a payload by other code or by none.
    pub(super) fn rewrite(
        &mut self,
        set: &SetState,
        now: Timestamp,
        foreign: &Foreign,
        payload: Address,
    ) -> Step {
        let put = match (self.rng.below(4), self.payloads.first()) {
            (0, _) => Put::Nothing,
            (1, Some(first)) => Put::Delegation(*first),
            _ => Put::Program(self.payload_program(set, now, foreign, payload)),
        };
        Step::Put(payload, put)
    }

    /// The code of a wallet: it accepts signatures, or answers in a wrong way.
    fn wallet(&mut self) -> Put {
        let magic = B256::right_padding_from(VALID_SIGNATURE.as_slice());
        let dirty = B256::from(U256::from_be_bytes(magic.0) | U256::from(1));
        let answer = match self.rng.below(9) {
            0 => Conduct::Answers(dirty.into()),
            1 => Conduct::Answers([magic.as_slice(), &[0; 32]].concat().into()),
            2 => Conduct::Answers(magic.as_slice()[..31].to_vec().into()),
            3 => Conduct::Reverts(Bytes::new()),
            // The wallet delegates to a payload, and so has no code of its own.
            4 => return self.payloads.first().copied().map_or(Put::Nothing, Put::Delegation),
            _ => Conduct::Answers(magic.into()),
        };
        Put::Program(Behavior::only(vec![(VALID_SIGNATURE, answer)]).into())
    }

    /// The program of a contract that answers roughly as a rollup does.
    fn impostor_program(
        &mut self,
        set: &SetState,
        now: Timestamp,
        itself: Address,
    ) -> Option<Program> {
        let first = self.impostor(set, now, itself)?;
        let later = if self.rng.chance(1, 2) {
            Some((self.soon(now), self.impostor(set, now, itself)?))
        } else {
            None
        };
        Some(Program { first, later })
    }

    fn impostor(&mut self, set: &SetState, now: Timestamp, itself: Address) -> Option<Behavior> {
        let at = *set.addresses();
        // A clock that stands, jumps, or goes backwards when the program changes.
        let slot = match self.rng.below(10) {
            0 => answer_word(now.to_word() + U256::from(1_000_000)),
            1 => answer_word(U256::MAX),
            2 => answer_word(now.to_word()),
            3 => Conduct::Answers(Bytes::from_static(&[1; 31])),
            4 => answer_word(U256::from(self.rng.below(100))),
            _ => {
                let age = self.rng.below(20_000).min(now.get());
                let since = Timestamp::new(now.get() - age).unwrap_or_default();
                let seconds = NonZeroU64::new(self.rng.between(1, 40)).unwrap_or(NonZeroU64::MIN);
                Conduct::Counts { since, seconds }
            }
        };
        let somebody = self.anybody().into_word();
        let proposer = match self.rng.below(12) {
            0 => answer_word(U256::ZERO),
            1 => answer_word(U256::MAX),
            2 => Conduct::Reverts(self.noise()),
            _ => Conduct::Answers(somebody.into()),
        };
        // A stake that moves here may be taken by the contract, or the move may revert.
        let deposit = match self.any_rollup(set) {
            Some((from, rollup)) if self.rng.chance(3, 4) => {
                let minimum = rollup.parameters().minimum_stake.to_word();
                let amount = self.rng.pick(&[minimum, minimum, minimum / U256::from(2)]).copied();
                let take = AssetCall::TransferFrom {
                    from,
                    to: itself,
                    amount: amount.unwrap_or_default(),
                };
                let mut calls =
                    vec![Action { target: at.asset, data: Call::from(take).abi_encode() }];
                if self.rng.chance(1, 2) {
                    let attester = self.rng.pick(&self.accounts.stakers)?.attester;
                    let again = RollupCall::FinaliseMove { attester };
                    calls.push(Action { target: from, data: Call::from(again).abi_encode() });
                }
                Conduct::Calls(calls)
            }
            _ => Conduct::Answers(Bytes::new()),
        };
        let nobody = Address::ZERO;
        let deposit_of = RollupCall::Deposit {
            attester: nobody,
            proposer: nobody,
            withdrawer: nobody,
            amount: U256::ZERO,
        };
        let deposit_selector = Selector::from_slice(&deposit_of.abi_encode()[..4]);
        let claim = Call::from(DistributorCall::Claim { to: itself }).abi_encode();
        let claim = vec![Action { target: at.reward_distributor, data: claim }];
        Some(Behavior {
            functions: vec![
                (CURRENT_SLOT, slot),
                (CURRENT_PROPOSER, proposer),
                (deposit_selector, deposit),
                (Selector::new(claimRewardCall::SELECTOR), Conduct::Calls(claim.clone())),
            ],
            otherwise: Conduct::Calls(if self.rng.chance(1, 2) {
                claim
            } else {
                self.reentrant_calls(set, now, itself)
            }),
        })
    }

    /// Makes the canonical rollup act, if it isn't of the set.
    pub(super) fn poke(&mut self, set: &SetState) -> Option<Step> {
        let target = set.registry().rollup();
        if !self.impostors.contains(&target) || !self.rng.chance(1, 4) {
            return None;
        }
        let data = match self.rng.below(3) {
            0 => Bytes::new(),
            _ => claimRewardCall::SELECTOR.into(),
        };
        let act = Step::Transaction { caller: self.anybody(), target, data };
        // The second claim in a row comes too early.
        if self.rng.chance(1, 4) {
            self.then([act.clone()]);
        }
        Some(act)
    }

    /// A rollup outside the set.
    pub(super) fn impostor_address(&mut self) -> Option<Address> {
        self.rng.pick(&self.impostors).copied()
    }

    /// A plausible call with wrong calldata.
    pub(super) fn garble(
        &mut self,
        set: &SetState,
        now: Timestamp,
        foreign: &Foreign,
    ) -> Option<Step> {
        let step = match self.rng.below(4) {
            0 => self.vote(set, now),
            1 => self.signal(set, now, foreign),
            2 => self.stake(set, now),
            _ => self.trespass(set, foreign),
        };
        let Step::Call { caller, contract, call } = step? else { return None };
        let data = call.abi_encode();
        let data = match self.rng.below(4) {
            0 => data.slice(..self.rng.below(data.len() as u64) as usize),
            1 => [&data[..], &[7; 5]].concat().into(),
            // The selector stays: with another one, the call could be a view.
            _ => [&data[..4], &self.with_a_flipped_bit(&data[4..])].concat().into(),
        };
        Some(Step::Transaction { caller, target: contract, data })
    }

    /// `data` with one bit changed.
    fn with_a_flipped_bit(&mut self, data: &[u8]) -> Bytes {
        let mut data = data.to_vec();
        let position = self.rng.below(data.len() as u64) as usize;
        if let Some(byte) = data.get_mut(position) {
            *byte ^= 1 << self.rng.below(8);
        }
        data.into()
    }

    /// Meaningless bytes.
    pub(super) fn noise(&mut self) -> Bytes {
        let length = self.rng.below(40) as usize;
        self.rng.next_u64().to_be_bytes().repeat(5)[..length].to_vec().into()
    }
}
