//! States that are stored and read back.
//!
//! Values that follow from others aren't stored but derived again. The others are checked, so that every
//! property that the functions rely on holds even for a damaged or forged state.

use crate::{
    messages::Role, pending::Pending, proposals::Pushed, set_state::SetState, units::ProposalId,
};
use alloy_primitives::Address;

/// Implements serde's traits for types with `#[serde(remote = "Self")]`. `restore` derives the values that
/// aren't stored, and refuses a state that no events lead to.
macro_rules! stored {
    ($($name:ty),*) => {$(
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                Self::serialize(self, serializer)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                #[allow(unused_mut, reason = "some types have nothing to derive")]
                let mut stored = Self::deserialize(deserializer)?;
                stored.restore().map_err(serde::de::Error::custom)?;
                Ok(stored)
            }
        }
    )*};
}
pub(crate) use stored;

stored!(SetState);

/// The result of checking a stored state. The error says what is wrong with it.
pub(crate) type Restored = Result<(), String>;

/// Returns the error `why` unless `holds`.
pub(crate) fn require(holds: bool, why: impl FnOnce() -> String) -> Restored {
    if holds { Ok(()) } else { Err(why()) }
}

/// Serialization of hash maps as lists of entries, sorted by key.
pub(crate) mod sorted {
    use alloy_primitives::map::HashMap;
    use core::hash::{BuildHasher, Hash};
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    pub(crate) fn serialize<K, V, H, S>(
        map: &HashMap<K, V, H>,
        serializer: S,
    ) -> Result<S::Ok, S::Error>
    where
        K: Serialize + Ord,
        V: Serialize,
        S: Serializer,
    {
        let mut entries: Vec<_> = map.iter().collect();
        entries.sort_unstable_by_key(|(key, _)| *key);
        serializer.collect_seq(entries)
    }

    pub(crate) fn deserialize<'de, K, V, H, D>(
        deserializer: D,
    ) -> Result<HashMap<K, V, H>, D::Error>
    where
        K: Deserialize<'de> + Eq + Hash,
        V: Deserialize<'de>,
        H: BuildHasher + Default,
        D: Deserializer<'de>,
    {
        let entries = Vec::<(K, V)>::deserialize(deserializer)?;
        let count = entries.len();
        let map: HashMap<K, V, H> = entries.into_iter().collect();
        if map.len() == count { Ok(map) } else { Err(D::Error::custom("a key is there twice")) }
    }
}

impl SetState {
    /// Checks that the states of the contracts fit each other. Each of them has been checked on its own.
    fn restore(&self) -> Restored {
        let at = *self.addresses();
        for (contract, rollup) in self.rollups() {
            require(rollup.parameters().asset == at.asset, || {
                format!("rollup {contract} is of another asset")
            })?;
            require(rollup.clock().genesis <= self.block().timestamp, || {
                format!("rollup {contract} has a genesis after the newest block")
            })?;
        }
        for (contract, proposals) in self.all_proposals() {
            require(proposals.registry() == at.registry, || {
                format!("Proposals {contract} is of another Registry")
            })?;
            for (payload, id) in proposals.latest_proposals() {
                require(self.is_proposal_of(id, |proposed| proposed == payload), || {
                    format!("payload {payload} was pushed as proposal {id}, which isn't its")
                })?;
            }
            for tally in proposals.instances().flat_map(|instance| proposals.rounds(instance)) {
                if let (round, Some(Pushed::Proposal(id))) = (tally.0, tally.1.pushed) {
                    require(self.is_proposal_of(id, |_| true), || {
                        format!("round {round} was pushed as proposal {id}, which doesn't exist")
                    })?;
                }
            }
        }
        for contract in self.owners.keys() {
            require(self.role_of(*contract).is_some_and(Role::is_owned), || {
                format!("{contract} has an owner, but is no contract of the set that has one")
            })?;
        }
        self.pending.as_ref().map_or(Ok(()), |pending| self.check_pending(pending))
    }

    /// Whether proposal `id` exists and `is_its` holds for its payload.
    fn is_proposal_of(&self, id: ProposalId, is_its: impl FnOnce(Address) -> bool) -> bool {
        let proposal = self.governance.proposal(id.to_word());
        proposal.is_ok_and(|(_, proposal)| is_its(proposal.payload()))
    }

    /// Checks that the pending facts belong to the next entries, and to contracts of the set.
    fn check_pending(&self, pending: &Pending) -> Restored {
        let governance = &self.governance;
        let is_known = |contract: &Address| self.proposals.contains_key(contract);
        let fits = match pending {
            Pending::Withdrawal { id, .. } => id.get() == governance.withdrawals().len() as u64,
            Pending::Proposal { id, push, .. } => {
                id.get() == governance.proposals().len() as u64
                    && push.is_none_or(|push| is_known(&push.proposals))
            }
            Pending::Push(push) => is_known(&push.proposals),
            Pending::Pin { proposals, .. } | Pending::Signal { proposals, .. } => {
                is_known(proposals)
            }
        };
        require(fits, || format!("what is pending doesn't fit the state: {pending:?}"))
    }
}
