//! Accounts and storage, with their history.
//!
//! The current state is a plain map, which serves nearly all reads. The history is kept per account
//! and per storage slot as a short list of *values before changes*: reading at an old version is
//! one search in that list, rolling back removes its last value, and forgetting old versions
//! removes its first ones. A version costs no more memory than its changes.

pub(crate) mod image;
#[cfg(test)]
mod tests;

use std::{
    collections::VecDeque,
    hash::{BuildHasher, Hash},
    ops::Deref,
};

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256, map::FbBuildHasher};
use revm::{
    bytecode::Bytecode,
    state::{Account, AccountInfo, EvmState},
};

use crate::shared::{SharedAddressMap, SharedMap, SharedWordMap};

/// The memory of an account, in bytes.
const ACCOUNT_SIZE: usize = 256;

/// The memory of a storage slot that isn't zero, in bytes.
const SLOT_SIZE: usize = 128;

/// The memory of the value of an account or a slot before a change, in bytes.
const CHANGE_SIZE: usize = 320;

/// The memory of code without its bytes, in bytes.
const CODE_SIZE: usize = 512;

/// A point in the history of a [`State`]. Every change belongs to the version that is current when
/// it is made.
pub(crate) type Version = u64;

/// The values of an account or a slot before its first change in each version.
type Past<T> = VecDeque<(Version, T)>;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Key {
    Account(Address),
    Slot(Address, U256),
}

/// Analyzed bytecode, which all accounts with equal code share.
#[derive(Clone, Debug)]
struct Code {
    bytecode: Bytecode,
    /// The number of accounts that have it, now or in the past. It goes with the last one.
    uses: usize,
}

impl Code {
    /// The memory that it takes, in bytes. The analysis has a bit for each byte.
    fn size(&self) -> usize {
        CODE_SIZE + self.bytecode.len() / 8 * 9
    }
}

/// The accounts and their storage, now and in recent versions. A clone takes no time, and stays as it is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Values {
    accounts: SharedAddressMap<AccountInfo>,
    storage: SharedAddressMap<SharedWordMap<U256>>,
    codes: SharedMap<B256, Code, FbBuildHasher<32>>,
    past_accounts: SharedAddressMap<Past<Option<AccountInfo>>>,
    past_slots: SharedAddressMap<SharedWordMap<Past<U256>>>,
}

/// The accounts of the chain, with the history for reading and restoring recent versions.
#[derive(Debug, Default)]
pub(crate) struct State {
    values: Values,
    /// The changed keys of each version, from `oldest` to `version`.
    journal: VecDeque<Vec<Key>>,
    version: Version,
    /// The number of slots that aren't zero.
    slots: usize,
    /// The number of keys in the journal.
    changes: usize,
    /// The memory of the codes, in bytes.
    codes_size: usize,
}

impl Deref for State {
    type Target = Values;

    fn deref(&self) -> &Values {
        &self.values
    }
}

impl Values {
    pub(crate) fn account(&self, address: Address) -> Option<&AccountInfo> {
        self.accounts.get(&address)
    }

    pub(crate) fn slot(&self, address: Address, key: U256) -> U256 {
        self.storage.get(&address).and_then(|slots| slots.get(&key)).copied().unwrap_or_default()
    }

    /// The slots of an account that aren't zero, at the end of `version` or now.
    pub(crate) fn slots(
        &self,
        address: Address,
        version: Option<Version>,
    ) -> impl Iterator<Item = (U256, U256)> {
        let now = self.storage.get(&address);
        let past = self.past_slots.get(&address).filter(|_| version.is_some());
        let version = version.unwrap_or_default();
        let changed = past.into_iter().flat_map(|past| past.iter());
        let changed = changed.filter_map(move |(key, past)| Some((*key, *before(past, version)?)));
        let unchanged = now.into_iter().flat_map(|slots| slots.iter());
        let unchanged = unchanged.filter(move |(key, _)| {
            past.and_then(|past| before(past.get(key)?, version)).is_none()
        });
        let unchanged = unchanged.map(|(key, value)| (*key, *value));
        unchanged.chain(changed).filter(|(_, value)| !value.is_zero())
    }

    pub(crate) fn nonce(&self, address: Address) -> u64 {
        self.account(address).map_or(0, |info| info.nonce)
    }

    pub(crate) fn balance(&self, address: Address) -> U256 {
        self.account(address).map_or(U256::ZERO, |info| info.balance)
    }

    pub(crate) fn code(&self, hash: B256) -> Option<&Bytecode> {
        self.codes.get(&hash).map(|code| &code.bytecode)
    }

    /// The account at the end of `version`.
    pub(crate) fn account_at(&self, address: Address, version: Version) -> Option<&AccountInfo> {
        match self.past_accounts.get(&address).and_then(|past| before(past, version)) {
            Some(info) => info.as_ref(),
            None => self.account(address),
        }
    }

