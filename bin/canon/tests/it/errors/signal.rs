//! `canon signal`; and how signed signals are shown.

use std::io::{BufRead as _, BufReader, Read as _};

use snapbox::file;

use crate::{
    chain::Chain,
    live::about_from,
    servers::{Folder, without_logs},
    transcript::{Transcript, start},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_outside_of_ones_slot_says_whose_it_is_and_when_ones_own_comes() {
    let mut t = Transcript::new("errors-signal");
    let mut chain = Chain::new().await;
    let payload = chain.payload;
    chain.pass(5);
    t.note("no slot is drawn yet");
    t.by(&chain, 0, &format!("signal {payload} --yes"));
    t.by(&chain, 0, &format!("signal {payload} --sign --yes"));
    let endpoint = format!("http://{}", without_logs(chain.address()));
    let arguments = format!("signal {payload} --yes");
    let command = about_from(&endpoint, &chain, &Folder::new("errors-signal-2"), &arguments);
    t.note("from an endpoint without logs");
    t.add(&arguments, command.env("CANON_PRIVATE_KEY", chain.key(0)));
    chain.record_seed_of(12).await;
    chain.pass(12);
    t.note("slots 12 and 13 are account 0's");
    for arguments in
        ["--yes", "--wait --yes", "--sign --yes", "--sign --slot 13 --yes", "--dry-run"]
    {
        t.by(&chain, 1, &format!("signal {payload} {arguments}"));
    }
    t.by(&chain, 0, &format!("signal {payload} --sign --slot 11 --yes"));
    let other = format!("--actions-hash 0x{}", "11".repeat(32));
    t.by(&chain, 0, &format!("signal {payload} {other} --yes"));
    let (nobody, registry) = ("0x0909090909090909090909090909090909090909", chain.set.registry);
    let empty = chain.payload_of(Vec::new());
    for other in [nobody.to_owned(), registry.to_string(), empty.to_string()] {
        t.by(&chain, 0, &format!("signal {other} --yes"));
    }
    chain.signal(13, payload).await;
    t.note("slot 13 has its signal");
    t.by(&chain, 0, &format!("signal {payload} --yes"));
    chain.replace(chain.set.proposals, [0xfd].into());
    t.note("Proposals fails on every call");
    t.by(&chain, 0, &format!("signal {payload} --yes"));
    t.by(&chain, 0, &format!("signal {payload} --sign --yes"));
    t.by(&chain, 0, "setup-epoch --yes");
    t.about(&chain, "round");
    chain.replace(chain.set.rollup, [0xfd].into());
    t.note("and so does the canonical rollup");
    t.by(&chain, 0, "setup-epoch --yes");
    t.is(file!["signal.txt"].raw());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_signal_that_cannot_be_submitted_says_why() {
    let mut t = Transcript::new("errors-signal-signature");
    let mut shown = Transcript::new("shown-signal");
    let mut chain = Chain::new().await;
    let payload = chain.payload;
    chain.record_seed_of(12).await;
    chain.pass(12);
    let signed = shown.by(&chain, 0, &format!("signal {payload} --sign --yes")).stdout;
    let submit = |t: &mut Transcript, chain: &Chain, name: &str, from: &str, to: &str| {
        assert!(signed.contains(from), "{from}: {signed}");
        let file = t.folder.write(name, signed.replacen(from, to, 1));
        t.by(chain, 1, &format!("signal --signature {} --yes", file.display()));
    };
    let signature = signed.split("\"signature\": \"").nth(1).unwrap().split('"').next().unwrap();
    let (rollup, proposals) = (chain.set.rollup.to_string(), chain.set.proposals.to_string());
    submit(&mut t, &chain, "short-signature", signature, "0x1234");
    submit(&mut t, &chain, "other-rollup", &rollup, &payload.to_string());
    submit(&mut t, &chain, "other-contract", &proposals, &payload.to_string());
    submit(&mut t, &chain, "other-chain", "\"chainId\": 31337", "\"chainId\": 1");
    submit(&mut t, &chain, "later-slot", "\"slot\": \"12\"", "\"slot\": \"13\"");
    submit(&mut t, &chain, "earlier-slot", "\"slot\": \"12\"", "\"slot\": \"11\"");
    let signal = t.folder.write("signal.json", &signed);
    let signal = signal.display();
    t.by(&chain, 1, &format!("signal {rollup} --signature {signal} --yes"));
    // The proposer's slot 13, signed ahead, is used by another signal while the command waits for it.
    let mut unseen = Transcript::new("unseen-signal");
    let later = unseen.by(&chain, 0, &format!("signal {payload} --sign --slot 13 --yes")).stdout;
    let moved = t.folder.write("moved.json", later.replacen("\"13\"", "\"12\"", 1));
    t.by(&chain, 1, &format!("signal --signature {} --yes", moved.display()));
    shown.by(&chain, 1, &format!("signal --signature {signal} --yes"));
    t.note("the signal was submitted");
    t.by(&chain, 1, &format!("signal --signature {signal} --yes"));
    let later = t.folder.write("later.json", &later);
    let arguments = format!("signal --signature {} --wait --yes", later.display());
    t.note("slot 13 gets another signal while the command waits for it");
    let mut child = start(&t, &chain, 1, &arguments);
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut said = String::new();
    while !said.contains("note: waiting for slot 13") {
        let read = tokio::task::block_in_place(|| stderr.read_line(&mut said).unwrap());
        assert_ne!(read, 0, "{said}");
    }
    chain.renew_sender();
    chain.signal(13, payload).await;
    let output = tokio::task::block_in_place(|| {
        stderr.read_to_string(&mut said).unwrap();
        let output = child.wait_with_output().unwrap();
        std::process::Output { stderr: said.into_bytes(), ..output }
    });
    t.append(&arguments, output);
    t.note("nobody is drawn for slot 20, for which a signal was signed");
    let far = unseen.by(&chain, 0, &format!("signal {payload} --sign --slot 20 --yes")).stdout;
    let far = t.folder.write("far.json", &far);
    chain.pass(20);
    t.by(&chain, 1, &format!("signal --signature {} --yes", far.display()));
    t.is(file!["signal-signature.txt"].raw());
    shown.is(file!["../shown/signal.txt"].raw());
}
