//! Executions that end early: because nobody waits for them any more, or because they take too long.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use revm::{
    Inspector,
    context_interface::{ContextError, ContextTr},
    interpreter::{Interpreter, InterpreterTypes, interpreter_types::LoopControl},
};

/// The reason why an execution has no result, as geth words it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("execution aborted: it took too long, or its client has gone")]
pub(crate) struct Stopped;

/// The means to stop an execution from another thread. Clones stop the same one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Watch(Option<Arc<AtomicBool>>);

impl Watch {
    /// A watch that can be stopped. That of the default can't be, and costs nothing.
    pub(crate) fn new() -> Self {
        Self(Some(Arc::default()))
    }

    pub(crate) fn stop(&self) {
        if let Some(stopped) = &self.0 {
            stopped.store(true, Ordering::Relaxed);
        }
    }

    /// Whether [`Self::stop`] can ever have an effect.
    pub(crate) const fn is_watched(&self) -> bool {
        self.0.is_some()
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.0.as_ref().is_some_and(|stopped| stopped.load(Ordering::Relaxed))
    }

    /// Whether to go on.
    pub(crate) fn check(&self) -> Result<(), Stopped> {
        if self.is_stopped() { Err(Stopped) } else { Ok(()) }
    }

    /// Stops the execution when the returned value is dropped.
    pub(crate) const fn stop_on_drop(&self) -> StopOnDrop<'_> {
        StopOnDrop(self)
    }
}

/// See [`Watch::stop_on_drop`].
#[derive(Debug)]
pub(crate) struct StopOnDrop<'a>(&'a Watch);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.stop();
    }
}

/// Asks before every instruction whether the execution was stopped.
impl<CTX: ContextTr, INTR: InterpreterTypes> Inspector<CTX, INTR> for &Watch {
    #[inline]
    fn step(&mut self, interpreter: &mut Interpreter<INTR>, context: &mut CTX) {
        if self.is_stopped() {
            abort(interpreter, context, &Stopped.to_string());
        }
    }
}

/// Ends the whole execution, not only the innermost call, with an error of this text.
#[cold]
pub(crate) fn abort<CTX: ContextTr, INTR: InterpreterTypes>(
    interpreter: &mut Interpreter<INTR>,
    context: &mut CTX,
    why: &str,
) {
    *context.error() = Err(ContextError::Custom(why.to_owned()));
    if interpreter.bytecode.is_not_end() {
        interpreter.halt_fatal();
    }
}
