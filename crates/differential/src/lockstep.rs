//! Both sides, run in lockstep.
//!
//! The rules decide a step when it is taken. The bytecode runs when the step's block is full, and every
//! outcome is compared then. So calls of one block see each other's effects on both sides.

use crate::{
    code::code_of,
    coverage::Coverage,
    mismatch::{Differs, Mismatch, OutcomeKind},
};
use alloy_primitives::{
    Address, B256, Bytes, KECCAK256_EMPTY, Log as ChainLog, Selector, U256, address, bytes, hex,
    keccak256,
};
use canon_abi::{Contract, Voters, expected_answers, init_code, protocol_log, viewed_contracts};
use canon_devchain::{
    CallEnd, DEPLOYMENT_PROXY, Devchain, DevchainConfig, Executed, Mining, SnapshotId, UnsignedCall,
};
use canon_protocol::{
    Addresses, BlockNumber, Call, Constructor, Context, Create2, ExternalContracts, L1Block, Log,
    Refusal, Role, SetState, Timestamp,
};
use canon_testkit::histories::{Foreign, Put, Step};
use core::fmt;

/// The number of newest proposals whose states are recorded after every step.
const WATCHED_PROPOSALS: usize = 6;
/// The number of seconds for which consecutive blocks have the same `prevrandao`.
const SECONDS_OF_A_RANDAO: u64 = 600;
/// The largest number of calls in one block.
const MAX_CALLS_PER_BLOCK: usize = 12;

/// A contract that returns the code hash of the account that it is asked for.
const HASHER: Address = address!("0x00000000000000000000000000000000c0de4a54");
/// `EXTCODEHASH` of the first word of calldata.
const HASHER_CODE: Bytes = bytes!("5f353f5f5260205ff3");

/// The rules and the bytecode, in the same state as far as comparisons have shown.
pub struct Lockstep {
    chain: Devchain,
    set: SetState,
    foreign: Foreign,
    /// The block that is being filled, or the newest one if no call waits.
    block: L1Block,
    waiting: Vec<Waiting>,
    /// Every log of the chain.
    history: Vec<(L1Block, ChainLog)>,
    checkpoints: Vec<Checkpoint>,
    reorgs: u64,
    coverage: Coverage,
}

impl fmt::Debug for Lockstep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lockstep").field("block", &self.block).finish_non_exhaustive()
    }
}

/// A call that waits for its block.
struct Waiting {
    call: UnsignedCall,
    /// The decoded call, if it is a call of a contract of the set.
    meaning: Option<Call>,
    decision: Result<Vec<Log>, Refusal>,
}

/// A block to which the chain can be reverted.
struct Checkpoint {
    snapshot: SnapshotId,
    set: SetState,
    foreign: Foreign,
    block: L1Block,
    logs: usize,
}

impl Lockstep {
    /// An empty chain on which these accounts exist and the set will be deployed at `addresses`.
    pub(crate) fn new(
        addresses: Addresses,
        genesis: Timestamp,
        accounts: &[Address],
    ) -> Result<Self, Mismatch> {
        let chain = Devchain::new(DevchainConfig {
            chain_id: addresses.chain_id,
            genesis_timestamp: genesis.get(),
            gas_limit: 1 << 40,
            dev_accounts: 0,
            alloc: accounts.iter().map(|account| (*account, U256::ONE)).collect(),
            mining: Mining::Manual,
            history_blocks: 1,
            ..DevchainConfig::default()
        });
        chain.set_code(HASHER, HASHER_CODE)?;
        let mut foreign = Foreign::default();
        for account in accounts {
            foreign.know(*account, KECCAK256_EMPTY);
        }
        Ok(Self {
            chain,
            set: SetState::new(addresses),
            foreign,
            block: L1Block { number: BlockNumber::ZERO, timestamp: genesis },
            waiting: Vec::new(),
            history: Vec::new(),
            checkpoints: Vec::new(),
            reorgs: 0,
            coverage: Coverage::default(),
        })
    }

    /// The state of the rules, including the calls that wait for their block.
    pub const fn set(&self) -> &SetState {
        &self.set
    }

    /// The code outside the set.
    pub const fn foreign(&self) -> &Foreign {
        &self.foreign
    }

