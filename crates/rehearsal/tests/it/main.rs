//! Rehearsals as a whole: every committed scenario, determinism, and checks that can fail.

mod bad_files;
mod checks;
mod determinism;
mod scenarios;
mod support;
