//! The origin of a contract that somebody else deployed.

use super::{
    constructor::ConstructorEvents, genuine::SetExaminer, origin::Create2Origin,
    verdict::ExamineError, verdict::NotGenuine,
};
use crate::{
    Client,
    error::{Error, Result},
};
use alloy_consensus::Transaction;
use alloy_primitives::{Address, B256, TxHash};
use alloy_provider::Provider;
use alloy_transport::RpcError;

impl SetExaminer<'_> {
    /// The origin that a contract's address proves, with the arguments in its constructor's events. It is
    /// one of the examiner's origins, otherwise the factory and the salt in the transaction that created
    /// the contract, if that transaction calls the factory directly.
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
        let origin = factory_call(self.client, found.transaction).await?;
        origin.filter(|origin| address_by(origin) == address).ok_or_else(|| {
            let expected = address_by(&self.origin);
            NotGenuine::OtherAddress { contract, address, expected }.into()
        })
    }
}

/// The factory that a transaction calls, and the salt in its calldata; `None` if the transaction creates a
/// contract directly, or has no salt.
async fn factory_call(client: &Client, transaction: TxHash) -> Result<Option<Create2Origin>> {
    let found = client.provider().get_transaction_by_hash(transaction).await;
    let found = found.and_then(|found| found.ok_or(RpcError::NullResp));
    let found = found.map_err(|source| Error::rpc("eth_getTransactionByHash", source))?;
    let salt = found.input().first_chunk::<32>().map(B256::from);
    Ok(found.to().zip(salt).map(|(factory, salt)| Create2Origin { factory, salt }))
}
