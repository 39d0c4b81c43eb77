//! The set of the tests, and views of it.

use alloy_primitives::{Address, keccak256};
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
pub(crate) const PAYLOAD: Address = Address::with_last_byte(0xc1);

/// Methods of a chain for the tests of views.
pub(crate) trait ViewedChain {
    /// The set at the present block, with all that is known of it; the next block is expected at `next`.
    fn view(&self, next: Timestamp) -> SetView;

    /// The set at the present block.
    fn view_of(&self, question: &Question) -> SetView;

    /// The view for a block that comes in this many seconds.
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

    /// A payload with this list, and with code that is another for another list.
    fn write(&mut self, payload: Address, actions: &[Action]);

    /// A payload with this list, signaled for and pushed: the id of its proposal.
    fn propose(&mut self, payload: Address, actions: &[Action]) -> ProposalId;

    /// A ballot of this many tokens.
    fn vote(&mut self, name: &str, id: ProposalId, count: u128, support: Support);

    /// A proposal with this list that `alice` has accepted; it is the first second in which it can be
    /// executed.
    fn accept(&mut self, payload: Address, actions: &[Action]) -> ProposalId;
}

impl ViewedChain for Chain {
    fn view(&self, next: Timestamp) -> SetView {
        self.view_of(&Question::everything(&self.set, next))
    }

    fn view_of(&self, question: &Question) -> SetView {
        let number = self.block.number;
        let hash = |number: u64| keccak256(number.to_be_bytes());
        let block = BlockView {
            number,
            hash: hash(number.get()),
            parent: hash(number.get().saturating_sub(1)),
            base_fee: 1_000_000_000,
            timestamp: self.now(),
        };
        SetView::of_state(Arc::new(self.set.clone()), &self.foreign, block, question)
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