    /// The chain that runs the bytecode, without the calls that wait for their block.
    pub const fn chain(&self) -> &Devchain {
        &self.chain
    }

    /// The time of the newest block, which may be one that is still being filled.
    pub const fn now(&self) -> Timestamp {
        self.block.timestamp
    }

    /// The time at which a step is taken that is planned for `time`.
    pub(crate) fn time_of_step(&self, time: Timestamp) -> Timestamp {
        if self.shares_block(time) {
            return self.block.timestamp;
        }
        let next = Timestamp::new(self.block.timestamp.get() + 1).unwrap_or(Timestamp::MAX);
        time.max(next)
    }

    /// Whether a step at `time` is taken in the open block.
    fn shares_block(&self, time: Timestamp) -> bool {
        let fits = time <= self.block.timestamp && self.waiting.len() < MAX_CALLS_PER_BLOCK;
        !self.waiting.is_empty() && fits
    }

    /// Whether the rules refuse the newest call that waits.
    pub(crate) fn refuses_newest(&self) -> bool {
        let decision = self.waiting.last().map(|waiting| &waiting.decision);
        matches!(decision, Some(Err(refusal)) if !matches!(refusal, Refusal::OutsideTheSet(_)))
    }

    /// The coverage so far.
    pub const fn coverage(&self) -> &Coverage {
        &self.coverage
    }

    /// Takes a step at `time`, or in the first possible block after it. `index` distinguishes the step from
    /// others, so that each contract it deploys has its own address.
    ///
    /// # Errors
    ///
    /// The difference, if the two sides differ.
    pub fn step(&mut self, time: Timestamp, index: u64, step: &Step) -> Result<(), Mismatch> {
        match step {
            // In a shrunk history the contract may not exist: the call is then an ordinary transaction.
            Step::Call { caller, contract, call } if self.set.role_of(*contract).is_none() => {
                let (caller, target, data) = (*caller, *contract, call.abi_encode());
                self.step(time, index, &Step::Transaction { caller, target, data })?;
            }
            Step::Call { caller, contract, call } => {
                self.open(time)?;
                let external = self.foreign.at(self.block.timestamp);
                let context = self.context(*caller, &external);
                let decision = self.set.decide(*contract, call, &context);
                self.take(*caller, *contract, call.abi_encode(), Some(call), decision)?;
            }
            Step::Transaction { caller, target, data } => {
                self.open(time)?;
                let external = self.foreign.at(self.block.timestamp);
                let context = self.context(*caller, &external);
                let decision = self.set.decide_raw(*target, data, &context);
                let role = self.set.role_of(*target);
                let meaning = role.and_then(|role| Call::abi_decode(role, data));
                self.take(*caller, *target, data.clone(), meaning.as_ref(), decision)?;
            }
            Step::Put(account, put) => self.put(*account, put)?,
            Step::Deploy(constructor) => self.deploy(time, index, constructor, None)?,
        }
        let governance = self.set.governance();
        for proposal in governance.proposals().iter().rev().take(WATCHED_PROPOSALS) {
            self.coverage.observed_state(governance.state(proposal, self.block.timestamp));
        }
        Ok(())
    }

    /// Mines the open block and compares every view.
    ///
    /// # Errors
    ///
    /// The difference, if the two sides differ.
    pub fn compare(&mut self) -> Result<(), Mismatch> {
        self.flush()?;
        self.coverage.comparisons += 1;
        let external = self.foreign.at(self.block.timestamp);
        let Self { chain, set, coverage, .. } = self;
        let now = self.block.timestamp;
        for contract in viewed_contracts(set) {
            for expected in expected_answers(set, &external, contract, now, Voters::Everyone) {
                coverage.views += 1;
                if let Err(refusal) = &expected.answer {
                    coverage.refused(refusal);
                }
                let found = match chain.read(expected.contract, expected.calldata.clone())? {
                    CallEnd::Success(answer) => Ok(answer),
                    CallEnd::Revert(refusal) => Err(refusal),
                    CallEnd::Halt { reason, .. } => {
                        return Err(Mismatch::Halt { contract: expected.contract, reason });
                    }
                };
                expected.check(&found)?;
            }
        }
        Ok(())
    }

