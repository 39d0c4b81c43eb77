//! The fees that a transaction offers.

use canon_protocol::text::gwei;

/// The wei in a gwei.
const GWEI: u128 = 1_000_000_000;

/// The default tip, in wei per gas.
const TIP: u128 = GWEI;

/// The highest fee that a transaction offers by default, in wei per gas. Base fees above it last only
/// minutes; the largest transaction costs 8.4 ether at this price.
const CAP: u128 = 500_000_000_000;

/// The highest tip, as a multiple of the policy's tip, or of 1 gwei if that is higher.
const MAX_TIP_MULTIPLE: u128 = 10;

/// The highest base fee at which a new transaction can still be mined, as a multiple of the present one. A base fee
/// needs six full blocks to double.
const BASE_FEE_MULTIPLE: u128 = 2;

/// The increase of both fees of a replacement, in percent. Nodes refuse smaller increases.
const BUMP_PERCENT: u128 = 10;

/// The fees that a transaction offers (EIP-1559), in wei per gas. Zero by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fees {
    /// The highest total price, base fee included.
    pub max_fee: u128,
    /// The highest price paid to the block's proposer.
    pub tip: u128,
}

/// A policy for the fees that transactions offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeePolicy {
    /// The tip, in wei per gas. 1 gwei by default.
    pub tip: u128,
    /// The highest price that a transaction offers, in wei per gas; `None` for no limit. 500 gwei by
    /// default. Tips have a limit of their own: ten times the policy's tip, or 10 gwei if that is higher.
    pub cap: Option<u128>,
}

/// The required fees exceed a limit of the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AboveCap {
    /// The total price exceeds the cap.
    #[error(
        "a gas price of {} gwei is needed and the cap is {}; wait until the base fee is lower",
        gwei(*.needed), gwei(*.cap)
    )]
    Total {
        /// The lowest sufficient price, in wei per gas.
        needed: u128,
        /// The cap, in wei per gas.
        cap: u128,
    },
    /// The tip exceeds its limit.
    #[error(
        "a tip of {} gwei is needed and the limit is {}; wait for what is in flight, or use another endpoint",
        gwei(*.needed), gwei(*.limit)
    )]
    Tip {
        /// The lowest sufficient tip, in wei per gas.
        needed: u128,
        /// The limit, in wei per gas.
        limit: u128,
    },
}

impl Default for FeePolicy {
    fn default() -> Self {
        Self { tip: TIP, cap: Some(CAP) }
    }
}

impl FeePolicy {
    /// The fees of a new transaction at a base fee in wei per gas, at least `floor`.
    ///
    /// # Errors
    ///
    /// If the present base fee plus the tip, or `floor`, exceeds the cap, or the tip exceeds its limit.
    pub fn offer(&self, base_fee: u128, floor: Option<Fees>) -> Result<Fees, AboveCap> {
        let floor = floor.unwrap_or_default();
        let tip = self.tip.max(floor.tip);
        let cap = self.cap();
        let needed = base_fee.saturating_add(tip).max(floor.max_fee);
        if needed > cap {
            return Err(AboveCap::Total { needed, cap });
        }
        let limit = self.max_tip();
        if tip > limit {
            return Err(AboveCap::Tip { needed: tip, limit });
        }
        let max_fee = for_a_while(base_fee, tip).max(needed).min(cap);
        Ok(Fees { max_fee, tip })
    }

    /// The fees of a transaction that replaces one with the fees `old`, at a base fee in wei per gas. Where the
    /// cap or the limit of tips doesn't allow to outbid the old ones, it offers no more than those: a pool that
    /// has the old transaction refuses the new one, but it may have lost the old one.
    ///
    /// # Errors
    ///
    /// If the present base fee plus the tip exceeds the cap.
    pub fn replacement(&self, old: Fees, base_fee: u128) -> Result<Fees, AboveCap> {
        let (outbid, cap, max_tip) = (old.outbid(), self.cap(), self.max_tip());
        let floor = match outbid.max_fee <= cap && outbid.tip <= max_tip {
            true => outbid,
            false => Fees { max_fee: old.max_fee.min(cap), tip: old.tip.min(max_tip).min(cap) },
        };
        self.offer(base_fee, Some(floor))
    }

    /// The highest price that a transaction offers, in wei per gas.
    fn cap(&self) -> u128 {
        self.cap.unwrap_or(u128::MAX)
    }

    /// The highest tip that a transaction offers, in wei per gas.
    fn max_tip(&self) -> u128 {
        self.tip.max(TIP).saturating_mul(MAX_TIP_MULTIPLE)
    }
}

/// The price at which a transaction with a tip can be mined for a while, at a base fee in wei per gas.
const fn for_a_while(base_fee: u128, tip: u128) -> u128 {
    base_fee.saturating_mul(BASE_FEE_MULTIPLE).saturating_add(tip)
}

impl Fees {
    /// The lowest fees of a replacement that every node accepts. Some nodes require more than the
    /// percentage instead of at least the percentage, so the fees are one wei higher.
    #[must_use]
    pub(crate) const fn outbid(self) -> Self {
        const fn bump(fee: u128) -> u128 {
            let more = fee.saturating_mul(BUMP_PERCENT).div_ceil(100);
            fee.saturating_add(more).saturating_add(1)
        }
        Self { max_fee: bump(self.max_fee), tip: bump(self.tip) }
    }

