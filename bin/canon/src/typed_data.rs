//! Messages that people sign offline (EIP-712), as JSON documents: the typed data that wallets take
//! (`eth_signTypedData_v4`), with the signature.

use std::path::Path;

use alloy_primitives::{Address, B256, Bytes, ChainId, Signature};
use canon_protocol::{
    Amount, Ballot, ForeignText, Nonce, ProposalId, Signal, Slot, Support, Timestamp, text,
};
use eyre::{Report, eyre};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::exit::Failure;

/// A message that can be signed.
pub(crate) trait TypedMessage: Serialize + DeserializeOwned {
    /// The name of the message's type.
    const PRIMARY_TYPE: &'static str;
    /// The name of the contract that takes the message, and of the EIP-712 domain.
    const CONTRACT: &'static str;
    /// The names and types of the message's fields.
    const FIELDS: &'static [(&'static str, &'static str)];

    /// The hash to sign for a contract.
    fn signing_hash(&self, chain_id: ChainId, contract: Address) -> B256;
}

/// A ballot of a holder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, expecting = "the fields of a ballot")]
pub(crate) struct BallotMessage {
    pub(crate) proposal_id: ProposalId,
    pub(crate) actions_hash: B256,
    /// The power of the ballot, in base units.
    pub(crate) amount: Amount,
    pub(crate) support: bool,
    #[serde(with = "text::address")]
    pub(crate) voter: Address,
    pub(crate) nonce: Nonce,
    pub(crate) deadline: Timestamp,
}

impl TypedMessage for BallotMessage {
    const PRIMARY_TYPE: &'static str = "Ballot";
    const CONTRACT: &'static str = "Governance";
    const FIELDS: &'static [(&'static str, &'static str)] = &[
        ("proposalId", "uint256"),
        ("actionsHash", "bytes32"),
        ("amount", "uint256"),
        ("support", "bool"),
        ("voter", "address"),
        ("nonce", "uint256"),
        ("deadline", "uint256"),
    ];

    fn signing_hash(&self, chain_id: ChainId, governance: Address) -> B256 {
        let ballot = Ballot {
            proposalId: self.proposal_id.to_word(),
            actionsHash: self.actions_hash,
            amount: self.amount.to_word(),
            support: self.support,
            voter: self.voter,
            nonce: self.nonce.to_word(),
            deadline: self.deadline.to_word(),
        };
        ballot.signing_hash(chain_id, governance)
    }
}

impl BallotMessage {
    /// The side of the ballot.
    pub(crate) const fn side(&self) -> Support {
        match self.support {
            true => Support::Yea,
            false => Support::Nea,
        }
    }
}

/// A signal of a slot's proposer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, expecting = "the fields of a signal")]
pub(crate) struct SignalMessage {
    #[serde(with = "text::address")]
    pub(crate) payload: Address,
    pub(crate) slot: Slot,
    /// The canonical rollup.
    #[serde(with = "text::address")]
    pub(crate) instance: Address,
}

impl TypedMessage for SignalMessage {
    const PRIMARY_TYPE: &'static str = "Signal";
    const CONTRACT: &'static str = "Proposals";
    const FIELDS: &'static [(&'static str, &'static str)] =
        &[("payload", "address"), ("slot", "uint256"), ("instance", "address")];

    fn signing_hash(&self, chain_id: ChainId, proposals: Address) -> B256 {
        let signal =
            Signal { payload: self.payload, slot: self.slot.to_word(), instance: self.instance };
        signal.signing_hash(chain_id, proposals)
    }
}

/// A message with its domain and its signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    rename_all = "camelCase",
    deny_unknown_fields,
    expecting = "a message with its types, domain and signature"
)]
pub(crate) struct SignedMessage<M> {
    types: serde_json::Value,
    primary_type: String,
    domain: MessageDomain,
    pub(crate) message: M,
    /// 65 bytes for the signature of a key, or any bytes that a contract accepts as its signature
    /// (ERC-1271).
    pub(crate) signature: Bytes,
}

/// The EIP-712 domain of a message: the contract that takes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, expecting = "an EIP-712 domain")]
struct MessageDomain {
    name: String,
    version: String,
    chain_id: ChainId,
    #[serde(with = "text::address")]
    verifying_contract: Address,
}

impl MessageDomain {
    fn new<M: TypedMessage>(chain_id: ChainId, verifying_contract: Address) -> Self {
        let (name, version) = (M::CONTRACT.to_owned(), "1".to_owned());
        Self { name, version, chain_id, verifying_contract }
    }
}

