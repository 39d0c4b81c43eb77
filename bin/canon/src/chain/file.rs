//! The settings file, `canon.toml`.

use std::{borrow::Cow, ops::Range};

use alloy_primitives::{Address, ChainId};
use canon_chain::Endpoint;
use canon_protocol::text::{address, number};
use canon_toml_file::{Problem, may_have_a_secret};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::keeper_table::{self, KeeperFile};

/// The settings in a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct FileSettings {
    pub(super) rpc_url: Option<Vec<Endpoint>>,
    pub(super) registry: Option<Address>,
    pub(super) chain_id: Option<ChainId>,
    pub(super) keeper: KeeperFile,
}

/// Parts of names that suggest a secret. A settings file has no secrets.
const SECRETS: [&str; 4] = ["key", "mnemonic", "password", "secret"];

/// Parses the text of a settings file.
///
/// # Errors
///
/// The first mistake: a text that isn't TOML, an unknown name, or a value of the wrong kind. The error
/// contains neither the line nor the value, since both may contain a key.
pub(super) fn parse(text: &str) -> Result<FileSettings, Problem> {
    let table = DeTable::parse(text).map_err(|error| {
        let span = error.span().unwrap_or_default();
        let message = format!("this isn't TOML ({})", error.message().trim());
        Problem::unquoted(text, span, String::new(), message)
    })?;
    let mut settings = FileSettings::default();
    for (key, value) in table.get_ref() {
        let name = key.get_ref().as_ref();
        let read = match name {
            "rpc-url" => endpoints(value).map(|urls| settings.rpc_url = Some(urls)),
            "registry" => text_of(value, address::EXPECTED)
                .and_then(|text| address::parse(text).map_err(|error| error.expected().to_owned()))
                .map(|address| settings.registry = Some(address))
                .map_err(|expected| (value.span(), expected)),
            "chain-id" => chain_id(value)
                .map(|id| settings.chain_id = Some(id))
                .map_err(|expected| (value.span(), expected)),
            "keeper" => {
                settings.keeper = keeper_table::parse(text, value)?;
                continue;
            }
            _ => {
                return Err(unknown(text, key, "rpc-url, registry, chain-id or keeper"));
            }
        };
        read.map_err(|(span, expected)| {
            Problem::unquoted(text, span, name.to_owned(), format!("expected {expected}"))
        })?;
    }
    Ok(settings)
}

/// The mistake of a name that means nothing here, where one of `expected` may be.
pub(super) fn unknown(text: &str, key: &Spanned<Cow<'_, str>>, expected: &str) -> Problem {
    let name = key.get_ref().as_ref();
    let message = match SECRETS.iter().any(|secret| name.contains(secret)) {
        true => "secrets don't belong in this file".to_owned(),
        false => format!("expected {expected}"),
    };
    let name = if may_have_a_secret(name) { String::new() } else { name.to_owned() };
    Problem::unquoted(text, key.span(), name, message)
}

pub(super) type Expected = String;

pub(super) fn text_of<'a>(
    value: &'a Spanned<DeValue<'_>>,
    expected: &str,
) -> Result<&'a str, Expected> {
    value.get_ref().as_str().ok_or_else(|| expected.to_owned())
}

/// One endpoint, or a list of them.
fn endpoints(value: &Spanned<DeValue<'_>>) -> Result<Vec<Endpoint>, (Range<usize>, Expected)> {
    const EXPECTED: &str = "the URL of an endpoint, or a list of them";
    let endpoint = |value: &Spanned<DeValue<'_>>| {
        let text = text_of(value, EXPECTED).map_err(|expected| (value.span(), expected))?;
        // The message begins with "expected", which is added again later.
        text.parse().map_err(|error: canon_chain::ParseEndpointError| {
            let message = error.to_string();
            let expected = message.strip_prefix("expected ").unwrap_or(&message).to_owned();
            (value.span(), expected)
        })
    };
    match value.get_ref() {
        DeValue::Array(urls) if urls.is_empty() => Err((value.span(), EXPECTED.to_owned())),
        DeValue::Array(urls) => urls.iter().map(endpoint).collect(),
        _ => endpoint(value).map(|endpoint| vec![endpoint]),
    }
}

fn chain_id(value: &Spanned<DeValue<'_>>) -> Result<ChainId, Expected> {
    let range = 1..=ChainId::MAX;
    let text = match value.get_ref() {
        DeValue::Integer(number) if number.radix() == 10 => number.as_str(),
        DeValue::String(text) => text,
        _ => return Err(number::expected(&range)),
    };
    number::parse_within(text, range).map_err(|error| error.expected().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const REGISTRY: &str = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";

    #[test]
    fn every_setting_of_a_file_is_optional_and_read() {
        assert_eq!(parse(""), Ok(FileSettings::default()));
        let one = format!("rpc-url = 'http://a:1'\nregistry = '{REGISTRY}'\nchain-id = 1\n");
        let several =
            "rpc-url = ['http://a:1', '/run/geth.ipc']\nchain-id = '18446744073709551615'";
        let settings = parse(&one).unwrap();
        assert_eq!(settings.rpc_url.unwrap().len(), 1);
        assert_eq!(settings.registry.unwrap().to_string(), REGISTRY);
        assert_eq!(settings.chain_id, Some(1));
        let settings = parse(several).unwrap();
        assert_eq!(settings.rpc_url.unwrap()[1].to_string(), "/run/geth.ipc");
        assert_eq!(settings.chain_id, Some(u64::MAX));
    }

    #[test]
    fn a_mistake_has_its_place_and_never_repeats_a_value() {
        let mistyped = REGISTRY.replace("aAe", "AAe");
        for (text, says) in [
            ("rpc-url = \n", "1:11: this isn't TOML"),
            (
                "\n rpc_url = 'http://a/KEY'",
                "2:2: rpc_url: expected rpc-url, registry, chain-id or keeper",
            ),
            ("private-key = '0xKEY'", "1:1: private-key: secrets don't belong in this file"),
            ("rpc-url = []", "1:11: rpc-url: expected the URL of an endpoint, or a list of them"),
            (
                "rpc-url = ['http://a', 'a/KEY']",
                "1:24: rpc-url: expected the URL of an endpoint, such",
            ),
            ("rpc-url = 3", "1:11: rpc-url: expected the URL of an endpoint, or a list of them"),
            ("registry = '0x12'", "1:12: registry: expected an address of 40 hexadecimal digits"),
            (
                &format!("registry = '{mistyped}'"),
                "1:12: registry: expected an address with a right",
            ),
            ("chain-id = 0", "1:12: chain-id: expected a whole number from 1 to"),
            ("chain-id = 0x1", "1:12: chain-id: expected a whole number from 1 to"),
            ("chain-id = true", "1:12: chain-id: expected a whole number from 1 to"),
            ("[chain]\nid = 1", "1:2: chain: expected rpc-url, registry, chain-id or keeper"),
        ] {
            let said = parse(text).unwrap_err().to_string();
            assert!(said.starts_with(says), "{text}: {said}");
            assert!(!said.contains("KEY"), "{said}");
        }
    }
}
