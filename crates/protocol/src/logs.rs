//! The decoding of a chain's logs into events of the set.

use crate::{
    constructor::Constructor,
    messages::{Event, Log},
    proposals::ProposalsEvent,
    rollup::RollupEvent,
    set_state::SetState,
};
use alloy_primitives::{Address, LogData, U256};

impl SetState {
    /// Decodes a log of `emitter` as the event that it is to the set after all earlier events. `None` if
    /// `emitter` isn't a contract of the set, or has no such event.
    ///
    /// A contract that isn't part of the set yet becomes one with the event `RollupDeployed` or
    /// `ProposalsDeployed`, if the event names this set and `is_genuine` confirms that the contract at the
    /// address was created by the constructor with these arguments. Any contract can emit the same event,
    /// so `is_genuine` has to check the code there, or how it was created. The owner event that a rollup's
    /// constructor emits before is no event of the set; `RollupDeployed` contains the owner too.
    pub fn decode_log(
        &self,
        emitter: Address,
        data: &LogData,
        is_genuine: &dyn Fn(Address, &Constructor) -> bool,
    ) -> Option<Log> {
        let event = match self.role_of(emitter) {
            Some(role) => Event::from_log_data(role, data)?,
            None => {
                let (event, constructor) = self.deployment(data)?;
                is_genuine(emitter, &constructor).then_some(event)?
            }
        };
        Some(Log { emitter, event })
    }

    /// The event of a new contract of this set, and the constructor that emits it.
    fn deployment(&self, data: &LogData) -> Option<(Event, Constructor)> {
        let at = self.addresses();
        if let Some(event) = RollupEvent::from_log_data(data) {
            let RollupEvent::Deployed { parameters } = &event else { return None };
            let constructor = Constructor::Rollup((**parameters).into());
            return (parameters.asset == at.asset).then(|| (event.into(), constructor));
        }
        let event = ProposalsEvent::from_log_data(data)?;
        let ProposalsEvent::Deployed { registry, n, m } = event else { return None };
        let constructor = Constructor::Proposals { registry, n: U256::from(n), m: U256::from(m) };
        (registry == at.registry).then(|| (event.into(), constructor))
    }
}