    /// The storage slot at the end of `version`.
    pub(crate) fn slot_at(&self, address: Address, key: U256, version: Version) -> U256 {
        let past = self.past_slots.get(&address).and_then(|slots| slots.get(&key));
        match past.and_then(|past| before(past, version)) {
            Some(value) => *value,
            None => self.slot(address, key),
        }
    }
}

impl State {
    pub(crate) fn new() -> Self {
        Self { journal: VecDeque::from([Vec::new()]), ..Self::default() }
    }

    /// The oldest version whose changes can be undone. The journal always holds the current one.
    fn oldest_change(&self) -> Version {
        self.version + 1 - self.journal.len() as u64
    }

    /// Whether a version has ended.
    pub(crate) const fn is_past(&self, version: Version) -> bool {
        version < self.version
    }

    /// Whether the state at the end of `version` can be read and restored.
    pub(crate) fn reaches(&self, version: Version) -> bool {
        version + 1 >= self.oldest_change()
    }

    /// Ends the current version and returns it. The state can later be rolled back to this point.
    pub(crate) fn seal(&mut self) -> Version {
        self.journal.push_back(Vec::new());
        self.version += 1;
        self.version - 1
    }

    /// Like [`Self::seal`], but reuses the last sealed version if nothing changed since.
    pub(crate) fn checkpoint(&mut self) -> Version {
        if self.journal.back().is_some_and(Vec::is_empty) { self.version - 1 } else { self.seal() }
    }

    /// The accounts and slots as they are now, whatever is changed later.
    pub(crate) fn values(&self) -> Values {
        self.values.clone()
    }

    /// The memory that the state and its history take, in bytes: an estimate.
    pub(crate) fn size(&self) -> u64 {
        let accounts = self.accounts.len() * ACCOUNT_SIZE;
        let (slots, changes) = (self.slots * SLOT_SIZE, self.changes * CHANGE_SIZE);
        (accounts + slots + changes + self.codes_size) as u64
    }

    /// Sets an account. An empty account is removed (EIP-161).
    pub(crate) fn set_account(&mut self, address: Address, info: AccountInfo) {
        let info = Some(info).filter(|info| !info.is_empty());
        if self.accounts.get(&address) == info.as_ref() {
            return;
        }
        let info = info.map(|info| self.use_code(info));
        let before = self.put_account(address, info);
        let past = self.values.past_accounts.get_or_insert_with(&address, first_past);
        if is_first_change(past, self.version) {
            past.push_back((self.version, before));
            self.note(Key::Account(address));
        } else {
            self.release_code(before.as_ref());
        }
    }

    /// Sets an account without a trace in the history, and returns what it was.
    fn put_account(&mut self, address: Address, info: Option<AccountInfo>) -> Option<AccountInfo> {
        match info {
            Some(info) => self.values.accounts.insert(address, info),
            None => self.values.accounts.remove(&address),
        }
    }

    /// Applies a change to an account, creating it if needed.
    pub(crate) fn edit(&mut self, address: Address, change: impl FnOnce(&mut AccountInfo)) {
        let mut info = self.account(address).cloned().unwrap_or_default();
        change(&mut info);
        self.set_account(address, info);
    }

    pub(crate) fn set_code(&mut self, address: Address, code: Bytes) -> Result<(), String> {
        let code = Bytecode::new_raw_checked(code).map_err(|error| error.to_string())?;
        self.edit(address, |info| {
            info.code_hash = if code.is_empty() { KECCAK256_EMPTY } else { code.hash_slow() };
            info.code = Some(code);
        });
        Ok(())
    }

    pub(crate) fn set_slot(&mut self, address: Address, key: U256, value: U256) {
        let before = self.put_slot(address, key, value);
        if before == value {
            return;
        }
        let slots = self.values.past_slots.get_or_insert_with(&address, SharedMap::default);
        let past = slots.get_or_insert_with(&key, first_past);
        if is_first_change(past, self.version) {
            past.push_back((self.version, before));
            self.note(Key::Slot(address, key));
        }
    }

    /// Sets a slot without a trace in the history, and returns what it was.
    fn put_slot(&mut self, address: Address, key: U256, value: U256) -> U256 {
        let storage = &mut self.values.storage;
        let slots = storage.get_or_insert_with(&address, SharedMap::default);
        let before = if value.is_zero() { slots.remove(&key) } else { slots.insert(key, value) };
        if slots.is_empty() {
            storage.remove(&address);
        }
        self.slots += usize::from(!value.is_zero());
        self.slots -= usize::from(before.is_some());
        before.unwrap_or_default()
    }

    /// Adds a key to the journal of the current version.
    fn note(&mut self, key: Key) {
        self.changes += 1;
        self.journal.back_mut().expect("the journal holds the current version").push(key);
    }

    /// Applies the changes of a transaction.
    pub(crate) fn commit(&mut self, changes: EvmState) {
        for (address, account) in changes {
            if account.is_touched() {
                self.commit_account(address, account);
            }
        }
    }

