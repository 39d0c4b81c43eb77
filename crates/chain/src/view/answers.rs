//! The queries to the chain at one block, and its answers.

use super::batch::{BatchedRequest, Reply, decode_reply};
use crate::{
    error::{Error, Result},
    execution::ExecutionFailure,
};
use alloy_eips::BlockId;
use alloy_primitives::{
    Address, B256, Bytes, KECCAK256_EMPTY, TxKind, U256, address, keccak256, map::HashMap,
};
use alloy_rpc_types_eth::TransactionRequest;
use alloy_sol_types::SolCall;
use alloy_transport::RpcError;
use canon_protocol::{Code, CodeKind};

/// The gas of a call: as much as the lens gives to a call, plus more than enough for the intrinsic gas of a
/// transaction. It limits the work that a rollup of a different implementation can cause at the endpoint.
const CALL_GAS: u64 = 2_100_000;

/// The caller of the lens: "lens" in ASCII. The account that creates a contract gets a nonce, and thereby a code
/// hash, so it must be one about which nobody asks.
const LENS_CALLER: Address = address!("0x000000000000000000000000000000006c656e73");

/// A question about the chain at one block.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Query {
    /// The answer of a contract.
    Call {
        /// The contract that is called.
        to: Address,
        /// Selector and arguments.
        data: Bytes,
    },
    /// The code of an account.
    Account(Address),
}

/// Answers of the chain at one block.
#[derive(Debug, Default)]
pub struct Answers {
    /// `None` where the contract doesn't answer: it reverts, or uses up its gas.
    calls: HashMap<(Address, Bytes), Option<Bytes>>,
    accounts: HashMap<Address, Code>,
}

/// The transcript of a lens isn't one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BadTranscript;

impl Query {
    /// A call of a view.
    pub fn call(to: Address, call: &impl SolCall) -> Self {
        Self::Call { to, data: call.abi_encode().into() }
    }

    /// Adds the requests that answer it: one for a call, three for an account.
    pub(super) fn add_requests(
        &self,
        at: BlockId,
        requests: &mut Vec<BatchedRequest>,
    ) -> Result<()> {
        match self {
            Self::Call { to, data } => {
                requests.push(call(*to, data.clone(), at)?);
            }
            // An account without code has a code hash if it has ether or sent something.
            Self::Account(account) => {
                for method in ["eth_getCode", "eth_getBalance", "eth_getTransactionCount"] {
                    requests.push(BatchedRequest::new(method, (account, at))?);
                }
            }
        }
        Ok(())
    }
}

/// An `eth_call` of a contract.
fn call(to: Address, data: Bytes, at: BlockId) -> Result<BatchedRequest> {
    let request = TransactionRequest {
        to: Some(TxKind::Call(to)),
        gas: Some(CALL_GAS),
        input: data.into(),
        ..TransactionRequest::default()
    };
    BatchedRequest::new("eth_call", (request, at))
}

/// An `eth_call` of init code.
pub(super) fn create(init_code: Bytes, at: BlockId) -> Result<BatchedRequest> {
    let request = TransactionRequest {
        from: Some(LENS_CALLER),
        input: init_code.into(),
        ..TransactionRequest::default()
    };
    BatchedRequest::new("eth_call", (request, at))
}

impl Answers {
    /// The answer of `to`; `Some(None)` if it doesn't answer, `None` if that isn't known.
    pub fn call(&self, query: &(Address, Bytes)) -> Option<Option<&Bytes>> {
        self.calls.get(query).map(Option::as_ref)
    }

    /// The code of an account.
    pub fn account(&self, account: Address) -> Option<Code> {
        self.accounts.get(&account).copied()
    }

    /// Adds the answer to `query`, which is in the next replies.
    pub(super) fn add(
        &mut self,
        query: Query,
        replies: &mut impl Iterator<Item = Reply>,
    ) -> Result<()> {
        match query {
            Query::Call { to, data } => {
                let answer = answer(next(replies)?)?;
                self.calls.insert((to, data), answer);
            }
            Query::Account(account) => {
                let code: Bytes = decode_reply("eth_getCode", next(replies)?)?;
                let balance: U256 = decode_reply("eth_getBalance", next(replies)?)?;
                let nonce: U256 = decode_reply("eth_getTransactionCount", next(replies)?)?;
                let exists = !(code.is_empty() && balance.is_zero() && nonce.is_zero());
                self.accounts.insert(account, code_of(&code, exists));
            }
        }
        Ok(())
    }

