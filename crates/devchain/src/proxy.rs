//! The deterministic deployment proxy, which development chains have from genesis on.

use alloy_primitives::{Address, Bytes, address, bytes};

/// The address of the deterministic deployment proxy on every chain that has it.
///
/// Its calldata is a salt of 32 bytes and init code. It creates the contract with CREATE2 and returns
/// the 20 bytes of its address; if the creation fails, it reverts without data.
pub const DEPLOYMENT_PROXY: Address = address!("0x4e59b44847b379578588920cA78FbF26c0B4956C");

/// Its runtime code.
pub(crate) const DEPLOYMENT_PROXY_CODE: Bytes = bytes!(
    "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe0"
    "3601600081602082378035828234f58015156039578182fd5b8082525050506014600cf3"
);
