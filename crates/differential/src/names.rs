//! Steps as people read them: with names in place of addresses, and lists of actions in place of the
//! code that returns them.

use crate::{
    genesis::KeyedAccounts,
    history::{RecordedAction, RecordedStep},
    lockstep::deployed_at,
};
use alloy_primitives::{Address, Bytes};
use alloy_sol_types::SolValue;
use canon_protocol::{Action, Call, Constructor, Role};
use canon_testkit::histories::{Behavior, Conduct, Program, Put, Step};

/// Roles of contracts with functions of their own.
const ROLES: [Role; 8] = [
    Role::Governance,
    Role::Proposals,
    Role::Rollup,
    Role::Registry,
    Role::Issuer,
    Role::Distributor,
    Role::Expect,
    Role::Asset,
];

/// The names of all accounts and contracts in some steps.
pub(crate) struct Names {
    accounts: KeyedAccounts,
    /// Accounts that have code from outside the set, and contracts that the steps deploy.
    others: Vec<(String, Address)>,
}

impl Names {
    pub(crate) fn new(steps: &[RecordedStep]) -> Self {
        let mut names = Self { accounts: KeyedAccounts::new(), others: Vec::new() };
        for recorded in steps {
            let RecordedAction::Step(step) = &recorded.action else { continue };
            match &**step {
                Step::Put(account, put) => {
                    names.add(payload(put).map_or("contract", |_| "payload"), *account)
                }
                Step::Deploy(constructor) => {
                    let kind = match constructor {
                        Constructor::Rollup(_) => "later rollup",
                        _ => "later Proposals",
                    };
                    names.add(kind, deployed_at(recorded.index, constructor));
                }
                _ => {}
            }
        }
        names
    }

    fn add(&mut self, kind: &str, address: Address) {
        let named = self.accounts.named(&address.to_string());
        if named != address.to_string() || self.others.iter().any(|(_, known)| *known == address) {
            return;
        }
        let number = self.others.iter().filter(|(name, _)| name.starts_with(kind)).count() + 1;
        self.others.push((format!("{kind} {number}"), address));
    }

    /// `text` with addresses replaced by names.
    pub(crate) fn named(&self, text: &str) -> String {
        let text = self.accounts.named(text);
        self.others.iter().fold(text, |text, (name, address)| {
            text.replace(&address.to_string(), name).replace(&format!("{address:?}"), name)
        })
    }
}

/// A description of `put`, as the code at an account.
pub(crate) fn shown(put: &Put) -> String {
    match payload(put) {
        Some(actions) => {
            let actions: Vec<_> = actions.iter().map(action).collect();
            format!("a payload of [{}]", actions.join(", "))
        }
        None => format!("{put:?}"),
    }
}

/// The list of actions of a program that is a plain payload.
fn payload(put: &Put) -> Option<Vec<Action>> {
    let Put::Program(Program { first, later: None }) = put else { return None };
    let [(_, Conduct::Answers(answer))] = &first.functions[..] else { return None };
    let list = <Vec<(Address, Bytes)>>::abi_decode_validate(answer).ok()?;
    let actions: Vec<_> = list.into_iter().map(|(target, data)| Action { target, data }).collect();
    (*first == Behavior::payload(&actions)).then_some(actions)
}

fn action(Action { target, data }: &Action) -> String {
    match ROLES.into_iter().find_map(|role| Call::abi_decode(role, data)) {
        Some(call) => format!("{target}: {call:?}"),
        None => format!("{target}: {data}"),
    }
}