    /// Compares the state of the rules with the state folded from the chain's events.
    ///
    /// # Errors
    ///
    /// If they differ.
    pub fn compare_events(&mut self) -> Result<(), Mismatch> {
        self.flush()?;
        if self.folded()? == self.set { Ok(()) } else { Err(Mismatch::Events) }
    }

    /// Saves the newest block as one to which the chain can be reverted.
    pub(crate) fn checkpoint(&mut self) -> Result<(), Mismatch> {
        self.flush()?;
        self.checkpoints.push(Checkpoint {
            snapshot: self.chain.snapshot(),
            set: self.set.clone(),
            foreign: self.foreign.clone(),
            block: self.block,
            logs: self.history.len(),
        });
        Ok(())
    }

    /// Reverts the chain to the newest checkpoint, if there is one. The state of the rules is folded again
    /// from the remaining events, as an indexer would do.
    pub(crate) fn reorganize(&mut self) -> Result<(), Mismatch> {
        self.flush()?;
        let Some(checkpoint) = self.checkpoints.pop() else { return Ok(()) };
        self.chain.revert(checkpoint.snapshot)?;
        self.foreign = checkpoint.foreign;
        self.block = checkpoint.block;
        self.history.truncate(checkpoint.logs);
        self.reorgs += 1;
        self.coverage.reorgs += 1;
        self.set = self.folded()?;
        if self.set == checkpoint.set { Ok(()) } else { Err(Mismatch::Events) }
    }

    /// Opens a block at `time`, unless the open block can take the step.
    fn open(&mut self, time: Timestamp) -> Result<(), Mismatch> {
        if self.shares_block(time) {
            return Ok(());
        }
        self.flush()?;
        let timestamp = self.time_of_step(time);
        self.block = L1Block { number: self.block.number.next(), timestamp };
        Ok(())
    }

    /// The randomness of the open block. It changes after a reorganization, and otherwise only every few
    /// minutes, so that leaving out a step doesn't redraw the slots that follow.
    fn prevrandao(&self) -> B256 {
        let words = [self.block.timestamp.get() / SECONDS_OF_A_RANDAO, self.reorgs];
        keccak256(words.map(u64::to_be_bytes).concat())
    }

