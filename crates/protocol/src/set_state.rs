//! The state of all contracts of a set. It is one state, because contracts call each other and depend on
//! each other's state.

use crate::{
    apply_error::{Applied, ApplyError},
    asset::{self, Asset},
    call_frame::{CallFrame, Context, Decision, L1Block, ReentrancyGuard},
    distributor::{self, Distributor},
    expect,
    governance::{self, Governance},
    issuer::{self, Issuer},
    messages::{Call, Event, Log, Role},
    overlay,
    ownership::{Ownership, OwnershipEvent},
    pending::Pending,
    proposals::{self, EventContext, Proposals, ProposalsEvent, RoundRules},
    questions,
    refusal::Refusal,
    registry::{self, Registry},
    rollup::{self, Rollup, RollupEvent},
    units::Timestamp,
};
use alloy_primitives::{Address, Bytes, Selector, U256};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The addresses of the contracts of which a set has exactly one. A set can have several Rollup and
/// Proposals contracts, which it learns of from their events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Addresses {
    /// The ID of the chain that the contracts are on. Signatures are bound to it.
    #[serde(with = "crate::text::decimal")]
    pub chain_id: u64,
    /// The Asset.
    pub asset: Address,
    /// The Registry.
    pub registry: Address,
    /// Governance.
    pub governance: Address,
    /// The Issuer.
    pub issuer: Address,
    /// The RewardDistributor.
    pub reward_distributor: Address,
    /// Expect.
    pub expect: Address,
}

/// The state of a set.
///
/// It follows from the set's events and the number and timestamp of their blocks, and from nothing else:
/// start with [`SetState::new`] and apply every event in order with [`SetState::evolve`].
///
/// It can be stored and read back with serde; the same state always gives the same bytes. Deserializing
/// checks every property that the functions rely on: an altered state is either refused or can be used like
/// any other, and no function panics on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct SetState {
    addresses: Addresses,
    block: L1Block,
    pub(crate) owners: BTreeMap<Address, Ownership>,
    /// The facts of the newest events that the next event completes.
    pub(crate) pending: Option<Pending>,
    pub(crate) asset: Asset,
    pub(crate) issuer: Issuer,
    pub(crate) registry: Registry,
    pub(crate) distributor: Distributor,
    pub(crate) governance: Governance,
    pub(crate) rollups: BTreeMap<Address, Rollup>,
    pub(crate) proposals: BTreeMap<Address, Proposals>,
}

impl SetState {
    /// The set at these addresses before its first event.
    pub fn new(addresses: Addresses) -> Self {
        Self {
            addresses,
            block: L1Block::default(),
            owners: BTreeMap::new(),
            pending: None,
            asset: Asset::default(),
            issuer: Issuer::default(),
            registry: Registry::default(),
            distributor: Distributor::default(),
            governance: Governance::default(),
            rollups: BTreeMap::new(),
            proposals: BTreeMap::new(),
        }
    }

    /// The addresses of the contracts.
    pub const fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// The block of the newest event.
    pub const fn block(&self) -> L1Block {
        self.block
    }

    /// Whether the state contains the effects of all events applied so far. Otherwise the newest event
    /// takes effect together with a later one of its transaction: apply the whole transaction before you
    /// store or compare states.
    pub const fn is_complete(&self) -> bool {
        self.pending.is_none()
    }

    /// The Asset.
    pub const fn asset(&self) -> &Asset {
        &self.asset
    }

    /// The Issuer.
    pub const fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// The Registry.
    pub const fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The RewardDistributor.
    pub const fn distributor(&self) -> &Distributor {
        &self.distributor
    }

    /// Governance.
    pub const fn governance(&self) -> &Governance {
        &self.governance
    }

    /// The rollup at `address`, or `None` if it isn't part of the set.
    pub fn rollup(&self, address: Address) -> Option<&Rollup> {
        self.rollups.get(&address)
    }

    /// All rollups of the set, sorted by address.
    pub fn rollups(&self) -> impl DoubleEndedIterator<Item = (Address, &Rollup)> {
        self.rollups.iter().map(|(address, rollup)| (*address, rollup))
    }

    /// The canonical rollup, or `None` if it isn't part of the set.
    pub fn canonical_rollup(&self) -> Option<(Address, &Rollup)> {
        let address = self.registry.rollup();
        Some((address, self.rollup(address)?))
    }

    /// The Proposals contract at `address`, or `None` if it isn't part of the set.
    pub fn proposals(&self, address: Address) -> Option<&Proposals> {
        self.proposals.get(&address)
    }

