//! The effects of actions, for the people who decide on them: with tokens, percentages, durations and names.

use alloy_dyn_abi::DynSolValue;
use alloy_json_abi::Function;
use alloy_primitives::{Address, U256, hex};
use canon_abi::Contract;
use canon_protocol::{
    Action, Amount, Configuration, Fraction, Role, Seconds, Timestamp,
    text::{self, Duration, Percent, Time},
};
use std::collections::BTreeMap;

use crate::describe::{Hashes, decode, decode_by, name, show};

/// The set whose Governance executes the actions, or what is known of it.
#[derive(Clone, Copy, Debug)]
pub struct KnownSet<'a> {
    /// The roles of the set's contracts. The functions of any other address are unknown, whatever their selectors.
    pub roles: &'a BTreeMap<Address, Role>,
    /// The names under which addresses are shown.
    pub names: &'a BTreeMap<Address, String>,
    /// The configuration in force, with which a new one is compared. `None` if it isn't known.
    pub configuration: Option<&'a Configuration>,
}

/// The effect of an action, in lines that are shown below the exact call of [`describe`](crate::describe()). An
/// unknown target or function is reported as unknown. Then the data is shown in full, here or in the description.
pub fn explain(action: &Action, set: &KnownSet<'_>) -> Vec<String> {
    let role = set.roles.get(&action.target).copied();
    let contract = Contract::ALL.iter().copied().find(|contract| contract.role() == role);
    let (Some(_), Some(contract)) = (role, contract) else {
        let target = name(action.target, set.names);
        return unknown(action, format!("unknown contract {target}: its effect isn't known"));
    };
    let Some((selector, _)) = action.data.split_first_chunk::<4>() else {
        return unknown(action, format!("no selector, so it calls no function of {contract}"));
    };
    let mut functions = contract.artifact().abi().functions();
    let Some(function) = functions.find(|function| function.selector().0 == *selector) else {
        let selector = hex::encode_prefixed(selector);
        let text = format!("unknown function {selector} of {contract}: its effect isn't known");
        return unknown(action, text);
    };
    match decode_by(function, &action.data) {
        Some(arguments) => set.effect(contract, action.target, function, &arguments),
        None => {
            let function = &function.name;
            let text = format!("not the exact encoding of arguments of {contract}.{function}");
            unknown(action, format!("{text}: its effect isn't known"))
        }
    }
}

/// A remark, followed by the data if [`describe`](crate::describe()) may show a function and arguments instead of
/// it.
fn unknown(action: &Action, remark: String) -> Vec<String> {
    // Functions of Expect count too, because the caller may take any address for Expect.
    let functions = [action.target, Address::ZERO].map(|expect| decode(action, expect));
    let data = functions.iter().any(Option::is_some);
    let data = data.then(|| format!("data {}", hex::encode_prefixed(&action.data)));
    [remark].into_iter().chain(data).collect()
}

