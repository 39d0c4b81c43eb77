//! A session of several people at their terminals, on one chain.

use std::process::Output;

use alloy_eips::BlockNumberOrTag;
use alloy_provider::Provider as _;
use eyre::{Result, ensure, eyre};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::Command,
};

use super::{
    ledger::Ledger,
    people::Person,
    programs::{Canon, Cast},
    text::Facts,
};
use crate::anvil::Anvil;

/// The time between two blocks, in seconds.
pub(super) const BLOCK: u64 = 12;

/// The programs, the chain, and what was checked so far.
pub(super) struct Session {
    pub(super) anvil: Anvil,
    pub(super) cast: Cast,
    pub(super) canon: Canon,
    pub(super) ledger: Ledger,
}

impl Session {
    /// Runs a command of canon, which must end with `code`.
    async fn run(&mut self, who: Option<&Person>, command: &str, code: i32) -> Result<Output> {
        let output = self.prepared(who, command)?.output().await?;
        self.ends(&output, code)?;
        Ok(output)
    }

    /// A command of canon that wasn't started yet.
    fn prepared(&mut self, who: Option<&Person>, command: &str) -> Result<Command> {
        let shown = who.map(Person::shown).unwrap_or_default();
        self.ledger.command(&format!("canon {command}{shown}"))?;
        let flags = who.into_iter().flat_map(|who| &who.flags).map(String::as_str);
        let arguments: Vec<_> = command.split_whitespace().chain(flags).collect();
        Ok(self.canon.prepare(&arguments))
    }

    fn ends(&self, output: &Output, code: i32) -> Result<()> {
        let said = String::from_utf8_lossy(&output.stderr);
        let (place, found) = (self.ledger.place(), output.status.code());
        ensure!(
            found == Some(code),
            "{place}: expected exit code {code}, found {found:?}:\n{said}"
        );
        Ok(())
    }

    /// The text that a command prints.
    pub(super) async fn prints(&mut self, who: Option<&Person>, command: &str) -> Result<String> {
        Ok(String::from_utf8(self.run(who, command, 0).await?.stdout)?)
    }

    /// The JSON that a command prints.
    pub(super) async fn reads(&mut self, who: Option<&Person>, command: &str) -> Result<Value> {
        let text = self.prints(who, command).await?;
        serde_json::from_str(&text).map_err(|error| eyre!("{}: {error}", self.ledger.place()))
    }

    /// The JSON of a report. Each number that the report prints for people has to be there, or among `derived`.
    pub(super) async fn reports(&mut self, command: &str, derived: &[u128]) -> Result<Value> {
        let document = self.reads(None, &format!("{command} --json")).await?;
        let output = self.canon.run(&command.split_whitespace().collect::<Vec<_>>()).await?;
        self.ends(&output, 0)?;
        let printed = String::from_utf8(output.stdout)?;
        let unexplained = Facts::of(&document, derived).unexplained(&printed);
        self.ledger.same("printed numbers", &json!(unexplained), &json!([]))?;
        Ok(document)
    }

    /// The outcome of a command that sends. Its transactions are compared with their receipts.
    pub(super) async fn sends(&mut self, who: &Person, command: &str) -> Result<Value> {
        let outcome = self.reads(Some(who), &format!("{command} --yes --json")).await?;
        self.check_transactions(who, &outcome).await?;
        Ok(outcome)
    }

    /// A command that canon refuses with `code`, saying `reason`, and that sends nothing.
    pub(super) async fn refuses(
        &mut self,
        who: &Person,
        command: &str,
        code: i32,
        reason: &str,
    ) -> Result<()> {
        let nonce = self.cast.text(&["nonce", &who.address]).await?;
        let output = self.run(Some(who), &format!("{command} --yes"), code).await?;
        let said = String::from_utf8_lossy(&output.stderr);
        self.ledger.says(&format!("exit code {code} and its reason"), &said, reason)?;
        let after = self.cast.text(&["nonce", &who.address]).await?;
        self.ledger.same("nothing sent", &nonce.into(), &after.into())
    }

    /// A command that waits until `time`, to which the chain is moved once `canon` says that it waits.
    pub(super) async fn waits(&mut self, who: &Person, command: &str, time: u64) -> Result<Value> {
        let command = format!("{command} --wait --yes --json");
        let mut prepared = self.prepared(Some(who), &command)?;
        prepared.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
        let mut process = prepared.spawn()?;
        let stderr = process.stderr.take().ok_or_else(|| eyre!("canon has no stderr"))?;
        let (mut lines, mut said) = (BufReader::new(stderr).lines(), String::new());
        let mut waiting = false;
        while let Some(line) = lines.next_line().await? {
            said.push_str(&line);
            said.push('\n');
            if !waiting && line.contains("waiting for slot") {
                waiting = true;
                self.jump(time).await?;
            }
        }
        let mut output = process.wait_with_output().await?;
        output.stderr = said.into_bytes();
        self.ends(&output, 0)?;
        ensure!(waiting, "{}: it didn't wait", self.ledger.place());
        let outcome = serde_json::from_slice(&output.stdout)?;
        self.check_transactions(who, &outcome).await?;
        Ok(outcome)
    }

