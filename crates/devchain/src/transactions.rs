//! Transactions that the chain completes and signs itself, for its own and impersonated accounts.

use alloy_consensus::{
    SignableTransaction, TxEnvelope, TypedTransaction, transaction::SignerRecoverable,
};
use alloy_eips::Decodable2718;
use alloy_network::TxSignerSync;
use alloy_primitives::{Address, TxKind};
use alloy_rpc_types_eth::TransactionRequest;

use crate::{
    block::{Tx, placeholder_signature},
    calls::Overrides,
    chain::Chain,
    error::{Error, Result},
    exec::Watch,
    fees::SUGGESTED_TIP,
    rpc::error::{OrServerError, RpcResult, invalid_params},
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
    request.chain_id.get_or_insert(chain.config.chain_id);
    if request.nonce.is_none() {
        request.nonce = Some(chain.pool.next_nonce(from, &chain.state));
    }
    if request.to.is_none() {
        request.to = Some(TxKind::Create);
    }
    if request.gas_price.is_none() {
        let tip = *request.max_priority_fee_per_gas.get_or_insert(SUGGESTED_TIP);
        let base_fee = u128::from(chain.next_base_fee());
        request.max_fee_per_gas.get_or_insert_with(|| (2 * base_fee).saturating_add(tip));
    }
    if request.gas.is_none() {
        let watch = Watch::default();
        let target = chain.place(None)?.on(chain.base(&watch));
        request.gas = Some(target.estimate(request.clone(), Overrides::default())?);
    }
    let tx = request
        .build_typed_tx()
        .map_err(|request| invalid_params(format!("incomplete transaction: {request:?}")))?;
    sign(chain, tx, from, signing).or_server_error()
}

fn sign(chain: &Chain, mut tx: TypedTransaction, from: Address, signing: Signing) -> Result<Tx> {
    let is_impersonated = match signing {
        Signing::Valid => false,
        Signing::ValidUnlessImpersonated => chain.is_impersonated(from),
        Signing::Placeholder => true,
    };
    let signature = if is_impersonated {
        placeholder_signature(from)
    } else {
        let signer = chain.signer(from).ok_or(Error::UnknownSigner(from))?;
        signer.sign_transaction_sync(&mut tx).map_err(|e| Error::Undecodable(e.to_string()))?
    };
    let tx: TxEnvelope = tx.into_signed(signature).into();
    Ok(Tx::new_unchecked(tx, from))
}

/// Decodes a signed transaction (EIP-2718) and recovers its sender.
pub(crate) fn decode(raw: &[u8]) -> Result<Tx> {
    let tx = TxEnvelope::decode_2718_exact(raw).map_err(|e| Error::Undecodable(e.to_string()))?;
    tx.try_into_recovered().map_err(|_| Error::Undecodable("invalid signature".to_owned()))
}
