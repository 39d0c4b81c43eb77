//! Tests of the history against a model that keeps a copy of every version.

use std::collections::BTreeMap;

use canon_testkit::properties;
use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Op {
    Balance(u8, u64),
    Code(u8, u8),
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
        2 => (0..4_u8, 0..3_u8).prop_map(|(a, n)| Op::Code(a, n)),
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
    /// The balance and the length of the code.
    accounts: BTreeMap<u8, (u64, usize)>,
    slots: BTreeMap<(u8, u8), u64>,
}

fn address(a: u8) -> Address {
    Address::with_last_byte(a + 1)
}

/// The values of all accounts and slots, now or at the end of a version.
fn read(state: &Values, version: Option<Version>) -> Model {
    let mut model = Model::default();
    for a in 0..4 {
        let info = match version {
            Some(version) => state.account_at(address(a), version),
            None => state.account(address(a)),
        };
        let account = |info: &AccountInfo| {
            let code = info.code.as_ref().unwrap();
            (info.balance.to::<u64>(), code.original_bytes().len())
        };
        model.accounts.extend(info.map(|info| (a, account(info))));
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

/// Compares what is counted at each change with what is there.
fn check_counts(state: &State) {
    let slots = state.storage.iter().map(|(_, slots)| slots.len());
    assert_eq!(state.slots, slots.sum::<usize>());
    assert_eq!(state.changes, state.journal.iter().map(Vec::len).sum::<usize>());
    let now = state.accounts.iter().map(|(_, info)| info);
    let past = state.past_accounts.iter().flat_map(|(_, past)| past);
    let mut uses = BTreeMap::<B256, usize>::new();
    for info in now.chain(past.filter_map(|(_, info)| info.as_ref())) {
        if !info.is_empty_code_hash() {
            *uses.entry(info.code_hash).or_default() += 1;
        }
    }
    assert_eq!(uses, state.codes.iter().map(|(hash, code)| (*hash, code.uses)).collect());
    let sizes = state.codes.iter().map(|(_, code)| code.size());
    assert_eq!(state.codes_size, sizes.sum::<usize>());
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
        let mut kept = None;
        for op in ops {
            match op {
                Op::Balance(a, n) => {
                    state.edit(address(a), |info| info.balance = U256::from(n));
                    now.accounts.entry(a).or_default().0 = n;
                }
                Op::Code(a, n) => {
                    state.set_code(address(a), vec![0; n.into()].into()).unwrap();
                    now.accounts.entry(a).or_default().1 = n.into();
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
            now.accounts.retain(|_, account| *account != (0, 0));
            prop_assert_eq!(read(&state, None), now.clone());
            check_counts(&state);
            if kept.is_none() {
                kept = Some((state.values(), now.clone()));
            }
        }
        // What was taken out is as it was.
        for (values, model) in kept {
            prop_assert_eq!(read(&values, None), model);
        }
        for (version, model) in &sealed {
            prop_assert_eq!(&read(&state, Some(*version)), model, "version {}", version);
            for a in 0..4 {
                let listed = |(key, value): (U256, U256)| ((a, key.to()), value.to());
                let listed: BTreeMap<_, u64> =
                    state.slots(address(a), Some(*version)).map(listed).collect();
                let expected = model.slots.iter().filter(|((owner, _), _)| *owner == a);
                prop_assert_eq!(listed, expected.map(|(key, value)| (*key, *value)).collect());
            }
        }
        // The image contains the whole history.
        let mut encoded = Vec::new();
        alloy_rlp::Encodable::encode(&state.image(), &mut encoded);
        let image: image::StateImage = alloy_rlp::Decodable::decode(&mut &encoded[..]).unwrap();
        let restored = image.restore().unwrap();
        check_counts(&restored);
        prop_assert_eq!(restored.size(), state.size());
        for (version, model) in &sealed {
            prop_assert_eq!(&read(&restored, Some(*version)), model);
        }
        let mut again = Vec::new();
        alloy_rlp::Encodable::encode(&restored.image(), &mut again);
        prop_assert_eq!(encoded, again);
        // Values that can't be read any more aren't kept.
        state.prune(state.version);
        let oldest = state.oldest_change();
        let accounts = state.past_accounts.iter().flat_map(|(_, past)| past);
        let slots = state.past_slots.iter().flat_map(|(_, slots)| slots.iter());
        let slots = slots.flat_map(|(_, past)| past).map(|(version, _)| *version);
        let mut kept = accounts.map(|(version, _)| *version).chain(slots);
        prop_assert!(kept.all(|version| version >= oldest));
    }
}
