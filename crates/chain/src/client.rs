//! Reading the chain.

use crate::{
    DEVELOPMENT_CHAINS,
    endpoint::EndpointFailure,
    error::{Error, Result},
    execution::ExecutionFailure,
    tx::FINALITY,
    view::{BatchedRequest, EndpointLimits, Reply, decode_reply},
};
use alloy_eips::{BlockId, BlockNumberOrTag};
use alloy_network::TransactionBuilder;
use alloy_primitives::{Address, Bytes, ChainId, U256, map::AddressMap};
use alloy_provider::{DynProvider, Provider};
use alloy_rpc_types_eth::{BlockOverrides, Header, TransactionRequest};
use alloy_sol_types::SolCall;
use alloy_transport::RpcError;
use canon_abi::{Asset, Governance, Rollup};
use canon_protocol::{BlockNumber, CodeKind, Seconds, Timestamp};
use canon_views::BlockView;
use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

/// The shortest time from one block of Ethereum to the next: `SECONDS_PER_SLOT` in the consensus specification's
/// `configs/mainnet.yaml`.
pub const L1_SLOT: Seconds = Seconds::of(12);

/// The maximum time from the newest block to the pending one: 25 consecutive slots of L1 without a block, and a
/// minute by which clocks differ.
const MAX_PENDING_AHEAD: Seconds = Seconds::of(25 * L1_SLOT.get() + 60);

/// A chain, accessed through a provider. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Client {
    provider: DynProvider,
    chain_id: ChainId,
    limits: Arc<EndpointLimits>,
    assets: Arc<Mutex<AddressMap<PermitAsset>>>,
    /// The number of the newest block that was seen; 0 before one was.
    seen: Arc<AtomicU64>,
}

/// The expected time between two blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockTime {
    /// It is known.
    Known(Seconds),
    /// As long as between the newest blocks, from a second to [`L1_SLOT`]: a transaction can be mined that soon. They are
    /// read together with the newest one if the client has seen a block before, as it has from
    /// [`Endpoints::connect`](crate::Endpoints::connect); otherwise it is [`L1_SLOT`].
    Observed,
}

impl From<Seconds> for BlockTime {
    fn from(time: Seconds) -> Self {
        Self::Known(time)
    }
}

/// The facts about a Governance's asset on which permits depend. They never change.
#[derive(Clone, Debug)]
pub(crate) struct PermitAsset {
    pub(crate) address: Address,
    /// The result of `name()`, which names the domain of permits (EIP-2612).
    pub(crate) name: String,
}

/// The expected conditions of the block that should include a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NextBlock {
    /// The expected time of the block; `None` to use the endpoint's pending block. It matters for calls
    /// that depend on the slot.
    pub timestamp: Option<Timestamp>,
    /// The base fee of the newest block, in wei per gas.
    pub base_fee: u128,
}

impl NextBlock {
    /// The block after `block`, expected at `timestamp`.
    pub const fn after(block: &BlockView, timestamp: Timestamp) -> Self {
        Self { timestamp: Some(timestamp), base_fee: block.base_fee }
    }
}

impl Client {
    /// Creates a client, and requests the chain id once.
    ///
    /// # Errors
    ///
    /// If the endpoint doesn't answer.
    pub async fn connect(provider: impl Provider + 'static) -> Result<Self> {
        let provider = provider.erased();
        let what = "eth_chainId";
        let chain_id = provider.get_chain_id().await.map_err(|source| Error::rpc(what, source))?;
        let (limits, assets, seen) = Default::default();
        Ok(Self { provider, chain_id, limits, assets, seen })
    }

    /// Notes the number of the newest block.
    pub(crate) fn note_head(&self, number: u64) {
        self.seen.store(number, Ordering::Relaxed);
    }

    /// The request of the block from which the time between blocks is observed; `None` if it isn't observed.
    pub(crate) fn request_of_earlier(
        &self,
        block_time: BlockTime,
    ) -> Result<Option<BatchedRequest>> {
        let earlier = self.seen.load(Ordering::Relaxed).checked_sub(1);
        let earlier = earlier.filter(|_| block_time == BlockTime::Observed);
        let request = |number| {
            let id = BlockId::number(number);
            BatchedRequest::new(block_method(id), (BlockNumberOrTag::Number(number), false))
        };
        earlier.map(request).transpose()
    }

    /// The provider.
    pub const fn provider(&self) -> &DynProvider {
        &self.provider
    }

    /// The chain id at the time of connecting.
    pub const fn chain_id(&self) -> ChainId {
        self.chain_id
    }

    /// The observed limits of the endpoint.
    pub(crate) fn limits(&self) -> &EndpointLimits {
        &self.limits
    }

