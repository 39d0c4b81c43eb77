//! `canon vote` with signed ballots; and how those are shown.

use snapbox::file;

use crate::{live::with_proposal, transcript::Transcript};

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_ballot_that_cannot_be_submitted_says_why() {
    let mut t = Transcript::new("errors-vote");
    let mut shown = Transcript::new("shown-vote");
    let chain = with_proposal().await;
    chain.pass(171);
    let signed = shown.by(&chain, 0, "vote 0 for --amount 1500 --sign --yes").stdout;
    let submit = |t: &mut Transcript, name: &str, from: &str, to: &str| {
        assert!(signed.contains(from), "{from}: {signed}");
        let file = t.folder.write(name, signed.replacen(from, to, 1));
        t.by(&chain, 1, &format!("vote 0 --signature {} --yes", file.display()));
    };
    let deadline =
        signed.split("\"deadline\": ").nth(1).unwrap().split(['\n', ',']).next().unwrap();
    let signature = signed.split("\"signature\": \"").nth(1).unwrap().split('"').next().unwrap();
    submit(&mut t, "other-nonce", "\"nonce\": \"0\"", "\"nonce\": \"7\"");
    submit(&mut t, "short-signature", signature, "0x1234");
    submit(&mut t, "other-amount", "\"1500", "\"1400");
    submit(&mut t, "too-much", "\"1500", "\"91500");
    submit(&mut t, "too-late", deadline, "1000000000");
    submit(&mut t, "other-chain", "\"chainId\": 31337", "\"chainId\": 1");
    submit(&mut t, "other-contract", &chain.set.governance.to_string(), &chain.payload.to_string());
    submit(&mut t, "other-type", "\"primaryType\": \"Ballot\"", "\"primaryType\": \"Signal\"");
    submit(&mut t, "other-types", "bytes32", "uint256");
    submit(&mut t, "not-json", "{", "");
    let file = t.folder.write("ballot.json", &signed);
    let ballot = file.display();
    t.by(&chain, 1, &format!("vote 1 --signature {ballot} --yes"));
    t.by(&chain, 1, &format!("vote 0 against --signature {ballot} --yes"));
    let other = format!("0x{}", "11".repeat(32));
    t.by(&chain, 1, &format!("vote 0 --actions-hash {other} --signature {ballot} --yes"));
    t.by(&chain, 1, "vote 0 --signature /nowhere/ballot.json --yes");
    shown.by(&chain, 1, &format!("vote 0 --signature {ballot} --yes"));
    t.note("the ballot was submitted");
    t.by(&chain, 1, &format!("vote 0 --signature {ballot} --yes"));
    shown.by(&chain, 0, "vote 0 against --amount 1 --dry-run");
    shown.by(&chain, 0, "vote 0 --invalidate --yes");
    t.is(file!["vote-signature.txt"].raw());
    shown.is(file!["../shown/vote.txt"].raw());
}
