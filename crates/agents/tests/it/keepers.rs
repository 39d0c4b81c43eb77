//! Keepers; each test is about one property.

use crate::{
    process::{AnyRole, Process, is_done},
    test_chain::{BLOCK_HASH, STAKE, TestChain, announce_move, attester, exit_stake, key, tokens},
    views::Maker,
};
use alloy_primitives::{Address, Bytes, U256, bytes};
use canon_abi::{Governance, Registry};
use canon_chain::{
    NoWait, calls,
    deploy::{ContractPlan, Create2Origin},
};
use canon_devchain::Mining;
use canon_protocol::{
    Amount, Constructor, Deadlines, Ending, ProposalId, ProposalState, Seconds, Support, Timestamp,
    WithdrawalId,
};
use canon_views::{BlockDuty, IntentSubject, PayOut, Question, RollupView, SignalPlan, StatusRule};

const ID: ProposalId = ProposalId::ZERO;
const EXECUTION: IntentSubject = IntentSubject::Execute { id: ID };

const fn push(subject: IntentSubject) -> bool {
    matches!(subject, IntentSubject::Push { .. })
}

/// Makes a proposal through the lock that is accepted. The next block is the last before its execution.
pub(crate) async fn accepted(chain: &mut TestChain, payload: Address) -> Deadlines {
    chain.propose(payload).await;
    let deadlines = chain.look().await.proposal(ID).unwrap().deadlines();
    chain.skip_until_next_is(deadlines.voting_starts());
    let governance = chain.addresses().governance;
    chain.send(calls::vote(governance, ID, tokens(9_000), Support::Yea)).await;
    chain.skip_until_next_is(deadlines.queued);
    deadlines
}

/// The confirmed intents, without seeds.
pub(crate) fn done(process: &Process) -> Vec<IntentSubject> {
    let is_seed = |subject: &IntentSubject| matches!(subject, IntentSubject::RecordSeed { .. });
    process.confirmed().into_iter().filter(|subject| !is_seed(subject)).collect()
}

#[tokio::test]
async fn a_proposal_is_executed_in_the_first_block_that_can() {
    for maker in Maker::ALL {
        let mut chain = TestChain::new().await;
        let (new, plan) = chain.upgrade("1").await;
        let deadlines = accepted(&mut chain, plan.payload).await;
        let mut process = Process::new(&chain, maker).await;
        process.add_keeper(&chain, PayOut::No);
        process.run_block(&chain).await;
        assert_eq!(chain.now(), deadlines.queued);
        assert_ne!(chain.look().await.addresses.rollup, new);
        process.run_block(&chain).await;
        assert_eq!(chain.look().await.addresses.rollup, new);
        process.run_block(&chain).await;
        assert_eq!(done(&process), [EXECUTION]);
        assert_eq!(process.failures(), [""; 0]);
    }
}

#[tokio::test]
async fn a_payload_that_withholds_is_executed_with_what_was_frozen() {
    for lie in [
        // Payloads that revert, have no code, answer an empty list, nonsense or 100,001 bytes, or use up the gas.
        bytes!("60006000fd"),
        Bytes::new(),
        bytes!("602060005260206000602037604060006000f3"),
        bytes!("60ff60005260206000f3"),
        bytes!("620186a15ff3"),
        bytes!("5b600056"),
    ] {
        let mut chain = TestChain::new().await;
        let (new, plan) = chain.upgrade("1").await;
        accepted(&mut chain, plan.payload).await;
        chain.devchain.set_code(plan.payload, lie.clone()).unwrap();
        // Without the history, the list isn't known.
        let mut without = Process::new(&chain, Maker::Reads).await;
        without.add_keeper(&chain, PayOut::No);
        chain.mine();
        without.run_blocks(&chain, 3).await;
        let failures = without.failures();
        assert_eq!(failures.len(), 1, "{lie}: {failures:?}");
        assert_eq!(done(&without), []);

        let mut process = Process::new(&chain, Maker::Fold).await;
        process.add_keeper(&chain, PayOut::No);
        process.run_block(&chain).await;
        assert_eq!(chain.look().await.addresses.rollup, new, "{lie}");
        process.run_block(&chain).await;
        assert_eq!(done(&process), [EXECUTION], "{lie}");
        assert_eq!(process.failures(), [""; 0], "{lie}");
    }
}

