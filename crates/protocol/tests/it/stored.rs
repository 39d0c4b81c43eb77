//! States that are stored and read back, including damaged ones.

use crate::{
    chain::{Chain, contract, harmless},
    random_history::RandomHistory,
};
use alloy_primitives::U256;
use canon_protocol::{
    Addresses, Call, Context, ExternalContracts, L1Block, ProposalId, SetState, Support, Timestamp,
};
use canon_testkit::histories::{Rng, Step};
use serde_json::Value;

/// The number of steps of a history before its state is stored.
const STEPS: usize = 250;

fn text(set: &SetState) -> String {
    serde_json::to_string(set).unwrap()
}

fn read(text: &str) -> SetState {
    serde_json::from_str(text).unwrap()
}

#[test]
fn a_stored_state_reads_as_it_was() {
    for seed in 0..12 {
        let mut history = RandomHistory::new(seed);
        history.run(STEPS);
        let set = &history.chain.set;
        let stored = text(set);
        assert_eq!(read(&stored), *set, "seed {seed}");
        assert_eq!(text(&read(&stored)), stored, "seed {seed}: the same bytes again");
        assert_eq!(text(&history.folded()), stored, "seed {seed}: the same bytes another way");
    }
}

#[test]
fn a_chain_id_is_stored_in_a_form_that_json_readers_keep() {
    let addresses = Addresses { chain_id: u64::MAX, ..Addresses::default() };
    let set = SetState::new(addresses);
    let stored = serde_json::to_value(&set).unwrap();
    assert_eq!(stored["addresses"]["chain_id"], "18446744073709551615");
    assert_eq!(read(&text(&set)), set);
}

#[test]
fn folding_goes_on_where_a_stored_state_was_read() {
    for seed in 0..12 {
        let mut history = RandomHistory::new(seed);
        history.run(STEPS);
        let logs = &history.chain.history;
        let mut rng = Rng::new(seed);
        let mut set = SetState::new(*history.chain.set.addresses());
        let mut incomplete = 0;
        for (block, log) in logs {
            set.evolve(log, *block).unwrap();
            // The state is stored between events that take effect together, too.
            if !set.is_complete() || rng.chance(1, 20) {
                incomplete += usize::from(!set.is_complete());
                set = read(&text(&set));
            }
        }
        assert_eq!(set, history.chain.set, "seed {seed}");
        assert!(incomplete > 0, "seed {seed}: some states had a pending event");
    }
}

/// A value that replaces another.
fn replacement(value: &Value, rng: &mut Rng, others: &[Value]) -> Value {
    let near = |number: u64, rng: &mut Rng| match rng.below(8) {
        0 => 0,
        1 => 1,
        2 => number.wrapping_add(1),
        3 => number.wrapping_sub(1),
        4 => u64::from(u32::MAX),
        5 => (1 << 40) - 1,
        6 => u64::MAX,
        _ => rng.next_u64(),
    };
    match (rng.below(10), value) {
        (0, _) => Value::Null,
        (1, _) => Value::Array(Vec::new()),
        (2..8, Value::Number(number)) => near(number.as_u64().unwrap_or_default(), rng).into(),
        (2..5, Value::String(text)) => match text.parse::<u128>() {
            Ok(amount) if rng.chance(1, 2) => (amount + 1).to_string().into(),
            Ok(_) => ((1_u128 << 96) - 1).to_string().into(),
            Err(_) => format!("0x{:040x}", rng.below(1000)).into(),
        },
        (2.., _) => rng.pick(others).cloned().unwrap_or_default(),
    }
}

/// Changes one value, or removes, repeats or moves one entry of a list.
fn alter(value: &mut Value, rng: &mut Rng, others: &[Value]) {
    match value {
        Value::Object(fields) if !fields.is_empty() && rng.chance(19, 20) => {
            let index = rng.below(fields.len() as u64) as usize;
            let (key, field) = fields.iter_mut().nth(index).unwrap();
            if rng.chance(1, 30) {
                let key = key.clone();
                fields.remove(&key);
            } else {
                alter(field, rng, others);
            }
        }
        Value::Array(list) if !list.is_empty() && rng.chance(19, 20) => {
            let [from, to] = [0, 1].map(|_| rng.below(list.len() as u64) as usize);
            match rng.below(12) {
                0 => drop(list.remove(from)),
                1 => list.insert(to, list[from].clone()),
                2 => list.swap(from, to),
                3 => list.truncate(from),
                _ => alter(&mut list[from], rng, others),
            }
        }
        _ => *value = replacement(value, rng, others),
    }
}

