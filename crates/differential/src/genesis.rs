//! The beginning of every history: the accounts, the deployment of the set, and the first transfers, locks
//! and stakes.

use crate::{
    lockstep::{Lockstep, deployed_at, deployer, salt},
    mismatch::Mismatch,
};
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_signer::SignerSync;
use alloy_signer_local::PrivateKeySigner;
use canon_protocol::{
    Addresses, Amount, AssetCall, Call, Constructor, GovernanceCall, IssuerCall, OwnershipCall,
    RegistryCall, RollupCall, Seconds, Timestamp,
};
use canon_testkit::{
    histories::{Accounts, Staker, Step},
    small_set,
};
use std::collections::BTreeMap;

const HOLDERS: usize = 6;
const STAKERS: usize = 6;
/// 1 January 2026, 00:00 UTC.
const GENESIS: Timestamp = Timestamp::of(1_767_225_600);
/// The genesis of the first rollup: the time of the block before the one that deploys it.
const ROLLUP_GENESIS: Timestamp = Timestamp::of(GENESIS.get() + 7);

/// The first index of a step of the opening. No history has this many steps.
const FIRST_INDEX: u64 = 1 << 32;

/// The contracts that the opening deploys, in this order; the discriminant is the index of the deployment.
#[derive(Clone, Copy)]
#[repr(u64)]
enum OpeningContract {
    Asset = FIRST_INDEX,
    Registry,
    Proposals,
    Governance,
    Issuer,
    Distributor,
    Expect,
    Rollup,
}

impl OpeningContract {
    const ALL: [Self; 8] = [
        Self::Asset,
        Self::Registry,
        Self::Proposals,
        Self::Governance,
        Self::Issuer,
        Self::Distributor,
        Self::Expect,
        Self::Rollup,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Asset => "Asset",
            Self::Registry => "Registry",
            Self::Proposals => "Proposals",
            Self::Governance => "Governance",
            Self::Issuer => "Issuer",
            Self::Distributor => "RewardDistributor",
            Self::Expect => "Expect",
            Self::Rollup => "Rollup",
        }
    }

    fn address(self) -> Address {
        let created_by = |constructor| deployed_at(self as u64, &constructor);
        match self {
            Self::Proposals => created_by(small_set::proposals(Self::Registry.address())),
            Self::Rollup => created_by(first_rollup(&addresses())),
            _ => deployer(self as u64).create(0),
        }
    }
}

/// The salts of all contracts that a history of at most `steps` steps creates with CREATE2.
pub fn salts(steps: u64) -> impl Iterator<Item = B256> {
    let opening = OpeningContract::ALL.into_iter().map(|contract| contract as u64);
    opening.chain(0..steps).map(salt)
}

fn addresses() -> Addresses {
    Addresses {
        chain_id: 31337,
        asset: OpeningContract::Asset.address(),
        registry: OpeningContract::Registry.address(),
        governance: OpeningContract::Governance.address(),
        issuer: OpeningContract::Issuer.address(),
        reward_distributor: OpeningContract::Distributor.address(),
        expect: OpeningContract::Expect.address(),
    }
}

fn first_rollup(at: &Addresses) -> Constructor {
    Constructor::Rollup(small_set::rollup_parameters(at, ROLLUP_GENESIS))
}

/// The initial supply of the asset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Supply {
    /// One million tokens.
    Usual,
    /// The largest supply that the asset can have, less a few tokens.
    NearlyAll,
}

impl Supply {
    const fn amount(self) -> Amount {
        let token = Amount::TOKEN.get();
        match self {
            Self::Usual => Amount::of(1_000_000 * token),
            Self::NearlyAll => Amount::of(Amount::MAX.get() - 20 * token),
        }
    }
}

/// The accounts that act, with the private keys of those that have one.
pub(crate) struct KeyedAccounts {
    pub(crate) all: Accounts,
    keys: BTreeMap<Address, PrivateKeySigner>,
    treasury: Address,
}

fn key(name: &str) -> PrivateKeySigner {
    PrivateKeySigner::from_bytes(&keccak256(name))
        .expect("a hash is a valid key with overwhelming probability")
}

impl KeyedAccounts {
    pub(crate) fn new() -> Self {
        let mut keys = BTreeMap::new();
        let mut person = |name: &str| {
            let key = key(name);
            let address = key.address();
            keys.insert(address, key);
            address
        };
        let mut accounts = Accounts::numbered(HOLDERS, STAKERS, &mut person);
        let treasury = person("treasury");
        let Accounts { holders, stakers, .. } = &accounts;
        // Two of the wallets have no key: only their code can accept their signatures.
        keys.remove(&holders[0]);
        keys.remove(&stakers[0].proposer);
        accounts.wallets = vec![holders[0], holders[1], stakers[0].proposer, stakers[1].proposer];
        Self { all: accounts, keys, treasury }
    }

