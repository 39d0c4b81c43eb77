//! Tests of the outcomes of transactions, as text and as JSON.

use std::fmt::Write as _;

use snapbox::{assert_data_eq, file};

use super::*;
use shape::{Shape, documented};

#[path = "../../../tests/it/shape.rs"]
mod shape;

const ATTESTER: Address = Address::repeat_byte(0xa1);
const HOLDER: Address = Address::repeat_byte(0xb2);
const ROLLUP: Address = Address::repeat_byte(0xc3);
const TIME: Timestamp = Timestamp::of(1_767_225_600);

/// A change of the kind after that of `change`, or of the first kind. `None` after the last one.
///
/// There is no wildcard, so that every kind has to have its place.
fn next(change: Option<&Change>) -> Option<Change> {
    let (proposal, round, epoch, slot) =
        (ProposalId::of(3), Round::of(41), Epoch::of(12), Slot::of(417));
    let (attester, amount, actions_hash) = (ATTESTER, Amount::TOKEN, B256::repeat_byte(0xd4));
    Some(match change {
        None => Change::Allowed { amount },
        Some(Change::Allowed { .. }) => {
            Change::BallotsVoided { proposal, next_nonce: Nonce::of(1 << 32) }
        }
        Some(Change::BallotsVoided { .. }) => Change::CoinbaseSet { attester, coinbase: HOLDER },
        Some(Change::CoinbaseSet { .. }) => Change::Created { contract: ROLLUP },
        Some(Change::Created { .. }) => Change::CreatedByOthers { contract: ROLLUP },
        Some(Change::CreatedByOthers { .. }) => Change::Dropped { proposal },
        Some(Change::Dropped { .. }) => Change::Executed { proposal },
        Some(Change::Executed { .. }) => Change::Locked { holder: HOLDER, amount },
        Some(Change::Locked { .. }) => Change::MoveAnnounced { attester, to: ROLLUP },
        Some(Change::MoveAnnounced { .. }) => Change::Moved { attester, new_attester: attester },
        Some(Change::Moved { .. }) => Change::NothingRecorded,
        Some(Change::NothingRecorded) => {
            Change::Proposed { proposal, actions_hash, unlocks_at: TIME }
        }
        Some(Change::Proposed { .. }) => Change::Pushed { round, proposal, actions_hash },
        Some(Change::Pushed { .. }) => Change::SeedRecorded { epoch },
        Some(Change::SeedRecorded { .. }) => Change::Signaled { payload: ROLLUP, slot },
        Some(Change::Signaled { .. }) => Change::StakeAllowed { amount },
        Some(Change::StakeAllowed { .. }) => Change::StakeClaimed { attester },
        Some(Change::StakeClaimed { .. }) => Change::StakeExited { attester },
        Some(Change::StakeExited { .. }) => Change::Staked { attester, amount },
        Some(Change::Staked { .. }) => Change::Unlocked {
            withdrawal: WithdrawalId::of(5),
            amount,
            to: HOLDER,
            unlocks_at: TIME,
        },
        Some(Change::Unlocked { .. }) => Change::Voted { proposal, support: Support::Nea, amount },
        Some(Change::Voted { .. }) => Change::Withdrawn { withdrawal: WithdrawalId::of(5) },
        Some(Change::Withdrawn { .. }) => return None,
    })
}

/// A change of every kind, and the variants of some: with another attester, and with the other side.
fn changes() -> Vec<Change> {
    let all = std::iter::successors(next(None), |change| next(Some(change)));
    let with_variant = |change: Change| {
        let other = match change {
            Change::Moved { attester, .. } => {
                Some(Change::Moved { attester, new_attester: HOLDER })
            }
            Change::Voted { proposal, amount, .. } => {
                Some(Change::Voted { proposal, support: Support::Yea, amount })
            }
            _ => None,
        };
        std::iter::once(change).chain(other)
    };
    all.flat_map(with_variant).collect()
}

#[test]
fn the_keys_of_every_kind_of_change_are_documented() {
    let mut kinds = std::collections::BTreeMap::<_, Vec<_>>::new();
    for change in changes() {
        let mut document = serde_json::to_value(change).unwrap();
        let kind = document.as_object_mut().unwrap().remove("kind").unwrap();
        kinds.entry(kind.as_str().unwrap().to_owned()).or_default().push(document);
    }
    let mut text = String::new();
    for (kind, documents) in &kinds {
        let _ = writeln!(text, "{kind}");
        for line in Shape::of(documents).text().lines() {
            let _ = writeln!(text, "  {line}");
        }
    }
    let found = documented("changed");
    assert!(found == text.trim_end(), "docs/json.md says something else. The kinds are\n\n{text}");
}

#[test]
fn every_kind_of_change_is_one_sentence() {
    let mut text = String::new();
    for change in changes() {
        let _ = writeln!(text, "{change}");
    }
    assert_data_eq!(text, file!["tests/changes.txt"].raw());
}
