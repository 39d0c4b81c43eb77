//! The contracts that a deployment creates, with addresses that are known before anything is sent.

use super::{
    origin::Create2Origin,
    parameters::{RollupSettings, SetParameters},
    step::Step,
};
use crate::ContractCall;
use alloy_primitives::{Address, B256, Bytes, U256};
use canon_abi::{Contract, init_code};
use canon_protocol::{
    Action, Addresses, Code, CodeKind, Constructor, Context, Create2, ExternalContracts, L1Block,
    Reaction, Refusal, SetState, Timestamp,
};
use canon_views::IntendedAction;

/// A contract to create: its init code, its origin, and the resulting address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContractPlan {
    contract: Contract,
    origin: Create2Origin,
    create2: Create2,
    address: Address,
    init_code: Bytes,
    /// The constructor and its arguments; `None` for contracts that the rules don't cover.
    constructor: Option<Constructor>,
}

impl ContractPlan {
    /// A contract with this origin and constructor.
    pub fn new(origin: Create2Origin, constructor: Constructor) -> Self {
        let contract = match constructor {
            Constructor::Asset { .. } => Contract::Asset,
            Constructor::Registry { .. } => Contract::Registry,
            Constructor::Proposals { .. } => Contract::Proposals,
            Constructor::Governance { .. } => Contract::Governance,
            Constructor::Issuer { .. } => Contract::Issuer,
            Constructor::Distributor { .. } => Contract::RewardDistributor,
            Constructor::Rollup(_) => Contract::Rollup,
        };
        let init_code = init_code(&constructor);
        let plan = Self::from_init_code(contract, origin, init_code);
        Self { constructor: Some(constructor), ..plan }
    }

    /// A contract with this origin and init code.
    pub(crate) fn from_init_code(
        contract: Contract,
        origin: Create2Origin,
        init_code: Bytes,
    ) -> Self {
        let create2 = origin.create2(&init_code);
        let address = create2.address();
        Self { contract, origin, create2, address, init_code, constructor: None }
    }

    /// The contract Expect, whose constructor takes no arguments.
    pub fn expect(origin: Create2Origin) -> Self {
        let code = Contract::Expect.artifact().creation_code().clone();
        Self::from_init_code(Contract::Expect, origin, code)
    }

    /// The kind of contract.
    pub const fn contract(&self) -> Contract {
        self.contract
    }

    /// The address of the contract.
    pub const fn address(&self) -> Address {
        self.address
    }

    /// The creation of the contract, from which its address follows.
    pub const fn create2(&self) -> Create2 {
        self.create2
    }

    /// The creation code with the constructor's arguments.
    pub const fn init_code(&self) -> &Bytes {
        &self.init_code
    }

    /// The factory and the salt.
    pub(crate) const fn origin(&self) -> Create2Origin {
        self.origin
    }

    /// The call of the factory that creates it.
    pub fn call(&self) -> ContractCall {
        ContractCall::create2(self.contract.name(), self.origin, &self.init_code)
    }

    /// The action of an intent to create it.
    pub fn action(&self) -> IntendedAction {
        let Create2 { factory, salt, .. } = self.create2;
        let (contract, init_code) = (self.address, self.init_code.clone());
        IntendedAction::Create { contract, factory, salt, init_code }
    }

    /// The creation without the factory, which hides a constructor's refusal. For simulations only, because
    /// it results in another address.
    pub(crate) fn direct_call(&self) -> ContractCall {
        ContractCall::create_with(self.contract.name(), self.init_code.clone())
    }

    /// The refusal of the constructor at `now`, in the state `set`; `None` if it accepts its arguments.
    /// Addresses in the arguments are assumed to have code, because that depends on the chain.
    fn refusal(&self, set: &mut SetState, now: Timestamp) -> Option<Refusal> {
        let block = L1Block { timestamp: now, ..L1Block::default() };
        let context = Context {
            caller: self.origin.factory,
            block,
            prevrandao: U256::ZERO,
            external: &CodeEverywhere,
        };
        match set.deploy(self.address, self.constructor.as_ref()?, &context) {
            Err(refusal) => Some(refusal),
            Ok(logs) => {
                for log in logs {
                    // The constructor's events always apply to a new set.
                    let _ = set.evolve(&log, block);
                }
                None
            }
        }
    }

    /// The refusal of the constructor at `now`, if it depends only on the arguments. Governance requires a
    /// simulation, because the bounds of its configuration depend on the Asset's supply.
    pub(crate) fn refusal_outside_of_set(&self, now: Timestamp) -> Option<Refusal> {
        if self.contract == Contract::Governance {
            return None;
        }
        self.refusal(&mut SetState::new(Addresses::default()), now)
    }
}

/// External contracts in a simulation: every address has code, and none answers calls.
struct CodeEverywhere;

impl ExternalContracts for CodeEverywhere {
    fn code(&self, _account: Address) -> Code {
        Code { kind: CodeKind::Contract, hash: B256::ZERO }
    }

    fn ask(&self, _target: Address, _data: &[u8]) -> Result<Bytes, Bytes> {
        Err(Bytes::new())
    }

    fn call(&self, _caller: Address, _target: Address, _data: &Bytes) -> Reaction {
        Reaction::Calls(Vec::<Action>::new())
    }
}

