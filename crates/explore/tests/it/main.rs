//! Tests of the explorer, and with it of the rules.

mod broken;
mod reduction;
mod worlds;
