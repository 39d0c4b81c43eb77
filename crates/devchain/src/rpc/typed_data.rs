//! Typed data (EIP-712) as clients send it. A few lines of types can describe a structure without end, and hashing
//! follows each of its branches, so that there are limits.

use std::collections::HashMap;

use alloy_dyn_abi::TypedData;
use serde_json::{Map, Value};

use super::error::{RpcResult, invalid_params};

/// The greatest number of structs and arrays inside each other.
const MAX_DEPTH: usize = 64;

/// The greatest number of fields, in which those of a struct count wherever it occurs.
const MAX_FIELDS: usize = 10_000;

/// The greatest number of bytes of types that are hashed: those of all types, for each object of the data.
const MAX_HASHED: usize = 64 << 20;

/// The fields of each type: their types.
type Types<'a> = HashMap<&'a str, Vec<&'a str>>;

/// The size of a type with all that it consists of.
#[derive(Clone, Copy, Debug, Default)]
struct Size {
    fields: usize,
    depth: usize,
}

/// Reads typed data, which may be written as an object or as the text of one.
pub(super) fn read(value: Value) -> RpcResult<TypedData> {
    let value = match value {
        Value::String(text) => serde_json::from_str(&text)
            .map_err(|error| invalid_params(format!("typed data: {error}")))?,
        value => value,
    };
    check(&value)?;
    serde_json::from_value(value).map_err(|error| invalid_params(format!("typed data: {error}")))
}

/// Refuses typed data that takes too long to hash. What isn't typed data at all passes.
fn check(value: &Value) -> RpcResult<()> {
    let Some(Value::Object(types)) = value.get("types") else { return Ok(()) };
    let types = field_types(types);
    let roots =
        ["EIP712Domain"].into_iter().chain(value.get("primaryType").and_then(Value::as_str));
    let mut sizes = HashMap::new();
    for root in roots {
        // The type of the data may be written with arrays itself.
        size_of(root, &types, 0, &mut sizes)?;
    }
    let bytes = value["types"].to_string().len();
    let hashed = objects(value).saturating_mul(bytes);
    if hashed > MAX_HASHED {
        return Err(too_large("bytes of types, for each object of it", hashed, MAX_HASHED));
    }
    Ok(())
}

fn field_types(types: &Map<String, Value>) -> Types<'_> {
    let types = types.iter().map(|(name, fields)| {
        let fields = fields.as_array().into_iter().flatten();
        let fields = fields.filter_map(|field| field.get("type")?.as_str());
        (name.as_str(), fields.collect())
    });
    types.collect()
}

/// The size of a type inside `outer` others. No type has more of them than the limit, so that the recursion ends.
fn size_of<'a>(
    name: &'a str,
    types: &Types<'a>,
    outer: usize,
    sizes: &mut HashMap<&'a str, Size>,
) -> RpcResult<Size> {
    // Tuples aren't types of EIP-712, but the parser of types knows them.
    if name.contains('(') {
        return Err(invalid_params(format!(
            "typed data: found a tuple, expected a struct: {name:.80}"
        )));
    }
    let (struct_name, arrays) = name
        .split_once('[')
        .map_or((name, 0), |(struct_name, rest)| (struct_name, 1 + rest.matches('[').count()));
    let mut size = match sizes.get(struct_name) {
        Some(size) => *size,
        None => {
            let mut size = Size::default();
            for field in types.get(struct_name).into_iter().flatten() {
                check_depth(outer + 1)?;
                let inner = size_of(field, types, outer + 1, sizes)?;
                size.fields = size.fields.saturating_add(1).saturating_add(inner.fields);
                size.depth = size.depth.max(1 + inner.depth);
            }
            sizes.insert(struct_name, size);
            size
        }
    };
    size.depth += arrays;
    check_depth(outer + size.depth)?;
    if size.fields > MAX_FIELDS {
        return Err(too_large("fields", size.fields, MAX_FIELDS));
    }
    Ok(size)
}

fn check_depth(depth: usize) -> RpcResult<()> {
    if depth > MAX_DEPTH {
        return Err(too_large("structs and arrays inside each other", depth, MAX_DEPTH));
    }
    Ok(())
}

fn too_large(what: &str, found: usize, expected: usize) -> super::error::RpcError {
    invalid_params(format!("typed data: found {found} {what}, expected at most {expected}"))
}

/// The number of objects in a value, itself included. Values are read with a limited depth.
fn objects(value: &Value) -> usize {
    match value {
        Value::Object(fields) => 1 + fields.values().map(objects).sum::<usize>(),
        Value::Array(items) => items.iter().map(objects).sum(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Data of types of which each has `copies` fields of the next one.
    fn chain(types: usize, copies: usize) -> Value {
        let mut all = Map::new();
        for index in 0..types {
            let field =
                |copy| json!({ "name": format!("f{copy}"), "type": format!("T{}", index + 1) });
            all.insert(format!("T{index}"), (0..copies).map(field).collect());
        }
        all.insert(format!("T{types}"), json!([{ "name": "end", "type": "uint256" }]));
        json!({ "types": all, "primaryType": "T0", "domain": {}, "message": {} })
    }

    fn field(of: &str) -> Value {
        let types =
            json!({ "A": [{ "name": "a", "type": of }], "B": [{ "name": "b", "type": "A" }] });
        json!({ "types": types, "primaryType": "A", "domain": {}, "message": {} })
    }

    #[test]
    fn typed_data_has_limits_at_which_it_is_still_read() {
        let arrays = |count| field(&("uint256".to_owned() + &"[]".repeat(count)));
        let objects = |count: usize| {
            let mut data = field("uint256");
            data["types"]["A"][0]["name"] = json!("a".repeat(1 << 16));
            data["message"] = json!({ "a": vec![json!({}); count] });
            data
        };
        for (data, limit) in [
            (chain(63, 1), None),
            (chain(64, 1), Some("inside each other")),
            (chain(100_000, 1), Some("inside each other")),
            (chain(11, 2), None),
            (chain(12, 2), Some("12286 fields")),
            (chain(40, 2), Some("fields")),
            (arrays(63), None),
            (arrays(64), Some("inside each other")),
            (arrays(50_000), Some("inside each other")),
            (field("B"), Some("inside each other")),
            (field("("), Some("tuple")),
            (field(&"(".repeat(100_000)), Some("tuple")),
            (objects(1_000), None),
            (objects(1_100), Some("bytes of types")),
        ] {
            let text = Value::String(data.to_string());
            for data in [data, text] {
                let read = read(data);
                match limit {
                    None => assert!(read.is_ok(), "{read:?}"),
                    Some(limit) => {
                        let refused = read.unwrap_err();
                        assert_eq!(refused.code, -32602);
                        assert!(refused.message.contains(limit), "{refused}");
                    }
                }
            }
        }
    }
}
