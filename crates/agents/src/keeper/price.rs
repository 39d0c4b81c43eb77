//! A limit on the price of gas that yields to deadlines.

use canon_protocol::Timestamp;
use canon_views::Window;

/// The highest price of gas that a keeper pays, in wei per gas.
///
/// It holds while more than a quarter of the time is left in which a step is possible. From then on the price that is
/// paid rises evenly, and reaches the ceiling when a sixteenth is left. For steps without a last second the limit always
/// holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PriceLimit {
    /// The limit while there is time.
    pub limit: u128,
    /// The highest price at all.
    pub ceiling: u128,
}

/// The part of a window at whose beginning the limit starts to rise: a quarter, in sixteenths.
const RISES_AT: u64 = 4;

impl PriceLimit {
    /// The highest price in the block at `next` for a step with this window, if it has one.
    pub fn at(&self, window: Option<&Window>, next: Timestamp) -> u128 {
        let Some(window) = window else { return self.limit };
        // In sixteenths of a window: from 4 on down the price rises, until 1.
        let (length, left) = (window.length().get(), window.left(next).get().saturating_mul(16));
        let (from, to) = (length.saturating_mul(RISES_AT), length);
        if left > from {
            return self.limit;
        }
        let whole = u128::from((from - to).max(1));
        let passed = u128::from(from - left).min(whole);
        let rise = self.ceiling.saturating_sub(self.limit);
        self.limit.saturating_add(rise.saturating_mul(passed) / whole)
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::Address;
    use canon_views::{IntendedAction, Intent, SetId};

    use super::*;

    fn window(opens: u64, closes: u64) -> Window {
        let set = SetId { chain_id: 1, governance: Address::ZERO };
        let action = IntendedAction::Drop { id: canon_protocol::ProposalId::ZERO };
        let (opens, closes) = (Timestamp::of(opens), Timestamp::of(closes));
        Window { intent: Intent { set, action, until: Some(closes) }, opens, closes }
    }

    #[test]
    fn the_limit_rises_in_the_last_quarter_and_ends_at_the_ceiling() {
        let limit = PriceLimit { limit: 20, ceiling: 500 };
        let window = window(1_000, 2_600);
        let at = |now| limit.at(Some(&window), Timestamp::of(now));
        assert_eq!([at(1_000), at(2_199), at(2_200)], [20, 20, 20]);
        assert_eq!([at(2_300), at(2_350), at(2_499)], [20 + 160, 20 + 240, 20 + 478]);
        assert_eq!([at(2_500), at(2_600), at(2_700)], [500; 3]);
        // Steps without a last second wait for a lower price for ever.
        assert_eq!(limit.at(None, Timestamp::of(2_600)), 20);
    }

    #[test]
    fn a_window_of_any_length_has_a_price() {
        for (length, limit) in [(1, 20), (15, 20), (u64::from(u32::MAX), 900)] {
            let limit = PriceLimit { limit, ceiling: 500 };
            let window = window(0, length);
            let prices =
                (0..=16).map(|part| limit.at(Some(&window), Timestamp::of(length * part / 16)));
            let prices: Vec<_> = prices.collect();
            assert!(prices.is_sorted(), "{prices:?}");
            assert_eq!(prices.last(), Some(&limit.ceiling.max(limit.limit)));
        }
        let limit = PriceLimit { limit: 20, ceiling: 500 };
        assert_eq!(limit.at(Some(&window(5, 5)), Timestamp::of(5)), 20);
    }
}
