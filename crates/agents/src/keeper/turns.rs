//! The order in which several keepers act.

use alloy_primitives::{Address, keccak256};
use canon_chain::L1_SLOT;
use canon_protocol::{BlockNumber, Seconds};
use std::collections::BTreeSet;

/// The blocks of a turn. In the second one the transaction of the first is usually mined.
const BLOCKS_PER_TURN: u64 = 2;

/// The number of blocks of which each keeper draws one.
const PLACES: u64 = 8;

/// The part of the time that is left for a step in which all places come up.
const PART_FOR_ALL: u64 = 4;

/// When a keeper begins what others may begin too. If two send the same at once, one of the transactions reverts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Turns {
    /// In the first block, without regard for others.
    #[default]
    AtOnce,
    /// In one of eight blocks, which the account and the blocks' number determine. Keepers that don't know of each other
    /// rarely have the same one, and whoever has a later one finds it done.
    Drawn,
    /// The accounts in ascending order have two blocks each, again and again, counted by the numbers of blocks. So each
    /// knows whose turn it is, and no two begin in the same block. A keeper's own account is added if it is missing; one
    /// that is down costs the others two blocks.
    Among(BTreeSet<Address>),
}

impl Turns {
    /// Whether `account` may begin something after block `number`. The less time is `left` for it, the less is waited.
    pub fn is_turn_of(&self, account: Address, number: BlockNumber, left: Option<Seconds>) -> bool {
        let blocks_left = left.map(|left| left.get() / L1_SLOT.get());
        match self {
            Self::AtOnce => true,
            Self::Drawn => {
                let places = blocks_left.map_or(PLACES, |left| left / PART_FOR_ALL);
                let places = places.clamp(1, PLACES);
                place(account, number.get() / PLACES) % places == number.get() % PLACES % places
            }
            Self::Among(accounts) => {
                let others = accounts.iter().filter(|other| **other != account);
                let before = others.clone().filter(|other| **other < account).count() as u64;
                let count = others.count() as u64 + 1;
                blocks_left.is_some_and(|left| left < count * BLOCKS_PER_TURN)
                    || number.get() / BLOCKS_PER_TURN % count == before
            }
        }
    }
}

/// The place that an account draws in a row of blocks.
fn place(account: Address, row: u64) -> u64 {
    let hash = keccak256([account.as_slice(), &row.to_be_bytes()].concat());
    u64::from(hash[0]) % PLACES
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accounts() -> [Address; 3] {
        [1, 2, 3].map(Address::with_last_byte)
    }

    fn is_turn(turns: &Turns, account: Address, number: u64, left: Option<u64>) -> bool {
        turns.is_turn_of(account, BlockNumber::of(number), left.map(Seconds::of))
    }

    #[test]
    fn in_each_block_exactly_one_of_several_keepers_begins_something() {
        let turns = Turns::Among(accounts().into());
        let whose = |number| -> Vec<usize> {
            (0..3).filter(|index| is_turn(&turns, accounts()[*index], number, None)).collect()
        };
        let expected = [0, 0, 1, 1, 2, 2, 0].map(|one| vec![one]);
        assert_eq!([0, 1, 2, 3, 4, 5, 6].map(whose), expected);
    }

    #[test]
    fn a_list_without_the_own_account_gives_the_same_order() {
        for account in accounts() {
            let others = accounts().into_iter().filter(|other| *other != account).collect();
            let (whole, part) = (Turns::Among(accounts().into()), Turns::Among(others));
            for number in 0..12 {
                let turn = |turns| is_turn(turns, account, number, None);
                assert_eq!(turn(&whole), turn(&part));
            }
        }
    }

    #[test]
    fn keepers_that_do_not_know_of_each_other_rarely_begin_in_the_same_block() {
        let mut shared = 0;
        for row in 0..1_000 {
            let turn = |account, block| is_turn(&Turns::Drawn, account, row * PLACES + block, None);
            for account in accounts() {
                let own = (0..PLACES).filter(|block| turn(account, *block)).count();
                assert_eq!(own, 1, "a keeper has one block of each row");
            }
            let first = (0..PLACES).map(|block| {
                accounts().into_iter().filter(|account| turn(*account, block)).count()
            });
            shared += usize::from(first.into_iter().find(|count| *count > 0) > Some(1));
        }
        // Without places, it would be all of them.
        assert!((100..250).contains(&shared), "{shared} of 1,000 races");
    }

    #[test]
    fn nobody_waits_when_the_time_runs_out() {
        let [first, second, _] = accounts();
        let among = Turns::Among([first, second].into());
        assert_eq!([48, 47].map(|left| is_turn(&among, second, 0, Some(left))), [false, true]);
        // Seven blocks are too few for two places.
        for number in 0..16 {
            assert!(is_turn(&Turns::Drawn, first, number, Some(7 * 12)));
            assert!(is_turn(&Turns::AtOnce, first, number, None));
        }
    }
}
