//! Arguments of errors, and arguments and answers of views, as text.

use super::{Argument, table};
use alloy_dyn_abi::{DynSolValue, FunctionExt, JsonAbiExt};
use alloy_json_abi::{Error, Param};
use alloy_primitives::{Selector, hex};
use canon_protocol::{AttesterStatus, ForeignText, ProposalState};

/// Decodes an error's arguments; `None` if `data` isn't theirs.
pub(super) fn arguments(error: &'static Error, data: &[u8]) -> Option<Vec<Argument>> {
    let values = error.abi_decode_input(data).ok()?;
    let argument = |(param, value): (&'static Param, DynSolValue)| Argument {
        name: &param.name,
        text: text(param, &value),
        value,
    };
    Some(error.inputs.iter().zip(values).map(argument).collect())
}

/// The encoded arguments of a function of the set, as text for people.
pub(crate) fn input_text(selector: Selector, data: &[u8]) -> String {
    let decoded = table::function(selector).and_then(|function| {
        let values = function.abi_decode_input(data).ok()?;
        (function.abi_encode_input_raw(&values).ok()? == data)
            .then(|| list(&function.inputs, &values))
    });
    decoded.unwrap_or_else(|| hex::encode_prefixed(data))
}

/// The return value of a function of the set, as text for people; in hexadecimal if it isn't exactly of its
/// types.
pub(crate) fn output_text(selector: Selector, data: &[u8]) -> String {
    let decoded = table::function(selector).and_then(|function| {
        let values = function.abi_decode_output(data).ok()?;
        (function.abi_encode_output(&values).ok()? == data)
            .then(|| list(&function.outputs, &values))
    });
    decoded.unwrap_or_else(|| hex::encode_prefixed(data))
}

/// Values in parentheses, with their names if they have one.
fn list(params: &[Param], values: &[DynSolValue]) -> String {
    let named = |(param, value): (&Param, &DynSolValue)| match param.name.as_str() {
        "" => text(param, value),
        name => format!("{name}: {}", text(param, value)),
    };
    let values: Vec<_> = params.iter().zip(values).map(named).collect();
    format!("({})", values.join(", "))
}

fn text(param: &Param, value: &DynSolValue) -> String {
    match value {
        DynSolValue::Bool(value) => value.to_string(),
        DynSolValue::Uint(number, _) => {
            let variant = || {
                let (_, name) = param.internal_type()?.as_enum()?;
                variant(name, u8::try_from(*number).ok()?)
            };
            variant().unwrap_or_else(|| number.to_string())
        }
        DynSolValue::Int(value, _) => value.to_string(),
        DynSolValue::Address(address) => address.to_string(),
        DynSolValue::FixedBytes(word, 4) => {
            let selector = Selector::from_slice(&word[..4]);
            table::function(selector)
                .map_or_else(|| selector.to_string(), |function| function.signature())
        }
        DynSolValue::FixedBytes(word, size) => word_text(&word[..*size]),
        DynSolValue::Bytes(bytes) => hex::encode_prefixed(bytes),
        DynSolValue::String(value) => quoted(value),
        DynSolValue::Tuple(fields) | DynSolValue::CustomStruct { tuple: fields, .. } => {
            let field = |(param, value): (&Param, &DynSolValue)| {
                format!("{}: {}", param.name, text(param, value))
            };
            let fields: Vec<_> = param.components.iter().zip(fields).map(field).collect();
            format!("{{{}}}", fields.join(", "))
        }
        DynSolValue::Array(values) => {
            let values: Vec<_> = values.iter().map(|value| text(param, value)).collect();
            format!("[{}]", values.join(", "))
        }
        other => format!("{other:?}"),
    }
}

/// A text from another contract in quotes, with its own quotes escaped.
pub(super) fn quoted(text: &str) -> String {
    ForeignText::new(&format!("{text:?}")).to_string()
}

/// A word as text: short names such as `"quorum"` as words, anything else in hexadecimal.
fn word_text(word: &[u8]) -> String {
    let end = word.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let (name, padding) = word.split_at(end);
    match str::from_utf8(name) {
        Ok(name) if !name.is_empty() && !padding.is_empty() && name.chars().all(is_word) => {
            name.to_owned()
        }
        _ => hex::encode_prefixed(word),
    }
}

const fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_')
}

/// The name of an enum's variant; an ABI has only `uint8`.
fn variant(name: &str, number: u8) -> Option<String> {
    match name {
        "ProposalState" => ProposalState::from_number(number).map(|state| state.to_string()),
        "Status" => AttesterStatus::ALL.get(usize::from(number)).map(AttesterStatus::to_string),
        _ => None,
    }
}
