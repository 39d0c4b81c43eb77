//! The set of contracts that a simulation runs on: all seats of the canonical rollup are taken.

use alloy_primitives::{Address, Bytes, U256, keccak256};
use canon_protocol::{
    Addresses, AssetCall, BlockNumber, Call, Code, CodeKind, Constructor, Context,
    ExternalContracts, L1Block, Member, ProposalsCall, RawRollupParameters, Reaction, RegistryCall,
    RollupCall, Round, RoundRules, SetState, Slot, SlotClock, Timestamp,
};
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{RngCore, SeedableRng},
};

use super::SimulationError;

const STAKE: u128 = 1;
const FUNDER: Address = Address::repeat_byte(0xf0);
const ROLLUP: Address = Address::repeat_byte(0xa7);
const PROPOSALS: Address = Address::repeat_byte(0xa8);
const PAYLOAD: Address = Address::repeat_byte(0xb1);
const RIVAL: Address = Address::repeat_byte(0xb2);
const ADDRESSES: Addresses = Addresses {
    chain_id: 1,
    asset: Address::repeat_byte(0xa1),
    registry: Address::repeat_byte(0xa2),
    governance: Address::repeat_byte(0xa3),
    issuer: Address::repeat_byte(0xa4),
    reward_distributor: Address::repeat_byte(0xa5),
    expect: Address::repeat_byte(0xa6),
};

/// The external contracts: two payloads.
#[derive(Debug)]
struct Payloads;

impl ExternalContracts for Payloads {
    fn code(&self, account: Address) -> Code {
        if [PAYLOAD, RIVAL].contains(&account) {
            return Code { kind: CodeKind::Contract, hash: keccak256(account) };
        }
        Code::default()
    }

    fn ask(&self, _: Address, _: &[u8]) -> Result<Bytes, Bytes> {
        Err(Bytes::new())
    }

    fn call(&self, _: Address, _: Address, _: &Bytes) -> Reaction {
        Reaction::Reverts(Bytes::new())
    }
}

/// The payload that a seat signals for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    Payload,
    Rival,
}

impl Choice {
    const fn address(self) -> Address {
        match self {
            Self::Payload => PAYLOAD,
            Self::Rival => RIVAL,
        }
    }
}

/// The state of the set, its clock, and the random draws of the simulation.
pub(super) struct SimulatedSet {
    pub(super) rng: ChaCha8Rng,
    set: SetState,
    block: L1Block,
}

impl SimulatedSet {
    /// Deploys the set at the clock's genesis and takes `seats` seats.
    pub(super) fn new(
        rules: RoundRules,
        clock: &SlotClock,
        seats: u64,
        seed: u64,
    ) -> Result<Self, SimulationError> {
        let mut simulated = Self {
            rng: ChaCha8Rng::seed_from_u64(seed),
            set: SetState::new(ADDRESSES),
            block: L1Block { number: BlockNumber::of(1), timestamp: clock.genesis },
        };
        simulated.deploy_all(rules, clock, seats)?;
        simulated.call(FUNDER, ADDRESSES.registry, RegistryCall::Upgrade { rollup: ROLLUP })?;
        let everything = AssetCall::Approve { spender: ROLLUP, amount: U256::MAX };
        simulated.call(FUNDER, ADDRESSES.asset, everything)?;
        for seat in 0..seats {
            let deposit = RollupCall::Deposit {
                attester: seat_address(0xaa, seat),
                proposer: seat_address(0xbb, seat),
                withdrawer: FUNDER,
                amount: U256::from(STAKE),
            };
            simulated.call(FUNDER, ROLLUP, deposit)?;
        }
        Ok(simulated)
    }

