//! Ether, the unit of fees, and gwei, the unit of gas prices: `1.5`, `0.000000001`.

use super::{Rounding, digits};
use alloy_primitives::U256;
use core::fmt;

/// The least number of digits of an amount of ether, if it has as many that aren't 0.
const DIGITS: usize = 3;

/// The decimals of an ether.
const DECIMALS: usize = 18;

/// An amount of wei in ether, with three digits, or with all digits of the whole ether if those are more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ether(U256);

/// A price in wei per gas, in gwei, with as many decimals as necessary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gwei(u128);

/// Formats an amount of wei as ether. A balance is rounded down, a cost is rounded up.
pub fn ether(wei: U256, rounding: Rounding) -> Ether {
    Ether(rounded(wei, DECIMALS, rounding))
}

/// Formats a price in wei per gas as gwei.
pub const fn gwei(wei_per_gas: u128) -> Gwei {
    Gwei(wei_per_gas)
}

/// Returns a number with only its first [`DIGITS`] digits, and with all before its last `decimals`.
fn rounded(number: U256, decimals: usize, rounding: Rounding) -> U256 {
    let dropped = number.to_string().len().saturating_sub(DIGITS).min(decimals);
    let unit = U256::from(10).pow(U256::from(dropped));
    let units = match rounding {
        Rounding::Down => number / unit,
        Rounding::Up => number.div_ceil(unit),
    };
    units.saturating_mul(unit)
}

impl fmt::Display for Ether {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&digits::decimal(self.0, DECIMALS))
    }
}

impl fmt::Display for Gwei {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&digits::decimal(U256::from(self.0), 9))
    }
}