    async fn check_transactions(&mut self, who: &Person, outcome: &Value) -> Result<()> {
        let transactions = outcome["transactions"].as_array().map_or(&[][..], Vec::as_slice);
        ensure!(!transactions.is_empty(), "{}: no transaction", self.ledger.place());
        for transaction in transactions {
            self.ledger.same("account", &outcome["account"], &who.address.clone().into())?;
            let hash = transaction["hash"].as_str().unwrap_or_default();
            let receipt = self.cast.json(&["receipt", hash]).await?;
            let number = |name: &str| receipt[name].as_str().map(quantity).transpose();
            let (gas, price) = (number("gasUsed")?, number("effectiveGasPrice")?);
            let fee = gas.zip(price).map(|(gas, price)| gas * price);
            let from =
                self.cast.text(&["to-check-sum-address", text_of(&receipt, "from")?]).await?;
            self.ledger.same("sender", &outcome["account"], &from.into())?;
            self.ledger.same("success", &"0x1".into(), &receipt["status"])?;
            let block = number("blockNumber")?.map(|block| block.to_string());
            self.ledger.same("block", &transaction["block"], &json!(block))?;
            self.ledger.same("gas", &transaction["gas_used"], &json!(gas))?;
            self.ledger.same("fee", &transaction["fee"], &json!(fee.map(|fee| fee.to_string())))?;
        }
        Ok(())
    }

    /// Checks that a field of what canon printed, by its JSON pointer, is what a view answers.
    pub(super) async fn check(
        &mut self,
        (document, pointer): (&Value, &str),
        (contract, function, arguments): (&str, &str, &[&str]),
    ) -> Result<()> {
        let chain = self.cast.call(contract, function, arguments).await?;
        self.same(document, pointer, &chain)
    }

    /// Checks that a field of what canon printed, by its JSON pointer, is the chain's value.
    pub(super) fn same(&mut self, document: &Value, pointer: &str, chain: &Value) -> Result<()> {
        let field = pointer.trim_start_matches('/').replace('/', ".");
        let canon = document.pointer(pointer);
        let canon =
            canon.ok_or_else(|| eyre!("{}: no {field}: {document}", self.ledger.place()))?;
        self.ledger.same(&field, canon, chain)
    }

    /// The timestamp of the newest block.
    pub(super) async fn now(&self) -> Result<u64> {
        let provider = self.anvil.client.provider();
        let block = provider.get_block_by_number(BlockNumberOrTag::Latest).await?;
        Ok(block.ok_or_else(|| eyre!("there is no block"))?.header.timestamp)
    }

    /// The number of the newest block.
    pub(super) async fn height(&self) -> Result<u64> {
        Ok(self.anvil.client.provider().get_block_number().await?)
    }

    /// Mines a block at `time`, unless the newest one is at or after it.
    pub(super) async fn jump(&self, time: u64) -> Result<()> {
        if time > self.now().await? {
            let _: Value = self.rpc("evm_setNextBlockTimestamp", json!([time])).await?;
            let _: Value = self.rpc("evm_mine", json!([])).await?;
        }
        Ok(())
    }

    /// Calls a method of anvil.
    pub(super) async fn rpc(&self, method: &'static str, parameters: Value) -> Result<Value> {
        Ok(self.anvil.client.provider().raw_request(method.into(), parameters).await?)
    }
}

/// A text in a document.
pub(super) fn text_of<'a>(document: &'a Value, pointer: &str) -> Result<&'a str> {
    let pointer = format!("/{}", pointer.trim_start_matches('/'));
    let text = document.pointer(&pointer).and_then(Value::as_str);
    text.ok_or_else(|| eyre!("no text {pointer} in {document}"))
}

/// A number in a document, as a number or a decimal text.
pub(super) fn number_of(document: &Value, pointer: &str) -> Result<u64> {
    let value = document.pointer(pointer);
    let number = value.and_then(|value| value.as_u64().or_else(|| value.as_str()?.parse().ok()));
    number.ok_or_else(|| eyre!("no number {pointer} in {document}"))
}

/// An amount in base units, as a number or a decimal text.
pub(super) fn amount_of(value: &Value) -> Result<u128> {
    let amount = value.as_u64().map(u128::from).or_else(|| value.as_str()?.parse().ok());
    amount.ok_or_else(|| eyre!("expected an amount, found {value}"))
}

/// A number in hexadecimal, as JSON-RPC has it.
fn quantity(text: &str) -> Result<u128> {
    Ok(u128::from_str_radix(text.trim_start_matches("0x"), 16)?)
}

/// Base units of whole tokens, as text.
pub(super) fn tokens(count: u64) -> String {
    format!("{count}000000000000000000")
}
