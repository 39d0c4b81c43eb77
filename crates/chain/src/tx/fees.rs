//! The fees that a transaction offers.

use canon_protocol::text::gwei;

/// The default tip, in wei per gas.
const TIP: u128 = 1_000_000_000;

/// The highest fee that a transaction offers by default, in wei per gas. Base fees above it last only
/// minutes; the largest transaction costs 8.4 ether at this price.
const CAP: u128 = 500_000_000_000;

/// The highest tip, as a multiple of the policy's tip, or of 1 gwei if that is higher.
const MAX_TIP_MULTIPLE: u128 = 10;

/// The least increase of a replacement, in percent. Nodes refuse smaller increases.
const MIN_BUMP_PERCENT: u32 = 10;

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
    /// The highest base fee at which a new transaction can still be mined, in percent of the present one.
    /// 200 by default, because a base fee needs six full blocks to double.
    pub base_fee_percent: u32,
    /// The tip, in wei per gas. 1 gwei by default.
    pub tip: u128,
    /// The increase of both fees of a replacement, in percent. 10 by default, which is also the minimum.
    pub bump_percent: u32,
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
        Self { base_fee_percent: 200, tip: TIP, bump_percent: MIN_BUMP_PERCENT, cap: Some(CAP) }
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
        let for_long = base_fee.saturating_mul(self.base_fee_percent.into()) / 100;
        let max_fee = for_long.saturating_add(tip).max(needed).min(cap);
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
        let (outbid, cap, max_tip) = (self.outbid(old), self.cap(), self.max_tip());
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

    /// The lowest fees of a replacement that every node accepts. Some nodes require more than the
    /// percentage instead of at least the percentage, so the fees are one wei higher.
    pub(crate) fn outbid(&self, old: Fees) -> Fees {
        let percent = u128::from(self.bump_percent.max(MIN_BUMP_PERCENT));
        let bump = |fee: u128| {
            let more = fee.saturating_mul(percent).div_ceil(100);
            fee.saturating_add(more).saturating_add(1)
        };
        Fees { max_fee: bump(old.max_fee), tip: bump(old.tip) }
    }
}

impl Fees {
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
        let policy = |cap| FeePolicy { tip: 10, cap, ..FeePolicy::default() };
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
        let policy = FeePolicy { tip: 1, cap: None, ..FeePolicy::default() };
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
        let policy = FeePolicy { bump_percent: 3, ..policy };
        assert_eq!(policy.outbid(fees(100, 100)), fees(111, 111), "never less than nodes take");
        let policy = FeePolicy { bump_percent: 25, cap: Some(126), ..policy };
        assert_eq!(policy.replacement(fees(100, 100), 0), Ok(fees(126, 126)));
        assert_eq!(policy.replacement(fees(101, 101), 0), Ok(fees(101, 101)), "can't outbid it");
        let policy = FeePolicy { tip: 1, cap: Some(126), ..policy };
        assert_eq!(policy.replacement(fees(126, 5), 121), Ok(fees(126, 5)));
        let above = AboveCap::Total { needed: 127, cap: 126 };
        assert_eq!(policy.replacement(fees(126, 5), 122), Err(above));
        assert_eq!(policy.replacement(fees(200, 5), 100), Ok(fees(126, 5)), "of another policy");
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
