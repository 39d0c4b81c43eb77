//! The creation of a contract as the step of a command.

use alloy_primitives::Address;
use canon_chain::{
    BlockId, Client, Waited,
    deploy::{ContractPlan, CreationState, check_creation},
};
use canon_protocol::BlockNumber;
use canon_views::{Intent, SetId};
use eyre::{Report, eyre};
use serde::Serialize;
use serde_json::Value;

use crate::{
    chain::{Chain, unreached},
    deployer::{AGAIN, undeployed, wait_for},
    exit::{Exit, Failure},
    send::{Change, Conclusion, Planned, SendArgs, Step, send_and_conclude},
    signing::Opened,
};

/// A contract to create for a set.
pub(crate) struct Creation<'a> {
    pub(crate) set: SetId,
    pub(crate) plan: &'a ContractPlan,
    /// The description of the step. The first line is its title.
    pub(crate) words: Vec<String>,
}

impl Creation<'_> {
    /// Carries out a command that creates the contract, unless the chain has it already. `document` has the further
    /// keys of its JSON, and `verify` checks the contract after a block and returns its description.
    ///
    /// # Errors
    ///
    /// If the contract can't be created, and those of [`send_and_conclude`] and `verify`.
    pub(crate) async fn carry_out(
        &self,
        (args, opened): (&SendArgs, Opened),
        chain: &Chain,
        command: &str,
        document: &impl Serialize,
        verify: impl AsyncFn(BlockId) -> Result<String, Failure>,
    ) -> Result<Exit, Failure> {
        let document = serde_json::to_value(document)
            .map_err(|error| Failure::internal(Report::new(error), "please report this"))?;
        let plan = async |planned: Planned| {
            let step = self.step(chain.client(), planned.account).await?;
            Ok(step.into_iter().collect())
        };
        let created = Created {
            document,
            client: chain.client(),
            contract: self.plan.address(),
            confirmations: args.confirmations(),
            verify,
        };
        send_and_conclude(args, opened, chain, command, &plan, &created).await
    }

    /// The step that creates the contract; none if the chain has it.
    async fn step(&self, client: &Client, account: Address) -> Result<Option<Step>, Failure> {
        let state = check_creation(client, account, self.plan).await;
        match state.map_err(|error| undeployed(error, "correct the parameters above"))? {
            CreationState::Exists => Ok(None),
            CreationState::Possible => {
                let intent = Intent { set: self.set, action: self.plan.action(), until: None };
                Ok(Some(Step::new(intent, self.words.clone())))
            }
        }
    }
}

/// The result of the creation of a contract.
struct Created<'a, F> {
    document: Value,
    client: &'a Client,
    contract: Address,
    /// The number of blocks to wait for.
    confirmations: u64,
    verify: F,
}

impl<F> Created<'_, F> {
    /// Waits until the newest block isn't older than that of the creation. If the block of the creation isn't known, it
    /// counts as that in which the contract was seen first, and gets its confirmations.
    async fn settled(&self, block: Option<BlockNumber>) -> Result<BlockId, Failure> {
        let (mut until, mut newest, mut looks) = (block, None, 0);
        loop {
            let head = self.client.head().await.map_err(unreached)?;
            let at = head.hash.into();
            if newest != Some(head.hash) {
                (newest, looks) = (Some(head.hash), 0);
                if block.is_none() {
                    let code = self.client.code(at, self.contract).await.map_err(unreached)?;
                    let last = head.number.get().saturating_add(self.confirmations - 1);
                    // Its block may have been replaced.
                    until = code.and_then(|_| until.or_else(|| Some(BlockNumber::of(last))));
                }
            }
            if until.is_some_and(|until| head.number >= until) {
                return Ok(at);
            }
            if wait_for(looks).await == Waited::GiveUp {
                let (contract, number) = (self.contract, head.number);
                let report = eyre!(
                    "expected the contract {contract} with {} confirmations, found block {number} for 10 minutes",
                    self.confirmations
                );
                return Err(Failure::internal(report, AGAIN));
            }
            looks += 1;
        }
    }
}

impl<F: AsyncFn(BlockId) -> Result<String, Failure>> Conclusion for Created<'_, F> {
    fn document(&self) -> Option<&Value> {
        Some(&self.document)
    }

    async fn conclude(&self, block: Option<BlockNumber>, _: &[&Change]) -> Result<String, Failure> {
        let at = self.settled(block).await?;
        (self.verify)(at).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::bytes;
    use alloy_provider::ProviderBuilder;
    use canon_devchain::{Devchain, DevchainConfig};

    #[tokio::test]
    async fn a_contract_that_is_there_already_gets_its_confirmations() {
        let chain = Devchain::new(DevchainConfig::default());
        let client = ProviderBuilder::default().connect_client(chain.client());
        let client = Client::connect(client).await.unwrap();
        let contract = Address::repeat_byte(7);
        chain.set_code(contract, bytes!("00")).unwrap();
        let created = |confirmations| Created {
            document: Value::Null,
            client: &client,
            contract,
            confirmations,
            verify: (),
        };
        let head = chain.block_number();
        let at = created(1).settled(None).await.unwrap();
        assert_eq!(at, BlockId::from(chain.block_hash()));
        // The block of a transaction has its confirmations when the command is concluded.
        created(9).settled(Some(BlockNumber::of(head))).await.unwrap();
        let waiting = created(3);
        let mine = async {
            for _ in 0..2 {
                tokio::task::yield_now().await;
                chain.mine().unwrap();
            }
        };
        let (at, ()) = tokio::join!(waiting.settled(None), mine);
        assert_eq!(at.unwrap(), BlockId::from(chain.block_hash()));
        assert_eq!(chain.block_number(), head + 2);
    }
}
