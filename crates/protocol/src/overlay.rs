//! Calls that depend on what other calls of the same transaction have done.

use crate::{
    call_frame::{CallFrame, Decision},
    external::{Action, Reaction},
    messages::{Call, Log},
    refusal::Refusal,
    set_state::SetState,
};
use alloy_primitives::{Address, Bytes};

/// A copy of the state in which calls are made one after the other, each on what the earlier ones
/// left behind. Nothing of it becomes true unless its events do.
pub(crate) struct Overlay<'a> {
    frame: CallFrame<'a>,
    set: SetState,
    logs: Vec<Log>,
}

impl<'a> Overlay<'a> {
    pub(crate) fn new(frame: CallFrame<'a>) -> Self {
        // Calls are made between transactions, when every event is complete.
        let mut set = frame.set.clone();
        set.pending = None;
        Self { frame, set, logs: Vec::new() }
    }

    /// The frame in the state reached so far.
    pub(crate) const fn frame(&self) -> CallFrame<'_> {
        CallFrame { set: &self.set, ..self.frame }
    }

    /// The state reached so far.
    pub(crate) const fn set(&self) -> &SetState {
        &self.set
    }

    /// Applies a decision to the copy.
    pub(crate) fn apply(&mut self, logs: Vec<Log>) {
        for log in &logs {
            self.set
                .apply(log, self.frame.block)
                .expect("what was decided fits the state it was decided on");
        }
        self.logs.extend(logs);
    }

    /// `caller` calls `target`. If that reverts, nothing has happened.
    pub(crate) fn call(
        &mut self,
        caller: Address,
        target: Address,
        data: &Bytes,
    ) -> Result<(), Refusal> {
        let logs = perform(self.frame.staged(&self.set, caller, target), data)?;
        self.apply(logs);
        Ok(())
    }

    pub(crate) fn into_logs(self) -> Vec<Log> {
        self.logs
    }
}

/// A message call with calldata, as contracts make it: to a contract of the set or to any other.
pub(crate) fn perform(frame: CallFrame<'_>, data: &Bytes) -> Decision {
    if let Some(role) = frame.set.role_of(frame.this) {
        return match Call::abi_decode(role, data) {
            Some(call) => frame.set.dispatch(frame, &call),
            None if frame.is_question(data) => Ok(Vec::new()),
            None => Err(Refusal::Empty),
        };
    }
    match frame.external.call(frame.caller, frame.this, data) {
        Reaction::Reverts(reason) if reason.is_empty() => Err(Refusal::Empty),
        Reaction::Reverts(reason) => Err(Refusal::Foreign(reason)),
        Reaction::Calls(calls) if calls.is_empty() => Ok(Vec::new()),
        Reaction::Calls(calls) => {
            let mut overlay = Overlay::new(frame);
            for Action { target, data } in calls {
                overlay.call(frame.this, target, &data)?;
            }
            Ok(overlay.into_logs())
        }
    }
}
