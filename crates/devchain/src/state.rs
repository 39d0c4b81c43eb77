//! Accounts and storage, with their history.
//!
//! The current state is a plain map, which serves nearly all reads. The history is kept per account
//! and per storage slot as a short list of *values before changes*: reading at an old version is
//! one search in that list, rolling back removes its last value, and forgetting old versions
//! removes its first ones. A version costs no more memory than its changes.

pub(crate) mod image;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use alloy_primitives::{
    Address, B256, Bytes, KECCAK256_EMPTY, U256,
    map::{AddressMap, B256Map, HashMap, U256Map},
};
use revm::{
    bytecode::Bytecode,
    state::{Account, AccountInfo, EvmState},
};

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

/// The accounts of the chain, with the history for reading and restoring recent versions.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    accounts: AddressMap<AccountInfo>,
    storage: AddressMap<U256Map<U256>>,
    /// Analyzed bytecode by hash. Contracts with equal code share one analysis.
    codes: B256Map<Bytecode>,
    past_accounts: AddressMap<Past<Option<AccountInfo>>>,
    past_slots: HashMap<(Address, U256), Past<U256>>,
    /// The changed keys of each version, from `oldest` to `version`.
    journal: VecDeque<Vec<Key>>,
    version: Version,
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

    pub(crate) fn account(&self, address: Address) -> Option<&AccountInfo> {
        self.accounts.get(&address)
    }

    pub(crate) fn slot(&self, address: Address, key: U256) -> U256 {
        self.storage.get(&address).and_then(|slots| slots.get(&key)).copied().unwrap_or_default()
    }

    /// The slots of an account that aren't zero, at the end of `version` or now.
    pub(crate) fn slots(&self, address: Address, version: Option<Version>) -> Vec<(B256, U256)> {
        let mut slots = self.storage.get(&address).cloned().unwrap_or_default();
        if let Some(version) = version {
            let of_account = self.past_slots.iter().filter(|((owner, _), _)| *owner == address);
            let values =
                of_account.filter_map(|((_, key), past)| Some((*key, *before(past, version)?)));
            slots.extend(values);
        }
        let slots = slots.into_iter().filter(|(_, value)| !value.is_zero());
        slots.map(|(key, value)| (key.into(), value)).collect()
    }

    pub(crate) fn nonce(&self, address: Address) -> u64 {
        self.account(address).map_or(0, |info| info.nonce)
    }

    pub(crate) fn balance(&self, address: Address) -> U256 {
        self.account(address).map_or(U256::ZERO, |info| info.balance)
    }

    pub(crate) fn code(&self, hash: B256) -> Option<&Bytecode> {
        self.codes.get(&hash)
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
        match self.past_slots.get(&(address, key)).and_then(|past| before(past, version)) {
            Some(value) => *value,
            None => self.slot(address, key),
        }
    }

    /// Sets an account. An empty account is removed (EIP-161).
    pub(crate) fn set_account(&mut self, address: Address, mut info: AccountInfo) {
        self.share_code(&mut info);
        let info = Some(info).filter(|info| !info.is_empty());
        if self.accounts.get(&address) == info.as_ref() {
            return;
        }
        let before = match info {
            Some(info) => self.accounts.insert(address, info),
            None => self.accounts.remove(&address),
        };
        let past = self.past_accounts.entry(address).or_default();
        remember(past, self.version, before, &mut self.journal, Key::Account(address));
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
        let before = if value.is_zero() {
            self.storage.get_mut(&address).and_then(|slots| slots.remove(&key))
        } else {
            self.storage.entry(address).or_default().insert(key, value)
        }
        .unwrap_or_default();
        if before != value {
            let past = self.past_slots.entry((address, key)).or_default();
            remember(past, self.version, before, &mut self.journal, Key::Slot(address, key));
        }
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
        let keys: Vec<U256> = slots.keys().copied().collect();
        for key in keys {
            self.set_slot(address, key, U256::ZERO);
        }
    }

    /// Replaces the code by the shared analyzed copy of equal code.
    fn share_code(&mut self, info: &mut AccountInfo) {
        if info.is_empty_code_hash() {
            info.code = Some(Bytecode::default());
        } else if let Some(code) = info.code.take() {
            info.code = Some(self.codes.entry(info.code_hash).or_insert(code).clone());
        } else {
            info.code = self.codes.get(&info.code_hash).cloned();
        }
    }

    /// Restores the state at the end of `version`, which the history must [reach](Self::reaches).
    pub(crate) fn rollback(&mut self, version: Version) {
        while self.version > version {
            let Some(keys) = self.journal.pop_back() else { break };
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
                let Some((before, empty)) = recall(self.past_accounts.get_mut(&address)) else {
                    return;
                };
                match before {
                    Some(info) => self.accounts.insert(address, info),
                    None => self.accounts.remove(&address),
                };
                if empty {
                    self.past_accounts.remove(&address);
                }
            }
            Key::Slot(address, slot) => {
                let Some((before, empty)) = recall(self.past_slots.get_mut(&(address, slot)))
                else {
                    return;
                };
                let slots = self.storage.entry(address).or_default();
                if before.is_zero() {
                    slots.remove(&slot)
                } else {
                    slots.insert(slot, before)
                };
                if empty {
                    self.past_slots.remove(&(address, slot));
                }
            }
        }
    }

    /// Forgets the versions before `version`.
    pub(crate) fn prune(&mut self, version: Version) {
        while self.journal.len() > 1 && self.oldest_change() <= version {
            for key in self.journal.pop_front().unwrap_or_default() {
                match key {
                    Key::Account(address) => forget(&mut self.past_accounts, &address),
                    Key::Slot(address, slot) => forget(&mut self.past_slots, &(address, slot)),
                }
            }
        }
    }
}

/// The value at the end of `version`, if it changed since.
fn before<T>(past: &Past<T>, version: Version) -> Option<&T> {
    let next = past.partition_point(|(changed, _)| *changed <= version);
    past.get(next).map(|(_, value)| value)
}

/// Records the value of a key before its first change in this version.
fn remember<T>(
    past: &mut Past<T>,
    version: Version,
    before: T,
    journal: &mut VecDeque<Vec<Key>>,
    key: Key,
) {
    if past.back().is_none_or(|(changed, _)| *changed < version) {
        past.push_back((version, before));
        journal.back_mut().expect("the journal holds the current version").push(key);
    }
}

/// Removes the newest past value of a key. Returns it, and whether it was the last one.
fn recall<T>(past: Option<&mut Past<T>>) -> Option<(T, bool)> {
    let past = past?;
    let (_, value) = past.pop_back()?;
    Some((value, past.is_empty()))
}

/// Removes the oldest past value of a key.
fn forget<K: std::hash::Hash + Eq, T, S: std::hash::BuildHasher>(
    pasts: &mut std::collections::hash_map::HashMap<K, Past<T>, S>,
    key: &K,
) {
    if let Some(past) = pasts.get_mut(key) {
        past.pop_front();
        if past.is_empty() {
            pasts.remove(key);
        }
    }
}