impl KnownSet<'_> {
    fn effect(
        &self,
        contract: Contract,
        target: Address,
        function: &Function,
        arguments: &[DynSolValue],
    ) -> Vec<String> {
        let target = name(target, self.names);
        let text = |value: &DynSolValue| show(value, self.names, Hashes::Full);
        let line = match (contract, &*function.name, arguments) {
            (Contract::Issuer, "mint", [to, amount]) => {
                format!("mints {} to {}", tokens(number(amount)), text(to))
            }
            (Contract::Issuer, "acceptAsset", []) => {
                format!("makes {target} the owner of the asset, as its owner has offered")
            }
            (Contract::Registry, "upgrade", [rollup]) => {
                format!("makes {} the canonical rollup, with the next version", text(rollup))
            }
            (Contract::RewardDistributor, "updateRegistry", [registry]) => format!(
                "rewards go to the canonical rollup of the Registry {} from then on",
                text(registry)
            ),
            (Contract::Rollup, "slash", [attester, amount]) => format!(
                "takes up to {} of the stake of {}, which stay in {target}",
                tokens(number(amount)),
                text(attester)
            ),
            (Contract::Governance, "updateGovernanceProposer", [proposals]) => format!(
                "replaces the Proposals contract with {}; what the old one pushed and wasn't executed is dropped",
                text(proposals)
            ),
            (Contract::Governance, "acceptOwnership", [owned]) => {
                format!("makes {target} the owner of {}, as its owner has offered", text(owned))
            }
            (Contract::Governance, "updateConfiguration", [configuration]) => {
                let title = "replaces the configuration for new proposals:".to_owned();
                return self.configuration(title, configuration);
            }
            (_, "transferOwnership", [owner]) => format!(
                "offers the ownership of {target} to {}, which has to accept it",
                text(owner)
            ),
            (_, "acceptOwnership", []) => {
                format!("makes Governance the owner of {target}, as its owner has offered")
            }
            (Contract::Expect, "canonicalIs", [registry, expected]) => format!(
                "fails unless {} is the canonical rollup of {}",
                text(expected),
                text(registry)
            ),
            (Contract::Expect, "ownerIs", [owned, owner]) => {
                format!("fails unless {} is the owner of {}", text(owner), text(owned))
            }
            (Contract::Expect, "proposalsIs", [governance, proposals]) => format!(
                "fails unless {} is the Proposals contract of {}",
                text(proposals),
                text(governance)
            ),
            (Contract::Expect, "codeHashIs", [account, hash]) => {
                format!("fails unless the code of {} has the hash {}", text(account), text(hash))
            }
            (Contract::Expect, "createdBy", [account, factory, ..]) => format!(
                "fails unless {} was created by {} from this code and salt",
                text(account),
                text(factory)
            ),
            (Contract::Expect, "configurationIs", [governance, configuration]) => {
                let title =
                    format!("fails unless the configuration of {} is this:", text(governance));
                return self.configuration(title, configuration);
            }
            _ => return self.arguments(&target, function, arguments),
        };
        vec![line]
    }

    /// A function without a sentence of its own, with its arguments by name.
    fn arguments(
        &self,
        target: &str,
        function: &Function,
        arguments: &[DynSolValue],
    ) -> Vec<String> {
        let title = format!("Governance itself calls {} of {target}", function.name);
        let arguments = function.inputs.iter().zip(arguments).map(|(input, value)| {
            let shown = match &*input.name {
                "amount" => tokens(number(value)),
                "deadline" => time(number(value)),
                _ => show(value, self.names, Hashes::Full),
            };
            format!("  {:<18} {shown}", input.name)
        });
        [title].into_iter().chain(arguments).collect()
    }

    /// The fields of a configuration, compared with the values in force.
    fn configuration(&self, title: String, found: &DynSolValue) -> Vec<String> {
        let mut leaves = Vec::new();
        flatten(found, &mut leaves);
        let in_force = self.configuration.map(fields);
        let rows = FIELDS.iter().zip(leaves).enumerate();
        let rows = rows.map(|(position, ((label, unit), found))| {
            let before = in_force.as_ref().and_then(|values| values.get(position)).copied();
            let shown = unit(found);
            match before.map(U256::from) {
                None => format!("  {label:<18} {shown}"),
                Some(before) if Some(before) == found => {
                    format!("  {label:<18} {shown}, as in force now")
                }
                Some(before) => format!("* {label:<18} {} → {shown}", unit(Some(before))),
            }
        });
        let legend =
            in_force.map(|_| "  (* differs from the configuration in force now)".to_owned());
        [title].into_iter().chain(rows).chain(legend).collect()
    }
}

type Unit = fn(Option<U256>) -> String;

/// The fields of a configuration in the order of the ABI, with the functions that show them.
const FIELDS: [(&str, Unit); 9] = [
    ("lock delay", duration),
    ("lock amount", tokens),
    ("voting delay", duration),
    ("voting duration", duration),
    ("execution delay", duration),
    ("grace period", duration),
    ("quorum", percent),
    ("vote differential", percent),
    ("minimum votes", tokens),
];

/// The values of [`FIELDS`], in that order.
fn fields(configuration: &Configuration) -> [u128; 9] {
    [
        configuration.propose_config.lock_delay.get().into(),
        configuration.propose_config.lock_amount.get(),
        configuration.voting_delay.get().into(),
        configuration.voting_duration.get().into(),
        configuration.execution_delay.get().into(),
        configuration.grace_period.get().into(),
        configuration.quorum.get().into(),
        configuration.vote_differential.get().into(),
        configuration.minimum_votes.get(),
    ]
}

fn flatten(value: &DynSolValue, leaves: &mut Vec<Option<U256>>) {
    match value {
        DynSolValue::Tuple(values) | DynSolValue::CustomStruct { tuple: values, .. } => {
            values.iter().for_each(|value| flatten(value, leaves))
        }
        value => leaves.push(number(value)),
    }
}

fn number(value: &DynSolValue) -> Option<U256> {
    value.as_uint().map(|(number, _)| number)
}

