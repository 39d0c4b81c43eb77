//! The methods that sign or send for accounts whose keys the chain has.

use alloy_eips::Encodable2718;
use alloy_primitives::{Address, B256, Bytes, eip191_hash_message};
use alloy_rpc_types_eth::TransactionRequest;
use alloy_signer::SignerSync;
use serde_json::value::RawValue;

use super::{
    error::{OrServerError, RpcResult, invalid_params},
    json,
    params::Params,
    typed_data,
};
use crate::{
    block::Tx,
    chain::Chain,
    error::Error,
    transactions::{self, Signing},
};

/// Answers a method of this module that sends nothing; `None` if this module has no such method.
pub(super) fn dispatch(
    chain: &mut Chain,
    method: &str,
    params: &mut Params<'_>,
) -> Option<RpcResult<Box<RawValue>>> {
    Some(match method {
        "eth_accounts" | "eth_requestAccounts" => json(accounts(chain)),
        "eth_sign" => {
            let account = params.next();
            account.and_then(|account| sign_message(chain, account, &params.next::<Bytes>()?))
        }
        "personal_sign" => {
            let message = params.next::<Bytes>();
            message.and_then(|message| sign_message(chain, params.next()?, &message))
        }
        "eth_signTypedData" | "eth_signTypedData_v4" => sign_typed_data(chain, params),
        "eth_signTransaction" => sign_transaction(chain, params),
        _ => return None,
    })
}

fn sign(chain: &Chain, account: Address, hash: &B256) -> RpcResult<Box<RawValue>> {
    let signer = chain.signer(account).ok_or(Error::UnknownSigner(account)).or_server_error()?;
    json(Bytes::from(signer.sign_hash_sync(hash).or_server_error()?.as_bytes()))
}

/// The accounts that can send: those whose keys the chain has, then those that are impersonated, in the
/// order of their addresses.
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

/// Signs typed data (EIP-712).
fn sign_typed_data(chain: &Chain, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    let account = params.next()?;
    let hash = typed_data::read(params.next()?)?.eip712_signing_hash();
    sign(chain, account, &hash.map_err(|error| invalid_params(error.to_string()))?)
}

/// Answers with the encoding of the signed transaction, as anvil does. viem, ethers, alloy and cast
/// send that answer on as it is. Geth and the specification have it in an object, as web3.py expects.
fn sign_transaction(chain: &Chain, params: &mut Params<'_>) -> RpcResult<Box<RawValue>> {
    let (request, from) = transaction_of_sender(params)?;
    json(Bytes::from(transactions::fill(chain, request, from, Signing::Valid)?.encoded_2718()))
}

/// Adds a transaction to the pool. Returns its hash; `None` if the method does something else.
pub(super) fn send(
    chain: &mut Chain,
    method: &str,
    params: &mut Params<'_>,
) -> Option<RpcResult<B256>> {
    let tx = match method {
        "eth_sendTransaction" => completed(chain, params, Signing::ValidUnlessImpersonated),
        "eth_sendUnsignedTransaction" => completed(chain, params, Signing::Placeholder),
        "eth_sendRawTransaction" | "eth_sendRawTransactionSync" => {
            let raw = params.next::<Bytes>();
            raw.and_then(|raw| transactions::decode(&raw).or_server_error())
        }
        _ => return None,
    };
    Some(tx.and_then(|tx| chain.admit(tx).or_server_error()))
}

fn completed(chain: &Chain, params: &mut Params<'_>, signing: Signing) -> RpcResult<Tx> {
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
