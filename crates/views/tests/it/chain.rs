//! The chain of the tests, and views of its set.

use alloy_primitives::{Address, B256, keccak256};
use canon_protocol::{
    Action, Call, Code, CodeKind, Context, GovernanceCall, L1Block, Log, ProposalId, Refusal,
    Seconds, Slot, Support, Timestamp,
};
use canon_views::{BlockView, Question, SetView};
use std::sync::Arc;

pub(crate) use canon_testkit::{
    chain::{
        ASSET, Chain, DISTRIBUTOR, GOVERNANCE, PROPOSALS, REGISTRY, ROLLUP, action, harmless,
        named, tokens,
    },
    small_set::{EPOCH, EPOCH_SECONDS, EXIT_DELAY, M, N, SLOT, STAKE, TOKEN as T},
};

pub(crate) const NEW_ROLLUP: Address = Address::with_last_byte(0xb3);
pub(crate) const NEW_PROPOSALS: Address = Address::with_last_byte(0xb4);
/// The hash of the blocks that sequencers propose.
pub(crate) const BLOCK_HASH: B256 = B256::repeat_byte(0xb7);
pub(crate) const PAYLOAD: Address = Address::with_last_byte(0xc1);

/// Methods of a chain for the tests of views.
pub(crate) trait ViewedChain {
    /// The set at the present block, with the answers to a question for everything. The next block is
    /// expected at `next`.
    fn view(&self, next: Timestamp) -> SetView;

    /// The set at the present block, with the answers to `question`. The next block is expected at `next`.
    fn view_of(&self, next: Timestamp, question: &Question) -> SetView;

    /// The view if the next block comes in this number of seconds.
    fn view_in(&self, seconds: u64) -> SetView;

    /// The outcome of `call` if `caller` makes it in `block` and nothing else happens before.
    fn decide_in(
        &self,
        block: L1Block,
        caller: Address,
        contract: Address,
        call: &Call,
    ) -> Result<Vec<Log>, Refusal>;

    /// The first second of a slot of the canonical rollup.
    fn slot_start(&self, slot: Slot) -> Timestamp;

    /// The proposer of the canonical rollup's slot at `time`.
    fn proposer_at(&self, time: Timestamp) -> Address;

    /// Writes a payload with this list of actions. Different lists have different code.
    fn write(&mut self, payload: Address, actions: &[Action]);

    /// Writes a payload with this list, signals for it and pushes it. Returns the ID of its proposal.
    fn propose(&mut self, payload: Address, actions: &[Action]) -> ProposalId;

    /// Casts a ballot of this number of tokens.
    fn vote(&mut self, name: &str, id: ProposalId, count: u128, support: Support);

    /// Makes a proposal with this list, which `alice` accepts, and goes to the first second in which it can
    /// be executed.
    fn accept(&mut self, payload: Address, actions: &[Action]) -> ProposalId;
}

impl ViewedChain for Chain {
    fn view(&self, next: Timestamp) -> SetView {
        self.view_of(next, &Question::everything(&self.set))
    }

    fn view_of(&self, next: Timestamp, question: &Question) -> SetView {
        let number = self.block.number;
        let hash = |number: u64| keccak256(number.to_be_bytes());
        let block = BlockView {
            number,
            hash: hash(number.get()),
            parent: hash(number.get().saturating_sub(1)),
            base_fee: 1_000_000_000,
            timestamp: self.now(),
        };
        let block_time = next.since(self.now()).unwrap();
        SetView::of_state(Arc::new(self.set.clone()), &self.foreign, block, question, block_time)
    }

    fn view_in(&self, seconds: u64) -> SetView {
        self.view(self.now() + Seconds::of(seconds))
    }

    fn decide_in(
        &self,
        block: L1Block,
        caller: Address,
        contract: Address,
        call: &Call,
    ) -> Result<Vec<Log>, Refusal> {
        let external = self.foreign.at(block.timestamp);
        let context = Context { block, external: &external, ..self.context(caller) };
        self.set.decide(contract, call, &context)
    }

    fn slot_start(&self, slot: Slot) -> Timestamp {
        let (_, rollup) = self.set.canonical_rollup().unwrap();
        rollup.clock().slot_start(slot).unwrap()
    }

    fn proposer_at(&self, time: Timestamp) -> Address {
        let (_, rollup) = self.set.canonical_rollup().unwrap();
        rollup.member_at(time, time).unwrap().unwrap().proposer()
    }

    fn write(&mut self, payload: Address, actions: &[Action]) {
        self.foreign.list(payload, actions.to_vec());
        let code = Code { kind: CodeKind::Contract, hash: keccak256(format!("{actions:?}")) };
        self.foreign.code.insert(payload, code);
    }

    fn propose(&mut self, payload: Address, actions: &[Action]) -> ProposalId {
        self.push(payload, actions.to_vec()).try_into().unwrap()
    }

    fn vote(&mut self, name: &str, id: ProposalId, count: u128, support: Support) {
        let (id, amount) = (id.to_word(), tokens(count));
        self.ok(name, GOVERNANCE, GovernanceCall::Vote { id, amount, support });
    }

    fn accept(&mut self, payload: Address, actions: &[Action]) -> ProposalId {
        let id = self.propose(payload, actions);
        self.pass(id.to_word(), 1500);
        id
    }
}
