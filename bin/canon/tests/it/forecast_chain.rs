//! `canon forecast` about a set on a chain.

use alloy_primitives::{Address, Bytes, bytes, hex, keccak256};
use snapbox::{assert_data_eq, cmd::Command, file};

use crate::{
    chain::Chain,
    forecast::{File, flat, forecast, text},
    support::{stdout, while_served, without_hashes},
};

const HALF: &str = "--signaling 50% --rival 25% --missed 0%";

#[tokio::test]
async fn a_running_round_on_a_chain() {
    let mut chain = Chain::new().await;
    let payload = chain.payload;
    chain.signal(30, payload).await;
    // The ninth seat draws slots from the epoch after the next one.
    chain.go_to(31);
    chain.stake(9).await;
    chain.signal(32, payload).await;
    chain.signal(33, payload).await;

    let arguments = format!("{HALF} --payload {payload}");
    let command = chain.forecast(&arguments);
    let found = while_served(|| text(command)).await;
    assert_data_eq!(without_hashes(&found), file!["forecast-chain.txt"].raw());

    // The forecast is of the newest block, even if the next one is known to come in another slot.
    chain.go_to(34);
    let command = chain.forecast(&arguments);
    assert_eq!(while_served(|| text(command)).await, found);

    let command = chain.forecast(&arguments).arg("--json");
    let report: serde_json::Value =
        serde_json::from_str(&while_served(|| stdout(command)).await).unwrap();
    // Three of the six remaining slots must have a signal, each with probability one half.
    let near = |value: &serde_json::Value, exact: f64| {
        assert!(
            (value.as_f64().unwrap() / exact - 1.0).abs() < 1e-12,
            "{value} instead of {exact}"
        );
    };
    let first = &report["first_round"];
    assert_eq!((&first["counted"], &first["slots_left"]), (&3.into(), &6.into()));
    assert_eq!((&first["needed"], &first["prospect"]), (&3.into(), &"open".into()));
    near(&first["wins"], 42.0 / 64.0);
    near(&report["later_rounds"]["wins"], 386.0 / 1024.0);
    assert_eq!((&report["chain"]["seats"], &report["chain"]["next_seats"]), (&8.into(), &9.into()));
    assert_eq!(report["vote"]["total_power"], "10000000000000000000000");
    // Slot 33 begins 792 s after genesis, and round 4 begins with slot 40.
    let (genesis, now) = (1_767_225_600_u64, 1_767_225_600 + 33 * 24);
    assert_eq!(report["chain"]["time"], now);
    let milestone = |index: usize| report["milestones"][index]["at"].clone();
    let pushable = |round: u64| genesis + (round + 1) * 240;
    // The probability of a win, 1 − 22/64 · 0.623^(rounds − 1), is 66 %, 79 %, 87 % and 92 %, and
    // 99 % after nine rounds.
    for (index, rounds, round) in [(0, 1, 3), (1, 1, 3), (2, 4, 6), (3, 9, 11)] {
        let at = milestone(index);
        let expected = (&rounds.into(), &round.to_string().into());
        assert_eq!((&at["rounds"], &at["round"]), expected, "{index}");
        let execution = pushable(round) + 3 * 3600 + 1;
        assert_eq!(at["pushable"]["time"], pushable(round), "{index}");
        assert_eq!(at["executable"]["time"], execution, "{index}");
        assert_eq!(at["executable"]["after"], execution - now, "{index}");
        assert_eq!(at["expires"]["time"], pushable(round) + 4 * 3600 + 1, "{index}");
    }
    assert!(found.contains("03:16:01"), "{found}");

    // The forecast can assume another set.
    let command = chain.forecast(&format!("{HALF} --sequencers 4"));
    let other = while_served(|| text(command)).await;
    let set = "set 8 seats in epoch 16, 9 in the next; this forecast assumes another set";
    assert!(other.starts_with("6 of 10") && other.contains("\n4 seats with 100 tokens"), "{other}");
    assert!(flat(&other).contains(set), "{other}");

    // The settings can also come from the environment.
    let by_flags = chain.forecast(HALF);
    let by_environment = forecast(HALF)
        .env("ETH_RPC_URL", chain.url())
        .env("CANON_REGISTRY", chain.set.registry.to_string());
    assert_eq!(
        while_served(|| stdout(by_flags)).await,
        while_served(|| stdout(by_environment)).await
    );
}

