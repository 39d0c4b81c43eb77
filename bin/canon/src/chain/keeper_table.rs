//! The table `[keeper]` of a settings file.

use std::net::SocketAddr;

use alloy_primitives::Address;
use canon_protocol::{
    Seconds,
    text::{ParseQuantityError, address, duration},
};
use canon_toml_file::Problem;
use toml::{Spanned, de::DeValue};

use super::file::{Expected, text_of, unknown};
use crate::{daemon::LogFormat, input::gwei};

/// The settings of `canon keeper` in a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct KeeperFile {
    pub(crate) payload: Option<Vec<Address>>,
    pub(crate) pay_out: Option<bool>,
    /// In wei per gas.
    pub(crate) max_gas_price: Option<u128>,
    pub(crate) alarm_before: Option<Seconds>,
    pub(crate) peer: Option<Vec<Address>>,
    pub(crate) listen: Option<SocketAddr>,
    pub(crate) log_format: Option<LogFormat>,
}

const NAMES: &str = "payload, pay-out, max-gas-price, alarm-before, peer, listen or log-format";

/// Parses the table. The error names the setting, and doesn't repeat its value.
///
/// # Errors
///
/// The first mistake.
pub(super) fn parse(text: &str, value: &Spanned<DeValue<'_>>) -> Result<KeeperFile, Problem> {
    let DeValue::Table(table) = value.get_ref() else {
        let message = format!("expected a table with {NAMES}");
        return Err(Problem::unquoted(text, value.span(), "keeper".to_owned(), message));
    };
    let mut file = KeeperFile::default();
    for (key, value) in table {
        let name = key.get_ref().as_ref();
        let read = match name {
            "payload" => addresses(value).map(|all| file.payload = Some(all)),
            "peer" => addresses(value).map(|all| file.peer = Some(all)),
            "pay-out" => match value.get_ref() {
                DeValue::Boolean(pays) => {
                    file.pay_out = Some(*pays);
                    Ok(())
                }
                _ => Err("true or false".to_owned()),
            },
            "max-gas-price" => number_or_text(value, "a price in gwei")
                .and_then(|text| gwei(text).map_err(without_expected))
                .map(|price| file.max_gas_price = Some(price)),
            "alarm-before" => text_of(value, duration::EXPECTED)
                .and_then(|text| duration::parse(text).map_err(what))
                .map(|time| file.alarm_before = Some(time)),
            "listen" => text_of(value, "an address and a port")
                .and_then(|text| {
                    text.parse().map_err(|_| "an address and a port, such as 127.0.0.1:9464".into())
                })
                .map(|address| file.listen = Some(address)),
            "log-format" => text_of(value, "text or json")
                .and_then(|text| LogFormat::parse(text).ok_or_else(|| "text or json".to_owned()))
                .map(|format| file.log_format = Some(format)),
            _ => return Err(unknown(text, key, NAMES)),
        };
        read.map_err(|expected| {
            let name = format!("keeper.{name}");
            Problem::unquoted(text, value.span(), name, format!("expected {expected}"))
        })?;
    }
    Ok(file)
}

/// One address, or a list of them.
fn addresses(value: &Spanned<DeValue<'_>>) -> Result<Vec<Address>, Expected> {
    let one = |value: &Spanned<DeValue<'_>>| {
        address::parse(text_of(value, address::EXPECTED)?).map_err(what)
    };
    match value.get_ref() {
        DeValue::Array(all) => all.iter().map(one).collect(),
        _ => one(value).map(|address| vec![address]),
    }
}

/// A number as it is written, or a text.
fn number_or_text<'a>(
    value: &'a Spanned<DeValue<'_>>,
    expected: &str,
) -> Result<&'a str, Expected> {
    match value.get_ref() {
        DeValue::Integer(number) if number.radix() == 10 => Ok(number.as_str()),
        DeValue::Float(number) => Ok(number.as_str()),
        _ => text_of(value, expected),
    }
}

fn what(error: ParseQuantityError) -> Expected {
    error.expected().to_owned()
}

fn without_expected(message: String) -> Expected {
    message.strip_prefix("expected ").unwrap_or(&message).to_owned()
}

#[cfg(test)]
mod tests {
    use super::{super::file::parse, *};

    const PAYLOAD: &str = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";

    #[test]
    fn every_setting_of_the_keeper_is_read() {
        let text = format!(
            "[keeper]\npayload = ['{PAYLOAD}']\npay-out = true\nmax-gas-price = 1.5\n\
             alarm-before = '2 h'\npeer = '{PAYLOAD}'\nlisten = '127.0.0.1:9464'\nlog-format = 'json'"
        );
        let address = PAYLOAD.parse().unwrap();
        let expected = KeeperFile {
            payload: Some(vec![address]),
            pay_out: Some(true),
            max_gas_price: Some(1_500_000_000),
            alarm_before: Some(Seconds::of(7_200)),
            peer: Some(vec![address]),
            listen: Some("127.0.0.1:9464".parse().unwrap()),
            log_format: Some(LogFormat::Json),
        };
        assert_eq!(parse(&text).unwrap().keeper, expected);
    }

    #[test]
    fn a_mistake_in_the_table_has_its_place_and_never_repeats_a_value() {
        for (line, says) in [
            ("payload = 'KEY'", "2:11: keeper.payload: expected an address"),
            ("pay-out = 'KEY'", "2:11: keeper.pay-out: expected true or false"),
            ("max-gas-price = 'KEY'", "2:17: keeper.max-gas-price: expected a price in gwei"),
            ("max-gas-price = 0", "2:17: keeper.max-gas-price: expected a price in gwei"),
            ("alarm-before = 'KEY'", "2:16: keeper.alarm-before: expected a duration"),
            ("listen = 'KEY'", "2:10: keeper.listen: expected an address and a port"),
            ("log-format = 'KEY'", "2:14: keeper.log-format: expected text or json"),
            ("private-key = '0xKEY'", "2:1: private-key: secrets don't belong in this file"),
            ("payloads = []", "2:1: payloads: expected payload, pay-out"),
        ] {
            let said = parse(&format!("[keeper]\n{line}")).unwrap_err().to_string();
            assert!(said.starts_with(says) && !said.contains("KEY"), "{line}: {said}");
        }
        let said = parse("keeper = 1").unwrap_err().to_string();
        assert!(said.starts_with("1:10: keeper: expected a table"), "{said}");
    }
}