/// The contracts of a set to create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetPlan {
    /// The first owner of Asset and Registry.
    pub deployer: Address,
    /// The Asset.
    pub asset: ContractPlan,
    /// The Registry.
    pub registry: ContractPlan,
    /// Proposals.
    pub proposals: ContractPlan,
    /// Governance.
    pub governance: ContractPlan,
    /// The Issuer.
    pub issuer: ContractPlan,
    /// The RewardDistributor.
    pub reward_distributor: ContractPlan,
    /// Expect.
    pub expect: ContractPlan,
    /// The first rollup.
    pub rollup: ContractPlan,
}

impl SetPlan {
    /// The plan of a set that `deployer` deploys with these parameters, with slot 0 of its rollup at
    /// `genesis`.
    pub fn new(parameters: &SetParameters, deployer: Address, genesis: Timestamp) -> Self {
        let SetParameters { asset: token, signaling, governance, rollup, origin } = parameters;
        let plan = |constructor| ContractPlan::new(*origin, constructor);
        let asset = plan(Constructor::Asset {
            name: token.name.clone(),
            symbol: token.symbol.clone(),
            owner: deployer,
            initial_holder: token.initial_holder.unwrap_or(deployer),
            initial_supply: token.initial_supply.to_word(),
        });
        let registry = plan(Constructor::Registry { owner: deployer });
        let (n, m) = (U256::from(signaling.n), U256::from(signaling.m));
        let proposals = plan(Constructor::Proposals { registry: registry.address, n, m });
        let governance = plan(Constructor::Governance {
            asset: asset.address,
            proposals: proposals.address,
            configuration: governance.configuration().into(),
        });
        let owner = governance.address;
        let issuer = plan(Constructor::Issuer {
            asset: asset.address,
            rate: token.issued_per_second.to_word(),
            owner,
        });
        let reward_distributor = plan(Constructor::Distributor {
            asset: asset.address,
            registry: registry.address,
            block_reward: token.block_reward.to_word(),
            owner,
        });
        let wiring = RollupWiring {
            asset: asset.address,
            registry: registry.address,
            reward_distributor: reward_distributor.address,
            owner,
        };
        let rollup = wiring.plan(*origin, rollup, genesis);
        let expect = ContractPlan::expect(*origin);
        Self {
            deployer,
            asset,
            registry,
            proposals,
            governance,
            issuer,
            reward_distributor,
            expect,
            rollup,
        }
    }

    /// The contract that a step creates; `None` if it creates none.
    pub const fn contract(&self, step: Step) -> Option<&ContractPlan> {
        match step {
            Step::Asset => Some(&self.asset),
            Step::Registry => Some(&self.registry),
            Step::Proposals => Some(&self.proposals),
            Step::Governance => Some(&self.governance),
            Step::Issuer => Some(&self.issuer),
            Step::RewardDistributor => Some(&self.reward_distributor),
            Step::Expect => Some(&self.expect),
            Step::Rollup => Some(&self.rollup),
            Step::Upgrade
            | Step::OfferAsset
            | Step::OfferRegistry
            | Step::AcceptAsset
            | Step::AcceptRegistry => None,
        }
    }

    /// The address of the contract that a step creates or calls.
    pub const fn address(&self, step: Step) -> Address {
        match step {
            Step::Asset | Step::OfferAsset => self.asset.address,
            Step::Registry | Step::Upgrade | Step::OfferRegistry => self.registry.address,
            Step::Proposals => self.proposals.address,
            Step::Governance | Step::AcceptRegistry => self.governance.address,
            Step::Issuer | Step::AcceptAsset => self.issuer.address,
            Step::RewardDistributor => self.reward_distributor.address,
            Step::Expect => self.expect.address,
            Step::Rollup => self.rollup.address,
        }
    }

    /// The constructors that would refuse their arguments at `now`, with their refusals. Governance's is
    /// left out if the Asset's constructor refuses.
    pub fn refusals(&self, now: Timestamp) -> Vec<(Contract, Refusal)> {
        let mut set = SetState::new(Addresses {
            chain_id: 0,
            asset: self.asset.address,
            registry: self.registry.address,
            governance: self.governance.address,
            issuer: self.issuer.address,
            reward_distributor: self.reward_distributor.address,
            expect: self.expect.address,
        });
        let mut refusals = Vec::new();
        for plan in Step::ALL.into_iter().filter_map(|step| self.contract(step)) {
            // The bounds of a configuration depend on the supply, which a refused Asset doesn't have.
            if plan.contract == Contract::Governance
                && refusals.iter().any(|(contract, _)| *contract == Contract::Asset)
            {
                continue;
            }
            let refusal = plan.refusal(&mut set, now);
            refusals.extend(refusal.map(|refusal| (plan.contract, refusal)));
        }
        refusals
    }
}

/// The contracts in a rollup's constructor arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RollupWiring {
    pub(crate) asset: Address,
    pub(crate) registry: Address,
    pub(crate) reward_distributor: Address,
    pub(crate) owner: Address,
}

impl RollupWiring {
    /// The plan of a rollup with this wiring.
    pub(crate) fn plan(
        self,
        origin: Create2Origin,
        parameters: &RollupSettings,
        genesis: Timestamp,
    ) -> ContractPlan {
        ContractPlan::new(origin, Constructor::Rollup(parameters.raw(self, genesis)))
    }
}
