//! Comparisons of views from the events and from the contracts.

use crate::support::{BLOCK_TIME, Recording, everything, run, source};
use alloy_primitives::Address;
use canon_follow::{Follower, compare_present};
use canon_protocol::{Amount, BlockNumber, Timestamp};
use canon_views::Present;

/// A view of the set in which every field has a value.
fn full_view() -> Present {
    let recording = Recording::shared();
    run(async {
        for height in (0..recording.heights.len()).rev() {
            let chain = recording.chain(height);
            let mut follower = Follower::new(source(&chain).await, recording.identity.clone());
            follower.catch_up().await.unwrap();
            let view = follower.view(&everything(&follower), BLOCK_TIME).await.unwrap().present;
            let Present { signaling, rollups, payloads, holders, withdrawals, .. } = &view;
            let is_empty = [rollups.is_empty(), payloads.is_empty(), holders.is_empty()];
            if signaling.is_some() && !withdrawals.is_empty() && !is_empty.contains(&true) {
                return view;
            }
        }
        panic!("no height has something in every field");
    })
}

#[test]
fn a_wrong_value_in_any_field_is_named() {
    let view = full_view();
    compare_present(&view, &view).unwrap();
    // This fails to compile if a new field isn't compared.
    let Present {
        chain_id: _,
        block: _,
        next: _,
        addresses: _,
        governance: _,
        signaling: _,
        rollups,
        payloads,
        holders,
        withdrawals,
    } = &view;
    let key = |address: &Address| address.to_checksum(None);
    let in_map = |field: &str, key: &str, part: &str| format!("{field}.{key}.{part}");
    let rollup = in_map("rollups", &key(&view.addresses.rollup), "minimum_stake");
    assert!(rollups.contains_key(&view.addresses.rollup));
    let payload = in_map("payloads", &key(payloads.keys().next().unwrap()), "signals");
    let holder = in_map("holders", &key(holders.keys().next().unwrap()), "power");
    let withdrawal =
        in_map("withdrawals", &withdrawals.keys().next().unwrap().to_string(), "amount");
    let more = |amount: &mut Amount| *amount = Amount::of(amount.get() ^ 1);
    type Plant<'a> = (&'a str, &'a dyn Fn(&mut Present));
    let plants: [Plant<'_>; 11] = [
        ("chain_id", &|view| view.chain_id += 1),
        ("block.number", &|view| view.block.number = BlockNumber::of(1)),
        ("next", &|view| view.next = Timestamp::of(view.next.get() + 1)),
        ("addresses.issuer", &|view| view.addresses.issuer = Address::repeat_byte(7)),
        ("governance.total_power", &|view| more(&mut view.governance.total_power)),
        ("signaling", &|view| view.signaling = None),
        ("signaling.status.round", &|view| {
            let status = &mut view.signaling.as_mut().unwrap().status;
            status.round = status.round.next();
        }),
        (&rollup, &|view| {
            more(&mut view.rollups.get_mut(&view.addresses.rollup).unwrap().minimum_stake);
        }),
        (&payload, &|view| view.payloads.values_mut().next().unwrap().signals += 1),
        (&holder, &|view| more(&mut view.holders.values_mut().next().unwrap().power)),
        (&withdrawal, &|view| more(&mut view.withdrawals.values_mut().next().unwrap().amount)),
    ];
    for (field, plant) in plants {
        let mut wrong = view.clone();
        plant(&mut wrong);
        for (folded, answered) in [(&view, &wrong), (&wrong, &view)] {
            let compared = compare_present(folded, answered);
            // Parts that the events don't contain aren't compared.
            if field == "signaling" && folded.signaling.is_none() {
                compared.unwrap();
                continue;
            }
            let difference = compared.expect_err(field);
            assert_eq!(difference.field, field, "{difference}");
            assert_ne!(difference.folded, difference.answered, "{difference}");
            let text = difference.to_string();
            let block = folded.block.number.get().to_string();
            for part in [&difference.field, &difference.folded, &difference.answered, &block] {
                assert!(text.contains(part), "{text}");
            }
        }
    }
}

#[test]
fn what_depends_on_contracts_that_are_unknown_is_left_out() {
    let view = full_view();
    let mut folded = view.clone();
    folded.rollups.remove(&view.addresses.rollup);
    folded.signaling = None;
    folded.addresses.reward_distributor = None;
    compare_present(&folded, &view).unwrap();
    folded.governance.withdrawal_count += 1;
    let difference = compare_present(&folded, &view).unwrap_err();
    assert_eq!(difference.field, "governance.withdrawal_count");
    let mut folded = view.clone();
    folded.holders.pop_first();
    let difference = compare_present(&folded, &view).unwrap_err();
    assert_eq!(difference.folded, "nothing", "{difference}");
}
