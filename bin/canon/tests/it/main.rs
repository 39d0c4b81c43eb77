//! The program as its users meet it.

mod help;
mod rehearse;
mod support;
