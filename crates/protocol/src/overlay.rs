//! Calls that depend on what other calls of the same transaction have done.

use crate::{
    call_frame::{CallFrame, Decision},
    external::{Action, Reaction},
    messages::{Call, Log},
    refusal::Refusal,
    set_state::SetState,
};
use alloy_primitives::{Address, Bytes};

/// A copy of the state on which calls are executed one after the other, each on the result of the earlier
/// ones. The original state doesn't change.
pub(crate) struct Overlay<'a> {
    frame: CallFrame<'a>,
    set: SetState,
    logs: Vec<Log>,
}

impl<'a> Overlay<'a> {
    pub(crate) fn new(frame: CallFrame<'a>) -> Self {
        // Calls start between transactions, when no event is pending.
        let mut set = frame.set.clone();
        set.pending = None;
        Self { frame, set, logs: Vec::new() }
    }

    /// The frame, with the state reached so far.
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

    /// Executes a call of `target` by `caller`. A call that reverts doesn't change the copy.
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

/// Decides a call with calldata, to a contract of the set or any other account.
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
