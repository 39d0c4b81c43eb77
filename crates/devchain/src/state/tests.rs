//! Tests of the history against a model that keeps a copy of every version.

use std::collections::BTreeMap;

use canon_testkit::properties;
use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Op {
    Balance(u8, u64),
    Slot(u8, u8, u64),
    Clear(u8),
    Seal,
    Checkpoint,
    Rollback(prop::sample::Index),
    Prune(prop::sample::Index),
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let op = prop_oneof![
        4 => (0..4_u8, 0..4_u64).prop_map(|(a, n)| Op::Balance(a, n)),
        6 => (0..4_u8, 0..3_u8, 0..3_u64).prop_map(|(a, k, n)| Op::Slot(a, k, n)),
        1 => (0..4_u8).prop_map(Op::Clear),
        4 => Just(Op::Seal),
        1 => Just(Op::Checkpoint),
        1 => any::<prop::sample::Index>().prop_map(Op::Rollback),
        1 => any::<prop::sample::Index>().prop_map(Op::Prune),
    ];
    prop::collection::vec(op, 0..80)
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Model {
    balances: BTreeMap<u8, u64>,
    slots: BTreeMap<(u8, u8), u64>,
}

fn address(a: u8) -> Address {
    Address::with_last_byte(a + 1)
}

/// The values of all accounts and slots, now or at the end of a version.
fn read(state: &State, version: Option<Version>) -> Model {
    let mut model = Model::default();
    for a in 0..4 {
        let info = match version {
            Some(version) => state.account_at(address(a), version),
            None => state.account(address(a)),
        };
        model.balances.extend(info.map(|info| (a, info.balance.to::<u64>())));
        for k in 0..3 {
            let key = U256::from(k);
            let value = match version {
                Some(version) => state.slot_at(address(a), key, version),
                None => state.slot(address(a), key),
            };
            model.slots.extend((!value.is_zero()).then(|| ((a, k), value.to::<u64>())));
        }
    }
    model
}

proptest! {
    #![proptest_config(properties(256))]

    #[test]
    fn every_version_in_reach_reads_as_it_was(ops in ops()) {
        let mut state = State::new();
        let genesis = state.seal();
        state.prune(genesis);
        let mut now = Model::default();
        let mut sealed = BTreeMap::from([(genesis, now.clone())]);
        for op in ops {
            match op {
                Op::Balance(a, n) => {
                    state.edit(address(a), |info| info.balance = U256::from(n));
                    if n == 0 { now.balances.remove(&a) } else { now.balances.insert(a, n) };
                }
                Op::Slot(a, k, n) => {
                    state.set_slot(address(a), U256::from(k), U256::from(n));
                    if n == 0 { now.slots.remove(&(a, k)) } else { now.slots.insert((a, k), n) };
                }
                Op::Clear(a) => {
                    state.clear_storage(address(a));
                    now.slots.retain(|(owner, _), _| *owner != a);
                }
                Op::Seal => {
                    sealed.insert(state.seal(), now.clone());
                }
                Op::Checkpoint => {
                    sealed.insert(state.checkpoint(), now.clone());
                }
                Op::Rollback(index) => {
                    let versions: Vec<_> = sealed.keys().copied().collect();
                    let version = *index.get(&versions);
                    state.rollback(version);
                    sealed.split_off(&(version + 1));
                    now = sealed[&version].clone();
                }
                Op::Prune(index) => {
                    let versions: Vec<_> = sealed.keys().copied().collect();
                    let version = *index.get(&versions);
                    state.prune(version);
                    prop_assert!(state.reaches(version));
                    prop_assert!(version == 0 || !state.reaches(version - 1));
                    sealed = sealed.split_off(&version);
                }
            }
            prop_assert_eq!(read(&state, None), now.clone());
        }
        for (version, model) in &sealed {
            prop_assert_eq!(&read(&state, Some(*version)), model, "version {}", version);
        }
        // The image contains the whole history.
        let mut encoded = Vec::new();
        alloy_rlp::Encodable::encode(&state.image(), &mut encoded);
        let image: image::StateImage = alloy_rlp::Decodable::decode(&mut &encoded[..]).unwrap();
        let restored = image.restore().unwrap();
        for (version, model) in &sealed {
            prop_assert_eq!(&read(&restored, Some(*version)), model);
        }
        let mut again = Vec::new();
        alloy_rlp::Encodable::encode(&restored.image(), &mut again);
        prop_assert_eq!(encoded, again);
        // Values that can't be read any more aren't kept.
        state.prune(state.version);
        let oldest = state.oldest_change();
        let kept = state.past_accounts.values().flatten().map(|(version, _)| *version);
        let kept = kept.chain(state.past_slots.values().flatten().map(|(version, _)| *version));
        prop_assert!(kept.into_iter().all(|version| version >= oldest));
    }
}