    /// All Proposals contracts of the set, sorted by address.
    pub fn all_proposals(&self) -> impl Iterator<Item = (Address, &Proposals)> {
        self.proposals.iter().map(|(address, proposals)| (*address, proposals))
    }

    /// The ownership of `contract`. The owner is 0 if the contract has none.
    pub fn ownership(&self, contract: Address) -> Ownership {
        self.owners.get(&contract).copied().unwrap_or_default()
    }

    /// The contracts of the set that have an owner.
    pub(crate) fn owned(&self) -> impl Iterator<Item = Address> {
        let at = &self.addresses;
        let rollups = self.rollups.keys().copied();
        [at.asset, at.issuer, at.registry, at.reward_distributor].into_iter().chain(rollups)
    }

    /// The role of `address` in the set.
    pub fn role_of(&self, address: Address) -> Option<Role> {
        let at = &self.addresses;
        Some(match address {
            _ if address == at.governance => Role::Governance,
            _ if self.proposals.contains_key(&address) => Role::Proposals,
            _ if self.rollups.contains_key(&address) => Role::Rollup,
            _ if address == at.registry => Role::Registry,
            _ if address == at.asset => Role::Asset,
            _ if address == at.reward_distributor => Role::Distributor,
            _ if address == at.issuer => Role::Issuer,
            _ if address == at.expect => Role::Expect,
            _ => return None,
        })
    }

    /// The outcome of a call of `contract`: its events and those of all contracts that it calls, in order.
    /// The error is the refusal with which the call reverts; it then has no effect.
    pub fn decide(
        &self,
        contract: Address,
        call: &Call,
        context: &Context<'_>,
    ) -> Result<Vec<Log>, Refusal> {
        let guard = ReentrancyGuard::default();
        self.dispatch(self.frame(contract, context, &guard), call)
    }

    /// The outcome of a transaction with this calldata, to a contract of the set or to any other account.
    pub fn decide_raw(
        &self,
        target: Address,
        data: &Bytes,
        context: &Context<'_>,
    ) -> Result<Vec<Log>, Refusal> {
        let guard = ReentrancyGuard::default();
        overlay::perform(self.frame(target, context, &guard), data)
    }

    /// Applies `log`. Every event has to be applied once, in order.
    ///
    /// # Errors
    ///
    /// The event contradicts the state. The state may then be inconsistent: rebuild it from an earlier one.
    pub fn evolve(&mut self, log: &Log, block: L1Block) -> Result<(), ApplyError> {
        let newest = self.block;
        if block.timestamp < newest.timestamp || block.number < newest.number {
            return Err(ApplyError::EarlierBlock { found: block, newest });
        }
        self.block = block;
        self.apply(log, block)
    }

