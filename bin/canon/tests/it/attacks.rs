//! Attacks: each test fails, and so shows a break.

use crate::{
    chain::{Chain, tokens},
    sending::{ACCOUNT, about, by},
    servers::Folder,
    support::{said, while_served},
};

/// A permit is a signature over an allowance of an asset, for which the Registry's Governance names the contract.
#[tokio::test(flavor = "multi_thread")]
async fn a_permit_is_shown_with_the_asset_that_it_is_for_in_full() {
    let folder = Folder::new("attack-permit");
    let mut chain = Chain::new().await;
    chain.give(ACCOUNT, tokens(100)).await;
    while_served(move || {
        let asset = chain.set.asset.to_string();
        let output = by(&chain, &folder, "lock 5 --permit --yes").output().unwrap();
        let shown = said(output.stderr);
        assert!(output.status.success(), "{shown}");
        let approval = about(
            &chain,
            &folder,
            &format!("lock 5 --dry-run --from {}", chain.account(ACCOUNT)),
        );
        let approval = String::from_utf8(approval.output().unwrap().stdout).unwrap();
        assert!(approval.contains(&asset), "an approval shows it: {approval}");
        assert!(shown.contains(&asset), "the asset {asset} isn't shown:\n{shown}");
    })
    .await;
}