#[tokio::test]
async fn a_round_that_is_lost_and_one_that_is_won() {
    let mut chain = Chain::new().await;
    let (payload, rival) = (chain.payload, chain.payload_of(Vec::new()));
    for slot in 30..33 {
        chain.signal(slot, payload).await;
    }
    chain.signal(33, rival).await;
    chain.pass(38);
    let command = chain.forecast(&format!("{HALF} --payload {payload}"));
    let lost = while_served(|| text(command)).await;
    assert!(lost.contains("3 of 6 signals: too few slots left for 3 more"), "{lost}");
    assert!(lost.contains("  round     3: 2 of 10 slots left; the next free slot is 38"), "{lost}");
    assert!(lost.contains("  wins the first round        none  2 of 10 slots left"), "{lost}");
    // The earliest win is in the next round, which ends with slot 49 at 00:20.
    assert!(lost.contains("\n                     00:20:00         00:24:00 "), "{lost}");

    for slot in 40..46 {
        chain.signal(slot, payload).await;
    }
    chain.pass(49);
    let command = chain.forecast(&format!("--signaling 0% --rival 0% --payload {payload}"));
    let won = while_served(|| text(command)).await;
    assert!(won.contains("6 of 6 signals: the round is won"), "{won}");
    assert!(won.contains("  wins the first round         won  1 of 10 slots left"), "{won}");
    assert_eq!(won.matches("00:20:00").count(), 4, "{won}");

    // The next round has begun. The last one can be pushed until the end of slot 99.
    chain.pass(52);
    let about = format!("--payload {payload}");
    let command = chain.forecast(&about);
    let over = while_served(|| text(command)).await;
    let push = "round 4 is won: anyone can push it until 2026-01-01 00:39:59 UTC";
    assert!(flat(&over).contains(push), "{over}");
    assert!(over.contains("0 of 6 signals: no more needed"), "{over}");
    let won = "has won already: round 4 can be pushed now, and needs no more signals";
    assert!(over.contains(won) && !over.contains("wins the first round"), "{over}");
    let command = chain.forecast(&format!("--payload {rival}"));
    let rival = while_served(|| text(command)).await;
    assert!(!rival.contains("is won: anyone can push it"), "the round is another's: {rival}");
    // Slot 52 begins at 00:20:48. The round can be pushed at once, with any signals.
    assert_eq!(over.matches("00:20:48").count(), 1 + 4, "{over}");
    assert_eq!(over.matches("03:20:49").count(), 4, "{over}");

    // After the push the proposal's own times count. It is made one second after the start of slot
    // 52.
    chain.push(4).await;
    chain.pass(100);
    let command = chain.forecast(&about);
    let pushed = while_served(|| text(command)).await;
    assert!(
        flat(&pushed)
            .contains("proposal 0 is Pending: the payload can't be pushed again before that ends"),
        "{pushed}"
    );
    let won = "has won already: it is proposal 0, and needs no more signals";
    assert!(pushed.contains(won) && !pushed.contains("wins the first round"), "{pushed}");
    assert_eq!(pushed.matches("00:20:49").count(), 4, "{pushed}");
    assert_eq!(pushed.matches("passed").count(), 4, "{pushed}");
    assert_eq!(pushed.matches("03:20:50").count(), 4, "{pushed}");
}

#[tokio::test]
async fn operators_of_a_chain() {
    let chain = Chain::new().await;
    chain.pass(30);
    let entry = |seats: u32, side: &str| {
        let stake = seats * 100;
        format!("[[operator]]\nstake = {stake}\nside = \"{side}\"\nmissed = 0\n")
    };
    let file = File::new("chain", &(entry(4, "for") + &entry(2, "rival")));
    let command = chain.forecast("").arg("--operators").arg(&file.0);
    let found = while_served(|| text(command)).await;
    assert!(
        flat(&found)
            .contains("8 seats with 100 tokens or more each 50 % signal for the payload, 25 %"),
        "{found}"
    );
    assert!(found.contains("2 more draw slots and are assumed silent"), "{found}");
    assert!(found.contains("  wins a later round       37.70 %"), "{found}");
    let file = File::new("too-many", &entry(9, "for"));
    let command = chain.forecast("").arg("--operators").arg(&file.0);
    let output = while_served(|| command.output().unwrap()).await;
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    let says = "expected no more than the 8 seats that draw in epoch 15, found 9";
    assert!(stderr.contains(says), "{stderr}");
}

