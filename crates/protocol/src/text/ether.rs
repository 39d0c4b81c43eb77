//! Ether, the unit of fees, and gwei, the unit of gas prices: `1.5`, `0.000000001`.

use super::digits;
use alloy_primitives::U256;
use core::fmt;

/// An amount of wei in ether, with as many decimals as necessary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ether(U256);

/// A price in wei per gas, in gwei, with as many decimals as necessary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gwei(u128);

/// Formats an amount of wei as ether.
pub const fn ether(wei: U256) -> Ether {
    Ether(wei)
}

/// Formats a price in wei per gas as gwei.
pub const fn gwei(wei_per_gas: u128) -> Gwei {
    Gwei(wei_per_gas)
}

impl fmt::Display for Ether {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&digits::decimal(self.0, 18))
    }
}

impl fmt::Display for Gwei {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&digits::decimal(U256::from(self.0), 9))
    }
}
