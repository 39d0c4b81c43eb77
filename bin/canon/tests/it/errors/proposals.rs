//! `canon execute`, `drop` and `vote` on proposals of every state; and how those proposals are shown.

use alloy_primitives::{Address, Bytes};
use canon_protocol::{GovernanceCall, Support};
use snapbox::file;

use crate::{
    chain::{Chain, tokens},
    sending_anyone::{action, harmless},
    transcript::Transcript,
};

/// Adds what each command says about a proposal that it does nothing for.
fn refuse(t: &mut Transcript, chain: &Chain, ids: &[u64]) {
    for id in ids {
        for command in
            ["execute {} --yes", "drop {} --yes", "vote {} for --yes", "vote {} against --yes"]
        {
            t.by(chain, 0, &command.replace("{}", &id.to_string()));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proposal_of_every_state_is_shown_and_refused_where_it_is_over_or_early() {
    let mut errors = Transcript::new("errors-states");
    let mut shown = Transcript::new("shown-states");
    let mut executions = Transcript::new("shown-executions");
    let mut chain = Chain::new().await;
    let successor = Address::repeat_byte(0x77);
    chain.replace(successor, Bytes::from_static(&[0x00]));
    let replace = GovernanceCall::UpdateGovernanceProposer { new_governance_proposer: successor };
    let replacement = action(chain.set.governance, replace);
    let payloads: Vec<_> = [0, 1, 2]
        .into_iter()
        .map(|copies| chain.payload_of(vec![harmless(&chain); copies + 1]))
        .chain([chain.payload_of(vec![replacement])])
        .collect();
    errors.by(&chain, 0, "execute 0 --yes");
    errors.by(&chain, 0, "drop 0 --yes");
    errors.by(&chain, 0, "vote 0 for --yes");
    errors.about(&chain, "proposal 0");
    shown.about(&chain, "proposal");
    // Holder 1 has 500 tokens of power.
    let lock = format!("lock 500 --for {} --yes", chain.account(1));
    assert_eq!(Transcript::new("lock").by(&chain, 0, &lock).code, 0);
    chain.renew_sender();
    // A proposal is pushed in the first slot of the next round. Proposal 0 will expire, 1 be rejected, and 2 and 3 be executed.
    for (payload, round) in payloads.iter().zip([1, 3, 5, 7]) {
        chain.propose(*payload, round).await;
    }
    errors.note("proposals 0 to 3 are Pending");
    refuse(&mut errors, &chain, &[0]);
    refuse(&mut errors, &chain, &[4]);
    errors.about(&chain, "proposal 4");
    for _ in 0..70 {
        chain.chain.mine().unwrap();
    }
    chain.go_to(240);
    for id in [0, 2, 3] {
        chain.vote(id, tokens(5_000), Support::Yea).await;
    }
    let ballot = "vote 2 against --amount 50 --yes";
    assert_eq!(Transcript::new("ballot").by(&chain, 1, ballot).code, 0);
    errors.note("they are Active");
    for command in ["execute 0 --yes", "execute --yes", "drop 0 --yes", "drop --yes"] {
        errors.by(&chain, 0, command);
    }
    errors.by(&chain, 2, "vote 0 for --yes");
    errors.by(&chain, 1, "vote 0 for --amount 500.1 --yes");
    errors.by(&chain, 0, &format!("vote 0 for --yes --actions-hash 0x{}", "11".repeat(32)));
    shown.note("Active, with ballots");
    shown.about(&chain, "proposal 2");
    chain.pass(390);
    errors.note("0, 2 and 3 are Queued, and take objections");
    errors.by(&chain, 0, "vote 2 for --yes");
    chain.pass(440);
    errors.note("objections to 0 and 2 have ended, and 1 is Rejected");
    refuse(&mut errors, &chain, &[2, 1]);
    shown.note("Queued");
    shown.about(&chain, "proposal 2");
    chain.propose(payloads[1], 45).await;
    chain.pass(625);
    shown.note("0 is Expired, 1 Rejected, 2 and 3 Executable, and 4 Active");
    for id in 0..3 {
        shown.about(&chain, &format!("proposal {id}"));
    }
    errors.note("2 is Executable, and 0 is Expired");
    errors.by(&chain, 0, "vote 2 against --yes");
    refuse(&mut errors, &chain, &[0]);
    // Its payload withholds its list.
    chain.replace(payloads[2], Bytes::from_static(&[0xfd]));
    executions.about(&chain, &format!("execute --dry-run --from {}", chain.account(5)));
    executions.about(&chain, &format!("execute 3 --unsigned --from {}", chain.account(5)));
    executions.by(&chain, 0, "execute --yes");
    errors.note("2 and 3 are Executed, by which 4 is Dropped");
    refuse(&mut errors, &chain, &[2]);
    errors.by(&chain, 0, "execute 4 --yes");
    errors.by(&chain, 0, "vote 4 for --yes");
    errors.by(&chain, 0, "execute --yes");
    shown.note("Executed, and Dropped");
    shown.about(&chain, "proposal 2");
    shown.about(&chain, "proposal 4");
    shown.about(&chain, "proposal");
    executions.by(&chain, 0, "drop --yes");
    errors.note("the drop of 4 is recorded");
    errors.by(&chain, 0, "drop 4 --yes");
    errors.by(&chain, 0, "drop --yes");
    errors.is(file!["proposals.txt"].raw());
    shown.is(file!["../shown/proposal.txt"].raw());
    executions.is(file!["../shown/execute.txt"].raw());
}