    /// The asset of a Governance. It is read only once.
    pub(crate) async fn permit_asset(
        &self,
        at: BlockId,
        governance: Address,
    ) -> Result<PermitAsset> {
        let known = || self.assets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(asset) = known().get(&governance) {
            return Ok(asset.clone());
        }
        let address = self.read(at, governance, Governance::ASSETCall {}).await?;
        let name = self.read(at, address, Asset::nameCall {}).await?;
        let asset = PermitAsset { address, name };
        known().insert(governance, asset.clone());
        Ok(asset)
    }

    /// The newest block.
    ///
    /// # Errors
    ///
    /// If the endpoint doesn't answer, or a number of the block is out of range.
    pub async fn head(&self) -> Result<BlockView> {
        self.block(BlockId::latest()).await
    }

    /// Reads a block.
    ///
    /// # Errors
    ///
    /// If the endpoint doesn't have it.
    pub async fn block(&self, id: BlockId) -> Result<BlockView> {
        let what = block_method(id);
        let block = self.provider.get_block(id).await;
        let block = block.map_err(|source| Error::rpc(what, source))?;
        let block = block.ok_or_else(|| Error::rpc(what, RpcError::NullResp))?;
        block_view(&block.header)
    }

    /// The newest block, with the expected time of the next one as by [`Self::next_time`], in one round
    /// trip.
    ///
    /// # Errors
    ///
    /// As [`Self::head`].
    pub async fn head_and_next_time(
        &self,
        block_time: impl Into<BlockTime> + Send,
    ) -> Result<(BlockView, Timestamp)> {
        let block_time = block_time.into();
        let what = block_method(BlockId::latest());
        let requests = [BlockNumberOrTag::Latest, BlockNumberOrTag::Pending]
            .map(|block| BatchedRequest::new(what, (block, false)));
        let mut requests = requests.into_iter().collect::<Result<Vec<_>>>()?;
        requests.extend(self.request_of_earlier(block_time)?);
        let mut replies = self.batch(&requests).await?.into_iter();
        let mut next = || found_block(what, replies.next().unwrap_or(Err(RpcError::NullResp)));
        let (head, pending, earlier) = (next()?, next().ok(), next().ok());
        self.note_head(head.number.get());
        let block_time = block_time.after(&head, earlier);
        Ok((head, next_time(self.chain_id, &head, pending, block_time)))
    }

    /// The expected time of the block after `head`: `block_time` later, or the time of the endpoint's
    /// pending block if that is later, which is the case after missed slots or on a node that mines on
    /// request. A failed request is ignored, and except on development chains so is a time that is more than 6
    /// minutes after `head`.
    pub async fn next_time(&self, head: &BlockView, block_time: Seconds) -> Timestamp {
        let pending = self.block(BlockId::pending()).await.ok();
        next_time(self.chain_id, head, pending, block_time)
    }

    /// The ether of an account in the state after the newest block, in wei.
    ///
    /// # Errors
    ///
    /// If the endpoint doesn't answer.
    pub async fn balance(&self, account: Address) -> Result<U256> {
        let balance = self.provider.get_balance(account).await;
        balance.map_err(|source| Error::rpc("eth_getBalance", source))
    }

    /// The newest final block; `None` if there is none yet. On a chain without finality, it is the block
    /// that is 64 blocks behind the newest one.
    ///
    /// # Errors
    ///
    /// If the endpoint doesn't answer.
    pub async fn final_block(&self) -> Result<Option<BlockView>> {
        let error = match self.block(BlockId::finalized()).await {
            Ok(block) => return Ok(Some(block)),
            Err(error) => error,
        };
        // If a node doesn't have the named block, it returns an error or nothing.
        let has_none = matches!(
            &error,
            Error::Rpc { source: RpcError::ErrorResp(_) | RpcError::NullResp, .. }
        );
        if !has_none || error.is_rate_limit() {
            return Err(error);
        }
        match self.head().await?.number.get().checked_sub(FINALITY) {
            Some(number) => self.block(number.into()).await.map(Some),
            None => Ok(None),
        }
    }

    /// Block conditions that a transaction sent now will meet, estimated from the newest block.
    ///
    /// # Errors
    ///
    /// As [`Self::head`].
    pub async fn next_block(&self) -> Result<NextBlock> {
        Ok(NextBlock { timestamp: None, base_fee: self.head().await?.base_fee })
    }

    /// Calls a view and decodes its answer.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] with the contract's error; [`Error::NoAnswer`] if the call ends without an
    /// answer; [`Error::NoCode`] if the address has no code; [`Error::BadAnswer`] if the answer can't be
    /// decoded.
    pub async fn read<C: SolCall>(&self, at: BlockId, to: Address, call: C) -> Result<C::Return> {
        self.read_as(None, at, to, call).await
    }