/// The types of a message, in the form that wallets take.
fn types<M: TypedMessage>() -> serde_json::Value {
    let list = |fields: &[(&str, &str)]| {
        let field = |(name, kind): &(&str, &str)| serde_json::json!({ "name": name, "type": kind });
        fields.iter().map(field).collect::<Vec<_>>()
    };
    let domain = [
        ("name", "string"),
        ("version", "string"),
        ("chainId", "uint256"),
        ("verifyingContract", "address"),
    ];
    serde_json::json!({ "EIP712Domain": list(&domain), M::PRIMARY_TYPE: list(M::FIELDS) })
}

impl<M: TypedMessage> SignedMessage<M> {
    /// Creates a document from a message for a contract and its signature.
    pub(crate) fn new(
        message: M,
        chain_id: ChainId,
        contract: Address,
        signature: &Signature,
    ) -> Self {
        Self {
            types: types::<M>(),
            primary_type: M::PRIMARY_TYPE.to_owned(),
            domain: MessageDomain::new::<M>(chain_id, contract),
            message,
            signature: signature.as_bytes().into(),
        }
    }

    /// Reads a document from a file, or from stdin if the path is `-`. Its message must be of this type.
    ///
    /// # Errors
    ///
    /// If it can't be read, or isn't such a document. The error names the place, or the field and what was
    /// expected.
    pub(crate) fn read(file: &Path) -> Result<Self, Failure> {
        let name = match is_stdin(file) {
            true => "stdin".to_owned(),
            false => ForeignText::new(file.as_os_str().as_encoded_bytes()).to_string(),
        };
        let text = match is_stdin(file) {
            true => canon_chain::read_stdin(),
            false => canon_chain::read_text(file),
        };
        let text = text.map_err(|error| {
            let report = Report::new(error).wrap_err(format!("--signature: {name} can't be read"));
            Failure::bad_input(report, NEXT)
        })?;
        Self::parse(&text)
            .map_err(|problem| Failure::bad_input(eyre!("--signature: {name}: {problem}"), NEXT))
    }

    fn parse(text: &str) -> Result<Self, String> {
        let expected = M::PRIMARY_TYPE;
        // First, because a message of another type has other fields.
        let document = serde_json::from_str::<serde_json::Value>(text).unwrap_or_default();
        let declared = document.get("primaryType").and_then(|declared| declared.as_str());
        if let Some(found) = declared.filter(|found| *found != expected) {
            let found = ForeignText::new(found);
            return Err(format!("primaryType: expected {expected}, found {found}"));
        }
        let found: Self = serde_json::from_str(text).map_err(|error| {
            // The message ends with line and column.
            error.to_string()
        })?;
        if found.types != types::<M>() {
            return Err(format!("types: expected those of a {expected}, found others"));
        }
        Ok(found)
    }

    /// Refuses a message for another chain or another contract than `contract`.
    ///
    /// # Errors
    ///
    /// The error names the field, what was expected and what was found.
    pub(crate) fn require_for(&self, chain_id: ChainId, contract: Address) -> Result<(), Failure> {
        let expected = MessageDomain::new::<M>(chain_id, contract);
        let found = &self.domain;
        let field = |name: &str,
                     expected: &dyn std::fmt::Display,
                     found: &dyn std::fmt::Display| {
            let found = found.to_string();
            let found = ForeignText::new(&found);
            let report = eyre!("--signature: domain.{name}: expected {expected}, found {found}");
            Err(Failure::bad_input(report, "sign a message for this set and this chain"))
        };
        if found.name != expected.name {
            return field("name", &expected.name, &found.name);
        }
        if found.version != expected.version {
            return field("version", &expected.version, &found.version);
        }
        if found.chain_id != expected.chain_id {
            return field("chainId", &expected.chain_id, &found.chain_id);
        }
        if found.verifying_contract != expected.verifying_contract {
            let (expected, found) = (expected.verifying_contract, found.verifying_contract);
            return field("verifyingContract", &expected, &found);
        }
        Ok(())
    }

    /// The failure for a signature that isn't a key's.
    pub(crate) fn without_signer(&self, next: &'static str) -> Failure {
        let report = match self.signature.len() {
            65 => {
                eyre!("--signature: signature: expected that of a key, found none in its 65 bytes")
            }
            found => eyre!("--signature: signature: expected 65 bytes of a key, found {found}"),
        };
        Failure::bad_input(report, next)
    }

