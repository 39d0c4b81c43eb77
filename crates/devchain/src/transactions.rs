//! Transactions that the chain completes and signs itself, for its own and impersonated accounts.

use alloy_consensus::{
    SignableTransaction, TxEnvelope, TypedTransaction, transaction::SignerRecoverable,
};
use alloy_eips::Decodable2718;
use alloy_network::TxSignerSync;
use alloy_primitives::{Address, TxKind};
use alloy_rpc_types_eth::TransactionRequest;
use alloy_signer_local::PrivateKeySigner;

use crate::{
    block::{Tx, placeholder_signature},
    calls::{Overrides, check_request},
    chain::Chain,
    error::{Error, Result},
    exec::Watch,
    fees::SUGGESTED_TIP,
    rpc::error::{OrServerError, RpcResult, invalid_params, server_error},
};

/// The signature that a transaction gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signing {
    /// One that is valid everywhere.
    Valid,
    /// The placeholder if the sender is impersonated, otherwise a valid one.
    ValidUnlessImpersonated,
    /// The placeholder, whoever sends.
    Placeholder,
}

/// Fills in the fields that the request leaves open, and signs it.
pub(crate) fn fill(
    chain: &Chain,
    mut request: TransactionRequest,
    from: Address,
    signing: Signing,
) -> RpcResult<Tx> {
    // First: whatever else is wrong, there is nobody to sign.
    let signer = signer(chain, from, signing).or_server_error()?;
    check_request(&request, chain.config.chain_id)?;
    request.chain_id.get_or_insert(chain.config.chain_id);
    if request.nonce.is_none() {
        request.nonce = Some(chain.pool.next_nonce(from, &chain.state));
    }
    if request.to.is_none() {
        request.to = Some(TxKind::Create);
    }
    if request.gas_price.is_none() {
        // A lower maximum limits the suggestion. Anvil refuses it, although the client hasn't set a tip.
        let suggested = SUGGESTED_TIP.min(request.max_fee_per_gas.unwrap_or(u128::MAX));
        let tip = *request.max_priority_fee_per_gas.get_or_insert(suggested);
        let base_fee = u128::from(chain.next_base_fee());
        let fee = (2 * base_fee).saturating_add(tip);
        let fee = *request.max_fee_per_gas.get_or_insert(fee);
        if fee < tip {
            let message = format!("maxFeePerGas ({fee:#x}) < maxPriorityFeePerGas ({tip:#x})");
            return Err(server_error(message));
        }
    }
    if request.gas.is_none() {
        let watch = Watch::default();
        let target = chain.place(None)?.on(chain.base(&watch));
        request.gas = Some(target.estimate(request.clone(), Overrides::default())?);
    }
    sign(signer, typed(request)?, from).or_server_error()
}

/// The transaction of the kind that its fields lead to, which must all be there.
pub(crate) fn typed(request: TransactionRequest) -> RpcResult<TypedTransaction> {
    request.build_typed_tx().map_err(|request| {
        let missing = request.missing_keys().err().map_or_else(Vec::new, |(_, missing)| missing);
        invalid_params(format!("incomplete transaction: expected also {}", missing.join(", ")))
    })
}

/// The key of the sender; `None` if the signature is the placeholder.
fn signer(chain: &Chain, from: Address, signing: Signing) -> Result<Option<&PrivateKeySigner>> {
    let is_impersonated = match signing {
        Signing::Valid => false,
        Signing::ValidUnlessImpersonated => chain.is_impersonated(from),
        Signing::Placeholder => true,
    };
    if is_impersonated {
        return Ok(None);
    }
    chain.signer(from).map(Some).ok_or(Error::UnknownSigner(from))
}

fn sign(signer: Option<&PrivateKeySigner>, mut tx: TypedTransaction, from: Address) -> Result<Tx> {
    let signature = match signer {
        None => placeholder_signature(from),
        Some(signer) => {
            signer.sign_transaction_sync(&mut tx).map_err(|e| Error::Undecodable(e.to_string()))?
        }
    };
    let tx: TxEnvelope = tx.into_signed(signature).into();
    Ok(Tx::new_unchecked(tx, from))
}

/// Decodes a signed transaction (EIP-2718) and recovers its sender.
pub(crate) fn decode(raw: &[u8]) -> Result<Tx> {
    let tx = TxEnvelope::decode_2718_exact(raw).map_err(|e| Error::Undecodable(e.to_string()))?;
    tx.try_into_recovered().map_err(|_| Error::Undecodable("invalid signature".to_owned()))
}