    /// As [`Self::read`], with a caller, because a contract can answer different callers differently.
    pub(crate) async fn read_as<C: SolCall>(
        &self,
        from: Option<Address>,
        at: BlockId,
        to: Address,
        call: C,
    ) -> Result<C::Return> {
        let what = C::SIGNATURE;
        let input = Bytes::from(call.abi_encode());
        let request = TransactionRequest { from, ..TransactionRequest::default() };
        let request = request.with_to(to).with_input(input);
        let answer = self.provider.call(request).block(at).await;
        let answer = answer.map_err(|source| match ExecutionFailure::of(&source) {
            // A contract of another kind can react to the call in any way.
            Some(ExecutionFailure::OutOfGas | ExecutionFailure::Exceptional) => {
                Error::NoAnswer { what, address: to }
            }
            Some(ExecutionFailure::Reverted(_)) | None => Error::from_rpc(what, source),
        })?;
        match C::abi_decode_returns_validate(&answer) {
            Ok(decoded) => Ok(decoded),
            Err(_) => Err(self.explain(at, what, to, &answer).await),
        }
    }

    /// The reason why an answer can't be decoded.
    async fn explain(&self, at: BlockId, what: &'static str, to: Address, answer: &[u8]) -> Error {
        if answer.is_empty() && matches!(self.code(at, to).await, Ok(None)) {
            return Error::NoCode { what, address: to };
        }
        Error::BadAnswer { what, address: to }
    }

    /// The amount of `owner`'s asset that `spender` may take, in base units. An allowance of 2^256 − 1
    /// never decreases.
    ///
    /// # Errors
    ///
    /// As [`Self::read`].
    pub async fn allowance(
        &self,
        at: BlockId,
        asset: Address,
        owner: Address,
        spender: Address,
    ) -> Result<U256> {
        self.read(at, asset, Asset::allowanceCall { owner, spender }).await
    }

    /// The recipient of the rewards of an attester's blocks.
    ///
    /// # Errors
    ///
    /// As [`Self::read`].
    pub async fn coinbase(
        &self,
        at: BlockId,
        rollup: Address,
        attester: Address,
    ) -> Result<Address> {
        self.read(at, rollup, Rollup::getCoinbaseCall { attester }).await
    }

    /// The code at an address; `None` if it has none. An EIP-7702 delegation doesn't count as code.
    ///
    /// # Errors
    ///
    /// If the endpoint doesn't answer.
    pub async fn code(&self, at: BlockId, address: Address) -> Result<Option<Bytes>> {
        let code = self.provider.get_code_at(address).block_id(at).await;
        let code = code.map_err(|source| Error::rpc("eth_getCode", source))?;
        Ok(match CodeKind::of(&code) {
            CodeKind::Contract => Some(code),
            CodeKind::None | CodeKind::Delegation => None,
        })
    }

    /// The code at an address, where the contract `what` is expected.
    ///
    /// # Errors
    ///
    /// [`Error::NoCode`] if there is none.
    pub async fn expect_code(
        &self,
        at: BlockId,
        what: &'static str,
        address: Address,
    ) -> Result<Bytes> {
        self.code(at, address).await?.ok_or(Error::NoCode { what, address })
    }

    /// Simulates a transaction on top of the newest block.
    pub(crate) async fn simulate(
        &self,
        what: &'static str,
        request: TransactionRequest,
        next: NextBlock,
    ) -> Result<Bytes> {
        self.simulate_at(what, request, BlockId::pending(), next).await
    }

    /// Simulates a transaction on the state after a block.
    pub(crate) async fn simulate_at(
        &self,
        what: &'static str,
        request: TransactionRequest,
        at: BlockId,
        next: NextBlock,
    ) -> Result<Bytes> {
        let call = self.provider.call(request).block(at);
        let call = call.with_block_overrides_opt(overrides(next));
        call.await.map_err(|source| Error::from_rpc(what, source))
    }

    pub(crate) async fn estimate(
        &self,
        what: &'static str,
        request: TransactionRequest,
        next: NextBlock,
    ) -> Result<u64> {
        let call = self.provider.estimate_gas(request).block(BlockId::pending());
        let call = call.with_block_overrides_opt(overrides(next));
        call.await.map_err(|source| Error::from_rpc(what, source))
    }
}

impl BlockTime {
    /// The time until the block after `head`. `earlier` is a block before it, if that was read.
    pub(crate) fn after(self, head: &BlockView, earlier: Option<BlockView>) -> Seconds {
        let observed = || {
            let earlier = earlier?;
            let blocks = head.number.steps_since(earlier.number)?;
            let passed = head.timestamp.since(earlier.timestamp)?;
            let time = Seconds::of(passed.get().checked_div(blocks)?);
            Some(time.clamp(Seconds::SECOND, L1_SLOT))
        };
        match self {
            Self::Known(time) => time,
            Self::Observed => observed().unwrap_or(L1_SLOT),
        }
    }
}

