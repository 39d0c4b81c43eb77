//! Actions of payloads as people read them: `Registry.upgrade(rollup 2)`.

use std::collections::BTreeMap;

use alloy_dyn_abi::{DynSolValue, JsonAbiExt};
use alloy_json_abi::Function;
use alloy_primitives::{Address, hex};
use canon_abi::Contract;
use canon_protocol::Action;

use crate::followed_set::FollowedSet;

/// An action with the contract's name, the function's and its arguments. Addresses get their names
/// where they have one. An assertion is one only on the set's own Expect: elsewhere the same bytes mean nothing.
pub(crate) fn describe(action: &Action, set: &FollowedSet) -> String {
    in_words(action, set.addresses().expect, &set.names)
}

fn in_words(action: &Action, expect: Address, names: &BTreeMap<Address, String>) -> String {
    let target = name(action.target, names);
    let decoded = action.data.split_first_chunk::<4>().and_then(|(selector, arguments)| {
        let function = function(*selector, action.target == expect)?;
        Some((function, function.abi_decode_input(arguments).ok()?))
    });
    match decoded {
        Some((function, arguments)) => {
            let arguments: Vec<_> = arguments.iter().map(|value| show(value, names)).collect();
            format!("{target}.{}({})", function.name, arguments.join(", "))
        }
        None => format!("{target}: {}", hex::encode_prefixed(&action.data)),
    }
}

fn function(selector: [u8; 4], asserts: bool) -> Option<&'static Function> {
    let contracts = Contract::ALL.iter().filter(|c| (**c == Contract::Expect) == asserts);
    let functions = contracts.flat_map(|contract| contract.artifact().abi().functions());
    functions.into_iter().find(|function| function.selector().0 == selector)
}

fn name(address: Address, names: &BTreeMap<Address, String>) -> String {
    names.get(&address).cloned().unwrap_or_else(|| address.to_checksum(None))
}

fn show(value: &DynSolValue, names: &BTreeMap<Address, String>) -> String {
    match value {
        DynSolValue::Address(address) => name(*address, names),
        DynSolValue::FixedBytes(word, size) => {
            let text = hex::encode(&word[..*size]);
            match text.get(..8) {
                Some(start) if *size == 32 => format!("0x{start}…"),
                _ => format!("0x{text}"),
            }
        }
        DynSolValue::Uint(number, _) => number.to_string(),
        DynSolValue::Bool(truth) => truth.to_string(),
        DynSolValue::String(text) => format!("{text:?}"),
        other => format!("{other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::Bytes;
    use alloy_sol_types::SolCall;
    use canon_abi::{Expect, Registry};

    use super::*;

    #[test]
    fn assertions_are_shown_only_on_the_sets_expect() {
        let at = Address::repeat_byte;
        let names = [(at(1), "Expect"), (at(2), "Registry"), (at(3), "rollup 1")];
        let names = names.map(|(address, name)| (address, name.to_owned())).into();
        let show = |target, data: Vec<u8>| {
            in_words(&Action { target, data: Bytes::from(data) }, at(1), &names)
        };
        let canonical = Expect::canonicalIsCall { registry: at(2), expected: at(3) }.abi_encode();
        let upgrade = Registry::upgradeCall { rollup: at(3) }.abi_encode();
        assert_eq!(show(at(1), canonical.clone()), "Expect.canonicalIs(Registry, rollup 1)");
        assert_eq!(show(at(2), upgrade), "Registry.upgrade(rollup 1)");
        // Whoever answers there need not assert anything.
        for stranger in [at(2), at(4)] {
            let shown = show(stranger, canonical.clone());
            assert!(!shown.contains("canonicalIs") && shown.contains(": 0x"), "{shown}");
        }
    }
}