    /// Returns a function that signs for the accounts with a key.
    pub(crate) fn signer(&self) -> impl Fn(Address, B256) -> Option<Bytes> + 'static {
        let keys = self.keys.clone();
        move |signer, digest| {
            Some(keys.get(&signer)?.sign_hash_sync(&digest).ok()?.as_bytes().into())
        }
    }

    /// `text` with addresses replaced by the names of accounts and contracts.
    pub(crate) fn named(&self, text: &str) -> String {
        let Accounts { holders, stakers, stranger, .. } = &self.all;
        let numbered = |name: &str, number: usize, address| (format!("{name} {number}"), address);
        let holders = holders.iter().enumerate().map(|(n, holder)| numbered("holder", n, *holder));
        let stakers = stakers.iter().enumerate().flat_map(|(n, staker)| {
            [
                numbered("attester", n, staker.attester),
                numbered("proposer", n, staker.proposer),
                numbered("withdrawer", n, staker.withdrawer),
            ]
        });
        let others = [("stranger", *stranger), ("treasury", self.treasury)];
        let contracts = OpeningContract::ALL.iter().map(|it| (it.name().to_owned(), it.address()));
        let others = others.into_iter().map(|(name, address)| (name.to_owned(), address));
        holders.chain(stakers).chain(others).chain(contracts).fold(
            text.to_owned(),
            |text, (name, address)| {
                let plain = format!("{address:?}");
                text.replace(&address.to_string(), &name).replace(&plain, &name)
            },
        )
    }

    fn accounts(&self) -> Vec<Address> {
        let Accounts { holders, stakers, stranger, .. } = &self.all;
        let stakers = stakers.iter().flat_map(|one| [one.attester, one.proposer, one.withdrawer]);
        holders.iter().copied().chain(stakers).chain([*stranger, self.treasury]).collect()
    }

    /// Both sides after the opening.
    pub(crate) fn lockstep(&self, supply: Supply) -> Result<Lockstep, Mismatch> {
        let addresses = addresses();
        let mut opening = Opening {
            lockstep: Lockstep::new(addresses, GENESIS, &self.accounts())?,
            time: GENESIS,
            treasury: self.treasury,
        };
        opening.deploy(addresses, supply.amount())?;
        opening.share_out(addresses, &self.all)?;
        let mut lockstep = opening.lockstep;
        lockstep.compare()?;
        Ok(lockstep)
    }
}

struct Opening {
    lockstep: Lockstep,
    time: Timestamp,
    treasury: Address,
}

impl Opening {
    /// Advances the time by one second and returns it.
    fn tick(&mut self) -> Timestamp {
        self.time = self.time + Seconds::SECOND;
        self.time
    }

    fn create(
        &mut self,
        contract: OpeningContract,
        constructor: Constructor,
    ) -> Result<(), Mismatch> {
        let (time, index) = (self.tick(), contract as u64);
        match contract {
            // These belong to the set only at the addresses that follow from their constructors.
            OpeningContract::Proposals | OpeningContract::Rollup => {
                self.lockstep.step(time, index, &Step::Deploy(constructor))
            }
            _ => self.lockstep.deploy_first(time, index, &constructor),
        }
    }

    fn call(
        &mut self,
        caller: Address,
        contract: Address,
        call: impl Into<Call>,
    ) -> Result<(), Mismatch> {
        let time = self.tick();
        let step = Step::Call { caller, contract, call: call.into() };
        self.lockstep.step(time, FIRST_INDEX, &step)
    }

    fn deploy(&mut self, at: Addresses, initial_supply: Amount) -> Result<(), Mismatch> {
        let treasury = self.treasury;
        self.create(OpeningContract::Asset, small_set::asset(treasury, treasury, initial_supply))?;
        self.create(OpeningContract::Registry, Constructor::Registry { owner: treasury })?;
        self.create(OpeningContract::Proposals, small_set::proposals(at.registry))?;
        let proposals = OpeningContract::Proposals.address();
        let governance = small_set::governance(at.asset, proposals);
        self.create(OpeningContract::Governance, governance)?;
        self.create(OpeningContract::Issuer, small_set::issuer(&at))?;
        self.create(OpeningContract::Distributor, small_set::distributor(&at))?;
        let time = self.tick();
        self.lockstep.deploy_expect(time, OpeningContract::Expect as u64)?;
        self.create(OpeningContract::Rollup, first_rollup(&at))?;
        let rollup = OpeningContract::Rollup.address();
        self.call(treasury, at.registry, RegistryCall::Upgrade { rollup })?;
        for (contract, new_owner) in [(at.asset, at.issuer), (at.registry, at.governance)] {
            self.call(treasury, contract, OwnershipCall::TransferOwnership { new_owner })?;
        }
        self.call(treasury, at.issuer, IssuerCall::AcceptAsset)?;
        let accept = GovernanceCall::AcceptOwnership { target: at.registry };
        self.call(treasury, at.governance, accept)
    }

    fn share_out(&mut self, at: Addresses, accounts: &Accounts) -> Result<(), Mismatch> {
        let rollup = OpeningContract::Rollup.address();
        // Enough for some of the block rewards, but not for all.
        self.call(
            self.treasury,
            at.asset,
            AssetCall::Transfer { to: at.reward_distributor, amount: tokens(60) },
        )?;
        for (number, holder) in accounts.holders.iter().enumerate() {
            let transfer = AssetCall::Transfer { to: *holder, amount: tokens(7000) };
            self.call(self.treasury, at.asset, transfer)?;
            // Half of the holders approve once, without limit.
            let amount = if number % 2 == 0 { U256::MAX } else { tokens(9000) };
            let approve = AssetCall::Approve { spender: at.governance, amount };
            self.call(*holder, at.asset, approve)?;
            let deposit = GovernanceCall::Deposit { on_behalf_of: *holder, amount: tokens(2000) };
            self.call(*holder, at.governance, deposit)?;
        }
        for (number, staker) in accounts.stakers.iter().enumerate() {
            let Staker { attester, proposer, withdrawer } = *staker;
            let transfer = AssetCall::Transfer { to: withdrawer, amount: tokens(2000) };
            self.call(self.treasury, at.asset, transfer)?;
            let approve = AssetCall::Approve { spender: rollup, amount: U256::MAX };
            self.call(withdrawer, at.asset, approve)?;
            if number < STAKERS / 2 {
                let amount = tokens(100);
                let deposit = RollupCall::Deposit { attester, proposer, withdrawer, amount };
                self.call(withdrawer, rollup, deposit)?;
            }
        }
        Ok(())
    }
}

fn tokens(count: u64) -> U256 {
    U256::from(count) * Amount::TOKEN.to_word()
}
