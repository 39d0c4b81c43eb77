//! The kinds of transactions, each with its random parts.

use alloy_eips::eip2930::{AccessList, AccessListItem};
use alloy_primitives::{Address, B256, Bytes, U256, bytes};

use canon_devchain::DEPLOYMENT_PROXY;

use super::{
    CHAIN_ID,
    asm::{Asm, RETURN, REVERT, SELFDESTRUCT},
    ether,
    sequence::{PLENTY, Sequence, Step},
};

impl Sequence {
    /// Makes one step of each kind.
    pub(super) const KINDS: &[fn(&mut Self) -> Step] = &[
        |s| {
            let (to, value) = (s.anyone(), s.below(1 << 40));
            Step { value: U256::from(value), ..s.step("transfer", to, bytes!("")) }
        },
        |s| {
            let to = s.nobody();
            Step { value: ether(1), ..s.step("transfer to a new account", to, bytes!("")) }
        },
        |s| {
            let to = s.nobody();
            s.step("touch of nothing", to, bytes!(""))
        },
        |s| {
            let (to, length) = (s.anyone(), 1000 + s.below(3000));
            let input = s.bytes(length);
            s.step("calldata-heavy (EIP-7623)", to, input)
        },
        |s| {
            let word = s.word();
            s.call("cell", word)
        },
        |s| {
            // The cell's slot in the access list saves gas; the other items cost gas.
            let (word, cell) = (s.word(), s.at("cell"));
            let own = AccessListItem { address: cell, storage_keys: vec![B256::ZERO] };
            let other = AccessListItem { address: s.nobody(), storage_keys: vec![word; 2] };
            let step = s.call("cell", word);
            let access_list = Some(AccessList(vec![own, other]));
            Step { kind: "access list", access_list, ..step }
        },
        |s| s.logs("log0"),
        |s| s.logs("log1"),
        |s| s.logs("log2"),
        |s| s.logs("log3"),
        |s| s.logs("log4"),
        |s| {
            let data = s.bytes(68);
            Step { kind: "revert with data", gas: Some(60_000), ..s.call("reverter", data) }
        },
        |s| Step { kind: "revert without", gas: Some(60_000), ..s.call("reverter", bytes!("")) },
        |s| Step { kind: "out of gas", gas: Some(90_000), ..s.call("spin", bytes!("")) },
        |s| {
            // Enough gas to begin the execution, but not for the storage write.
            let word = s.word();
            Step { kind: "out of gas", gas: Some(23_500), ..s.call("cell", word) }
        },
        |s| Step { gas: Some(80_000), ..s.call("invalid", bytes!("")) },
        |s| Step { gas: Some(80_000), ..s.call("bad jump", bytes!("")) },
        |s| Step { gas: Some(80_000), ..s.call("underflow", bytes!("")) },
        |s| {
            let (length, fill) = (1 + s.below(3000), s.below(200) as u8);
            s.create("deployment", Asm::init(&vec![fill; length as usize]))
        },
        |s| {
            // Longer than EIP-170 allows.
            let init = Asm::new().push(24_577 + s.below(5)).push(0).op(RETURN).code();
            Step { gas: Some(6_000_000), ..s.create("failed deployment", init) }
        },
        |s| {
            // EIP-3541: code must not start with 0xef.
            let init = Asm::init(&[0xef, 0]);
            Step { gas: Some(PLENTY), ..s.create("failed deployment", init) }
        },
        |s| {
            let init = Asm::new().push(0).push(0).op(REVERT).code();
            let step = s.create("failed deployment", init);
            Step { gas: Some(PLENTY), value: U256::from(7), ..step }
        },
        |s| {
            let heir = s.nobody();
            let init = Asm::new().push_word(heir.into_word().into()).op(SELFDESTRUCT).code();
            let step = s.create("self-destruct in creation", init);
            Step { value: U256::from(9), touched: vec![heir], ..step }
        },
        |s| {
            let heir = s.nobody();
            let step = s.call("suicide", heir.into_word());
            Step { kind: "self-destruct later", value: U256::from(5), touched: vec![heir], ..step }
        },
        |s| {
            let runtime = s.bytes(40);
            let init = Asm::init(&runtime);
            s.call("factory", init)
        },
        |s| {
            let (salt, runtime) = (s.word(), s.bytes(40));
            let init = Asm::init(&runtime);
            let created = s.at("factory2").create2_from_code(salt, &init);
            let step = s.call("factory2", [salt.as_slice(), &init].concat());
            Step { kind: "create2", touched: vec![created], ..step }
        },
        |s| {
            // From the second time on, the address is taken.
            let init = Asm::init(&[0]);
            let step = s.call("factory2", [B256::ZERO.as_slice(), &init].concat());
            Step { kind: "create2 at one address", gas: Some(PLENTY), ..step }
        },
        |s| {
            let (salt, runtime) = (s.word(), s.bytes(40));
            let init = Asm::init(&runtime);
            let created = DEPLOYMENT_PROXY.create2_from_code(salt, &init);
            let input = [salt.as_slice(), &init].concat();
            let step = s.step("create2 by the deployment proxy", DEPLOYMENT_PROXY, input);
            Step { touched: vec![created], ..step }
        },
        |s| {
            let init = Asm::new().push(0).push(0).op(REVERT).code();
            let input = [B256::ZERO.as_slice(), &init].concat();
            let kind = "failed create2 by the deployment proxy";
            Step { gas: Some(PLENTY), ..s.step(kind, DEPLOYMENT_PROXY, input) }
        },
        |s| {
            let word = s.word();
            let input = if s.below(3) == 0 { word } else { B256::ZERO };
            Step { kind: "set or clear ten slots", ..s.call("ten slots", input) }
        },
        |s| {
            let value = B256::with_last_byte(s.below(3) as u8);
            s.call("flip", value)
        },
        |s| {
            let word = s.word();
            s.call("transient", word)
        },
        |s| {
            let length = s.below(300);
            let input = s.bytes(length);
            s.call("mcopy", input)
        },
        |s| {
            let shift = s.below(256);
            let word = U256::from_be_bytes(s.word().0) >> shift;
            s.call("clz", [word.to_be_bytes::<32>(), [0; 32]].concat())
        },
        |s| {
            let words = [s.word(), s.word()].concat();
            s.call("arithmetic", words)
        },
        |s| {
            let about = [s.anyone(), s.nobody(), s.at("cell")][s.below(3) as usize];
            Step { value: U256::from(1), ..s.call("probe", about.into_word()) }
        },
        |s| {
            let about = [s.at("wallet"), s.at("cell"), s.dev(7)][s.below(3) as usize];
            s.call("copy code", about.into_word())
        },
        |s| {
            let to = if s.below(2) == 0 { s.nobody() } else { s.anyone() };
            let step = s.call("splitter", to.into_word());
            Step { kind: "sub-call with value", value: U256::from(1001), touched: vec![to], ..step }
        },
        |s| {
            let step = s.call("recursion", bytes!(""));
            Step { gas: Some(100_000 + s.below(200_000)), ..step }
        },
        |s| {
            let (cell, word) = (s.at("cell"), s.word());
            let step = s.nested("call", cell, word.as_slice());
            Step { kind: "nested call", ..step }
        },
        |s| {
            let (reverter, data) = (s.at("reverter"), s.bytes(36));
            let step = s.nested("call", reverter, &data);
            Step { kind: "failed nested call", ..step }
        },
        |s| {
            let spin = s.at("spin");
            let step = s.nested("call", spin, &[]);
            Step { kind: "failed nested call", gas: Some(150_000), ..step }
        },
        |s| {
            let (cell, word) = (s.at("cell"), s.word());
            s.nested("callcode", cell, word.as_slice())
        },
        |s| {
            let (cell, word) = (s.at("cell"), s.word());
            s.nested("delegatecall", cell, word.as_slice())
        },
        |s| {
            // Reads succeed, writes don't.
            let cell = s.at("cell");
            let input = if s.below(2) == 0 { Bytes::new() } else { s.word().into() };
            Step { gas: Some(200_000), ..s.nested("staticcall", cell, &input) }
        },
        |s| {
            let (cell, word) = (s.at("cell"), s.word());
            let input = [cell.into_word(), B256::ZERO, word].concat();
            Step { kind: "contract wallet", ..s.call("wallet", input) }
        },
        |s| {
            let (reverter, data) = (s.at("reverter"), s.bytes(100));
            let input = [&[reverter.into_word(), B256::ZERO].concat(), &data[..]].concat();
            let step = s.call("wallet", input);
            Step { kind: "contract wallet reverts", gas: Some(100_000), ..step }
        },
        |s| s.delegate("delegation", "cell"),
        |s| s.delegate("delegation", "wallet"),
        |s| {
            // The account may delegate to a contract, or to itself.
            let (to, word) = (s.dev(6), s.word());
            s.step("call through a delegation", to, word)
        },
        |s| {
            let (to, cell, word) = (s.dev(7), s.at("cell"), s.word());
            let input = [cell.into_word(), B256::ZERO, word].concat();
            s.step("call through a delegation", to, input)
        },
        |s| {
            let step = s.delegate("invalid authorization", "cell");
            // Neither an authorization for another chain nor one with a future nonce has an effect.
            let other = s.authorize(8, s.at("cell"), 0, 1);
            let future = s.authorize(8, s.at("cell"), 99, CHAIN_ID);
            Step { authorizations: vec![other, future], touched: vec![s.dev(8)], ..step }
        },
        |s| {
            // The sender authorizes for itself, and its nonce has increased by one already.
            let nonce = s.chain.nonce(s.dev(9)) + 1;
            let target = if s.below(2) == 0 { s.at("cell") } else { Address::ZERO };
            let authorization = s.authorize(9, target, nonce, CHAIN_ID);
            let (to, word) = (s.dev(9), s.word());
            let step = s.step("self-sponsored delegation", to, word);
            Step { from: 9, authorizations: vec![authorization], ..step }
        },
        |s| {
            let (to, value) = (s.anyone(), U256::from(1));
            Step { from: 6, value, ..s.step("sent by a delegating account", to, bytes!("")) }
        },
        Self::precompile,
        Self::precompile,
        Self::precompile,
        Self::precompile,
        Self::precompile,
        Self::precompile,
        |s| {
            let step = s.precompile();
            let mut damaged = step.input.to_vec();
            if let Some(last) = damaged.last_mut() {
                *last ^= 1;
            }
            Step { kind: "precompile, damaged input", input: damaged.into(), ..step }
        },
        |s| {
            let to = Address::with_last_byte(1 + s.below(17) as u8);
            let step = s.step("value to a precompile", to, bytes!("00"));
            Step { gas: Some(500_000), value: U256::from(1), ..step }
        },
    ];
}
