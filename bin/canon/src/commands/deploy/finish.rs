//! The end of a deployment: its manifest, and the next steps.

use std::{
    io,
    path::{Path, PathBuf},
};

use alloy_primitives::U256;
use canon_chain::{
    Endpoint,
    deploy::{DeployManifest, DeployedSet},
    write_file,
};
use canon_protocol::text::{Rounding, ether, grouped};
use eyre::{Report, eyre};

use super::failures::GoOn;
use crate::{
    chain::ChainSettings,
    exit::Failure,
    page::{Page, line, tokens},
};

/// A finished and verified deployment.
pub(super) struct Finished {
    pub(super) manifest: DeployManifest,
    pub(super) set: DeployedSet,
    /// The gas that this deployment's own transactions used.
    pub(super) gas: u64,
    /// Their fees, in wei.
    pub(super) fee: U256,
    /// The path of the manifest.
    pub(super) file: PathBuf,
}

/// Writes a manifest atomically: even if the program is killed, readers see the whole file or none.
pub(super) fn write(path: &Path, manifest: &DeployManifest, go_on: GoOn) -> Result<(), Failure> {
    let failed = |error: io::Error| {
        let report = Report::new(error).wrap_err(format!("{} can't be written", path.display()));
        Failure::internal(report, go_on.next_step())
    };
    if path.exists() {
        let report = eyre!(
            "{} has appeared while the set was deployed, and isn't overwritten",
            path.display()
        );
        return Err(Failure::bad_input(report, go_on.next_step()));
    }
    let mut text = serde_json::to_string_pretty(manifest).map_err(|error| failed(error.into()))?;
    text.push('\n');
    write_file(path, text.as_bytes()).map_err(failed)
}

impl Finished {
    pub(super) fn render(&self, settings: &ChainSettings) -> String {
        let mut page = Page::default();
        let Self { manifest, set, gas, fee, file } = self;
        line!(page, "The set is deployed and verified; no contract is the deployer's");
        for contract in &manifest.contracts {
            line!(page, "  {:<17}  {}", contract.contract, contract.address);
        }
        let receipts = manifest.steps.iter().filter_map(|step| step.receipt);
        let blocks = receipts.map(|receipt| receipt.block);
        if let (Some(first), Some(last)) = (blocks.clone().min(), blocks.max()) {
            line!(page, "  blocks             {first} to {last}");
        }
        // Somebody else may have paid for everything.
        if *gas > 0 {
            line!(page, "  gas                {}", grouped(u128::from(*gas)));
            line!(page, "  fee                {} ether", ether(*fee, Rounding::Up));
        }
        line!(page, "  manifest           {}", file.display());
        line!(page, "\ncanon.toml, for the commands below");
        for url in settings.rpc_url.iter().flat_map(|setting| &setting.value).take(1) {
            let shown = url.to_string();
            // A URL with a path, which may be a key, is shown without it; a comment says so.
            let note = match shown.parse::<Endpoint>().is_ok_and(|shown| shown == *url) {
                true => "",
                false => "  # and its path",
            };
            line!(page, "  rpc-url = \"{shown}\"{note}");
        }
        line!(page, "  registry = \"{}\"", set.deployment.registry);
        line!(page, "  chain-id = {}", manifest.chain_id);
        line!(page, "\nNext");
        line!(page, "  canon audit --manifest {}", file.display());
        let asset = &manifest.parameters.asset;
        let (supply, issued) = (tokens(asset.initial_supply), tokens(asset.issued_per_second));
        let holder = asset.initial_holder.unwrap_or(manifest.deployer);
        line!(page, "  the whole supply, {supply}, belongs to");
        line!(page, "  {holder}: send");
        line!(page, "  tokens to those who stake and vote");
        line!(page, "    cast send {} \\", set.deployment.asset);
        line!(page, "      'transfer(address,uint256)' TO AMOUNT_IN_BASE_UNITS");
        if !asset.issued_per_second.is_zero() {
            line!(page, "  only a proposal can mint more, at most {issued} a second");
        }
        line!(page, "  canon stake deposit --attester 0x… --proposer 0x… --withdrawer 0x… AMOUNT");
        line!(page, "  canon setup-epoch");
        page.into_text()
    }
}
