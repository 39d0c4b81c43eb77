//! The rules and the bytecode, in step.

mod histories;
mod shrinking;