fn leaves(value: &Value, found: &mut Vec<Value>) {
    match value {
        Value::Object(fields) => fields.values().for_each(|field| leaves(field, found)),
        Value::Array(list) => list.iter().for_each(|entry| leaves(entry, found)),
        leaf => found.push(leaf.clone()),
    }
}

/// Calls all functions of the state.
fn look(set: &SetState, now: Timestamp, external: &dyn ExternalContracts) {
    let governance = set.governance();
    let block = L1Block { timestamp: now, ..set.block() };
    let holders: Vec<_> = governance.holders().map(|(holder, _)| holder).collect();
    for (id, proposal) in (0..).map(ProposalId::of).zip(governance.proposals()) {
        let _ = (governance.state_of(id, now), governance.tabulation(proposal));
        for holder in &holders {
            let _ = governance.ballot_left(id.to_word(), *holder, Support::Nea, now);
        }
        set.preview_proposal(id, block, external).unwrap();
    }
    for holder in &holders {
        let _ = governance.power_at(*holder, now, now);
    }
    let _ = (governance.lock_delay(now), governance.total_power_at(now, now));
    let _ = (set.issuer().mint_available(now), set.asset().balances().count());
    for (_, rollup) in set.rollups() {
        let _ = (rollup.set().count(), rollup.member_at(now, now));
        if let Some(epoch) = rollup.clock().epoch_at(now) {
            for epoch in [epoch, epoch.next()] {
                let size = rollup.set_size(epoch, now).unwrap();
                for index in 0..size {
                    rollup.member_of(epoch, index, now).unwrap();
                }
                let _ = (rollup.seed(epoch, now), rollup.finality(epoch, now));
            }
        }
    }
    for (contract, proposals) in set.all_proposals() {
        for instance in proposals.instances() {
            assert!(proposals.rounds(instance).all(|(_, tally)| tally.leader.is_some()));
        }
        let _ = set.signaling(contract, now, external);
        let _ = set.pushable_rounds(contract, now, external);
    }
}

/// Makes the calls, each on the state after the earlier ones.
fn call_all(mut set: SetState, chain: &Chain, steps: &[(L1Block, Step)]) {
    for (block, step) in steps {
        let external = chain.foreign.written.at(block.timestamp);
        let context = |caller| Context {
            caller,
            block: *block,
            prevrandao: U256::from(block.timestamp.get()),
            external: &external,
        };
        let logs = match step {
            Step::Call { caller, contract, call } => {
                let call: &Call = call;
                set.decide(*contract, call, &context(*caller))
            }
            Step::Transaction { caller, target, data } => {
                set.decide_raw(*target, data, &context(*caller))
            }
            Step::Put(..) | Step::Deploy(_) => continue,
        };
        for log in logs.iter().flatten() {
            if set.evolve(log, *block).is_err() {
                return;
            }
        }
    }
}

#[test]
fn an_altered_state_is_refused_or_a_state_like_any_other() {
    let (mut read, mut refused) = (0, 0);
    for seed in 0..8 {
        let mut history = RandomHistory::new(seed);
        history.run(STEPS);
        let stored = serde_json::to_value(&history.chain.set).unwrap();
        let mut others = Vec::new();
        leaves(&stored, &mut others);
        let now = history.chain.now();
        let steps = history.steps_taken(60);
        let mut rng = Rng::new(seed);
        for number in 0..250 {
            let mut altered = stored.clone();
            for _ in 0..=rng.below(2) {
                alter(&mut altered, &mut rng, &others);
            }
            let Ok(set) = serde_json::from_value::<SetState>(altered) else {
                refused += 1;
                continue;
            };
            read += 1;
            let named = std::panic::AssertUnwindSafe(|| {
                look(&set, now, &history.chain.foreign);
                call_all(set.clone(), &history.chain, &steps);
            });
            assert!(std::panic::catch_unwind(named).is_ok(), "seed {seed}, alteration {number}");
        }
    }
    assert!(read >= 100, "states that were read: {read}");
    assert!(refused >= 1000, "states that were refused: {refused}");
}

