//! The state as plain data, with its history.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_rlp::{RlpDecodable, RlpEncodable};
use revm::{bytecode::Bytecode, state::AccountInfo};

use super::{Code, Key, State, Version, first_past};
use crate::shared::SharedMap;

/// The largest version of a dump, after which there is room for all that follow.
const MAX_VERSION: Version = Version::MAX / 2;

#[derive(Debug, RlpEncodable, RlpDecodable)]
pub(crate) struct StateImage {
    version: Version,
    codes: Vec<Bytes>,
    accounts: Vec<AccountImage>,
    slots: Vec<SlotImage>,
    /// The values before the changes of each version, oldest first.
    journal: Vec<ChangesImage>,
}

#[derive(Debug, RlpEncodable, RlpDecodable)]
struct AccountImage {
    address: Address,
    nonce: u64,
    balance: U256,
    code_hash: B256,
}

#[derive(Debug, RlpEncodable, RlpDecodable)]
struct SlotImage {
    address: Address,
    key: U256,
    value: U256,
}

/// The values of accounts and slots before they were changed. An account that didn't exist is an
/// empty one.
#[derive(Debug, RlpEncodable, RlpDecodable)]
struct ChangesImage {
    accounts: Vec<AccountImage>,
    slots: Vec<SlotImage>,
}

impl AccountImage {
    const fn of(address: Address, info: &AccountInfo) -> Self {
        let AccountInfo { nonce, balance, code_hash, .. } = *info;
        Self { address, nonce, balance, code_hash }
    }
}

impl State {
    pub(crate) fn image(&self) -> StateImage {
        let codes: BTreeMap<_, _> =
            self.codes.iter().map(|(hash, code)| (*hash, code.bytecode.original_bytes())).collect();
        let mut accounts: Vec<_> =
            self.accounts.iter().map(|(address, info)| AccountImage::of(*address, info)).collect();
        accounts.sort_unstable_by_key(|account| account.address);
        let mut slots: Vec<_> = self
            .storage
            .iter()
            .flat_map(|(address, slots)| {
                let slots = slots.iter();
                slots.map(|(key, value)| SlotImage { address: *address, key: *key, value: *value })
            })
            .collect();
        slots.sort_unstable_by_key(|slot| (slot.address, slot.key));
        let journal = (self.oldest_change()..).zip(&self.journal);
        StateImage {
            version: self.version,
            codes: codes.into_values().collect(),
            accounts,
            slots,
            journal: journal.map(|(version, keys)| self.changes(version, keys)).collect(),
        }
    }

    /// The values of the keys before `version`.
    fn changes(&self, version: Version, keys: &[Key]) -> ChangesImage {
        let mut keys = keys.to_vec();
        keys.sort_unstable();
        let mut changes = ChangesImage { accounts: Vec::new(), slots: Vec::new() };
        for key in keys {
            match key {
                Key::Account(address) => {
                    let empty = AccountInfo::default();
                    let before = self.account_at(address, version - 1).unwrap_or(&empty);
                    changes.accounts.push(AccountImage::of(address, before));
                }
                Key::Slot(address, key) => {
                    let value = self.slot_at(address, key, version - 1);
                    changes.slots.push(SlotImage { address, key, value });
                }
            }
        }
        changes
    }
}

impl StateImage {
    /// Rebuilds the state. The error describes the mistake in the image.
    pub(crate) fn restore(self) -> Result<State, String> {
        // There is always a journal of the current version, which may be empty.
        let versions = self.journal.len() as u64;
        if versions == 0 || versions > self.version || self.version > MAX_VERSION {
            return Err(format!("{versions} versions of history at version {}", self.version));
        }
        let mut state = State { version: self.version, ..State::default() };
        for code in self.codes {
            let bytecode = Bytecode::new_raw_checked(code).map_err(|error| error.to_string())?;
            let code = Code { bytecode, uses: 0 };
            state.values.codes.insert(code.bytecode.hash_slow(), code);
        }
        check_order("accounts", self.accounts.iter().map(|account| account.address))?;
        check_order("slots", self.slots.iter().map(|slot| (slot.address, slot.key)))?;
        for account in self.accounts {
            let (address, info) = state.info(account)?;
            if info.is_empty() {
                return Err(format!("account {address} is empty"));
            }
            state.values.accounts.insert(address, info);
        }
        for SlotImage { address, key, value } in self.slots {
            if value.is_zero() {
                return Err(format!("slot {key} of {address} is zero"));
            }
            state.put_slot(address, key, value);
        }
        for (version, changes) in (self.version + 1 - versions..).zip(self.journal) {
            check_order("changes", changes.accounts.iter().map(|account| account.address))?;
            check_order("changes", changes.slots.iter().map(|slot| (slot.address, slot.key)))?;
            state.journal.push_back(Vec::new());
            for account in changes.accounts {
                let (address, info) = state.info(account)?;
                let before = Some(info).filter(|info| !info.is_empty());
                let past = state.values.past_accounts.get_or_insert_with(&address, first_past);
                past.push_back((version, before));
                state.note(Key::Account(address));
            }
            for SlotImage { address, key, value } in changes.slots {
                let slots = &mut state.values.past_slots;
                let slots = slots.get_or_insert_with(&address, SharedMap::default);
                slots.get_or_insert_with(&key, first_past).push_back((version, value));
                state.note(Key::Slot(address, key));
            }
        }
        let codes = state.values.codes.iter();
        let unused = codes.filter(|(_, code)| code.uses == 0).map(|(hash, _)| *hash);
        for hash in unused.collect::<Vec<_>>() {
            state.values.codes.remove(&hash);
        }
        state.codes_size = state.codes.iter().map(|(_, code)| code.size()).sum();
        Ok(state)
    }
}

/// Refuses a list that isn't in ascending order, or that has a key twice.
fn check_order<K: PartialOrd>(
    what: &str,
    keys: impl Iterator<Item = K> + Clone,
) -> Result<(), String> {
    let in_order = keys.clone().zip(keys.skip(1)).all(|(key, next)| key < next);
    if in_order { Ok(()) } else { Err(format!("the {what} aren't in order")) }
}

impl State {
    /// The account of an image. Its code counts as used.
    fn info(&mut self, image: AccountImage) -> Result<(Address, AccountInfo), String> {
        let AccountImage { address, nonce, balance, code_hash } = image;
        let info = AccountInfo { nonce, balance, code_hash, code: None, ..AccountInfo::default() };
        let info = self.use_code(info);
        if info.code.is_none() {
            return Err(format!("the code of {address} is missing"));
        }
        Ok((address, info))
    }
}
