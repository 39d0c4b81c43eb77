//! The chains, providers and helpers of most tests.

use alloy_network::{EthereumWallet, TransactionBuilder};
use alloy_primitives::{Address, B256, Bytes};
use alloy_provider::{DynProvider, Provider, ProviderBuilder};
use alloy_rpc_types_eth::{TransactionReceipt, TransactionRequest};
use alloy_transport::TransportError;
use canon_devchain::{Devchain, DevchainConfig, Mining};
use serde_json::Value;

/// A chain, and a provider with the wallets of all its dev accounts and the usual fillers.
pub(crate) fn start(config: DevchainConfig) -> (Devchain, DynProvider) {
    let chain = Devchain::new(config);
    let provider = provider(&chain);
    (chain, provider)
}

pub(crate) fn auto() -> (Devchain, DynProvider) {
    start(DevchainConfig::default())
}

pub(crate) fn manual() -> (Devchain, DynProvider) {
    start(DevchainConfig { mining: Mining::Manual, ..DevchainConfig::default() })
}

/// A provider that asks for each nonce instead of counting, so that reverts don't confuse it.
pub(crate) fn provider(chain: &Devchain) -> DynProvider {
    let mut signers = chain.dev_accounts().into_iter();
    let mut wallet = EthereumWallet::new(signers.next().unwrap());
    signers.for_each(|signer| wallet.register_signer(signer));
    ProviderBuilder::default()
        .with_gas_estimation()
        .with_simple_nonce_management()
        .fetch_chain_id()
        .wallet(wallet)
        .connect_client(chain.client())
        .erased()
}

/// The code and the message of an endpoint's refusal.
pub(crate) fn refusal<T: std::fmt::Debug>(answer: Result<T, TransportError>) -> (i64, String) {
    let error = answer.unwrap_err();
    let payload = error.as_error_resp().unwrap_or_else(|| panic!("no refusal: {error}"));
    (payload.code, payload.message.to_string())
}

/// The address of a dev account.
pub(crate) fn dev(chain: &Devchain, index: usize) -> Address {
    chain.dev_accounts()[index].address()
}

/// Sends a transaction, which the chain mines at once, and reads its receipt.
pub(crate) async fn send(provider: &DynProvider, tx: TransactionRequest) -> TransactionReceipt {
    let hash = *provider.send_transaction(tx).await.unwrap().tx_hash();
    provider.get_transaction_receipt(hash).await.unwrap().unwrap()
}

pub(crate) async fn deploy(provider: &DynProvider, runtime: Bytes) -> Address {
    let tx = TransactionRequest::default().with_deploy_code(super::code::init(&runtime));
    send(provider, tx).await.contract_address.unwrap()
}

/// The value stored in a [`code::cell`](super::code::cell).
pub(crate) async fn read(provider: &DynProvider, cell: Address) -> B256 {
    B256::from_slice(&provider.call(call(cell, Bytes::new())).await.unwrap())
}

pub(crate) fn call(to: Address, input: impl Into<Bytes>) -> TransactionRequest {
    TransactionRequest::default().with_to(to).with_input(input.into())
}

/// The answer of a method, as JSON.
pub(crate) async fn request(
    provider: &DynProvider,
    method: &'static str,
    params: Value,
) -> Result<Value, TransportError> {
    provider.raw_request(method.into(), params).await
}
