//! The methods that sign or send for accounts whose keys the chain has.

use alloy_dyn_abi::TypedData;
use alloy_eips::Encodable2718;
use alloy_primitives::{Address, B256, Bytes, eip191_hash_message};
use alloy_rpc_types_eth::TransactionRequest;
use alloy_signer::SignerSync;
use serde_json::value::RawValue;

use super::{
    error::{OrServerError, RpcResult, invalid_params},
    json,
    methods::{Method, answer},
    params::Params,
};
use crate::{
    block::Tx,
    chain::Chain,
    error::Error,
    transactions::{self, Signing},
};

/// The methods of this module.
pub(super) const METHODS: &[Method] = &[
    answer(&["eth_accounts", "eth_requestAccounts"], 0, |chain, _| json(accounts(chain))),
    answer(&["eth_sign"], 2, |chain, params| {
        sign_message(chain, params.next()?, &params.next::<Bytes>()?)
    }),
    answer(&["personal_sign"], 2, |chain, params| {
        let message = params.next::<Bytes>()?;
        sign_message(chain, params.next()?, &message)
    }),
    answer(&["eth_signTypedData", "eth_signTypedData_v4"], 2, |chain, params| {
        sign_typed_data(chain, params)
    }),
    answer(&["eth_signTransaction"], 1, |chain, params| sign_transaction(chain, params)),
];

fn sign(chain: &Chain, account: Address, hash: &B256) -> RpcResult<Box<RawValue>> {
    let signer = chain.signer(account).ok_or(Error::UnknownSigner(account)).or_server_error()?;
    json(Bytes::from(signer.sign_hash_sync(hash).or_server_error()?.as_bytes()))
}

/// The accounts that can send: those whose keys the chain has, then those that are impersonated, in
/// the order of their addresses.
fn accounts(chain: &Chain) -> Vec<Address> {
    let mut accounts: Vec<_> = chain.signers.iter().map(|signer| signer.address()).collect();
    let others = chain.impersonated.iter().filter(|account| !accounts.contains(account));
    let mut others: Vec<_> = others.copied().collect();
    others.sort_unstable();
    accounts.extend(others);
    accounts
}

/// Signs a message of a person (EIP-191).
fn sign_message(chain: &Chain, account: Address, message: &[u8]) -> RpcResult<Box<RawValue>> {
    sign(chain, account, &eip191_hash_message(message))
}

/// Signs typed data (EIP-712), which may be written as an object or as the text of one.
fn sign_typed_data(chain: &Chain, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    let (account, data): (Address, TypedData) = (params.next()?, params.next()?);
    let hash = data.eip712_signing_hash();
    sign(chain, account, &hash.map_err(|error| invalid_params(error.to_string()))?)
}

/// Answers with the encoding of the signed transaction, as anvil does. viem, ethers, alloy and cast
/// send that answer on as it is. Geth and the specification have it in an object, as web3.py
/// expects.
fn sign_transaction(chain: &Chain, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    let (request, from) = transaction_of_sender(params)?;
    json(Bytes::from(transactions::fill(chain, request, from, Signing::Valid)?.encoded_2718()))
}

/// The next parameter as a transaction of an account whose key the chain has, or which needs none.
pub(super) fn completed(chain: &Chain, params: &mut Params<'_>, signing: Signing) -> RpcResult<Tx> {
    let (request, from) = transaction_of_sender(params)?;
    transactions::fill(chain, request, from, signing)
}

/// A transaction and its sender, which must be given.
fn transaction_of_sender(params: &mut Params<'_>) -> RpcResult<(TransactionRequest, Address)> {
    let request: TransactionRequest = params.next()?;
    let from: Option<Address> = request.from;
    let from = from.ok_or_else(|| invalid_params("missing `from`"))?;
    Ok((request, from))
}
