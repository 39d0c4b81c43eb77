//! Revert data, decoded for people.

mod hint;
mod render;
mod table;

pub(crate) use render::{input_text, output_text};

use alloy_dyn_abi::DynSolValue;
use alloy_primitives::{Bytes, Selector};
use alloy_sol_types::{Panic, PanicKind, Revert as Message, SolError};
use canon_protocol::Refusal;
use core::fmt;

/// The depth to which nested reverts are decoded. A failed action nests one revert in another; only a
/// target that makes them up has more than a few levels.
const MAX_DEPTH: usize = 4;

/// The reason why a call was refused: revert data, decoded with the ABIs of all contracts of the set.
///
/// `Display` writes the error as in Solidity, with named arguments:
/// `Governance__NotActive(id: 3, state: Pending)`. [`hint`](Self::hint) says what to do next.
#[derive(Clone, PartialEq)]
pub struct Revert {
    data: Bytes,
    kind: RevertKind,
}

/// The kinds of revert data.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum RevertKind {
    /// A custom error that one of the contracts, or OpenZeppelin's code in them, declares.
    Custom {
        /// The error's name.
        name: &'static str,
        /// Its arguments, in order.
        arguments: Vec<Argument>,
        /// The revert of an inner call that this error passes on.
        reason: Option<Box<Revert>>,
    },
    /// `Error(string)`: a `require` with a text.
    Message(String),
    /// `Panic(uint256)`: the compiler's own checks.
    Panic {
        /// The code.
        code: u64,
        /// The compiler's meaning; `None` if the code isn't documented.
        meaning: Option<&'static str>,
    },
    /// Four bytes that no contract of the set declares, or that are followed by invalid arguments.
    Unknown {
        /// The four bytes.
        selector: Selector,
    },
    /// No data: a bare `revert()`, an address without code, or not enough gas.
    Empty,
    /// One to three bytes: no compiler produces these.
    Malformed,
}

/// A named argument of a custom error.
#[derive(Clone, Debug, PartialEq)]
pub struct Argument {
    name: &'static str,
    value: DynSolValue,
    text: String,
}

impl Argument {
    /// The name in the error's declaration.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The value.
    pub const fn value(&self) -> &DynSolValue {
        &self.value
    }

    /// The value as text for people: enums by name, selectors with their function.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// Decodes revert data. This never fails: unknown data is kept as it is.
pub fn decode_revert(data: &[u8]) -> Revert {
    decode(data, 0)
}

fn decode(data: &[u8], depth: usize) -> Revert {
    let kind = match data.split_first_chunk::<4>() {
        None if data.is_empty() => RevertKind::Empty,
        None => RevertKind::Malformed,
        Some((selector, arguments)) => known(data, (*selector).into(), arguments, depth)
            .unwrap_or_else(|| RevertKind::Unknown { selector: (*selector).into() }),
    };
    Revert { data: Bytes::copy_from_slice(data), kind }
}

fn known(data: &[u8], selector: Selector, arguments: &[u8], depth: usize) -> Option<RevertKind> {
    match selector.0 {
        Message::SELECTOR => Some(RevertKind::Message(Message::abi_decode(data).ok()?.reason)),
        Panic::SELECTOR => {
            let code = u64::try_from(Panic::abi_decode(data).ok()?.code).ok()?;
            let kind = u32::try_from(code).ok().and_then(PanicKind::from_number);
            Some(RevertKind::Panic { code, meaning: kind.map(PanicKind::as_str) })
        }
        _ => {
            let error = table::error(selector)?;
            let arguments: Vec<_> = render::arguments(error, arguments)?;
            let reason = (depth < MAX_DEPTH)
                .then(|| arguments.iter().find_map(Argument::as_reason))
                .flatten()
                .map(|data| Box::new(decode(data, depth + 1)));
            Some(RevertKind::Custom { name: &error.name, arguments, reason })
        }
    }
}

impl Argument {
    /// The nested revert data, if this is an argument that carries it.
    fn as_reason(&self) -> Option<&[u8]> {
        (self.name == "reason").then(|| self.value.as_bytes()).flatten()
    }
}

impl Revert {
    /// The kind of the data.
    pub const fn kind(&self) -> &RevertKind {
        &self.kind
    }

    /// The revert data.
    pub const fn data(&self) -> &Bytes {
        &self.data
    }

    /// The name of the custom error, if it is a known one.
    pub const fn name(&self) -> Option<&'static str> {
        match self.kind {
            RevertKind::Custom { name, .. } => Some(name),
            _ => None,
        }
    }

    /// An argument of the custom error by its name.
    pub fn argument(&self, name: &str) -> Option<&Argument> {
        match &self.kind {
            RevertKind::Custom { arguments, .. } => arguments.iter().find(|a| a.name == name),
            _ => None,
        }
    }

    /// Whether it is the error `E` of the bindings.
    pub fn is<E: SolError>(&self) -> bool {
        self.data.get(..4) == Some(&E::SELECTOR)
    }

    /// Decodes it as the error `E` of the bindings, if it is that error.
    pub fn decoded<E: SolError>(&self) -> Option<E> {
        self.is::<E>().then(|| E::abi_decode(&self.data).ok()).flatten()
    }

    /// The corresponding refusal of the protocol's rules.
    pub fn refusal(&self) -> Refusal {
        Refusal::abi_decode(&self.data)
    }

    /// The innermost revert: the error of the innermost call.
    pub fn root(&self) -> &Self {
        match &self.kind {
            RevertKind::Custom { reason: Some(reason), .. } => reason.root(),
            _ => self,
        }
    }

    /// The next step for a person, if there is a hint. The innermost error decides.
    pub fn hint(&self) -> Option<&'static str> {
        let own = |revert: &Self| match &revert.kind {
            RevertKind::Custom { name, .. } => hint::of(name),
            RevertKind::Empty => Some(hint::EMPTY),
            RevertKind::Unknown { .. } => Some(hint::UNKNOWN),
            _ => None,
        };
        own(self.root()).or_else(|| own(self))
    }
}

impl fmt::Display for Revert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            RevertKind::Custom { name, arguments, reason } => {
                write!(f, "{name}(")?;
                for (i, argument) in arguments.iter().enumerate() {
                    let comma = if i == 0 { "" } else { ", " };
                    match (argument.as_reason(), reason) {
                        (Some(_), Some(reason)) => write!(f, "{comma}{}: {reason}", argument.name)?,
                        _ => write!(f, "{comma}{}: {}", argument.name, argument.text)?,
                    }
                }
                f.write_str(")")
            }
            RevertKind::Message(text) => f.write_str(&render::quoted(text)),
            RevertKind::Panic { code, meaning: Some(meaning) } => {
                write!(f, "panic 0x{code:02x}: {meaning}")
            }
            RevertKind::Panic { code, meaning: None } => write!(f, "panic 0x{code:02x}"),
            RevertKind::Unknown { selector } => {
                write!(f, "unknown error {selector} ({})", self.data)
            }
            RevertKind::Empty => f.write_str("no revert data"),
            RevertKind::Malformed => write!(f, "malformed revert data {}", self.data),
        }
    }
}

impl fmt::Debug for Revert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Revert({self})")
    }
}
