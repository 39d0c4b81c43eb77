//! Tests of the devchain's HTTP server with `cast`.

use std::path::Path;

use alloy_primitives::{Address, U256, bytes, hex};
use alloy_provider::Provider;
use canon_devchain::{Devchain, Mining, serve};
use eyre::{Result, WrapErr, ensure};
use tokio::process::Command;

use super::plain;

/// Runs every command and checks its output. Returns the number of commands.
pub(super) async fn check(chain: &Devchain, cast: &Path) -> Result<usize> {
    chain.set_mining(Mining::Auto);
    let server = serve(chain.clone(), ([127, 0, 0, 1], 0).into()).await?;
    let url = format!("http://{}", server.addr());
    let mut run = 0;
    let mut cast = async |arguments: &[&str]| -> Result<String> {
        run += 1;
        let output = Command::new(cast)
            .args(arguments)
            .args(["--rpc-url", &url])
            .output()
            .await
            .wrap_err_with(|| format!("can't run {}", cast.display()))?;
        let error = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "cast {}: {error}", arguments.join(" "));
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    };
    macro_rules! says {
        ($($argument:expr),* => $expected:expr) => {
            let arguments = [$($argument),*];
            let (said, expected) = (cast(&arguments).await?, $expected.to_string());
            ensure!(said == expected, "cast {}: {said}, not {expected}", arguments.join(" "));
        };
    }

    let signer = &chain.dev_accounts()[2];
    let (key, sender) = (hex::encode_prefixed(signer.to_bytes()), signer.address().to_string());
    // Stores the first word of its calldata and logs it, or returns the stored word if called
    // without calldata.
    let cell = Address::repeat_byte(0xce);
    let code = bytes!("36600c575f545f5260205ff35b5f35805f55805f52600160205fa200");
    chain.set_code(cell, code.clone())?;
    let cell = cell.to_string();

    says!("block-number" => chain.block_number());
    says!("chain-id" => chain.chain_id());
    says!("balance", &sender => chain.balance(signer.address()));
    says!("nonce", &sender => chain.nonce(signer.address()));
    says!("code", &cell => code);
    let word = "0x0000000000000000000000000000000000000000000000000000000000002a2a";
    let estimated: u64 = cast(&["estimate", &cell, word, "--from", &sender]).await?.parse()?;

    let sent = cast(&["send", &cell, word, "--private-key", &key, "--json"]).await?;
    let receipt: serde_json::Value = serde_json::from_str(&sent)?;
    let hash = receipt["transactionHash"].as_str().unwrap_or_default().to_owned();
    let used = chain.gas_used(hash.parse()?).unwrap_or_default();
    ensure!(receipt["status"] == "0x1", "cast send: {sent}");
    ensure!(used > 21_000 && used <= estimated, "used {used}, estimated {estimated}");
    says!("call", &cell => word);
    says!("storage", &cell, "0" => word);
    says!("receipt", &hash, "gasUsed" => used);
    says!("receipt", &hash, "status" => true);
    says!("tx", &hash, "from" => sender);
    let head = plain(chain).get_block_by_number(chain.block_number().into()).await?;
    let header = head.map(|block| block.header).unwrap_or_default();
    says!("base-fee" => header.base_fee_per_gas.unwrap_or_default());
    says!("block", "latest", "--field", "hash" => header.hash);
    says!("block", "latest", "--field", "timestamp" => chain.timestamp());
    says!("age" , "latest" => cast(&["age"]).await?);
    says!("gas-price" => U256::from(plain(chain).get_gas_price().await?));
    let logs = cast(&["logs", "--address", &cell, "--json"]).await?;
    let logs: serde_json::Value = serde_json::from_str(&logs)?;
    ensure!(logs[0]["data"] == word, "cast logs: {logs}");
    ensure!(logs[0]["transactionHash"] == hash, "cast logs: {logs}");
    let transfer = ["send", &cell, "--value", "1gwei", "--private-key", &key];
    cast(&transfer).await?;
    server.shutdown().await?;
    Ok(run)
}