    fn deploy_all(
        &mut self,
        rules: RoundRules,
        clock: &SlotClock,
        seats: u64,
    ) -> Result<(), SimulationError> {
        let supply = u128::from(seats) * STAKE + 2;
        self.deploy(
            ADDRESSES.asset,
            &Constructor::Asset {
                name: String::new(),
                symbol: String::new(),
                owner: FUNDER,
                initial_holder: FUNDER,
                initial_supply: U256::from(supply),
            },
        )?;
        self.deploy(ADDRESSES.registry, &Constructor::Registry { owner: FUNDER })?;
        self.deploy(
            PROPOSALS,
            &Constructor::Proposals {
                registry: ADDRESSES.registry,
                n: U256::from(rules.n()),
                m: U256::from(rules.m()),
            },
        )?;
        self.deploy(
            ROLLUP,
            &Constructor::Rollup(RawRollupParameters {
                asset: ADDRESSES.asset,
                registry: ADDRESSES.registry,
                reward_distributor: ADDRESSES.reward_distributor,
                owner: FUNDER,
                genesis_time: clock.genesis.to_word(),
                slot_duration: U256::from(clock.slot_duration.get()),
                epoch_duration: U256::from(clock.epoch_duration.get()),
                minimum_stake: U256::from(STAKE),
                exit_delay: U256::from(clock.two_epochs()),
            }),
        )
    }

    /// Moves the clock to `slot`, which begins at `timestamp`.
    pub(super) const fn go_to(&mut self, slot: Slot, timestamp: Timestamp) {
        self.block = L1Block { number: BlockNumber::of(slot.get() + 1), timestamp };
    }

    /// Records the seed of the next epoch.
    pub(super) fn set_up_epoch(&mut self) -> Result<(), SimulationError> {
        self.call(FUNDER, ROLLUP, RollupCall::SetupEpoch)
    }

    /// The seat that draws the present slot, if any.
    pub(super) fn drawn(&self) -> Option<u64> {
        let now = self.block.timestamp;
        let member = self.set.rollup(ROLLUP)?.member_at(now, now).ok()??;
        Some(seat_number(Member::proposer(member)))
    }

    /// Signals as `seat` in the present slot, which the seat must have drawn.
    pub(super) fn signal(&mut self, seat: u64, choice: Choice) -> Result<(), SimulationError> {
        let vote = ProposalsCall::Vote { payload: choice.address() };
        self.call(seat_address(0xbb, seat), PROPOSALS, vote)
    }

    /// The number of signals for a payload in a round.
    pub(super) fn signals(&self, round: Round, choice: Choice) -> u32 {
        let proposals = self.set.proposals(PROPOSALS);
        proposals.map_or(0, |proposals| proposals.yea_count(ROLLUP, round, choice.address()))
    }

    fn context(&mut self, caller: Address) -> Context<'static> {
        let mut prevrandao = [0; 32];
        self.rng.fill_bytes(&mut prevrandao);
        Context {
            caller,
            block: self.block,
            prevrandao: U256::from_be_bytes(prevrandao),
            external: &Payloads,
        }
    }

    fn call(
        &mut self,
        caller: Address,
        contract: Address,
        call: impl Into<Call>,
    ) -> Result<(), SimulationError> {
        let context = self.context(caller);
        for log in self.set.decide(contract, &call.into(), &context)? {
            self.set.evolve(&log, self.block)?;
        }
        Ok(())
    }

    fn deploy(&mut self, contract: Address, what: &Constructor) -> Result<(), SimulationError> {
        let context = self.context(FUNDER);
        for log in self.set.deploy(contract, what, &context)? {
            self.set.evolve(&log, self.block)?;
        }
        Ok(())
    }
}

/// The address of a seat's attester or proposer, which contains the number of the seat.
fn seat_address(kind: u8, number: u64) -> Address {
    let mut bytes = [kind; 20];
    bytes[12..].copy_from_slice(&number.to_be_bytes());
    Address::from(bytes)
}

/// The number of the seat whose proposer has this address.
fn seat_number(proposer: Address) -> u64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&proposer[12..]);
    u64::from_be_bytes(bytes)
}
