//! Ether, in which fees are shown, and gwei, in which gas is priced: `1.5`, `0.000000001`.

use super::digits;
use alloy_primitives::U256;
use core::fmt;

/// Wei in ether, with as many decimals as they have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ether(U256);

/// Wei per gas in gwei, with as many decimals as they have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gwei(u128);

/// The formatter of an amount of wei as ether.
pub const fn ether(wei: U256) -> Ether {
    Ether(wei)
}

/// The formatter of a price in wei per gas as gwei.
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