    /// The fees of a transaction by which a person replaces one with these fees, at a base fee in wei per gas: every
    /// node accepts it, and it can be mined for a while. The total price is rounded up to a power of two of gwei, so
    /// that it is the same from one block to the next; only the base fee and the tip are paid.
    #[must_use]
    pub fn replaced_by_hand(self, base_fee: u128) -> Self {
        let Self { max_fee, tip } = self.outbid();
        let needed = for_a_while(base_fee, tip).max(max_fee);
        let rounded = needed.div_ceil(GWEI).checked_next_power_of_two();
        let max_fee = rounded.and_then(|gwei| gwei.checked_mul(GWEI)).unwrap_or(needed);
        Self { max_fee, tip }
    }

    /// The higher of both total prices, with the higher of both tips.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Self { max_fee: self.max_fee.max(other.max_fee), tip: self.tip.max(other.tip) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn fees(max_fee: u128, tip: u128) -> Fees {
        Fees { max_fee, tip }
    }

    #[test]
    fn an_offer_suffices_for_a_while_and_never_exceeds_the_cap() {
        let policy = |cap| FeePolicy { tip: 10, cap };
        for (cap, base_fee, floor, expected) in [
            (None, 100, None, Ok(fees(210, 10))),
            (Some(210), 100, None, Ok(fees(210, 10))),
            (Some(209), 100, None, Ok(fees(209, 10))),
            (Some(110), 100, None, Ok(fees(110, 10))),
            (Some(109), 100, None, Err(AboveCap::Total { needed: 110, cap: 109 })),
            (Some(300), 100, Some(fees(300, 20)), Ok(fees(300, 20))),
            (Some(300), 100, Some(fees(301, 20)), Err(AboveCap::Total { needed: 301, cap: 300 })),
            (Some(300), 100, Some(fees(1, 200)), Ok(fees(300, 200))),
            (Some(300), 100, Some(fees(1, 201)), Err(AboveCap::Total { needed: 301, cap: 300 })),
            (None, u128::MAX, None, Ok(fees(u128::MAX, 10))),
            (None, 0, None, Ok(fees(10, 10))),
        ] {
            let found = policy(cap).offer(base_fee, floor);
            assert_eq!(found, expected, "cap {cap:?}, base fee {base_fee}, floor {floor:?}");
        }
    }

    #[test]
    fn a_replacement_offers_more_of_both() {
        let policy = FeePolicy { tip: 1, cap: None };
        for (old, expected) in [
            (fees(100, 10), fees(111, 12)),
            (fees(101, 11), fees(113, 14)),
            (fees(0, 0), fees(1, 1)),
            (fees(u128::MAX, 0), fees(u128::MAX, 1)),
        ] {
            assert_eq!(policy.replacement(old, 0), Ok(expected), "{old:?}");
        }
        // A base fee that rose by more than the bump determines the price.
        assert_eq!(policy.replacement(fees(100, 10), 1000), Ok(fees(2012, 12)));
        let policy = FeePolicy { cap: Some(111), ..policy };
        assert_eq!(policy.replacement(fees(100, 100), 0), Ok(fees(111, 111)));
        assert_eq!(policy.replacement(fees(101, 101), 0), Ok(fees(101, 101)), "can't outbid it");
        let policy = FeePolicy { cap: Some(126), ..policy };
        assert_eq!(policy.replacement(fees(126, 5), 121), Ok(fees(126, 5)));
        let above = AboveCap::Total { needed: 127, cap: 126 };
        assert_eq!(policy.replacement(fees(126, 5), 122), Err(above));
        assert_eq!(policy.replacement(fees(200, 5), 100), Ok(fees(126, 5)), "of another policy");
    }

    #[test]
    fn a_person_outbids_what_was_offered_and_the_present_base_fee() {
        for (old, base_fee, expected) in [
            (fees(100, 10), 0, fees(GWEI, 12)),
            (fees(20 * GWEI, GWEI), 0, fees(32 * GWEI, 1_100_000_001)),
            (fees(20 * GWEI, GWEI), 15 * GWEI, fees(32 * GWEI, 1_100_000_001)),
            (fees(20 * GWEI, GWEI), 40 * GWEI, fees(128 * GWEI, 1_100_000_001)),
            (fees(u128::MAX, 0), 0, fees(u128::MAX, 1)),
        ] {
            assert_eq!(old.replaced_by_hand(base_fee), expected, "{old:?}, {base_fee}");
        }
    }

    #[test]
    fn a_tip_has_a_limit_of_its_own() {
        let gwei = 1_000_000_000;
        for (tip, limit) in [(0, 10 * gwei), (gwei, 10 * gwei), (3 * gwei, 30 * gwei)] {
            let policy = FeePolicy { tip, ..FeePolicy::default() };
            let offer = |tip| policy.offer(gwei, Some(fees(0, tip)));
            assert_eq!(offer(limit).map(|fees| fees.tip), Ok(limit));
            assert_eq!(offer(limit + 1), Err(AboveCap::Tip { needed: limit + 1, limit }));
        }
        let policy = FeePolicy::default();
        assert_eq!(policy.offer(499 * gwei, None), Ok(fees(500 * gwei, gwei)));
        assert!(policy.offer(499 * gwei + 1, None).is_err());
    }
}
