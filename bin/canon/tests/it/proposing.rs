//! `canon propose`.

use alloy_primitives::Address;
use serde_json::Value;
use snapbox::{assert_data_eq, cmd::Command, file};

use crate::{
    chain::{Chain, tokens},
    live::{about, fails, json},
    sending::{process, shown},
    servers::Folder,
    support::while_served,
    terminal::{Ended, OnTerminal},
};

fn by(chain: &Chain, folder: &Folder, account: usize, arguments: &str) -> Command {
    about(chain, folder, arguments).env("CANON_PRIVATE_KEY", chain.key(account))
}

#[tokio::test(flavor = "multi_thread")]
async fn proposing_shows_the_actions_and_what_the_lock_costs_and_gives_the_id() {
    let folder = Folder::new("propose");
    let mut chain = Chain::new().await;
    let everything = chain.lock_amount().await;
    chain.lock(everything).await;
    while_served(move || {
        let to = Address::repeat_byte(7);
        let propose =
            || by(&chain, &folder, 0, &format!("propose {} --to {to} --yes", chain.payload));
        let (result, said) = shown(propose());
        assert_data_eq!(result, file!["propose.txt"].raw());
        assert_data_eq!(said, file!["propose-words.txt"].raw());
        let proposals = json(about(&chain, &folder, "proposal"));
        let proposal = &proposals[0];
        // No Proposals contract pushed it.
        assert_eq!(proposal["pushed_by"], Value::Null);
        assert_eq!(proposal["payload"], chain.payload.to_string());
        let power = json(about(&chain, &folder, &format!("power {}", chain.account(0))));
        assert_eq!(power["withdrawals"][0]["recipient"], to.to_string());
        assert_eq!(power["withdrawals"][0]["amount"], everything.get().to_string());
        assert_eq!(power["power"], tokens(10_000).get().to_string());
        // After a command has ended, the same command is a new one.
        let sent = chain.chain.nonce(chain.account(0));
        let said = fails(propose(), 1);
        let open = format!("{} is open proposal 0 already, which is Pending", chain.payload);
        assert!(said.contains(&open) && said.contains("omit --yes"), "{said}");
        assert_eq!(chain.chain.nonce(chain.account(0)), sent, "nothing was sent");
        let arguments = format!("propose {} --to {to}", chain.payload);
        let mut command = OnTerminal::start(process(&chain, &folder, 0, &arguments));
        let shown = command.read_until("Send it? [y/N] ");
        assert!(shown.contains("warning: it is open proposal 0 already"), "{shown}");
        assert!(shown.contains("proposal 0 is Pending"), "{shown}");
        command.answer("y");
        let Ended { code, said, .. } = command.ended();
        assert_eq!(code, Some(0), "{said}");
        let proposals = json(about(&chain, &folder, "proposal"));
        assert_eq!(proposals.as_array().unwrap().len(), 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proposal_that_the_lock_does_not_take_is_refused_with_what_is_missing() {
    let folder = Folder::new("propose-refused");
    let chain = Chain::new().await;
    let lock = chain.lock_amount().await;
    while_served(move || {
        let payload = chain.payload;
        let propose = |account, payload: Address| {
            by(
                &chain,
                &folder,
                account,
                &format!("propose {payload} --to 0x00000000000000000000000000000000000000aa --yes"),
            )
        };
        let said = fails(propose(1, payload), 1);
        let missing = canon_protocol::text::Tokens(lock).to_string();
        assert!(said.contains(&format!("has 0: {missing} missing")), "{said}");
        // The Registry is a contract, but doesn't list actions.
        for (other, says) in [
            (chain.set.registry, "no actions can be read from the payload"),
            (Address::repeat_byte(9), "no actions can be read from the payload"),
        ] {
            let said = fails(propose(0, other), 1);
            assert!(said.contains(says), "{said}");
        }
        let said = fails(by(&chain, &folder, 0, &format!("propose {payload} --yes")), 2);
        assert!(said.contains("--to <ADDRESS>"), "{said}");
        assert_eq!(json(about(&chain, &folder, "proposal")).as_array().unwrap().len(), 0);
    })
    .await;
}
