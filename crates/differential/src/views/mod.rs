//! The whole state, read through every view of every contract and compared with the rules' state.
//! Views are also asked what they refuse.

mod governance;
mod money;
mod rollup;
mod signals;

use crate::{coverage::Coverage, mismatch::Mismatch};
use alloy_primitives::{Address, U256, hex};
use alloy_sol_types::SolCall;
use canon_abi::Registry as Owned;
use canon_devchain::Devchain;
use canon_protocol::{ExternalContracts, Refusal, SetState, Timestamp};
use std::collections::BTreeSet;

/// Asks the chain at its head, which is at `now`.
pub(crate) fn compare(
    chain: &Devchain,
    set: &SetState,
    external: &dyn ExternalContracts,
    now: Timestamp,
    coverage: &mut Coverage,
) -> Result<(), Mismatch> {
    let mut views = Views { chain, set, external, now, coverage };
    views.money()?;
    views.registry()?;
    views.governance()?;
    for (address, rollup) in set.rollups() {
        views.rollup(address, rollup)?;
    }
    for (address, proposals) in set.all_proposals() {
        views.proposals(address, proposals)?;
    }
    Ok(())
}

struct Views<'a> {
    chain: &'a Devchain,
    set: &'a SetState,
    external: &'a dyn ExternalContracts,
    now: Timestamp,
    coverage: &'a mut Coverage,
}

impl Views<'_> {
    /// `at` answers `call` as the rules say.
    fn same<C: SolCall>(
        &mut self,
        at: Address,
        call: C,
        answer: C::Return,
    ) -> Result<(), Mismatch> {
        self.ask(at, call, Ok(answer))
    }

    /// `at` answers `call`, or refuses to, as the rules say.
    fn ask<C: SolCall>(
        &mut self,
        at: Address,
        call: C,
        rules: Result<C::Return, Refusal>,
    ) -> Result<(), Mismatch> {
        self.coverage.views += 1;
        let expected = match &rules {
            Ok(answer) => Ok(C::abi_encode_returns(answer).into()),
            Err(refusal) => {
                self.coverage.refused(refusal);
                Err(refusal.abi_encode())
            }
        };
        let found = self.chain.read(at, call.abi_encode())?;
        if found == expected {
            return Ok(());
        }
        let show = |answer: Result<_, alloy_primitives::Bytes>| match answer {
            Ok(answer) => hex::encode_prefixed(answer),
            Err(refusal) => format!("refuse: {}", Refusal::abi_decode(&refusal)),
        };
        Err(Mismatch::View {
            view: format!("{} {}", C::SIGNATURE, hex::encode_prefixed(&call.abi_encode()[4..])),
            contract: at,
            rules: show(expected),
            bytecode: show(found),
        })
    }

    /// Who owns `contract`, and who may take it.
    fn ownership(&mut self, contract: Address) -> Result<(), Mismatch> {
        let ownership = self.set.ownership(contract);
        self.same(contract, Owned::ownerCall {}, ownership.owner())?;
        self.same(contract, Owned::pendingOwnerCall {}, ownership.pending_owner())
    }

    /// Everybody who has or had something.
    fn people(&self) -> BTreeSet<Address> {
        let balances = self.set.asset().balances().map(|(holder, _)| holder);
        let holders = self.set.governance().holders().map(|(holder, _)| holder);
        balances.chain(holders).chain([Address::ZERO]).collect()
    }
}

fn number(number: usize) -> U256 {
    U256::from(number)
}