#[tokio::test]
async fn an_action_that_fails_is_reported_once_and_tried_until_it_succeeds() {
    for maker in Maker::ALL {
        let mut chain = TestChain::new().await;
        let (new, plan) = chain.upgrade("1").await;
        let code = chain.client.code(alloy_eips::BlockId::latest(), new).await.unwrap().unwrap();
        accepted(&mut chain, plan.payload).await;
        let mut process = Process::new(&chain, maker).await;
        process.add_keeper(&chain, PayOut::No);
        // The new rollup has no code for a while.
        chain.devchain.set_code(new, Bytes::new()).unwrap();
        process.run_blocks(&chain, 6).await;
        let failures = process.failures();
        assert_eq!(failures.len(), 1, "{failures:?}");
        assert!(failures[0].contains("reason: NoAnswer("), "{failures:?}");
        assert_eq!(done(&process), []);
        chain.devchain.set_code(new, code).unwrap();
        process.run_block(&chain).await;
        assert_eq!(chain.look().await.addresses.rollup, new);
        process.run_block(&chain).await;
        assert_eq!(done(&process), [EXECUTION]);
        assert_eq!(process.failures(), failures, "nothing else failed");
    }
}

#[tokio::test]
async fn what_a_replaced_proposals_contract_pushed_is_dropped() {
    for maker in Maker::ALL {
        let mut chain = TestChain::new().await;
        let rollup = chain.addresses().rollup;
        chain.stake(rollup, 4).await;
        let (_, plan) = chain.upgrade("1").await;
        let (registry, n, m) = (chain.addresses().registry, U256::from(2), U256::from(3));
        let constructor = Constructor::Proposals { registry, n, m };
        let proposals = ContractPlan::new(Create2Origin::default(), constructor);
        chain.devchain.set_mining(Mining::Auto);
        chain.deployer.send(proposals.call(), &mut NoWait).await.unwrap();
        chain.devchain.set_mining(Mining::Manual);
        let mut process = Process::new(&chain, maker).await;
        for number in 0..4 {
            process.add_sequencer(number, rollup, BlockDuty::Propose(BLOCK_HASH), Some(plan));
        }
        process.add_keeper(&chain, PayOut::No);
        process.run_until(&chain, 120, is_done(push)).await;

        // Governance replaces it. The call is made without a proposal, since the way to it doesn't matter
        // here.
        let (governance, old, new) =
            (chain.addresses().governance, chain.addresses().proposals, proposals.address());
        let call = Governance::updateGovernanceProposerCall { newGovernanceProposer: new };
        chain.as_governance(governance, call).await;
        process.run_block(&chain).await;
        let view = chain.look().await;
        assert_eq!(view.addresses.proposals, new);
        let proposal = view.proposal(ID).unwrap();
        assert_eq!((proposal.state, proposal.ending), (ProposalState::Dropped, Ending::Dropped));
        // Signals go to the new one, for the same payload.
        process.run_until(&chain, 60, is_done(push)).await;
        let pushed: Vec<_> = done(&process)
            .into_iter()
            .filter_map(|subject| match subject {
                IntentSubject::Push { proposals, .. } => Some(proposals),
                _ => None,
            })
            .collect();
        assert_eq!(pushed, [old, new]);
        let drops = done(&process).into_iter().filter(|one| *one == IntentSubject::Drop { id: ID });
        assert_eq!(drops.count(), 1);
        assert_eq!(chain.look().await.governance.proposals.len(), 2);
        assert_eq!(process.failures(), [""; 0]);
    }
}

/// A withdrawal by the deployer, an exit and an announced move, with the times at which they are due.
pub(crate) struct Due {
    pub(crate) chain: TestChain,
    pub(crate) old: Address,
    pub(crate) new: Address,
    pub(crate) recipient: Address,
    pub(crate) unlocks_at: Timestamp,
    pub(crate) exitable_at: Timestamp,
    pub(crate) ready_at: Timestamp,
}