    /// The account of the key that signed the message, and the signature in the form that contracts take.
    /// `None` if the signature isn't a key's.
    pub(crate) fn recover(&self) -> Option<(Address, Bytes)> {
        let hash = self.message.signing_hash(self.domain.chain_id, self.domain.verifying_contract);
        let signature = Signature::try_from(self.signature.as_ref()).ok()?;
        let signature = signature.normalize_s().unwrap_or(signature);
        let signer = signature.recover_address_from_prehash(&hash).ok()?;
        Some((signer, signature.as_bytes().into()))
    }
}

const NEXT: &str = "name the file that --sign wrote, or - for stdin";

fn is_stdin(file: &Path) -> bool {
    file == Path::new("-")
}

#[cfg(test)]
mod tests {
    use alloy_primitives::U256;
    use alloy_signer::SignerSync as _;
    use canon_testkit::chain::{GOVERNANCE, key, named};

    use super::*;

    fn message() -> BallotMessage {
        BallotMessage {
            proposal_id: ProposalId::of(3),
            actions_hash: B256::repeat_byte(7),
            amount: Amount::of(1_500_000_000_000_000_000),
            support: true,
            voter: named("alice"),
            nonce: Nonce::ZERO,
            deadline: Timestamp::of(1_800_000_000),
        }
    }

    fn signed() -> SignedMessage<BallotMessage> {
        let message = message();
        let hash = message.signing_hash(31337, GOVERNANCE);
        let signature = key("alice").sign_hash_sync(&hash).unwrap();
        SignedMessage::new(message, 31337, GOVERNANCE, &signature)
    }

    #[test]
    fn a_document_is_read_back_and_recovers_its_signer() {
        let document = signed();
        let text = serde_json::to_string_pretty(&document).unwrap();
        let read = SignedMessage::<BallotMessage>::parse(&text).unwrap();
        assert_eq!(read, document);
        assert_eq!(read.recover().unwrap().0, named("alice"));
        assert!(read.require_for(31337, GOVERNANCE).is_ok());
    }

    #[test]
    fn the_types_in_a_document_are_those_that_are_hashed() {
        use alloy_sol_types::SolStruct as _;
        let encoded = |fields: &[(&str, &str)], name: &str| {
            let fields: Vec<_> =
                fields.iter().map(|(name, kind)| format!("{kind} {name}")).collect();
            format!("{name}({})", fields.join(","))
        };
        assert_eq!(encoded(BallotMessage::FIELDS, "Ballot"), Ballot::eip712_root_type());
        assert_eq!(encoded(SignalMessage::FIELDS, "Signal"), Signal::eip712_root_type());
    }

    #[test]
    fn a_message_changed_after_signing_recovers_another_signer() {
        let mut document = signed();
        document.message.amount = Amount::of(1);
        assert_ne!(document.recover().map(|(signer, _)| signer), Some(named("alice")));
    }

    #[test]
    fn wallets_signatures_are_sent_in_the_form_that_contracts_take() {
        let document = signed();
        let order = U256::from_be_bytes(alloy_primitives::hex!(
            "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"
        ));
        let [r, s] =
            [&document.signature[..32], &document.signature[32..64]].map(U256::from_be_slice);
        let parity = document.signature[64] - 27;
        let high = [&r.to_be_bytes::<32>()[..], &(order - s).to_be_bytes::<32>(), &[1 - parity]];
        let low = [&document.signature[..64], &[parity]].concat();
        for other in [low, high.concat()] {
            let other = SignedMessage { signature: other.into(), ..document.clone() };
            assert_eq!(other.recover().unwrap(), (named("alice"), document.signature.clone()));
        }
    }

    #[test]
    fn a_document_for_something_else_names_the_field() {
        let text = serde_json::to_string(&signed()).unwrap();
        for (from, to, says) in [
            ("\"Ballot\",", "\"Permit\",", "primaryType: expected Ballot, found Permit"),
            ("bytes32", "uint256", "types: expected those of a Ballot, found others"),
            ("\"nonce\":\"0\"", "\"nonce\":\"x\"", "at line 1 column"),
            ("\"support\":true", "\"support\":true,\"extra\":1", "unknown field `extra`"),
        ] {
            assert!(text.contains(from), "{from}: {text}");
            let said =
                SignedMessage::<BallotMessage>::parse(&text.replacen(from, to, 1)).unwrap_err();
            assert!(said.contains(says), "{said}");
        }
        let said = |chain_id, contract| {
            signed().require_for(chain_id, contract).unwrap_err().report.to_string()
        };
        assert!(said(1, GOVERNANCE).contains("domain.chainId: expected 1, found 31337"));
        let other = named("bob");
        assert!(said(31337, other).contains("domain.verifyingContract: expected"));
    }
}
