//! What a deployment creates, and where: known before anything is sent.

use super::{
    create2::{Create2, Origin},
    parameters::{RollupParameters, SetParameters},
    step::Step,
};
use crate::Call;
use alloy::primitives::{Address, B256, Bytes, U256};
use canon_bindings::{Contract, init_code};
use canon_protocol::{
    Action, Addresses, Block, Code, CodeKind, Constructor, Context, Outside, Reaction, Refusal,
    Timestamp, World,
};

/// A contract to be created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Creation {
    contract: Contract,
    create2: Create2,
    address: Address,
    init_code: Bytes,
    /// The constructor's call, for contracts of which the rules know it.
    constructor: Option<Constructor>,
}

impl Creation {
    /// The contract that this call of a constructor makes.
    pub fn new(create2: Create2, constructor: Constructor) -> Self {
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
        Self { constructor: Some(constructor), ..Self::of_code(contract, create2, init_code) }
    }

    pub(crate) fn of_code(contract: Contract, create2: Create2, init_code: Bytes) -> Self {
        let address = create2.address(&init_code);
        Self { contract, create2, address, init_code, constructor: None }
    }

    /// Expect, whose constructor takes no arguments.
    pub fn expect(create2: Create2) -> Self {
        let code = Contract::Expect.artifact().creation_code().clone();
        Self::of_code(Contract::Expect, create2, code)
    }

    /// What is created.
    pub const fn contract(&self) -> Contract {
        self.contract
    }

    /// Its address.
    pub const fn address(&self) -> Address {
        self.address
    }

    /// Factory, salt and init code, from which the address follows.
    pub fn origin(&self) -> Origin {
        self.create2.origin(&self.init_code)
    }

    /// The transaction that creates it.
    pub(crate) fn call(&self) -> Call {
        Call::create2(self.contract, self.create2, &self.init_code)
    }

    /// The same without the factory, which hides why a constructor refuses.
    pub(crate) fn direct(&self) -> Call {
        Call::create_with(self.contract, self.init_code.clone())
    }

    /// Why its constructor would refuse its arguments at `now`, in the state `world` of the set.
    /// Whether addresses in them have code, only the chain knows.
    fn refusal(&self, world: &mut World, now: Timestamp) -> Option<Refusal> {
        let block = Block { timestamp: now, ..Block::default() };
        let context = Context {
            caller: self.create2.factory,
            block,
            prevrandao: U256::ZERO,
            outside: &CodeEverywhere,
        };
        match world.deploy(self.address, self.constructor.as_ref()?, &context) {
            Err(refusal) => Some(refusal),
            Ok(logs) => {
                for log in logs {
                    // Events of a birth fit a set in which nothing has happened.
                    let _ = world.evolve(&log, block);
                }
                None
            }
        }
    }

    /// Why the constructor of a contract outside of a plan would refuse its arguments at `now`.
    pub(crate) fn refusal_alone(&self, now: Timestamp) -> Option<Refusal> {
        self.refusal(&mut World::new(Addresses::default()), now)
    }
}

/// Every address has code, and none answers.
struct CodeEverywhere;

impl Outside for CodeEverywhere {
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

/// The contracts of a set to be deployed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetPlan {
    /// The first owner of Asset and Registry.
    pub deployer: Address,
    /// The Asset.
    pub asset: Creation,
    /// The Registry.
    pub registry: Creation,
    /// Proposals.
    pub proposals: Creation,
    /// Governance.
    pub governance: Creation,
    /// The Issuer.
    pub issuer: Creation,
    /// The RewardDistributor.
    pub reward_distributor: Creation,
    /// Expect.
    pub expect: Creation,
    /// The first rollup.
    pub rollup: Creation,
}

impl SetPlan {
    /// The set that `deployer` deploys with these parameters, with slot 0 of its rollup at `genesis`.
    pub fn new(parameters: &SetParameters, deployer: Address, genesis: Timestamp) -> Self {
        let SetParameters { asset: token, signalling, governance, rollup, creation } = parameters;
        let plan = |constructor| Creation::new(*creation, constructor);
        let asset = plan(Constructor::Asset {
            name: token.name.clone(),
            symbol: token.symbol.clone(),
            owner: deployer,
            initial_holder: token.initial_holder.unwrap_or(deployer),
            initial_supply: token.initial_supply.to_word(),
        });
        let registry = plan(Constructor::Registry { owner: deployer });
        let (n, m) = (U256::from(signalling.n), U256::from(signalling.m));
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
        let rollup = wiring.creation(*creation, rollup, genesis);
        let expect = Creation::expect(*creation);
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

    /// What a step creates, if it creates something.
    pub const fn creation(&self, step: Step) -> Option<&Creation> {
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

    /// The contract that a step creates, or that its call goes to.
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

    /// The constructors that would refuse their arguments at `now`, and why. Governance isn't judged
    /// without an Asset.
    pub fn refusals(&self, now: Timestamp) -> Vec<(Contract, Refusal)> {
        let mut world = World::new(Addresses {
            chain_id: 0,
            asset: self.asset.address,
            registry: self.registry.address,
            governance: self.governance.address,
            issuer: self.issuer.address,
            distributor: self.reward_distributor.address,
            expect: self.expect.address,
        });
        let mut refusals = Vec::new();
        for creation in Step::ALL.into_iter().filter_map(|step| self.creation(step)) {
            // The bounds of a configuration depend on the supply, which a refused Asset has none of.
            if creation.contract == Contract::Governance
                && refusals.iter().any(|(contract, _)| *contract == Contract::Asset)
            {
                continue;
            }
            let refusal = creation.refusal(&mut world, now);
            refusals.extend(refusal.map(|refusal| (creation.contract, refusal)));
        }
        refusals
    }
}

/// The contracts that a rollup is wired to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RollupWiring {
    pub(crate) asset: Address,
    pub(crate) registry: Address,
    pub(crate) reward_distributor: Address,
    pub(crate) owner: Address,
}

impl RollupWiring {
    /// A rollup of this wiring.
    pub(crate) fn creation(
        self,
        create2: Create2,
        parameters: &RollupParameters,
        genesis: Timestamp,
    ) -> Creation {
        Creation::new(create2, Constructor::Rollup(parameters.raw(self, genesis)))
    }
}
