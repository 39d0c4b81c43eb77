//! Folding what a chain says, whatever happens on the way.

mod checkpoints;
mod faults;
mod histories;
mod network;
mod reorganizations;
mod support;
