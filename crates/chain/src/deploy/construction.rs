//! The creation of a contract that somebody else deployed: the arguments in its constructor's events, and the
//! origin that its address proves with them.

use super::{
    constructor::ConstructorEvents,
    genuine::SetExaminer,
    origin::Create2Origin,
    proxy::DEPLOYMENT_PROXY,
    verdict::{ExamineError, NotGenuine},
};
use crate::{
    Client,
    error::{Error, Result},
};
use alloy_consensus::Transaction;
use alloy_primitives::{Address, B256, TxHash};
use alloy_provider::Provider;
use alloy_transport::RpcError;
use canon_protocol::BlockNumber;

/// The constructor arguments of a contract according to its events, and its creation.
pub(super) struct Construction<C> {
    pub(super) arguments: C,
    pub(super) block: BlockNumber,
    pub(super) transaction: TxHash,
}

impl SetExaminer<'_> {
    /// The origin that a contract's address proves, with the arguments in its constructor's events. It is
    /// one of the examiner's origins, otherwise the salt in the transaction that created the contract, also if a
    /// multisig or another contract called the factory, with the deterministic deployment proxy or the contract
    /// that the transaction calls.
    ///
    /// # Errors
    ///
    /// [`ExamineError::NotGenuine`] if the address follows from none of these; otherwise if the chain can't be
    /// read.
    pub async fn proven_origin<C: ConstructorEvents>(
        &self,
        address: Address,
    ) -> Result<Create2Origin, ExamineError> {
        let contract = C::CONTRACT;
        let found = self.alleged_construction::<C>(address, self.head.number).await?;
        let init_code = contract.init_code(&found.arguments);
        let address_by = |origin: &Create2Origin| origin.create2(&init_code).address();
        if let Some(origin) = self.origins().find(|origin| address_by(origin) == address) {
            return Ok(*origin);
        }
        let calls = factory_calls(self.client, found.transaction, &init_code).await?;
        calls.into_iter().find(|origin| address_by(origin) == address).ok_or_else(|| {
            let expected = address_by(&self.origin);
            NotGenuine::OtherAddress { contract, address, expected }.into()
        })
    }

    /// Checks that a contract is at the address that follows from the arguments in its constructor's
    /// events. `near` is a block near its creation, and probably after it.
    pub(super) async fn construction<C: ConstructorEvents>(
        &self,
        address: Address,
        near: BlockNumber,
    ) -> Result<Construction<C>, ExamineError> {
        let contract = C::CONTRACT;
        let construction = self.alleged_construction::<C>(address, near).await?;
        let init_code = contract.init_code(&construction.arguments);
        let address_by = |origin: &Create2Origin| origin.create2(&init_code).address();
        if self.origins().any(|origin| address_by(origin) == address) {
            return Ok(construction);
        }
        let expected = address_by(&self.origin);
        Err(NotGenuine::OtherAddress { contract, address, expected }.into())
    }

    /// The construction according to the contract's events, which may be forged.
    async fn alleged_construction<C: ConstructorEvents>(
        &self,
        address: Address,
        near: BlockNumber,
    ) -> Result<Construction<C>, ExamineError> {
        let contract = C::CONTRACT;
        if self.client.code(self.head.hash.into(), address).await?.is_none() {
            return Err(NotGenuine::NoCode { contract, address }.into());
        }
        let construction = self.find_construction::<C>(address, near).await?;
        let first_block = self.first_block;
        let missing = NotGenuine::NoConstructorEvents { contract, address, first_block };
        Ok(construction.ok_or(missing)?)
    }

    /// The construction according to the events of a contract; `None` if there are none.
    ///
    /// The search is for one event of the constructor. The other events are read from the same transaction,
    /// because some kinds, such as transfers, are too frequent for a search.
    async fn find_construction<C: ConstructorEvents>(
        &self,
        address: Address,
        near: BlockNumber,
    ) -> Result<Option<Construction<C>>> {
        let filter = C::filter().address(address);
        // Contracts of the first deployment are at the start of these blocks, later ones at the end.
        let mut found =
            self.client.find_log(&filter, self.first_block..=near.min(self.head.number)).await?;
        if found.is_none() {
            let later = self.first_block.max(near.next())..=self.head.number;
            found = self.client.find_log(&filter, later).await?;
        }
        let Some(log) = found else { return Ok(None) };
        let unreadable = Error::BadAnswer { what: "eth_getLogs", address };
        let place = log.block_number.zip(log.transaction_hash);
        let (block, transaction) = place.ok_or(unreadable)?;
        let logs = self.logs_of(transaction, address).await?;
        let block = BlockNumber::of(block);
        Ok(C::from_logs(&logs).map(|arguments| Construction { arguments, block, transaction }))
    }

    /// The logs of one contract in one transaction, oldest first.
    async fn logs_of(
        &self,
        transaction: TxHash,
        emitter: Address,
    ) -> Result<Vec<alloy_primitives::Log>> {
        let what = "eth_getTransactionReceipt";
        let receipt = self.client.provider().get_transaction_receipt(transaction).await;
        let receipt = receipt.and_then(|receipt| receipt.ok_or(RpcError::NullResp));
        let receipt = receipt.map_err(|source| Error::rpc(what, source))?;
        let logs = receipt.logs().iter().map(|log| log.inner.clone());
        Ok(logs.filter(|log| log.address == emitter).collect())
    }

    pub(super) fn origins(&self) -> impl Iterator<Item = &Create2Origin> {
        core::iter::once(&self.origin).chain(&self.other_origins)
    }
}

/// The possible origins of a contract according to the transaction that created it: wherever its calldata has the init
/// code, the word before it can be the salt.
async fn factory_calls(
    client: &Client,
    transaction: TxHash,
    init_code: &[u8],
) -> Result<Vec<Create2Origin>> {
    let found = client.provider().get_transaction_by_hash(transaction).await;
    let found = found.and_then(|found| found.ok_or(RpcError::NullResp));
    let found = found.map_err(|source| Error::rpc("eth_getTransactionByHash", source))?;
    let input = found.input();
    let starts = positions(input, init_code);
    let salts: Vec<_> =
        starts.filter_map(|start| input[..start].last_chunk::<32>().map(B256::from)).collect();
    let factories = found.to().into_iter().chain([DEPLOYMENT_PROXY]);
    let origins = factories
        .flat_map(|factory| salts.iter().map(move |salt| Create2Origin { factory, salt: *salt }));
    Ok(origins.collect())
}

/// The positions of a part in a text.
fn positions<'a>(text: &'a [u8], part: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    text.windows(part.len().max(1))
        .enumerate()
        .filter(move |(_, found)| *found == part)
        .map(|(at, _)| at)
}