    /// Adds all answers in the transcript of a lens; `SetLens.sol` documents the format.
    pub(super) fn add_transcript(&mut self, transcript: &Bytes) -> Result<(), BadTranscript> {
        let mut rest = transcript.clone();
        while !rest.is_empty() {
            match take(&mut rest, 1)?[0] {
                answered @ (0 | 1) => {
                    let to = Address::from_slice(&take(&mut rest, 20)?);
                    let length = length(&mut rest)?;
                    let data = take(&mut rest, length)?;
                    let length = self::length(&mut rest)?;
                    let answer = take(&mut rest, length)?;
                    self.calls.insert((to, data), (answered == 1).then_some(answer));
                }
                2 => {
                    let account = Address::from_slice(&take(&mut rest, 20)?);
                    let kind = match take(&mut rest, 1)?[0] {
                        0 => CodeKind::None,
                        1 => CodeKind::Delegation,
                        2 => CodeKind::Contract,
                        _ => return Err(BadTranscript),
                    };
                    let hash = B256::from_slice(&take(&mut rest, 32)?);
                    self.accounts.insert(account, Code { kind, hash });
                }
                _ => return Err(BadTranscript),
            }
        }
        Ok(())
    }
}

fn take(rest: &mut Bytes, length: usize) -> Result<Bytes, BadTranscript> {
    if length > rest.len() {
        return Err(BadTranscript);
    }
    Ok(rest.0.split_to(length).into())
}

fn length(rest: &mut Bytes) -> Result<usize, BadTranscript> {
    let bytes = take(rest, 2)?;
    Ok(usize::from(u16::from_be_bytes([bytes[0], bytes[1]])))
}

/// The kind and the hash of an account's code.
fn code_of(code: &[u8], exists: bool) -> Code {
    let hash = match (code, exists) {
        ([], false) => B256::ZERO,
        ([], true) => KECCAK256_EMPTY,
        _ => keccak256(code),
    };
    Code { kind: CodeKind::of(code), hash }
}

fn next(replies: &mut impl Iterator<Item = Reply>) -> Result<Reply> {
    let missing = || Error::from_rpc("a batch", RpcError::NullResp);
    replies.next().ok_or_else(missing)
}

/// The answer of a contract; `None` if it doesn't answer.
fn answer(reply: Reply) -> Result<Option<Bytes>> {
    match reply {
        Err(error) if ExecutionFailure::of(&error).is_some() => Ok(None),
        reply => decode_reply("eth_call", reply).map(Some),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::hex;

    const CONTRACT: Address = Address::repeat_byte(0xcc);

    /// An answered call, one without an answer, and an account.
    fn transcript() -> Vec<u8> {
        let to = CONTRACT.as_slice();
        let answered = [&[1], to, &[0, 4], b"ask!", &[0, 2], b"ok"].concat();
        let unanswered = [&[0], to, &[0, 1], b"?", &[0, 0]].concat();
        let account = [&[2], to, &[1], &[0xab; 32]].concat();
        [answered, unanswered, account].concat()
    }

    #[test]
    fn a_transcript_is_read_entry_by_entry() {
        let mut answers = Answers::default();
        answers.add_transcript(&transcript().into()).unwrap();
        let call = |data: &'static [u8]| answers.call(&(CONTRACT, Bytes::from_static(data)));
        assert_eq!(call(b"ask!"), Some(Some(&Bytes::from_static(b"ok"))));
        assert_eq!(call(b"?"), Some(None));
        assert_eq!(call(b"!"), None);
        let code = Code { kind: CodeKind::Delegation, hash: B256::repeat_byte(0xab) };
        assert_eq!(answers.account(CONTRACT), Some(code));
        assert_eq!(answers.account(Address::ZERO), None);
    }

    #[test]
    fn a_transcript_that_breaks_off_is_none() {
        let transcript = transcript();
        let ends = [31, 31 + 26, transcript.len()];
        for length in 0..=transcript.len() {
            let part = Bytes::copy_from_slice(&transcript[..length]);
            let is_whole = length == 0 || ends.contains(&length);
            let read = Answers::default().add_transcript(&part);
            assert_eq!(read.is_ok(), is_whole, "the first {length} bytes");
        }
        for (at, byte) in [(0, 3), (31 + 26 + 21, 3)] {
            let mut other = transcript.clone();
            other[at] = byte;
            let read = Answers::default().add_transcript(&other.into());
            assert_eq!(read, Err(BadTranscript), "{byte} at {at}");
        }
    }

    #[test]
    fn code_has_the_kind_and_the_hash_that_the_evm_sees() {
        let delegation = [&hex!("ef0100")[..], CONTRACT.as_slice()].concat();
        for (code, exists, kind, hash) in [
            (&[][..], false, CodeKind::None, B256::ZERO),
            (&[], true, CodeKind::None, KECCAK256_EMPTY),
            (&[0x00], true, CodeKind::Contract, keccak256([0x00])),
            (&delegation, true, CodeKind::Delegation, keccak256(&delegation)),
            (&delegation[..22], true, CodeKind::Contract, keccak256(&delegation[..22])),
        ] {
            assert_eq!(code_of(code, exists), Code { kind, hash }, "{}", hex::encode(code));
        }
    }
}