impl Due {
    pub(crate) async fn new() -> Self {
        let mut chain = TestChain::new().await;
        let old = chain.addresses().rollup;
        chain.stake(old, 2).await;
        let (new, _) = chain.upgrade("1").await;
        let recipient = key("recipient", 0).address();
        chain.lock_for(chain.deployer.address(), tokens(100)).await;
        let withdraw = calls::withdraw(chain.addresses().governance, recipient, tokens(100));
        chain.send(withdraw).await;
        let unlocks_at = chain.now() + Seconds::of(720 + 3600 + 3600);
        let [mut leaver, mut mover] = [0, 1].map(|number| chain.sender(key("withdrawer", number)));
        chain.send_by(&mut leaver, exit_stake(old, attester(0), recipient)).await;
        let exitable_at = chain.now() + Seconds::HOUR;
        chain.send_by(&mut mover, announce_move(old, attester(1), new)).await;
        let ready_at = chain.now() + Seconds::HOUR;
        Self { chain, old, new, recipient, unlocks_at, exitable_at, ready_at }
    }

    /// A keeper that pays out.
    pub(crate) async fn process(&self, maker: Maker) -> Process {
        let mut process = Process::new(&self.chain, maker).await;
        process.add_keeper(&self.chain, PayOut::Everything);
        // Views without history contain the entries asked for.
        let asked = &mut process.also_asked;
        asked.withdrawals.insert(WithdrawalId::ZERO);
        asked.rollups.insert(self.old, [attester(0), attester(1)].into());
        asked.rollups.insert(self.new, [attester(1)].into());
        process
    }

    pub(crate) fn exit(&self) -> IntentSubject {
        let (rollup, exitable_at) = (self.old, self.exitable_at);
        IntentSubject::PayExit { rollup, attester: attester(0), exitable_at }
    }

    pub(crate) fn moved(&self) -> IntentSubject {
        let (rollup, ready_at) = (self.old, self.ready_at);
        IntentSubject::FinalizeMove { rollup, attester: attester(1), ready_at }
    }

    pub(crate) async fn paid(&self) -> Amount {
        self.chain.holder(self.recipient, []).await.balance
    }

    /// Makes the target of the move canonical, without a proposal.
    pub(crate) async fn switch(&self) {
        let registry = self.chain.addresses().registry;
        self.chain.as_governance(registry, Registry::upgradeCall { rollup: self.new }).await;
    }
}

pub(crate) const WITHDRAWAL: IntentSubject =
    IntentSubject::PayWithdrawal { id: WithdrawalId::ZERO };

/// The second before `time`.
pub(crate) const fn before(time: Timestamp) -> Timestamp {
    Timestamp::of(time.get() - 1)
}

#[tokio::test]
async fn everybody_is_paid_what_is_due_in_the_first_block_that_can() {
    for maker in Maker::ALL {
        let due = Due::new().await;
        let mut process = due.process(maker).await;
        for (time, paid) in [
            (before(due.exitable_at), Amount::ZERO),
            (due.exitable_at, STAKE),
            (before(due.unlocks_at), STAKE),
            (due.unlocks_at, tokens(200)),
        ] {
            let snapshot = due.chain.devchain.snapshot();
            let mut process = process.copy(&due.chain).await;
            due.chain.skip_until_next_is(time);
            assert_eq!(due.chain.next(), time);
            process.run_block(&due.chain).await;
            assert_eq!(due.paid().await, paid, "at {time}");
            due.chain.devchain.revert(snapshot).unwrap();
        }
        // The payments come one after the other: the exit, the withdrawal, and the move, whose delay is
        // long over.
        due.chain.skip_until_next_is(due.exitable_at);
        process.run_blocks(&due.chain, 2).await;
        due.chain.skip_until_next_is(due.unlocks_at);
        process.run_blocks(&due.chain, 2).await;
        assert_eq!(done(&process), [due.exit(), WITHDRAWAL]);
        due.switch().await;
        process.run_blocks(&due.chain, 2).await;
        assert_eq!(done(&process), [due.exit(), WITHDRAWAL, due.moved()]);
        assert_eq!(due.paid().await, tokens(200));
        assert_eq!(process.failures(), [""; 0]);
    }
}

