//! Calls that depend on what other calls of the same transaction have done.

use crate::{
    messages::{Call, Log},
    outside::{Action, Reaction},
    refusal::Refusal,
    scene::{Decision, Scene},
    world::World,
};
use alloy_primitives::{Address, Bytes};

/// A copy of the world in which calls are made one after the other, each on what the earlier ones
/// left behind. Nothing of it becomes true unless its events do.
pub(crate) struct Stage<'a> {
    scene: Scene<'a>,
    world: World,
    logs: Vec<Log>,
}

impl<'a> Stage<'a> {
    pub(crate) fn new(scene: Scene<'a>) -> Self {
        Self { scene, world: scene.world.clone(), logs: Vec::new() }
    }

    /// The scene as it is by now.
    pub(crate) const fn scene(&self) -> Scene<'_> {
        Scene { world: &self.world, ..self.scene }
    }

    /// The world as it is by now.
    pub(crate) const fn world(&self) -> &World {
        &self.world
    }

    /// What was decided becomes true here.
    pub(crate) fn apply(&mut self, logs: Vec<Log>) {
        for log in &logs {
            self.world
                .apply(log, self.scene.block)
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
        let logs = perform(self.scene.staged(&self.world, caller, target), data)?;
        self.apply(logs);
        Ok(())
    }

    pub(crate) fn into_logs(self) -> Vec<Log> {
        self.logs
    }
}

/// A message call with calldata, as contracts make it: to a contract of the set or to any other.
pub(crate) fn perform(scene: Scene<'_>, data: &Bytes) -> Decision {
    if let Some(role) = scene.world.role_of(scene.this) {
        return match Call::abi_decode(role, data) {
            Some(call) => scene.world.dispatch(scene, &call),
            None if scene.is_question(data) => Ok(Vec::new()),
            None => Err(Refusal::Empty),
        };
    }
    match scene.outside.call(scene.caller, scene.this, data) {
        Reaction::Reverts(reason) if reason.is_empty() => Err(Refusal::Empty),
        Reaction::Reverts(reason) => Err(Refusal::Foreign(reason)),
        Reaction::Calls(calls) if calls.is_empty() => Ok(Vec::new()),
        Reaction::Calls(calls) => {
            let mut stage = Stage::new(scene);
            for Action { target, data } in calls {
                stage.call(scene.this, target, &data)?;
            }
            Ok(stage.into_logs())
        }
    }
}
