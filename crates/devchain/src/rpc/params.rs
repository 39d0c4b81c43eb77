//! The positional parameters of a request.

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::error::{RpcResult, invalid_params};

/// The parameters of a request, read one after another.
#[derive(Debug)]
pub(crate) struct Params<'a> {
    values: std::vec::IntoIter<&'a RawValue>,
    taken: usize,
    most: usize,
}

impl<'a> Params<'a> {
    /// The parameters of a method that takes at most so many. Those that it doesn't take are
    /// refused, before it does anything.
    pub(crate) fn parse(raw: Option<&'a RawValue>, most: usize) -> RpcResult<Self> {
        let values: Option<Vec<&RawValue>> = match raw {
            None => None,
            Some(raw) => serde_json::from_str(raw.get())
                .map_err(|_| invalid_params("non-array args: parameters must be an array"))?,
        };
        let values = values.unwrap_or_default();
        if values.len() > most {
            let found = values.len();
            return Err(invalid_params(format!(
                "too many arguments, want at most {most}: found {found}"
            )));
        }
        Ok(Self { values: values.into_iter(), taken: 0, most })
    }

    /// The next parameter.
    pub(crate) fn next<T: DeserializeOwned>(&mut self) -> RpcResult<T> {
        let index = self.taken;
        self.optional()?
            .ok_or_else(|| invalid_params(format!("missing value for required argument {index}")))
    }

    /// The next parameter, which may be absent or null.
    pub(crate) fn optional<T: DeserializeOwned>(&mut self) -> RpcResult<Option<T>> {
        let index = self.taken;
        self.taken += 1;
        match self.values.next() {
            None => Ok(None),
            Some(raw) => serde_json::from_str(raw.get())
                .map_err(|error| invalid_params(format!("invalid argument {index}: {error}"))),
        }
    }

    /// Checks that a method has read as many as it is said to take, once it has succeeded.
    pub(crate) fn finish(&self, method: &str) {
        debug_assert_eq!(self.taken, self.most, "parameters of {method}");
    }

    /// Like [`Self::optional`], with a default.
    pub(crate) fn or<T: DeserializeOwned>(&mut self, default: T) -> RpcResult<T> {
        Ok(self.optional()?.unwrap_or(default))
    }
}
