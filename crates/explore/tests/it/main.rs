//! Tests of the explorer, and with it of the rules.

mod worlds;