    fn commit_account(&mut self, address: Address, account: Account) {
        if account.is_selfdestructed() || account.is_created() {
            self.clear_storage(address);
        }
        if account.is_selfdestructed() {
            self.set_account(address, AccountInfo::default());
            return;
        }
        for (key, slot) in account.changed_storage_slots() {
            self.set_slot(address, *key, slot.present_value());
        }
        self.set_account(address, account.info);
    }

    fn clear_storage(&mut self, address: Address) {
        let Some(slots) = self.storage.get(&address) else { return };
        let keys: Vec<U256> = slots.iter().map(|(key, _)| *key).collect();
        for key in keys {
            self.set_slot(address, key, U256::ZERO);
        }
    }

    /// Replaces the code by the shared analyzed copy of equal code, which is kept until
    /// [`Self::release_code`].
    fn use_code(&mut self, mut info: AccountInfo) -> AccountInfo {
        if info.is_empty_code_hash() {
            info.code = Some(Bytecode::default());
        } else if let Some(code) = self.values.codes.get_mut(&info.code_hash) {
            code.uses += 1;
            info.code = Some(code.bytecode.clone());
        } else if let Some(bytecode) = &info.code {
            let code = Code { bytecode: bytecode.clone(), uses: 1 };
            self.codes_size += code.size();
            self.values.codes.insert(info.code_hash, code);
        }
        info
    }

    /// Forgets the code of an account that is gone, if no other account has it.
    fn release_code(&mut self, info: Option<&AccountInfo>) {
        let Some(info) = info.filter(|info| !info.is_empty_code_hash()) else { return };
        let Some(code) = self.values.codes.get_mut(&info.code_hash) else { return };
        code.uses -= 1;
        if code.uses == 0 {
            self.codes_size -= code.size();
            self.values.codes.remove(&info.code_hash);
        }
    }

    /// Restores the state at the end of `version`, which the history must [reach](Self::reaches).
    pub(crate) fn rollback(&mut self, version: Version) {
        while self.version > version {
            let Some(keys) = self.journal.pop_back() else { break };
            self.changes -= keys.len();
            for key in keys {
                self.restore(key);
            }
            self.version -= 1;
        }
        // Changes from here on belong to a new version: `version` itself is sealed.
        self.journal.push_back(Vec::new());
        self.version += 1;
    }

    fn restore(&mut self, key: Key) {
        match key {
            Key::Account(address) => {
                let past = &mut self.values.past_accounts;
                let Some((_, before)) = take(past, &address, Past::pop_back) else { return };
                let undone = self.put_account(address, before);
                self.release_code(undone.as_ref());
            }
            Key::Slot(address, key) => {
                if let Some((_, before)) = self.take_slot(address, key, Past::pop_back) {
                    self.put_slot(address, key, before);
                }
            }
        }
    }

    /// Forgets the versions before `version`.
    pub(crate) fn prune(&mut self, version: Version) {
        while self.journal.len() > 1 && self.oldest_change() <= version {
            let keys = self.journal.pop_front().unwrap_or_default();
            self.changes -= keys.len();
            for key in keys {
                match key {
                    Key::Account(address) => {
                        let past = &mut self.values.past_accounts;
                        let forgotten = take(past, &address, Past::pop_front);
                        self.release_code(forgotten.and_then(|(_, info)| info).as_ref());
                    }
                    Key::Slot(address, key) => {
                        self.take_slot(address, key, Past::pop_front);
                    }
                }
            }
        }
    }

    /// Takes a past value of a slot.
    fn take_slot(
        &mut self,
        address: Address,
        key: U256,
        which: TakeFrom<U256>,
    ) -> Option<(Version, U256)> {
        let slots = self.values.past_slots.get_mut(&address)?;
        let taken = take(slots, &key, which);
        if slots.is_empty() {
            self.values.past_slots.remove(&address);
        }
        taken
    }
}

/// The value at the end of `version`, if it changed since.
fn before<T>(past: &Past<T>, version: Version) -> Option<&T> {
    let next = past.partition_point(|(changed, _)| *changed <= version);
    past.get(next).map(|(_, value)| value)
}

/// The history of a key that has none yet. Most keys have one past value, if any.
fn first_past<T>() -> Past<T> {
    Past::with_capacity(1)
}

/// Whether the value of a key before a change in this version is to be remembered.
fn is_first_change<T>(past: &Past<T>, version: Version) -> bool {
    past.back().is_none_or(|(changed, _)| *changed < version)
}

/// The removal of the oldest or the newest past value.
type TakeFrom<T> = fn(&mut Past<T>) -> Option<(Version, T)>;

/// Takes a past value of a key.
fn take<K, T, S>(
    pasts: &mut SharedMap<K, Past<T>, S>,
    key: &K,
    which: TakeFrom<T>,
) -> Option<(Version, T)>
where
    K: Clone + Eq + Hash,
    T: Clone,
    S: BuildHasher + Clone,
{
    let past = pasts.get_mut(key)?;
    let taken = which(past);
    if past.is_empty() {
        pasts.remove(key);
    }
    taken
}
