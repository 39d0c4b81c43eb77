//! The table of errors by selector.

use crate::Contract;
use alloy_json_abi::{Error, Function};
use alloy_primitives::{Selector, map::HashMap};
use std::sync::LazyLock;

/// Errors of OpenZeppelin 5 that reach users through other payloads and tokens, even if no contract
/// of the set declares them.
const OPENZEPPELIN: &[&str] = &[
    "error AddressEmptyCode(address target)",
    "error AddressInsufficientBalance(address account)",
    "error ECDSAInvalidSignature()",
    "error ECDSAInvalidSignatureLength(uint256 length)",
    "error ECDSAInvalidSignatureS(bytes32 s)",
    "error ERC1967InvalidImplementation(address implementation)",
    "error ERC20InsufficientAllowance(address spender, uint256 allowance, uint256 needed)",
    "error ERC20InsufficientBalance(address sender, uint256 balance, uint256 needed)",
    "error ERC20InvalidApprover(address approver)",
    "error ERC20InvalidReceiver(address receiver)",
    "error ERC20InvalidSender(address sender)",
    "error ERC20InvalidSpender(address spender)",
    "error ERC2612ExpiredSignature(uint256 deadline)",
    "error ERC2612InvalidSigner(address signer, address owner)",
    "error FailedCall()",
    "error FailedDeployment()",
    "error FailedInnerCall()",
    "error InsufficientBalance(uint256 balance, uint256 needed)",
    "error InvalidAccountNonce(address account, uint256 currentNonce)",
    "error InvalidInitialization()",
    "error InvalidShortString()",
    "error MathOverflowedMulDiv()",
    "error NotInitializing()",
    "error OwnableInvalidOwner(address owner)",
    "error OwnableUnauthorizedAccount(address account)",
    "error ReentrancyGuardReentrantCall()",
    "error SafeCastOverflowedUintDowncast(uint8 bits, uint256 value)",
    "error SafeERC20FailedOperation(address token)",
    "error StringTooLong(string str)",
];

static ERRORS: LazyLock<HashMap<Selector, Error>> = LazyLock::new(|| {
    let openzeppelin = OPENZEPPELIN
        .iter()
        .map(|signature| Error::parse(signature).expect("the signatures above are well formed"));
    // The set's own errors come last, because their parameters have the types of enums and structs.
    let ours = Contract::ALL.iter().flat_map(|c| c.artifact().abi().errors()).cloned();
    openzeppelin.chain(ours).map(|error| (error.selector(), error)).collect()
});

static FUNCTIONS: LazyLock<HashMap<Selector, &'static Function>> = LazyLock::new(|| {
    let functions = Contract::ALL.iter().flat_map(|c| c.artifact().abi().functions());
    functions.map(|function| (function.selector(), function)).collect()
});

/// The error with this selector.
pub(super) fn error(selector: Selector) -> Option<&'static Error> {
    ERRORS.get(&selector)
}

/// The function of the set with this selector.
pub(super) fn function(selector: Selector) -> Option<&'static Function> {
    FUNCTIONS.get(&selector).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_selector_means_two_things() {
        let mut seen = HashMap::<Selector, String>::default();
        for error in Contract::ALL.iter().flat_map(|c| c.artifact().abi().errors()) {
            let signature = error.signature();
            let before = seen.insert(error.selector(), signature.clone());
            assert!(before.is_none_or(|before| before == signature), "{signature}");
        }
        assert!(seen.len() > 60);
    }
}
