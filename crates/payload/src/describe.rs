//! Descriptions of actions, such as `Registry.upgrade(rollup 2)`.

use alloy_dyn_abi::{DynSolValue, JsonAbiExt};
use alloy_json_abi::Function;
use alloy_primitives::{Address, hex};
use canon_abi::Contract;
use canon_protocol::{Action, ForeignText};
use std::collections::BTreeMap;

/// The form in which hashes in arguments are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hashes {
    /// All digits, for exact comparisons.
    Full,
    /// The first eight digits, for a timeline.
    Shortened,
}

/// Describes an action by the names of the contract and the function, and the arguments. An address is shown
/// by its name in `names`, or in full if it has none. Calldata that encodes no call of a function of the set
/// is shown as hex.
///
/// Functions of Expect are decoded only if the target is `expect`, the Expect of the set. At any other address
/// they assert nothing.
pub fn describe(
    action: &Action,
    expect: Address,
    names: &BTreeMap<Address, String>,
    hashes: Hashes,
) -> String {
    let target = name(action.target, names);
    match decode(action, expect) {
        Some((function, arguments)) => {
            let arguments: Vec<_> =
                arguments.iter().map(|value| show(value, names, hashes)).collect();
            format!("{target}.{}({})", function.name, arguments.join(", "))
        }
        None => format!("{target}: {}", hex::encode_prefixed(&action.data)),
    }
}

/// The function of the set's contracts that an action calls by its selector, with the arguments.
pub(crate) fn decode(
    action: &Action,
    expect: Address,
) -> Option<(&'static Function, Vec<DynSolValue>)> {
    let (selector, _) = action.data.split_first_chunk::<4>()?;
    let function = function(*selector, action.target == expect)?;
    decode_by(function, &action.data).map(|arguments| (function, arguments))
}

/// The arguments of a call of `function`. `None` if the data isn't exactly their encoding: the description
/// must show everything in it.
pub(crate) fn decode_by(function: &Function, data: &[u8]) -> Option<Vec<DynSolValue>> {
    let values = function.abi_decode_input(data.get(4..)?).ok()?;
    let encoded = function.abi_encode_input(&values).ok()?;
    (encoded == data).then_some(values)
}

fn function(selector: [u8; 4], asserts: bool) -> Option<&'static Function> {
    let contracts = Contract::ALL.iter().filter(|c| (**c == Contract::Expect) == asserts);
    let functions = contracts.flat_map(|contract| contract.artifact().abi().functions());
    functions.into_iter().find(|function| function.selector().0 == selector)
}

pub(crate) fn name(address: Address, names: &BTreeMap<Address, String>) -> String {
    names.get(&address).cloned().unwrap_or_else(|| address.to_checksum(None))
}

pub(crate) fn show(
    value: &DynSolValue,
    names: &BTreeMap<Address, String>,
    hashes: Hashes,
) -> String {
    match value {
        DynSolValue::Address(address) => name(*address, names),
        DynSolValue::FixedBytes(word, size) => {
            let text = hex::encode(&word[..*size]);
            match text.get(..8) {
                Some(start) if *size == 32 && hashes == Hashes::Shortened => format!("0x{start}…"),
                _ => format!("0x{text}"),
            }
        }
        DynSolValue::Uint(number, _) => number.to_string(),
        DynSolValue::Int(number, _) => number.to_string(),
        DynSolValue::Bool(truth) => truth.to_string(),
        DynSolValue::Bytes(bytes) => hex::encode_prefixed(bytes),
        DynSolValue::String(text) => format!("\"{}\"", ForeignText::new(text)),
        DynSolValue::Array(values) | DynSolValue::FixedArray(values) => {
            format!("[{}]", list(values, names, hashes))
        }
        DynSolValue::Tuple(values) | DynSolValue::CustomStruct { tuple: values, .. } => {
            format!("({})", list(values, names, hashes))
        }
        other => format!("{other:?}"),
    }
}

fn list(values: &[DynSolValue], names: &BTreeMap<Address, String>, hashes: Hashes) -> String {
    let values: Vec<_> = values.iter().map(|value| show(value, names, hashes)).collect();
    values.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::{B256, Bytes};
    use alloy_sol_types::SolCall;
    use canon_abi::{Asset, Expect, Registry, Rollup};

    fn at(byte: u8) -> Address {
        Address::repeat_byte(byte)
    }

    fn words(target: Address, data: Vec<u8>) -> String {
        let names = [(at(1), "Expect"), (at(2), "Registry"), (at(3), "rollup 1")];
        let names = names.map(|(address, name)| (address, name.to_owned())).into();
        describe(&Action { target, data: Bytes::from(data) }, at(1), &names, Hashes::Full)
    }

    #[test]
    fn assertions_are_shown_only_on_the_sets_expect() {
        let canonical = Expect::canonicalIsCall { registry: at(2), expected: at(3) }.abi_encode();
        let upgrade = Registry::upgradeCall { rollup: at(3) }.abi_encode();
        assert_eq!(words(at(1), canonical.clone()), "Expect.canonicalIs(Registry, rollup 1)");
        assert_eq!(words(at(2), upgrade), "Registry.upgrade(rollup 1)");
        // A contract that isn't the set's Expect may not assert anything.
        for stranger in [at(2), at(4)] {
            let shown = words(stranger, canonical.clone());
            assert!(!shown.contains("canonicalIs") && shown.contains(": 0x"), "{shown}");
        }
    }

    #[test]
    fn data_that_says_more_than_the_words_is_shown_as_data() {
        let upgrade = Registry::upgradeCall { rollup: at(3) }.abi_encode();
        let mut longer = upgrade.clone();
        longer.push(0);
        let mut dirty = upgrade.clone();
        dirty[4] = 1;
        for data in [longer, dirty, upgrade[..20].to_vec(), vec![1, 2, 3], Vec::new()] {
            assert_eq!(
                words(at(2), data.clone()),
                format!("Registry: {}", hex::encode_prefixed(data))
            );
        }
    }

    #[test]
    fn hashes_are_whole_or_shortened() {
        let hash = B256::repeat_byte(0xab);
        let data = Rollup::proposeBlockCall { blockHash: hash }.abi_encode();
        let action = Action { target: at(9), data: data.into() };
        let names = BTreeMap::from([(at(9), "rollup".to_owned())]);
        let show = |hashes| describe(&action, at(1), &names, hashes);
        assert_eq!(show(Hashes::Full), format!("rollup.proposeBlock({hash})"));
        assert_eq!(show(Hashes::Shortened), "rollup.proposeBlock(0xabababab…)");
    }

    #[test]
    fn an_amount_is_shown_in_units_of_the_contract() {
        let data = Asset::mintCall { to: at(3), amount: alloy_primitives::U256::from(7) };
        assert_eq!(words(at(5), data.abi_encode()), format!("{}.mint(rollup 1, 7)", at(5)));
    }
}