    fn context<'a>(&self, caller: Address, external: &'a dyn ExternalContracts) -> Context<'a> {
        Context { caller, block: self.block, prevrandao: self.prevrandao().into(), external }
    }

    /// Applies a decision of the rules and adds the call to the open block.
    fn take(
        &mut self,
        caller: Address,
        target: Address,
        data: Bytes,
        meaning: Option<&Call>,
        decision: Result<Vec<Log>, Refusal>,
    ) -> Result<(), Mismatch> {
        let undecided = matches!(decision, Err(Refusal::OutsideTheSet(_)));
        if let Ok(logs) = &decision {
            for log in logs {
                self.set.evolve(log, self.block)?;
            }
        }
        let call = UnsignedCall { from: caller, to: Some(target), input: data };
        self.waiting.push(Waiting { call, meaning: meaning.cloned(), decision });
        // The outcome of a call that the rules don't decide is taken from the chain's events.
        if undecided { self.flush() } else { Ok(()) }
    }

    fn put(&mut self, account: Address, put: &Put) -> Result<(), Mismatch> {
        self.flush()?;
        let code = code_of(put);
        let hash = match self.chain.nonce(account) == 0 && self.chain.balance(account).is_zero() {
            _ if !code.is_empty() => keccak256(&code),
            true => B256::ZERO,
            false => KECCAK256_EMPTY,
        };
        self.chain.set_code(account, code)?;
        self.foreign.put(account, put.clone(), hash);
        Ok(())
    }

    /// Deploys a contract of the set at the beginning of a history, at an address that depends only on the
    /// index.
    pub(crate) fn deploy_first(
        &mut self,
        time: Timestamp,
        index: u64,
        constructor: &Constructor,
    ) -> Result<(), Mismatch> {
        self.deploy(time, index, constructor, Some(deployer(index).create(0)))
    }

    /// Deploys a contract of the set in the last transaction of its block: through the proxy with CREATE2,
    /// unless `own` gives the address. The proxy hides the reason of a constructor's revert, so a
    /// deployment that the rules refuse is sent without it.
    fn deploy(
        &mut self,
        time: Timestamp,
        index: u64,
        constructor: &Constructor,
        own: Option<Address>,
    ) -> Result<(), Mismatch> {
        self.open(time)?;
        let deployer = deployer(index);
        let init_code = init_code(constructor);
        let creation = creation(index, &init_code);
        let contract = own.unwrap_or_else(|| creation.address());
        let external = self.foreign.at(self.block.timestamp);
        let context = self.context(deployer, &external);
        let decision = self.set.deploy(contract, constructor, &context);
        if let Ok(logs) = &decision {
            for log in logs {
                self.set.evolve(log, self.block)?;
            }
        }
        let (to, input) = match own {
            None if decision.is_ok() => {
                self.foreign.know_creation(creation);
                (Some(DEPLOYMENT_PROXY), [&creation.salt[..], &init_code].concat().into())
            }
            _ => (None, init_code),
        };
        let call = UnsignedCall { from: deployer, to, input };
        self.create(contract, Waiting { call, meaning: None, decision })
    }

    /// Deploys Expect, which has neither arguments nor events.
    pub(crate) fn deploy_expect(&mut self, time: Timestamp, index: u64) -> Result<(), Mismatch> {
        self.open(time)?;
        let deployer = deployer(index);
        let contract = deployer.create(0);
        let input = Contract::Expect.artifact().creation_code().clone();
        let call = UnsignedCall { from: deployer, to: None, input };
        self.create(contract, Waiting { call, meaning: None, decision: Ok(Vec::new()) })
    }

    fn create(&mut self, contract: Address, creation: Waiting) -> Result<(), Mismatch> {
        let succeeds = creation.decision.is_ok();
        self.waiting.push(creation);
        self.flush()?;
        if succeeds {
            let hash = self.chain.read(HASHER, contract.into_word())?;
            self.foreign.know(contract, B256::from_slice(&hash.success().unwrap_or_default()));
        }
        Ok(())
    }

    /// Mines the open block and compares the outcome of every call in it.
    pub(crate) fn flush(&mut self) -> Result<(), Mismatch> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        self.chain.set_next_timestamp(self.block.timestamp.get())?;
        self.chain.set_prevrandao_next(self.prevrandao());
        let waiting = core::mem::take(&mut self.waiting);
        let calls: Vec<_> = waiting.iter().map(|waiting| waiting.call.clone()).collect();
        let (_, executed) = self.chain.mine_unsigned(&calls)?;
        for (waiting, executed) in waiting.iter().zip(&executed) {
            self.compare_outcome(waiting, executed)?;
        }
        Ok(())
    }

    /// Compares the outcome of a call with the decision of the rules, and records the coverage.
    fn compare_outcome(&mut self, waiting: &Waiting, executed: &Executed) -> Result<(), Mismatch> {
        let target = waiting.call.to;
        let role = target.and_then(|target| self.set.role_of(target));
        self.coverage.called(role, &waiting.call.input, executed.end.is_success());
        self.history.extend(executed.logs.iter().map(|log| (self.block, log.clone())));
        if executed.end.is_success() {
            for log in &executed.logs {
                let (role, event) = self.known(log)?;
                self.coverage.emitted(role, &event.event);
            }
        }
        match &waiting.decision {
            Err(Refusal::OutsideTheSet(_)) => {
                self.coverage.undecided += 1;
                if let CallEnd::Revert(data) = &executed.end {
                    self.coverage.refused(&Refusal::abi_decode(data));
                }
                for log in &executed.logs {
                    let (_, log) = self.known(log)?;
                    self.set.evolve(&log, self.block)?;
                }
                Ok(())
            }
            Ok(logs) => {
                let CallEnd::Success(output) = &executed.end else {
                    return Err(self.outcome(waiting, executed));
                };
                let same = executed.logs.len() == logs.len()
                    && logs.iter().zip(&executed.logs).all(|(ours, theirs)| {
                        ours.emitter == theirs.address && ours.event.to_log_data() == theirs.data
                    });
                let returned = waiting.meaning.as_ref().map(|call| call.returns(logs));
                let same_answer = match returned {
                    Some(Some(word)) => output[..] == word.to_be_bytes::<32>(),
                    Some(None) => output.is_empty(),
                    None => true,
                };
                if same && same_answer { Ok(()) } else { Err(self.outcome(waiting, executed)) }
            }
            Err(refusal) => {
                self.coverage.refused(refusal);
                if executed.end == CallEnd::Revert(refusal.abi_encode()) {
                    return Ok(());
                }
                Err(self.outcome(waiting, executed))
            }
        }
    }

    /// Decodes a log as an event of the contract that emitted it.
    fn known(&self, log: &ChainLog) -> Result<(Role, Log), Mismatch> {
        let role = self.set.role_of(log.address);
        role.and_then(|role| Some((role, protocol_log(role, log)?)))
            .ok_or_else(|| Mismatch::Log { emitter: log.address, data: log.data.data.clone() })
    }

    fn outcome(&self, waiting: &Waiting, executed: &Executed) -> Mismatch {
        let UnsignedCall { from, to, input } = &waiting.call;
        let call = match (&waiting.meaning, to) {
            (Some(call), Some(to)) => format!("{from} calls {to}: {call:?}"),
            (None, Some(to)) => format!("{from} calls {to} with {input}"),
            (_, None) => format!("{from} deploys {} bytes", input.len()),
        };
        let rules = match &waiting.decision {
            Ok(logs) => {
                let returned = waiting.meaning.as_ref().and_then(|call| call.returns(logs));
                format!("returns {returned:?} with {logs:?}")
            }
            Err(refusal) => format!("refuse: {refusal}, {refusal:?}"),
        };
        let shown = |data: &Bytes| hex::encode_prefixed(&data[..data.len().min(200)]);
        let gas = executed.gas_used;
        let bytecode = match &executed.end {
            CallEnd::Success(data) => {
                let logs: Vec<_> = executed
                    .logs
                    .iter()
                    .map(|log| match self.known(log) {
                        Ok((_, log)) => format!("{log:?}"),
                        Err(_) => format!("{log:?}"),
                    })
                    .collect();
                format!("returns {} with [{}], {gas} gas", shown(data), logs.join(", "))
            }
            CallEnd::Revert(data) => {
                let refusal = Refusal::abi_decode(data);
                format!("reverts with {}: {refusal}, {refusal:?}, {gas} gas", shown(data))
            }
            CallEnd::Halt { reason, .. } => format!("halts: {reason}, {gas} gas"),
        };
        let kind = OutcomeKind {
            function: Selector::try_from(&input[..input.len().min(4)])
                .ok()
                .filter(|_| to.is_some()),
            differs: Differs::of(
                match &waiting.decision {
                    Ok(logs) => Ok(logs.iter().map(|log| log.event.to_log_data()).collect()),
                    Err(refusal) => Err(refusal.abi_encode()),
                },
                match &executed.end {
                    CallEnd::Success(_) => {
                        Ok(executed.logs.iter().map(|log| log.data.clone()).collect())
                    }
                    CallEnd::Revert(data) => Err(data.clone()),
                    CallEnd::Halt { .. } => Err(Bytes::new()),
                },
            ),
        };
        Mismatch::Outcome { call, rules, bytecode, kind }
    }

    /// The state folded from the chain's logs alone.
    fn folded(&self) -> Result<SetState, Mismatch> {
        let mut set = SetState::new(*self.set.addresses());
        for (block, log) in &self.history {
            // Every contract that was deployed belongs to the set.
            if let Some(log) = set.decode_log(log.address, &log.data, &|_, _| true) {
                set.evolve(&log, *block)?;
            }
        }
        Ok(set)
    }
}

/// The account that deploys contract `number`. It deploys nothing else, so the contract's address depends
/// only on the number.
pub(crate) fn deployer(number: u64) -> Address {
    Address::from_word(keccak256([b"deployer".as_slice(), &number.to_be_bytes()].concat()))
}

/// The creation of a contract through the proxy by step `index` of a history.
fn creation(index: u64, init_code: &Bytes) -> Create2 {
    Create2::new(DEPLOYMENT_PROXY, salt(index), init_code)
}

/// The salt of the contract that the step `index` of a history creates.
pub(crate) fn salt(index: u64) -> B256 {
    B256::from(U256::from(index))
}

/// The address at which step `index` of a history deploys a contract.
pub(crate) fn deployed_at(index: u64, constructor: &Constructor) -> Address {
    creation(index, &init_code(constructor)).address()
}
