//! The deterministic deployment proxy, and its creation on chains that lack it.

use super::{
    error::DeployError,
    record::DeployRecord,
    run::{DeployProgress, report},
    versions::Versions,
};
use crate::{
    Checks, Client, ContractCall, Sender, Wait, error::Error, rejection::Rejection,
    tx::account::TRANSFER_GAS, wait_until,
};
use alloy_eips::BlockId;
use alloy_primitives::{Address, Bytes, U256, address, bytes, keccak256};
use alloy_provider::Provider;
use core::ops::{ControlFlow, Range};

/// The address of the deterministic deployment proxy on every chain that has it.
pub const DEPLOYMENT_PROXY: Address = address!("0x4e59b44847b379578588920cA78FbF26c0B4956C");

/// The transaction that creates the proxy at the same address on every chain
/// (Arachnid/deterministic-deployment-proxy). Its signature was chosen and determines its sender, so nobody
/// has the sender's key. It has no chain id, as was usual before EIP-155.
pub(crate) const CREATION: Bytes = bytes!(
    "f8a58085174876e800830186a08080b853604580600e600039806000f350fe"
    "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe0"
    "3601600081602082378035828234f58015156039578182fd5b8082525050506014600cf3"
    "1b"
    "a02222222222222222222222222222222222222222222222222222222222222222"
    "a02222222222222222222222222222222222222222222222222222222222222222"
);

/// The position of the proxy's runtime code in that transaction.
const CODE_IN_CREATION: Range<usize> = 31..100;

/// The sender of that transaction.
pub const PROXY_CREATOR: Address = address!("0x3fab184622dc19b6109349b94811493bf2a45362");

/// The most that the transaction can cost, in wei: 100,000 gas at 100 gwei.
pub const PROXY_COST: u64 = 10_000_000_000_000_000;

/// Creates the proxy, unless the chain has it.
pub(crate) async fn ensure_proxy(
    sender: &mut Sender,
    record: &mut DeployRecord,
    wait: &mut impl Wait,
    progress: &mut impl FnMut(&DeployRecord, DeployProgress) -> ControlFlow<()>,
) -> Result<(), DeployError> {
    let client = sender.client().clone();
    if has_proxy(&client).await? {
        return Ok(());
    }
    fund_creator(sender, record, wait, progress).await?;
    let sent = client.provider().send_raw_transaction(&CREATION).await;
    if let Err(source) = sent {
        match Rejection::of(&source) {
            // Somebody else sent it first: it is in a pool, or in a block that this node may not have yet.
            Some(Rejection::AlreadyKnown | Rejection::NonceTooLow) => {}
            _ if has_proxy(&client).await? => return Ok(()),
            _ => return Err(DeployError::ProxyRefused { source }),
        }
    }
    let (what, hash) = ("create the deployment proxy", keccak256(&CREATION));
    let mined = wait_until(wait, async || {
        let receipt = client.provider().get_transaction_receipt(hash).await;
        receipt.map_err(|source| Error::rpc(what, source))
    });
    let is_mined = mined.await?.is_some();
    match has_proxy(&client).await? {
        true => Ok(()),
        false if is_mined => Err(DeployError::ProxyFailed),
        false => Err(DeployError::ProxyNotMined { hash }),
    }
}

/// Checks that the chain has the proxy.
///
/// # Errors
///
/// [`DeployError::NoProxy`] if it doesn't, which says how to create it.
pub(crate) async fn expect_proxy(client: &Client) -> Result<(), DeployError> {
    if has_proxy(client).await? {
        return Ok(());
    }
    let missing = missing(client, BlockId::latest()).await?;
    Err(DeployError::NoProxy { missing })
}

/// Whether the chain has the proxy.
///
/// # Errors
///
/// [`DeployError::OtherProxy`] if other code is at its address.
pub(super) async fn has_proxy(client: &Client) -> Result<bool, DeployError> {
    match client.code(client.head().await?.hash.into(), DEPLOYMENT_PROXY).await? {
        None => Ok(false),
        Some(code) if *code == CREATION[CODE_IN_CREATION] => Ok(true),
        Some(_) => Err(DeployError::OtherProxy),
    }
}

