//! The state as plain data, with its history.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256};
use alloy_rlp::{Encodable, RlpDecodable, RlpEncodable};
use revm::{bytecode::Bytecode, state::AccountInfo};

use super::{Key, State, Version};

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
            self.codes.iter().map(|(hash, code)| (*hash, code.original_bytes())).collect();
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

    /// The sizes of the parts of an image, in bytes. Together they are slightly less than its size.
    pub(crate) fn image_sizes(&self) -> impl Iterator<Item = usize> {
        let account = |info: Option<&AccountInfo>| {
            let values = info.map(|info| info.nonce.length() + info.balance.length());
            Address::ZERO.length() + B256::ZERO.length() + values.unwrap_or(2)
        };
        let slot =
            |key: &U256, value: &U256| Address::ZERO.length() + key.length() + value.length();
        let codes = self.codes.values().map(|code| code.original_bytes().len());
        let accounts = self.accounts.values().map(move |info| account(Some(info)));
        let slots = self.storage.values().flatten().map(move |(key, value)| slot(key, value));
        let past_accounts = self.past_accounts.values().flatten();
        let past_accounts = past_accounts.map(move |(_, past)| account(past.as_ref()));
        let past_slots = self
            .past_slots
            .iter()
            .flat_map(move |((_, key), past)| past.iter().map(move |(_, value)| slot(key, value)));
        codes.chain(accounts).chain(slots).chain(past_accounts).chain(past_slots)
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
        let mut state = State { version: self.version, ..State::default() };
        for code in self.codes {
            let code = Bytecode::new_raw_checked(code).map_err(|error| error.to_string())?;
            state.codes.insert(code.hash_slow(), code);
        }
        for account in self.accounts {
            let (address, info) = state.info(account)?;
            state.accounts.insert(address, info);
        }
        for SlotImage { address, key, value } in self.slots {
            state.storage.entry(address).or_default().insert(key, value);
        }
        // There is always a journal of the current version, which may be empty.
        let versions = self.journal.len() as u64;
        if versions == 0 || versions > self.version || self.version > MAX_VERSION {
            return Err(format!("{versions} versions of history at version {}", self.version));
        }
        for (version, changes) in (self.version + 1 - versions..).zip(self.journal) {
            let mut keys = Vec::new();
            for account in changes.accounts {
                let (address, info) = state.info(account)?;
                let before = Some(info).filter(|info| !info.is_empty());
                state.past_accounts.entry(address).or_default().push_back((version, before));
                keys.push(Key::Account(address));
            }
            for SlotImage { address, key, value } in changes.slots {
                state.past_slots.entry((address, key)).or_default().push_back((version, value));
                keys.push(Key::Slot(address, key));
            }
            state.journal.push_back(keys);
        }
        Ok(state)
    }
}

impl State {
    fn info(&self, image: AccountImage) -> Result<(Address, AccountInfo), String> {
        let AccountImage { address, nonce, balance, code_hash } = image;
        let code = if code_hash == KECCAK256_EMPTY {
            Bytecode::default()
        } else {
            let code = self.codes.get(&code_hash);
            code.cloned().ok_or_else(|| format!("the code of {address} is missing"))?
        };
        let info =
            AccountInfo { nonce, balance, code_hash, code: Some(code), ..AccountInfo::default() };
        Ok((address, info))
    }
}