/// The expected time of the block after `head`. `pending` is the endpoint's pending block, if it answered.
pub(crate) fn next_time(
    chain_id: ChainId,
    head: &BlockView,
    pending: Option<BlockView>,
    block_time: Seconds,
) -> Timestamp {
    let next = head.timestamp + block_time;
    let latest = match DEVELOPMENT_CHAINS.contains(&chain_id) {
        true => Timestamp::MAX,
        false => head.timestamp + MAX_PENDING_AHEAD,
    };
    let pending = pending.map(|block| block.timestamp).filter(|time| *time <= latest);
    pending.map_or(next, |pending| pending.max(next))
}

/// The block in a reply to the method `what`.
pub(crate) fn found_block(what: &'static str, reply: Reply) -> Result<BlockView> {
    let unknown = || Error::from_rpc(what, RpcError::NullResp);
    let header: Header = decode_reply::<Option<_>>(what, reply)?.ok_or_else(unknown)?;
    block_view(&header)
}

/// A block from its header.
///
/// # Errors
///
/// [`Error::Rpc`] if its time exceeds 40 bits: no contract is at fault for it.
pub fn block_view(header: &Header) -> Result<BlockView> {
    Ok(BlockView {
        number: BlockNumber::of(header.number),
        hash: header.hash,
        parent: header.parent_hash,
        timestamp: block_time(header)?,
        base_fee: header.base_fee_per_gas.unwrap_or_default().into(),
    })
}

/// The time of a block from its header.
///
/// # Errors
///
/// As [`block_view`].
pub(crate) fn block_time(header: &Header) -> Result<Timestamp> {
    let (number, time) = (header.number, header.timestamp);
    let wrong =
        || Error::rpc("the time of a block", EndpointFailure::time_of_block(number, time).into());
    Timestamp::new(time).ok_or_else(wrong)
}

/// The method that requests a block.
pub(crate) const fn block_method(id: BlockId) -> &'static str {
    match id {
        BlockId::Hash(_) => "eth_getBlockByHash",
        BlockId::Number(_) => "eth_getBlockByNumber",
    }
}

/// The block overrides of a simulation. They set the time, because the slot depends on the time of the
/// block.
fn overrides(next: NextBlock) -> Option<BlockOverrides> {
    let time = next.timestamp?.get();
    Some(BlockOverrides { time: Some(time), ..BlockOverrides::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pending_block_long_after_the_newest_one_is_believed_only_of_a_development_node() {
        let mut header: Header = Header::default();
        header.inner.timestamp = 1_000_000;
        let head = block_view(&header).unwrap();
        let later = |seconds| head.timestamp + Seconds::of(seconds);
        let next = |chain_id, pending| {
            let pending = BlockView { timestamp: later(pending), ..head };
            next_time(chain_id, &head, Some(pending), Seconds::of(12))
        };
        for (pending, expected) in [(0, 12), (13, 13), (360, 360), (361, 12), (2_000_000, 12)] {
            assert_eq!(next(1, pending), later(expected), "{pending}");
        }
        assert_eq!(next(DEVELOPMENT_CHAINS[0], 2_000_000), later(2_000_000));
    }

    #[test]
    fn the_time_between_blocks_is_that_since_an_earlier_one() {
        let mut header: Header = Header::default();
        (header.inner.number, header.inner.timestamp) = (100, 1_000_000);
        let head = block_view(&header).unwrap();
        let at = |number, before: u64| {
            let timestamp = Timestamp::of(head.timestamp.get() - before);
            Some(BlockView { number: BlockNumber::of(number), timestamp, ..head })
        };
        for (earlier, seconds) in [
            (at(99, 2), 2),
            (at(99, 0), 1),
            (at(99, 13), 12),
            (at(98, 6), 3),
            (at(100, 0), 12),
            (at(101, 0), 12),
            (None, 12),
        ] {
            assert_eq!(
                BlockTime::Observed.after(&head, earlier),
                Seconds::of(seconds),
                "{earlier:?}"
            );
            assert_eq!(BlockTime::Known(Seconds::of(5)).after(&head, earlier), Seconds::of(5));
        }
    }

    #[test]
    fn a_block_beyond_40_bits_of_time_is_the_endpoints_fault() {
        let mut header: Header = Header::default();
        header.inner.timestamp = Timestamp::MAX.get();
        assert_eq!(block_view(&header).unwrap().timestamp, Timestamp::MAX);
        header.inner.timestamp += 1;
        let error = block_view(&header).unwrap_err();
        assert!(!error.is_of_the_contracts() && error.is_temporary(), "{error}");
        let said = "the time of a block: the endpoint failed (its block 0 has the Unix time 1099511627776, expected \
                    1099511627775 at most); try again or use another endpoint";
        assert_eq!(error.to_string(), said);
    }
}