#[tokio::test]
async fn a_set_that_gives_no_forecast_is_refused() {
    let chain = Chain::new().await;
    let says = async |command: Command, code: i32, says: &str| {
        let output = while_served(|| command.output().unwrap()).await;
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), &*output.stdout), (Some(code), &b""[..]), "{stderr}");
        assert!(stderr.contains(says), "{stderr}");
    };
    // The seats draw slots from epoch 2 on.
    let empty =
        "--sequencers: expected a number of seats, since the canonical rollup's set of epoch";
    says(chain.forecast(""), 2, empty).await;
    chain.pass(30);
    says(
        chain.forecast("--late 3"),
        2,
        "--late: expected no such flag with --registry, since its value is read from the chain",
    )
    .await;
    let late = forecast("--late 3")
        .env("ETH_RPC_URL", chain.url())
        .env("CANON_REGISTRY", chain.set.registry.to_string());
    says(late, 2, "--late: expected no such flag with a Registry (CANON_REGISTRY), since").await;
    let nobody = "--payload 0x00000000000000000000000000000000000000aa";
    // The error names the flag that is wrong.
    let blamed = "no payload can be read from --payload 0x00000000000000000000000000000000000000AA\n  \
                  because the payload has no code at 0x0000";
    says(chain.forecast(nobody), 2, blamed).await;
    let other = format!("--payload {}", chain.set.asset);
    says(chain.forecast(&other), 2, "no actions can be read from --payload").await;
    let nobody = forecast("--registry 0x00000000000000000000000000000000000000aa");
    let nobody = nobody.env("ETH_RPC_URL", chain.url());
    says(nobody, 2, "the Registry has no code at 0x0000").await;
    // The address of another contract is given for the Registry.
    let asset = format!("--registry {}", chain.set.asset);
    let other = forecast(&asset).env("ETH_RPC_URL", chain.url());
    says(other, 2, "no set can be read from the Registry").await;
    // Sets with a rollup or Proposals other than Canon's are refused.
    let (rollup, proposals) = (chain.set.rollup, chain.set.proposals);
    let no_rollup = format!(
        "no set can be read from the Registry {} (--registry)\n  because the canonical rollup {rollup} doesn't answer as \
         Canon's rollups do, so no signals can be forecast",
        chain.set.registry
    );
    let no_proposals =
        format!("because Proposals at {proposals} doesn't answer as Canon's Proposals");
    let original = Address::repeat_byte(0xee);
    chain.replace(original, chain.code(rollup).await);
    for (contract, code, reason) in [
        // The code is missing, stops, or answers every call with 1.
        (rollup, bytes!(), &*no_rollup),
        (rollup, bytes!("00"), &no_rollup),
        (rollup, bytes!("600160005260206000f3"), &no_rollup),
        (proposals, bytes!("60006000fd"), &no_proposals),
        (proposals, bytes!("600160005260206000f3"), "because the Registry of Proposals is 0x0000"),
        (rollup, lying_about_its_slot(original), "reports slot 7 at second 1767226320, which its"),
    ] {
        let code_before = chain.code(contract).await;
        chain.replace(contract, code);
        says(chain.forecast("--sequencers 8"), 2, reason).await;
        chain.replace(contract, code_before);
    }
}

/// Code of a rollup that reports slot 7 as the present one and otherwise answers like the code at
/// `original`.
fn lying_about_its_slot(original: Address) -> Bytes {
    let selector = &keccak256("getCurrentSlot()")[..4];
    let code: [&[u8]; 6] = [
        // A call of `getCurrentSlot` jumps to byte 0x3c.
        &hex!("60003560e01c63"),
        selector,
        &hex!("14603c57"),
        // All other calls are delegated.
        &[&hex!("3660006000376000600036600073"), original.as_slice()].concat(),
        &hex!("5af43d6000803e3d6000f3"),
        &hex!("5b600760005260206000f3"),
    ];
    code.concat().into()
}