#[tokio::test]
async fn a_keeper_that_does_not_pay_out_pays_nobody() {
    let due = Due::new().await;
    let mut process = due.process(Maker::Fold).await;
    let AnyRole::Keeper(keeper) = &mut process.actors[0].agent.role else { panic!() };
    keeper.pay_out = PayOut::No;
    due.switch().await;
    due.chain.skip_until_next_is(due.unlocks_at);
    process.run_blocks(&due.chain, 3).await;
    assert_eq!(done(&process), []);
    assert_eq!(due.paid().await, Amount::ZERO);
}

#[tokio::test]
async fn a_keeper_alone_keeps_the_seeds_of_all_rollups_coming() {
    for maker in Maker::ALL {
        let mut chain = TestChain::new().await;
        let old = chain.addresses().rollup;
        chain.stake(old, 3).await;
        let (new, _) = chain.upgrade("1").await;
        let mut process = Process::new(&chain, maker).await;
        let keeper = process.add_keeper(&chain, PayOut::No);
        let AnyRole::Keeper(role) = &mut process.actors[keeper].agent.role else { panic!() };
        role.rollups.extend([old, new]);
        // A long time without calls, so that no epoch has a seed.
        chain.skip_until_next_is(chain.now() + Seconds::HOUR);
        assert_eq!(chain.look().await.rollups[&old].proposer, None);
        let mut expected = [(old, Vec::new()), (new, Vec::new())];
        let mut question = Question::default();
        question.rollups.insert(new, [].into());
        for _ in 0..24 {
            let view = chain.ask(question.clone()).await;
            for (rollup, epochs) in &mut expected {
                // The second slot of an epoch is the only one in which a seed can be recorded.
                let RollupView { clock, slot, .. } = &view.rollups[rollup];
                let slot = slot.unwrap();
                if !clock.is_first_of_epoch(slot) {
                    epochs.push((clock.epoch_of(slot).next(), process.address(keeper)));
                }
            }
            process.run_block(&chain).await;
        }
        process.act(&chain).await;
        for (rollup, mut epochs) in expected {
            // A slot has two blocks.
            epochs.dedup();
            assert_eq!(process.seeded(rollup), epochs);
            assert!(epochs.len() >= 6, "24 blocks are 6 epochs");
        }
        assert!(chain.look().await.rollups[&old].proposer.is_some());
        assert_eq!(process.failures(), [""; 0]);
    }
}

#[tokio::test]
async fn of_two_rounds_that_a_payload_won_the_older_is_pushed() {
    for maker in Maker::ALL {
        let mut chain = TestChain::with_short_rounds().await;
        let rollup = chain.addresses().rollup;
        chain.stake(rollup, 1).await;
        let (_, plan) = chain.upgrade("1").await;
        let plan = SignalPlan { status: StatusRule::Force, ..plan };
        let mut process = Process::new(&chain, maker).await;
        process.add_sequencer(0, rollup, BlockDuty::Propose(BLOCK_HASH), Some(plan));
        let mut won = Vec::new();
        for _ in 0..60 {
            let view = chain.look().await;
            won = view.pushable_at(view.next);
            if won.len() == 2 {
                break;
            }
            process.run_block(&chain).await;
        }
        assert_eq!(won.len(), 2, "{}", process.log());
        process.sequencer(0).plan = None;
        process.add_keeper(&chain, PayOut::No);
        process.run_blocks(&chain, 3).await;
        let proposals = chain.addresses().proposals;
        let pushed = IntentSubject::Push { proposals, rollup, round: won[0].round };
        let pushes: Vec<_> = process.confirmed().into_iter().filter(|one| push(*one)).collect();
        assert_eq!(pushes, [pushed]);
        assert_eq!(process.failures(), [""; 0]);
    }
}
