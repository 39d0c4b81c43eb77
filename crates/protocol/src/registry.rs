//! Registry: the append-only list of rollups; the newest is canonical.

use crate::{
    abi::{abi_enum, abi_events},
    apply_error::{Applied, require_next},
    call_frame::{CallFrame, Decision, L1Block},
    questions,
    stored::{Restored, require, stored},
    units::{BlockNumber, Version},
};
use alloy_primitives::{Address, U256, address, map::AddressMap};
use serde::{Deserialize, Serialize};

/// The address of version 0, which stands for no rollup.
pub const SENTINEL: Address = address!("0x000000000000000000000000000000000000dEaD");

/// A rollup and the L1 block in which it became canonical.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The rollup, or the [`SENTINEL`] for version 0.
    pub rollup: Address,
    /// The block of its upgrade.
    pub block_number: BlockNumber,
}

/// State of the Registry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Registry {
    snapshots: Vec<Snapshot>,
    /// The version of each rollup.
    #[serde(skip)]
    versions: AddressMap<Version>,
}

stored!(Registry);

abi_enum! {
    /// Calls of the Registry.
    pub enum RegistryCall {
        /// Makes `rollup` canonical. Only the owner (Governance).
        Upgrade { rollup: Address } = "upgrade",
    }
}

abi_events! {
    /// Events of the Registry.
    pub enum RegistryEvent {
        /// `instance` became canonical as `version`; the constructor adds the sentinel.
        InstanceAdded [instance: Address, version: Version] {} = "InstanceAdded",
    }
}

abi_enum! {
    /// Refusals of the Registry.
    #[derive(thiserror::Error)]
    pub enum RegistryRefusal {
        /// `rollup` is listed already, as `version`.
        #[error("{rollup} is listed already, as version {version}")]
        AlreadyRegistered { rollup: Address, version: U256 } = "Registry__AlreadyRegistered",
        /// `rollup` is not listed.
        #[error("{rollup} is not listed")]
        NotRegistered { rollup: Address } = "Registry__NotRegistered",
    }
}

impl Registry {
    /// The canonical rollup, or the [`SENTINEL`] before the first upgrade.
    pub fn rollup(&self) -> Address {
        self.current_snapshot().rollup
    }

    /// The snapshot of the canonical rollup.
    pub fn current_snapshot(&self) -> Snapshot {
        let sentinel = Snapshot { rollup: SENTINEL, block_number: BlockNumber::ZERO };
        self.snapshots.last().copied().unwrap_or(sentinel)
    }

    /// The snapshot of `version`, or `None` if there is none.
    pub fn snapshot(&self, version: Version) -> Option<Snapshot> {
        self.snapshots.get(usize::try_from(version.get()).ok()?).copied()
    }

    /// All versions, the sentinel included.
    pub fn snapshots(&self) -> &[Snapshot] {
        &self.snapshots
    }

    /// The number of versions, the sentinel included.
    pub const fn number_of_versions(&self) -> u64 {
        self.snapshots.len() as u64
    }

    /// The version of `rollup`, if it is listed.
    pub fn version_for(&self, rollup: Address) -> Result<Version, RegistryRefusal> {
        self.versions.get(&rollup).copied().ok_or(RegistryRefusal::NotRegistered { rollup })
    }

    fn restore(&mut self) -> Restored {
        let versions = (0..).map(Version::of).zip(&self.snapshots);
        self.versions = versions.map(|(version, snapshot)| (snapshot.rollup, version)).collect();
        require(self.versions.len() == self.snapshots.len(), || {
            "the Registry lists a rollup twice".to_owned()
        })
    }

    pub(crate) fn evolve(&mut self, event: &RegistryEvent, block: L1Block) -> Applied {
        let RegistryEvent::InstanceAdded { instance, version } = event;
        require_next("version", self.number_of_versions(), version.get())?;
        self.snapshots.push(Snapshot { rollup: *instance, block_number: block.number });
        self.versions.insert(*instance, *version);
        Ok(())
    }
}

pub(crate) fn decide(frame: CallFrame<'_>, call: &RegistryCall) -> Decision {
    let RegistryCall::Upgrade { rollup } = *call;
    frame.require_owner()?;
    let registry = &frame.set.registry;
    if let Ok(version) = registry.version_for(rollup) {
        let version = version.to_word();
        return Err(RegistryRefusal::AlreadyRegistered { rollup, version }.into());
    }
    frame.require_code(rollup)?;
    frame.word(rollup, questions::CURRENT_SLOT)?;
    frame.address_word(rollup, questions::CURRENT_PROPOSER)?;
    let version = Version::of(registry.number_of_versions());
    Ok(vec![frame.log(RegistryEvent::InstanceAdded { instance: rollup, version })])
}