/// Sends the creator the missing wei for its transaction. A payment that is recorded is waited for: another one is made
/// only if a block has used its nonce and lacks what it pays.
async fn fund_creator(
    sender: &mut Sender,
    record: &mut DeployRecord,
    wait: &mut impl Wait,
    progress: &mut impl FnMut(&DeployRecord, DeployProgress) -> ControlFlow<()>,
) -> Result<(), DeployError> {
    let client = sender.client().clone();
    let pay = |missing| ContractCall::pay(PAYMENT, PROXY_CREATOR, missing);
    let (mut payment, mut at) = (None, None);
    if let Some(recorded) = &record.proxy_payment {
        let call = recorded.value().map(pay);
        let versions = call.and_then(|call| {
            Versions::recorded(&recorded.raw, &recorded.replaced, sender.address(), &call)
        });
        let own = versions.ok_or(DeployError::OtherPayment)?;
        if own.confirm(&client).await?.is_some() {
            return Ok(());
        }
        let head: BlockId = client.head().await?.hash.into();
        if sender.has_used(head, own.nonce()).await? {
            if own.late_receipt(&client, wait).await?.is_some() {
                return Ok(());
            }
            at = Some(head);
        } else {
            payment = Some(own);
        }
    }
    let payment = match payment {
        Some(payment) => payment,
        None => {
            sender.await_none_in_flight(wait).await?;
            let at = match at {
                Some(at) => at,
                None => client.head().await?.hash.into(),
            };
            let missing = missing(&client, at).await?;
            // The creator has one transaction, which it has sent.
            if missing.is_zero() || has_created(&client, at).await? {
                return Ok(());
            }
            let checks = Checks::AtReceipt { gas_limit: TRANSFER_GAS };
            Versions::new(sender.prepare(pay(missing), checks, client.next_block().await?).await?)
        }
    };
    let begin = |versions: &Versions| {
        record.proxy_payment = Some(versions.record_payment());
        report(record, DeployProgress::Paying, progress)
    };
    payment.deliver(sender, wait, begin, DeployError::Chain).await.map(drop)
}

/// The name of the payment in errors.
const PAYMENT: &str = "fund the deployment proxy's creator";

/// The wei that the creator lacks for its transaction after a block.
async fn missing(client: &Client, at: BlockId) -> Result<U256, DeployError> {
    let balance = client.provider().get_balance(PROXY_CREATOR).block_id(at).await;
    let balance = balance.map_err(|source| Error::rpc("eth_getBalance", source))?;
    Ok(U256::from(PROXY_COST).saturating_sub(balance))
}

/// Whether the creator's transaction is in a block or one before it.
async fn has_created(client: &Client, at: BlockId) -> Result<bool, DeployError> {
    let count = client.provider().get_transaction_count(PROXY_CREATOR).block_id(at).await;
    let count = count.map_err(|source| Error::rpc("eth_getTransactionCount", source))?;
    Ok(count > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_consensus::{Transaction, TxEnvelope, transaction::SignerRecoverable};
    use alloy_eips::eip2718::Decodable2718;

    #[test]
    fn the_transaction_is_the_proxys() {
        let creation = TxEnvelope::decode_2718_exact(&CREATION).unwrap();
        assert_eq!(*creation.tx_hash(), keccak256(&CREATION));
        assert_eq!(creation.chain_id(), None);
        assert_eq!(creation.recover_signer_unchecked().unwrap(), PROXY_CREATOR);
        assert_eq!(PROXY_CREATOR.create(creation.nonce()), DEPLOYMENT_PROXY);
        let cost = u128::from(creation.gas_limit()) * creation.max_fee_per_gas();
        assert_eq!(cost, PROXY_COST.into());
        assert!(creation.input().ends_with(&CREATION[CODE_IN_CREATION]));
    }
}