#[test]
fn a_damaged_text_is_refused() {
    let mut history = RandomHistory::new(1);
    history.run(STEPS);
    let stored = text(&history.chain.set);
    let mut rng = Rng::new(1);
    for _ in 0..500 {
        let cut = rng.below(stored.len() as u64) as usize;
        assert!(serde_json::from_str::<SetState>(&stored[..cut]).is_err(), "cut at {cut}");
        let mut bytes = stored.clone().into_bytes();
        bytes[cut] ^= 1 << rng.below(8);
        // A state that can still be read can be used.
        if let Ok(set) = serde_json::from_slice::<SetState>(&bytes) {
            look(&set, history.chain.now(), &history.chain.foreign);
        }
    }
}

/// Breaks each invariant that a function relies on, one at a time.
#[test]
fn what_does_not_add_up_is_refused() {
    let mut chain = Chain::voting(2000, 1000);
    chain.push(contract(1), harmless());
    let stored = serde_json::to_value(&chain.set).unwrap();
    assert!(serde_json::from_value::<SetState>(stored.clone()).is_ok());
    for (path, value, why) in [
        ("/asset/balances/0/1", "79228162514264337593543950335", "the balances exceed 96 bits"),
        ("/governance/power/holders/0/1/0/1", "79228162514264337593543950335", "exceeds 96 bits"),
        ("/governance/proposals/0/configuration_id", "7", "isn't the one of its number"),
        ("/governance/proposals/0/origin/Pushed/term", "9", "in a later term"),
        ("/registry/snapshots/0/rollup", "\"ROLLUP\"", "lists a rollup twice"),
        ("/rollups/ROLLUP/registrations/0/state/Validating/seat", "2", "those of the members"),
        ("/rollups/ROLLUP/registrations/0/state", "\"Gone\"", "those of the members"),
        ("/rollups/ROLLUP/seats/size/0/1", "99", "larger than the number of seats"),
        ("/rollups/ROLLUP/seats/members/0", "[[0, 99], [1, 1]]", "never registered"),
        ("/rollups/ROLLUP/parameters/clock/epoch_duration", "18446744073709551615", "is larger"),
        ("/rollups/ROLLUP/parameters/clock/genesis", "1099511627775", "genesis after"),
        ("/proposals/PROPOSALS/instances/ROLLUP/newest_slot", "0", "the newest slot"),
        ("/proposals/PROPOSALS/instances/ROLLUP/rounds/ROUND/leader/count", "1", "add up"),
        ("/proposals/PROPOSALS/instances/ROLLUP/rounds/ROUND/pushed/Proposal", "9", "pushed as"),
    ] {
        let mut altered = stored.clone();
        let [rollup, proposals] =
            ["rollups", "proposals"].map(|list| stored[list].as_object().unwrap().keys().next());
        let (rollup, proposals) = (rollup.unwrap(), proposals.unwrap());
        let rounds = &stored["proposals"][proposals]["instances"][rollup]["rounds"];
        let round = rounds.as_object().unwrap().keys().next_back().unwrap();
        let named = |text: &str| {
            text.replace("ROLLUP", rollup).replace("PROPOSALS", proposals).replace("ROUND", round)
        };
        let place = altered.pointer_mut(&named(path));
        let place = place.unwrap_or_else(|| panic!("there is no {path}"));
        *place = match &*place {
            Value::String(_) if !value.starts_with('"') => value.into(),
            _ => serde_json::from_str(&named(value)).unwrap(),
        };
        let error = serde_json::from_value::<SetState>(altered).unwrap_err().to_string();
        assert!(error.contains(why), "{path}: {error}");
    }
}
