//! The state of the set at the beginning of a small scope.

use crate::{
    accounts::{
        ADDRESSES, ANYONE, ASSET, DEPLOYER, GOVERNANCE, Holder, ISSUER, PROPOSALS, REGISTRY,
        ROLLUPS, Staker, TREASURY,
    },
    payloads::{Payload, Payloads},
    scope::{EPOCH, EXIT_DELAY, LONG, M, N, SLOT, SUPPLY, Scope, Start},
    state::{State, context},
};
use alloy_primitives::{Address, U256};
use canon_protocol::{
    AssetCall, Call, Constructor, GovernanceCall, Log, OwnershipCall, ProposalsCall,
    RawRollupParameters, Refusal, RegistryCall, RollupCall, SetState, Timestamp,
};

/// The time of the deployment, in seconds.
pub(crate) const GENESIS: u64 = 1_000_000;

/// The first state of `scope`.
///
/// # Panics
///
/// If the rules refuse a call that is needed to build the state.
pub(crate) fn start(scope: &Scope, payloads: &Payloads) -> State {
    let mut set = Builder { set: SetState::new(ADDRESSES), now: Timestamp::of(GENESIS), payloads };
    set.deploy();
    for staker in Staker::ALL {
        set.stake(staker);
    }
    let powers = scope.power.into_iter().zip(scope.free);
    for (holder, (locked, free)) in Holder::ALL.into_iter().zip(powers) {
        set.fund(holder.address(), locked + free);
        set.lock(holder.address(), locked);
    }
    set.lock(TREASURY, scope.silent);
    match scope.start {
        Start::Deployment => {}
        Start::Signals => set.run_to_epoch_2(),
        Start::Winner(payload) => {
            set.run_to_epoch_2();
            set.win(payload);
        }
    }
    State::new(set.set, set.now)
}

struct Builder<'a> {
    set: SetState,
    now: Timestamp,
    payloads: &'a Payloads,
}

impl Builder<'_> {
    fn deploy(&mut self) {
        let owner = DEPLOYER;
        self.construct(
            ASSET,
            &Constructor::Asset {
                name: "Asset".to_owned(),
                symbol: "A".to_owned(),
                owner,
                initial_holder: TREASURY,
                initial_supply: U256::from(SUPPLY),
            },
        );
        self.construct(REGISTRY, &Constructor::Registry { owner });
        for proposals in PROPOSALS {
            let (n, m) = (U256::from(N), U256::from(M));
            self.construct(proposals, &Constructor::Proposals { registry: REGISTRY, n, m });
        }
        let proposals = PROPOSALS[0];
        let configuration = LONG.into();
        let constructor = Constructor::Governance { asset: ASSET, proposals, configuration };
        self.construct(GOVERNANCE, &constructor);
        let owner = GOVERNANCE;
        let rate = U256::ONE;
        self.construct(ISSUER, &Constructor::Issuer { asset: ASSET, rate, owner });
        let (registry, block_reward) = (REGISTRY, U256::ONE);
        let constructor = Constructor::Distributor { asset: ASSET, registry, block_reward, owner };
        self.construct(ADDRESSES.reward_distributor, &constructor);
        let parameters = RawRollupParameters {
            asset: ASSET,
            registry: REGISTRY,
            reward_distributor: ADDRESSES.reward_distributor,
            owner,
            genesis_time: self.now.to_word(),
            slot_duration: U256::from(SLOT),
            epoch_duration: U256::from(EPOCH),
            minimum_stake: U256::ONE,
            exit_delay: U256::from(EXIT_DELAY),
        };
        for rollup in ROLLUPS {
            self.construct(rollup, &Constructor::Rollup(parameters));
        }
        self.call(DEPLOYER, REGISTRY, RegistryCall::Upgrade { rollup: ROLLUPS[0] });
        let new_owner = GOVERNANCE;
        self.call(DEPLOYER, REGISTRY, OwnershipCall::TransferOwnership { new_owner });
        self.call(ANYONE, GOVERNANCE, GovernanceCall::AcceptOwnership { target: REGISTRY });
    }

    fn stake(&mut self, staker: Staker) {
        let account = staker.address();
        self.fund(account, 1);
        self.approve(account, ROLLUPS[0]);
        let call = RollupCall::Deposit {
            attester: account,
            proposer: account,
            withdrawer: account,
            amount: U256::ONE,
        };
        self.call(account, ROLLUPS[0], call);
    }

    fn fund(&mut self, account: Address, units: u64) {
        let call = AssetCall::Transfer { to: account, amount: U256::from(units) };
        self.call(TREASURY, ASSET, call);
    }

    fn approve(&mut self, account: Address, spender: Address) {
        self.call(account, ASSET, AssetCall::Approve { spender, amount: U256::MAX });
    }

    fn lock(&mut self, account: Address, units: u64) {
        self.approve(account, GOVERNANCE);
        if units > 0 {
            let amount = U256::from(units);
            self.call(
                account,
                GOVERNANCE,
                GovernanceCall::Deposit { on_behalf_of: account, amount },
            );
        }
    }

    /// Records the seed of epoch 2, whose slots those who staked at the deployment draw.
    fn run_to_epoch_2(&mut self) {
        self.now = Timestamp::of(GENESIS + (2 * EPOCH - 1) * SLOT);
        self.call(ANYONE, ROLLUPS[0], RollupCall::SetupEpoch);
        self.now = Timestamp::of(GENESIS + 2 * EPOCH * SLOT);
    }

    /// Signals for `payload` in the last slots of round 1.
    fn win(&mut self, payload: Payload) {
        let payload = payload.address();
        for slot in 2 * M - N..2 * M {
            self.now = Timestamp::of(GENESIS + slot * SLOT);
            let rollup = self.set.rollup(ROLLUPS[0]).expect("it was deployed");
            let drawn = rollup.member_at(self.now, self.now).expect("the epoch is the present one");
            let proposer = drawn.expect("the seed is recorded").proposer();
            self.call(proposer, PROPOSALS[0], ProposalsCall::Vote { payload });
            self.call(ANYONE, ROLLUPS[0], RollupCall::SetupEpoch);
        }
        self.now = Timestamp::of(GENESIS + 2 * M * SLOT);
    }

    fn construct(&mut self, contract: Address, constructor: &Constructor) {
        let context = context(DEPLOYER, self.now, self.payloads);
        let decision = self.set.deploy(contract, constructor, &context);
        self.carry_out(decision);
    }

    fn call(&mut self, caller: Address, contract: Address, call: impl Into<Call>) {
        let context = context(caller, self.now, self.payloads);
        let decision = self.set.decide(contract, &call.into(), &context);
        self.carry_out(decision);
    }

    fn carry_out(&mut self, decision: Result<Vec<Log>, Refusal>) {
        let logs = decision.unwrap_or_else(|refusal| panic!("a scope can't begin: {refusal}"));
        for log in logs {
            let block = context(DEPLOYER, self.now, self.payloads).block;
            self.set.evolve(&log, block).expect("what was decided fits");
        }
    }
}
