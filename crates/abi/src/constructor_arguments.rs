//! The arguments of constructors, by their Solidity names.

use crate::Contract;
use alloy_dyn_abi::{DynSolValue, JsonAbiExt};
use alloy_json_abi::Param;
use alloy_primitives::hex;
use serde_json::Value;

/// An argument of a constructor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConstructorArgument {
    /// Its name in Solidity.
    pub name: String,
    /// Its type in Solidity.
    pub kind: String,
    /// Its value as JSON: numbers as decimal strings, addresses checksummed, structs as objects.
    pub value: Value,
}

impl Contract {
    /// The arguments at the end of an init code; `None` if it isn't this contract's creation code with
    /// valid arguments.
    pub fn constructor_arguments(self, init_code: &[u8]) -> Option<Vec<ConstructorArgument>> {
        let artifact = self.artifact();
        let encoded = init_code.strip_prefix(artifact.creation_code().as_ref())?;
        let Some(constructor) = artifact.abi().constructor() else {
            return encoded.is_empty().then(Vec::new);
        };
        let values = constructor.abi_decode_input(encoded).ok()?;
        let arguments = constructor.inputs.iter().zip(&values).map(|(input, value)| {
            let (name, kind) = (input.name.clone(), input.selector_type().into_owned());
            ConstructorArgument { name, kind, value: json(value, &input.components) }
        });
        Some(arguments.collect())
    }
}

fn json(value: &DynSolValue, components: &[Param]) -> Value {
    match value {
        DynSolValue::Address(address) => address.to_checksum(None).into(),
        DynSolValue::Uint(number, _) => number.to_string().into(),
        DynSolValue::Int(number, _) => number.to_string().into(),
        DynSolValue::Bool(truth) => (*truth).into(),
        DynSolValue::String(text) => text.clone().into(),
        DynSolValue::Bytes(bytes) => hex::encode_prefixed(bytes).into(),
        DynSolValue::FixedBytes(word, size) => {
            hex::encode_prefixed(word.get(..*size).unwrap_or(word.as_slice())).into()
        }
        DynSolValue::Array(values) | DynSolValue::FixedArray(values) => {
            values.iter().map(|value| json(value, components)).collect()
        }
        DynSolValue::Tuple(values) | DynSolValue::CustomStruct { tuple: values, .. } => {
            let fields = components.iter().zip(values);
            let fields =
                fields.map(|(field, value)| (field.name.clone(), json(value, &field.components)));
            Value::Object(fields.collect())
        }
        other => format!("{other:?}").into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Issuer, Proposals};
    use alloy_primitives::{Address, U256};

    #[test]
    fn arguments_are_those_of_the_init_code() {
        let registry = Address::repeat_byte(0xaa);
        let call = Proposals::constructorCall { registry, n: U256::from(6), m: U256::from(10) };
        let init_code = Contract::Proposals.init_code(&call);
        let arguments = Contract::Proposals.constructor_arguments(&init_code).unwrap();
        let shown: Vec<_> =
            arguments.iter().map(|one| (&*one.name, &*one.kind, one.value.clone())).collect();
        assert_eq!(
            shown,
            [
                ("registry", "address", registry.to_checksum(None).into()),
                ("n", "uint256", "6".into()),
                ("m", "uint256", "10".into()),
            ]
        );
        assert_eq!(Contract::Issuer.constructor_arguments(&init_code), None);
        let expect = Contract::Expect.artifact().creation_code();
        assert_eq!(Contract::Expect.constructor_arguments(expect), Some(Vec::new()));
        let short = Contract::Issuer.init_code(&Issuer::constructorCall {
            asset: registry,
            rate: U256::ZERO,
            initialOwner: registry,
        });
        assert_eq!(Contract::Issuer.constructor_arguments(&short[..short.len() - 1]), None);
    }
}