    pub(crate) fn frame<'a>(
        &'a self,
        this: Address,
        context: &Context<'a>,
        guard: &'a ReentrancyGuard<'a>,
    ) -> CallFrame<'a> {
        let Context { caller, block, prevrandao, external } = *context;
        CallFrame { set: self, this, caller, block, prevrandao, external, guard }
    }

    /// Decides a call by the rules of the called contract.
    pub(crate) fn dispatch(&self, frame: CallFrame<'_>, call: &Call) -> Decision {
        let this = frame.this;
        match (call, self.role_of(this)) {
            (Call::Governance(call), Some(Role::Governance)) => {
                governance::decide(frame, &self.governance, call)
            }
            (Call::Proposals(call), _) => {
                proposals::decide(frame, self.proposals.get(&this).ok_or(Refusal::Empty)?, call)
            }
            (Call::Rollup(call), _) => {
                rollup::decide(frame, self.rollups.get(&this).ok_or(Refusal::Empty)?, call)
            }
            (Call::Asset(call), Some(Role::Asset)) => asset::decide(frame, call),
            (Call::Issuer(call), Some(Role::Issuer)) => issuer::decide(frame, call),
            (Call::Registry(call), Some(Role::Registry)) => registry::decide(frame, call),
            (Call::Distributor(call), Some(Role::Distributor)) => distributor::decide(frame, call),
            (Call::Expect(call), Some(Role::Expect)) => expect::decide(frame, call),
            (Call::Ownership(call), Some(Role::Rollup)) => rollup::decide_ownership(
                frame,
                self.rollups.get(&this).ok_or(Refusal::Empty)?,
                call,
            ),
            (Call::Ownership(call), Some(role)) if role.is_owned() => {
                Ok(vec![frame.log(frame.ownership().decide(call, frame.caller)?)])
            }
            _ => Err(Refusal::Empty),
        }
    }

    /// The answer of `target`, a contract of the set, to `selector`. `None` if it has no such view or the
    /// view reverts.
    pub(crate) fn answer(
        &self,
        role: Role,
        target: Address,
        selector: Selector,
        now: Timestamp,
    ) -> Option<U256> {
        let word = |address: Address| address.into_word().into();
        match (role, selector) {
            (Role::Rollup, questions::CURRENT_SLOT) => {
                self.rollup(target)?.clock().slot_at(now).map(|slot| slot.to_word())
            }
            (Role::Rollup, questions::CURRENT_PROPOSER) => {
                rollup::proposer_of(self.rollup(target)?, now).map(word)
            }
            (Role::Registry, questions::ROLLUP) => Some(word(self.registry.rollup())),
            (Role::Registry, questions::GOVERNANCE) => Some(word(self.ownership(target).owner())),
            (Role::Governance, questions::PROPOSAL_COUNT) => {
                Some(U256::from(self.governance.proposals().len()))
            }
            (Role::Governance, questions::GOVERNANCE_PROPOSER) => {
                Some(word(self.governance.governance_proposer()))
            }
            (_, questions::OWNER) if role.is_owned() => Some(word(self.ownership(target).owner())),
            _ => None,
        }
    }

    /// Applies `log` without checking that its block isn't earlier than the newest.
    pub(crate) fn apply(&mut self, log: &Log, block: L1Block) -> Applied {
        self.pending = match self.pending {
            Some(pending) => self.complete(pending, log, block)?,
            None => self.begin(log, block)?,
        };
        Ok(())
    }

    /// Applies `log` if nothing is pending. Returns what it leaves pending.
    fn begin(&mut self, log: &Log, block: L1Block) -> Result<Option<Pending>, ApplyError> {
        let emitter = log.emitter;
        let at = self.addresses;
        let unexpected = || ApplyError::UnexpectedDeployment { emitter, event: log.event.name() };
        match &log.event {
            Event::Governance(event) if emitter == at.governance => {
                return self.governance.evolve(event, emitter, block);
            }
            Event::Proposals(ProposalsEvent::Deployed { registry, n, m }) => {
                if *registry != at.registry || self.proposals.contains_key(&emitter) {
                    return Err(unexpected());
                }
                let rules = RoundRules::new(*n, *m)?;
                self.proposals.insert(emitter, Proposals::new(*registry, rules));
            }
            Event::Proposals(event) => {
                let context = self.event_context(emitter);
                let proposals = self.proposals.get_mut(&emitter);
                let proposals = proposals.ok_or_else(|| ApplyError::wrong_emitter(log))?;
                return proposals.evolve(event, context);
            }
            Event::Rollup(RollupEvent::Deployed { parameters }) => {
                if parameters.asset != at.asset || self.rollups.contains_key(&emitter) {
                    return Err(unexpected());
                }
                self.rollups.insert(emitter, Rollup::new(**parameters));
                self.owners.insert(emitter, Ownership::first(parameters.owner));
            }
            Event::Rollup(event) => {
                let rollup = self.rollups.get_mut(&emitter);
                rollup.ok_or_else(|| ApplyError::wrong_emitter(log))?.evolve(event, block)?;
            }
            Event::Asset(event) if emitter == at.asset => self.asset.evolve(event)?,
            Event::Issuer(event) if emitter == at.issuer => self.issuer.evolve(event, block)?,
            Event::Registry(event) if emitter == at.registry => {
                self.registry.evolve(event, block)?;
            }
            Event::Distributor(event) if emitter == at.reward_distributor => {
                self.distributor.evolve(event, block)?;
            }
            Event::Ownership(event) if self.role_of(emitter).is_some_and(Role::is_owned) => {
                self.owners.entry(emitter).or_default().evolve(event);
            }
            // A rollup's constructor emits its first owner before all other events. Its next event contains
            // the owner too; until then the emitter may be any contract.
            Event::Ownership(OwnershipEvent::Transferred { previous_owner, .. })
                if previous_owner.is_zero() => {}
            _ => return Err(ApplyError::wrong_emitter(log)),
        }
        Ok(None)
    }

    /// The facts that an event of the Proposals contract `this` lacks.
    fn event_context(&self, this: Address) -> EventContext {
        let owner = self.ownership(self.addresses.registry).owner();
        let elsewhere = Some(owner).filter(|owner| *owner != self.addresses.governance);
        EventContext { this, instance: self.registry.rollup(), elsewhere }
    }
}
