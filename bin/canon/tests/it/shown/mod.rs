//! Tables and previews that no other test compares whole.

use alloy_primitives::Address;
use canon_protocol::Support;
use snapbox::{cmd::Command, file};

use crate::{
    chain::{Chain, tokens},
    live::with_proposal,
    support::canon,
    transcript::Transcript,
};

#[tokio::test(flavor = "multi_thread")]
async fn the_settings_in_force() {
    let mut t = Transcript::new("shown-config");
    let nowhere = |arguments: &str| -> Command {
        canon().args(arguments.split_whitespace()).current_dir("/")
    };
    t.add("config", nowhere("config"));
    let file = t.folder.write(
        "canon.toml",
        "rpc-url = [\"https://user:KEY@a.example/KEY\", \"/run/geth.ipc\"]\nchain-id = 5\n",
    );
    let registry = Address::repeat_byte(0xaa).to_string();
    let arguments = format!("config --config {} --chain-id 1", file.display());
    let with_both = |arguments: &str| nowhere(arguments).env("CANON_REGISTRY", &registry);
    t.add(&arguments, with_both(&arguments));
    let arguments = format!("{arguments} --json");
    t.add(&arguments, with_both(&arguments));
    let flags = format!("config --rpc-url ws://b.example:1/KEY --registry {registry}");
    t.add(&flags, nowhere(&flags));
    t.is(file!["config.txt"].raw());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_dry_run_shows_and_what_somebody_else_signs() {
    let mut t = Transcript::new("shown-previews");
    let mut chain = with_proposal().await;
    let (payload, account) = (chain.payload, chain.account(0));
    let both = |t: &mut Transcript, chain: &Chain, command: &str| {
        for form in ["--dry-run", "--unsigned"] {
            t.about(chain, &format!("{command} {form} --from {account}"));
        }
    };
    chain.pass(31);
    both(&mut t, &chain, "setup-epoch");
    chain.record_seed_of(32).await;
    chain.pass(32);
    both(&mut t, &chain, &format!("signal {payload} --force"));
    chain.pass(200);
    chain.vote(0, tokens(10), Support::Nea).await;
    both(&mut t, &chain, "vote 0 for --amount 900");
    both(&mut t, &chain, "vote 0 --invalidate");
    chain.withdraw(account, tokens(3)).await;
    let attester = Address::repeat_byte(1);
    both(&mut t, &chain, &format!("stake coinbase {attester} {}", Address::repeat_byte(0xbb)));
    both(&mut t, &chain, &format!("stake exit {attester} --to {account}"));
    assert_eq!(
        Transcript::new("exit")
            .by(&chain, 0, &format!("stake exit {attester} --to {account} --yes"))
            .code,
        0
    );
    chain.pass(1000);
    both(&mut t, &chain, "withdraw 0");
    both(&mut t, &chain, &format!("stake claim {attester}"));
    t.is(file!["previews.txt"].raw());
}