/// A quantity, or the bare number if it is out of range.
fn quantity<T>(
    number: Option<U256>,
    noun: &str,
    range: &str,
    new: impl Fn(u128) -> Option<T>,
    show: impl Fn(T) -> String,
) -> String {
    let Some(number) = number else { return "no number".to_owned() };
    let found = u128::try_from(number).ok().and_then(new);
    found.map_or_else(|| format!("{number} {noun}, more than {range}"), show)
}

fn tokens(number: Option<U256>) -> String {
    quantity(number, "base units", "any supply", Amount::new, text::tokens)
}

fn duration(number: Option<U256>) -> String {
    let new = |seconds| u64::try_from(seconds).ok().and_then(Seconds::new);
    quantity(number, "s", "any duration", new, |seconds| Duration(seconds).to_string())
}

fn time(number: Option<U256>) -> String {
    let new = |seconds| u64::try_from(seconds).ok().and_then(Timestamp::new);
    quantity(number, "s since 1970", "any time", new, |time| Time(time).to_string())
}

fn percent(number: Option<U256>) -> String {
    let new = |parts| u64::try_from(parts).ok().and_then(Fraction::new);
    quantity(number, "parts of 10^18", "100 %", new, |share| Percent::of(share).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_dyn_abi::JsonAbiExt as _;
    use alloy_json_abi::StateMutability;
    use alloy_primitives::Bytes;
    use alloy_sol_types::SolCall;
    use canon_abi::{Asset, Expect, Governance, Issuer, Registry, Rollup};
    use canon_protocol::ProposeConfiguration;

    const TOKEN: u128 = 1_000_000_000_000_000_000;

    const fn at(byte: u8) -> Address {
        Address::repeat_byte(byte)
    }

    const CONTRACTS: [(Address, Contract); 8] = [
        (at(1), Contract::Expect),
        (at(2), Contract::Registry),
        (at(3), Contract::Rollup),
        (at(4), Contract::Governance),
        (at(5), Contract::Issuer),
        (at(6), Contract::Asset),
        (at(7), Contract::RewardDistributor),
        (at(10), Contract::Proposals),
    ];

    fn lines(target: Address, data: Vec<u8>, configuration: Option<&Configuration>) -> Vec<String> {
        let names = CONTRACTS.map(|(address, contract)| (address, contract.to_string())).into();
        let roles = CONTRACTS.iter().filter_map(|(at, one)| Some((*at, one.role()?))).collect();
        let set = KnownSet { roles: &roles, names: &names, configuration };
        explain(&Action { target, data: Bytes::from(data) }, &set)
    }

    #[test]
    fn amounts_are_tokens() {
        let mint =
            |amount: U256| lines(at(5), Issuer::mintCall { to: at(9), amount }.abi_encode(), None);
        let to = at(9);
        for (amount, shown) in [
            (U256::ZERO, "0 tokens"),
            (U256::from(TOKEN), "1 token"),
            (U256::from(1000 * TOKEN), "1,000 tokens"),
            (U256::from(Amount::MAX.get()), "79,228,162,514.264337593543950335 tokens"),
            (
                U256::from(Amount::MAX.get() + 1),
                "79228162514264337593543950336 base units, more than any supply",
            ),
        ] {
            assert_eq!(mint(amount), [format!("mints {shown} to {to}")]);
        }
        let slash = Rollup::slashCall { attester: to, amount: U256::from(7 * TOKEN) };
        assert_eq!(
            lines(at(3), slash.abi_encode(), None),
            [format!("takes up to 7 tokens of the stake of {to}, which stay in Rollup")]
        );
    }

    fn in_force() -> Configuration {
        Configuration {
            propose_config: ProposeConfiguration {
                lock_delay: Seconds::DAY,
                lock_amount: Amount::TOKEN,
            },
            voting_delay: Seconds::HOUR,
            voting_duration: Seconds::HOUR,
            execution_delay: Seconds::HOUR,
            grace_period: Seconds::DAY,
            quorum: Fraction::percent(20),
            vote_differential: Fraction::ZERO,
            minimum_votes: Amount::TOKEN,
        }
    }

    #[test]
    fn each_field_of_a_configuration_is_named_and_compared() {
        let mut proposed = Governance::Configuration::from(in_force());
        proposed.quorum = U256::from(Fraction::percent(10).get());
        proposed.votingDelay = U256::MAX;
        let data = Governance::updateConfigurationCall { configuration: proposed }.abi_encode();
        let compared = lines(at(4), data.clone(), Some(&in_force()));
        let max = U256::MAX;
        assert_eq!(
            compared,
            [
                "replaces the configuration for new proposals:",
                "  lock delay         1 d, as in force now",
                "  lock amount        1 token, as in force now",
                &format!("* voting delay       1 h → {max} s, more than any duration"),
                "  voting duration    1 h, as in force now",
                "  execution delay    1 h, as in force now",
                "  grace period       1 d, as in force now",
                "* quorum             20 % → 10 %",
                "  vote differential  0 %, as in force now",
                "  minimum votes      1 token, as in force now",
                "  (* differs from the configuration in force now)",
            ]
        );
        let alone = lines(at(4), data, None);
        assert!(alone.contains(&"  quorum             10 %".to_owned()), "{alone:?}");
        assert_eq!(alone.len(), 10, "{alone:?}");
    }

    #[test]
    fn unknown_targets_and_functions_are_said_to_be_unknown_with_all_data() {
        let mint = Issuer::mintCall { to: at(3), amount: U256::from(7) }.abi_encode();
        let canonical = Expect::canonicalIsCall { registry: at(2), expected: at(3) }.abi_encode();
        let transfer = Asset::transferCall { to: at(3), amount: U256::from(7) }.abi_encode();
        for target in [at(8), at(2)] {
            for data in [&mint, &transfer, &canonical] {
                let shown = lines(target, data.clone(), None);
                assert!(shown[0].starts_with("unknown "), "{shown:?}");
                let call = crate::describe(
                    &Action { target, data: data.clone().into() },
                    at(1),
                    &BTreeMap::new(),
                    Hashes::Full,
                );
                let all = format!("{call} {}", shown.join(" "));
                assert!(all.contains(&hex::encode(data)), "{all}");
            }
        }
        let mut longer = Registry::upgradeCall { rollup: at(3) }.abi_encode();
        longer.push(0);
        assert!(lines(at(2), longer, None)[0].contains("its effect isn't known"));
        assert!(lines(at(2), vec![1, 2, 3], None)[0].starts_with("no selector"));
    }

    /// The functions without a sentence of their own: Governance owns no contract that restricts them to it. Any other
    /// function that changes the state needs a sentence, also one that is renamed.
    const WITHOUT_SENTENCE: [&str; 30] = [
        "Rollup.deposit",
        "Rollup.finaliseMove",
        "Rollup.finaliseMove",
        "Rollup.finaliseWithdraw",
        "Rollup.initiateMove",
        "Rollup.initiateWithdraw",
        "Rollup.proposeBlock",
        "Rollup.setCoinbase",
        "Rollup.setupEpoch",
        "Governance.deposit",
        "Governance.depositWithPermit",
        "Governance.dropProposal",
        "Governance.execute",
        "Governance.executeWith",
        "Governance.finaliseWithdraw",
        "Governance.initiateWithdraw",
        "Governance.invalidateBallots",
        "Governance.propose",
        "Governance.proposeWithLock",
        "Governance.vote",
        "Governance.voteWithSig",
        "Asset.approve",
        "Asset.mint",
        "Asset.permit",
        "Asset.transfer",
        "Asset.transferFrom",
        "RewardDistributor.claim",
        "Proposals.pushProposal",
        "Proposals.vote",
        "Proposals.voteWithSig",
    ];

    #[test]
    fn every_function_that_only_the_owner_may_call_has_a_sentence() {
        let mut without_sentence = Vec::new();
        for (target, contract) in CONTRACTS {
            for function in contract.artifact().abi().functions() {
                let zeros = vec![0; 32 * 24];
                let Ok(values) = function.abi_decode_input(&zeros) else { panic!("{function:?}") };
                let data = function.abi_encode_input(&values).unwrap();
                let shown = lines(target, data, None);
                let words = shown.join("\n");
                let name = format!("{contract}.{}", function.name);
                assert!(!shown.is_empty() && !words.contains("known"), "{name}: {words}");
                let is_view = function.state_mutability != StateMutability::NonPayable;
                if words.starts_with("Governance itself calls") && !is_view {
                    without_sentence.push(name);
                }
            }
        }
        assert_eq!(without_sentence, WITHOUT_SENTENCE);
    }

    #[test]
    fn every_assertion_of_expect_has_a_sentence() {
        for function in Contract::Expect.artifact().abi().functions() {
            let values = function.abi_decode_input(&vec![0; 32 * 24]).unwrap();
            let shown = lines(at(1), function.abi_encode_input(&values).unwrap(), None);
            assert!(shown[0].starts_with("fails unless "), "{}: {shown:?}", function.name);
        }
    }
}
