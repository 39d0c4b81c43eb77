//! The number of times that a run reached each call, refusal, event and state.

use alloy_primitives::Selector;
use canon_abi::Contract;
use canon_protocol::{Event, GovernanceRefusal, ProposalState, Refusal, Role};
use core::fmt;
use std::{collections::BTreeMap, sync::LazyLock};

/// Numbers of occurrences, by the name on chain.
pub type Counts = BTreeMap<String, u64>;

/// The calls, refusals, events and states that a run reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// The number of calls that were compared, deployments included.
    pub calls: u64,
    /// The number of these calls that succeeded.
    pub successes: u64,
    /// The number of these calls that the rules don't decide, because they depend on a contract that
    /// replaced one of the set.
    pub undecided: u64,
    /// Functions, with the number of calls of each that succeeded.
    pub functions: Counts,
    /// Custom errors, at any depth of the chain of calls, those of views included.
    pub refusals: Counts,
    /// Events.
    pub events: Counts,
    /// States of the newest proposals, recorded after every step.
    pub states: Counts,
    /// The number of answers of views that were compared.
    pub views: u64,
    /// The number of times that the chain was reverted to an earlier block and continued
    /// differently.
    pub reorgs: u64,
    /// The number of times that the whole state was compared.
    pub comparisons: u64,
}

/// Custom errors that no history can reach, and the reasons.
pub const UNREACHABLE: &[(&str, &str)] = &[
    ("Rollup__NotEnoughGasForReward", "depends on gas, of which the rules know nothing"),
    ("SafeERC20FailedOperation", "the Asset never answers false"),
    ("ERC20InvalidApprover", "nobody calls from address 0"),
    ("ERC20InvalidSender", "nobody calls from address 0"),
    ("ECDSAInvalidSignatureLength", "a permit's signature has no length"),
    ("InvalidShortString", "the names of the EIP-712 domains are short"),
    ("StringTooLong", "the names of the EIP-712 domains are short"),
];

/// The names of all custom errors of the set, by selector.
static ERRORS: LazyLock<BTreeMap<Selector, String>> = LazyLock::new(|| {
    let contracts = Contract::ALL.iter().filter(|contract| contract.role().is_some());
    contracts
        .flat_map(|contract| contract.artifact().abi().errors())
        .map(|error| (error.selector(), error.name.clone()))
        .collect()
});

impl Coverage {
    /// Adds the coverage of another run.
    pub fn add(&mut self, other: &Self) {
        self.calls += other.calls;
        self.successes += other.successes;
        self.undecided += other.undecided;
        self.views += other.views;
        self.reorgs += other.reorgs;
        self.comparisons += other.comparisons;
        for (ours, theirs) in [
            (&mut self.functions, &other.functions),
            (&mut self.refusals, &other.refusals),
            (&mut self.events, &other.events),
            (&mut self.states, &other.states),
        ] {
            for (name, count) in theirs {
                *ours.entry(name.clone()).or_default() += count;
            }
        }
    }

    /// Returns the custom errors of the set that the run didn't reach, without those in
    /// [`UNREACHABLE`].
    pub fn missing_refusals(&self) -> Vec<&'static str> {
        let unreachable = |name: &str| UNREACHABLE.iter().any(|(known, _)| *known == name);
        let mut missing: Vec<_> = ERRORS
            .values()
            .map(String::as_str)
            .filter(|name| !self.refusals.contains_key(*name) && !unreachable(name))
            .collect();
        missing.sort_unstable();
        missing.dedup();
        missing
    }

    /// Returns the events of the set that the run didn't reach.
    pub fn missing_events(&self) -> Vec<String> {
        let contracts = Contract::ALL.iter().filter(|contract| contract.role().is_some());
        contracts
            .flat_map(|contract| {
                let events = contract.artifact().abi().events();
                events.map(move |event| format!("{contract}.{}", event.name))
            })
            .filter(|name| {
                !self.events.contains_key(name) && !name.ends_with(".EIP712DomainChanged")
            })
            .collect()
    }

    /// Returns the states in which no proposal was observed.
    pub fn missing_states(&self) -> Vec<ProposalState> {
        let seen = |state: &ProposalState| self.states.contains_key(&state.to_string());
        ProposalState::ALL.into_iter().filter(|state| !seen(state)).collect()
    }

    pub(crate) fn refused(&mut self, refusal: &Refusal) {
        let name = match refusal {
            Refusal::Empty => "(no data)".to_owned(),
            Refusal::Foreign(_) => "(data of a contract outside the set)".to_owned(),
            Refusal::OutsideTheSet(_) => return,
            known => {
                let data = known.abi_encode();
                ERRORS.get(&data[..4]).cloned().unwrap_or_else(|| data.to_string())
            }
        };
        count(&mut self.refusals, name);
        // The reason of a failed action counts as well.
        if let Refusal::Governance(GovernanceRefusal::ActionFailed { reason, .. }) = refusal {
            self.refused(&Refusal::abi_decode(reason));
        }
    }

    pub(crate) fn emitted(&mut self, role: Role, event: &Event) {
        let topic = event.to_log_data().topics()[0];
        let contract = Contract::ALL.iter().find(|contract| contract.role() == Some(role));
        let Some(contract) = contract else { return };
        let mut events = contract.artifact().abi().events();
        let Some(event) = events.find(|known| known.selector() == topic) else { return };
        count(&mut self.events, format!("{contract}.{}", event.name));
    }

    pub(crate) fn called(&mut self, role: Option<Role>, data: &[u8], succeeded: bool) {
        self.calls += 1;
        if !succeeded {
            return;
        }
        self.successes += 1;
        let contract =
            Contract::ALL.iter().find(|contract| role.is_some() && contract.role() == role);
        let name = contract.zip(data.get(..4)).and_then(|(contract, selector)| {
            let mut functions = contract.artifact().abi().functions();
            let function = functions.find(|known| known.selector() == *selector)?;
            Some(format!("{contract}.{}", function.name))
        });
        count(&mut self.functions, name.unwrap_or_else(|| "(others)".to_owned()));
    }

    pub(crate) fn observed_state(&mut self, state: ProposalState) {
        count(&mut self.states, state.to_string());
    }
}

fn count(counts: &mut Counts, name: String) {
    *counts.entry(name).or_default() += 1;
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let share = 100 * self.successes / self.calls.max(1);
        writeln!(f, "{} calls, of which {share} % succeeded", self.calls)?;
        writeln!(f, "{} calls that the rules don't decide", self.undecided)?;
        writeln!(f, "{} reorganizations", self.reorgs)?;
        writeln!(f, "{} whole states, {} answers of views", self.comparisons, self.views)?;
        for (title, counts) in [
            ("States of proposals", &self.states),
            ("Calls that succeeded", &self.functions),
            ("Events", &self.events),
            ("Refusals", &self.refusals),
        ] {
            writeln!(f, "\n{title}")?;
            for (name, count) in counts {
                writeln!(f, "  {count:>9}  {name}")?;
            }
        }
        writeln!(f, "\nRefusals that no history reaches")?;
        for (name, why) in UNREACHABLE {
            writeln!(f, "  {name}: {why}")?;
        }
        Ok(())
    }
}
