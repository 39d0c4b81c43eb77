//! Parsers of argument values that several commands share. clap names the argument and repeats its value, so
//! an error only says what was expected.

use std::{
    env,
    ffi::OsStr,
    io::{self, IsTerminal as _},
    ops::RangeInclusive,
    path::PathBuf,
};

use alloy_primitives::{Address, B256};
use canon_chain::Endpoint;
use canon_protocol::{
    Amount,
    text::{self, ParseQuantityError, Tokens, address, amount, number},
};
use canon_views::OrderAmount;
use clap::{Arg, Command, Error, builder::TypedValueParser, error::ErrorKind, parser::ValueSource};
use rustix::termios::{QueueSelector, tcflush};

/// The home folder of the user. `None` if HOME isn't an absolute path: files must not end up in the working folder.
pub(crate) fn home_folder() -> Option<PathBuf> {
    env::home_dir().filter(|home| home.is_absolute())
}

/// Discards what was typed before a question is shown: it can't be an answer.
pub(crate) fn discard_typed_ahead() {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        // If the terminal is gone, there is no answer either.
        let _ = tcflush(&stdin, QueueSelector::IFlush);
    }
}

/// Returns a clap parser of whole numbers within bounds.
pub(crate) fn whole<T>(
    range: RangeInclusive<T>,
) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync + 'static
where
    T: Copy + Into<u64> + TryFrom<u64>,
{
    let range = (*range.start()).into()..=(*range.end()).into();
    move |text| {
        let number = number::parse_within(text, range.clone()).map_err(expected)?;
        // The bounds are values of `T`, so this conversion never fails.
        T::try_from(number).map_err(|_| format!("expected {}", number::expected(&range)))
    }
}

/// Returns a clap parser of a quantity.
pub(crate) fn quantity<T>(
    parse: fn(&str) -> Result<T, ParseQuantityError>,
) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync + 'static
where
    T: 'static,
{
    move |text| parse(text).map_err(expected)
}

/// Parses an address for clap. The zero address is refused, since it is nobody's.
pub(crate) fn nonzero_address(text: &str) -> Result<Address, String> {
    match address::parse(text) {
        Ok(Address::ZERO) => {
            Err("expected an address other than the zero address, which is nobody's".to_owned())
        }
        parsed => parsed.map_err(expected),
    }
}

/// Parses a price in gwei, in wei per gas. 0 is refused, since nothing is mined at it.
pub(crate) fn gwei(text: &str) -> Result<u128, String> {
    // A gwei has 9 decimals of wei, and an amount twice as many.
    const PER_WEI: u128 = 1_000_000_000;
    let price = amount::parse(text).ok().map(|amount| amount.get());
    let price = price.filter(|price| *price > 0 && price.is_multiple_of(PER_WEI));
    let expected = || "expected a price in gwei, more than 0, such as 30 or 0.5".to_owned();
    price.map(|price| price / PER_WEI).ok_or_else(expected)
}

/// Parses a hash for clap.
pub(crate) fn hash(text: &str) -> Result<B256, String> {
    text.parse().map_err(|_| "expected 32 bytes in hexadecimal: 0x and 64 digits".to_owned())
}

/// Parses an amount of tokens that isn't 0, or `all`, for clap.
pub(crate) fn amount_or_all(text: &str) -> Result<OrderAmount, String> {
    if text == "all" {
        return Ok(OrderAmount::All);
    }
    match amount::parse(text) {
        Ok(Amount::ZERO) => Err("expected more than 0 tokens".to_owned()),
        Ok(amount) => Ok(OrderAmount::Exactly(amount)),
        Err(error) => match error.kind() {
            text::ErrorKind::Malformed => Err(format!("expected {}, or all", error.expected())),
            _ => Err(expected(error)),
        },
    }
}

/// Returns an amount as it is typed on the command line.
pub(crate) fn shown_amount(amount: OrderAmount) -> String {
    match amount {
        OrderAmount::All => "all".to_owned(),
        OrderAmount::Exactly(amount) => Tokens(amount).to_string(),
    }
}

fn expected(error: ParseQuantityError) -> String {
    format!("expected {}", error.expected())
}

/// A value, or the error for a malformed environment variable. The variable may be set for other programs,
/// so only a command that needs the value refuses it.
pub(crate) type Lenient<T> = Result<T, String>;

/// A clap parser of a quantity that may come from an environment variable.
#[derive(Clone, Debug)]
pub(crate) struct LenientParser<P>(pub(crate) P);

impl<T, P> TypedValueParser for LenientParser<P>
where
    T: Clone + Send + Sync + 'static,
    P: Fn(&str) -> Result<T, ParseQuantityError> + Clone + Send + Sync + 'static,
{
    type Value = Lenient<T>;

    fn parse_ref(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<Lenient<T>, Error> {
        let parse = self.0.clone();
        let parser = move |text: &str| parse(text).map_err(expected);
        TypedValueParser::parse_ref(&parser, command, argument, value).map(Ok)
    }

    fn parse_ref_(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        value: &OsStr,
        source: ValueSource,
    ) -> Result<Lenient<T>, Error> {
        match source {
            ValueSource::EnvVariable => Ok((self.0)(&value.to_string_lossy()).map_err(expected)),
            _ => self.parse_ref(command, argument, value),
        }
    }
}

/// A clap parser of endpoints. clap's own message repeats a refused value, which may contain a key. The
/// message here only names the flag and what was expected.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EndpointParser;

impl TypedValueParser for EndpointParser {
    type Value = Lenient<Endpoint>;

    fn parse_ref(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<Lenient<Endpoint>, Error> {
        self.parse_ref_(command, argument, value, ValueSource::CommandLine)
    }

    fn parse_ref_(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        value: &OsStr,
        source: ValueSource,
    ) -> Result<Lenient<Endpoint>, Error> {
        // A value that isn't UTF-8 names no endpoint: with replacement characters it is refused, or fails
        // later as a path.
        let error = match value.to_string_lossy().parse::<Endpoint>() {
            Ok(endpoint) => return Ok(Ok(endpoint)),
            Err(error) => error.to_string(),
        };
        if source == ValueSource::EnvVariable {
            return Ok(Err(error));
        }
        let flag = argument.map(Arg::to_string).unwrap_or_default();
        let message =
            format!("invalid value for '{flag}': {error}\n\nFor more information, try '--help'.\n");
        Err(Error::raw(ErrorKind::ValueValidation, message).with_cmd(command))
    }
}

#[cfg(test)]
mod tests {
    use canon_protocol::text::{fraction, time};

    use super::*;

    #[test]
    fn numbers_of_any_width_have_bounds() {
        let few = whole(1..=4_u32);
        assert_eq!((few("1"), few("4")), (Ok(1), Ok(4)));
        for text in ["0", "5", "-1", "x", "18446744073709551616"] {
            assert_eq!(few(text), Err("expected a whole number from 1 to 4".to_owned()));
        }
        assert_eq!(whole(0..=u32::MAX)("4,294,967,295"), Ok(u32::MAX));
        assert_eq!(whole(0..=u64::MAX)("18446744073709551615"), Ok(u64::MAX));
    }

    #[test]
    fn an_amount_with_two_readings_names_both() {
        let said = amount_or_all("5.000").unwrap_err();
        assert_eq!(said, "expected 5000 or 5, since 5.000 can be read as either");
        let said = amount_or_all("five").unwrap_err();
        assert!(said.ends_with("\"1,000\" or \"0.5\", or all"), "{said}");
    }

    #[test]
    fn a_price_in_gwei_has_nine_decimals() {
        for (text, price) in [
            ("30", Some(30_000_000_000)),
            ("0.000000001", Some(1)),
            ("1,000", Some(1_000_000_000_000)),
        ] {
            assert_eq!(gwei(text).ok(), price, "{text}");
        }
        for text in ["0", "0.0000000001", "-1", "cheap", ""] {
            assert!(gwei(text).unwrap_err().starts_with("expected a price in gwei"), "{text}");
        }
    }

    #[test]
    fn the_zero_address_is_refused() {
        let zero = Address::ZERO.to_string();
        assert_eq!(
            nonzero_address(&zero),
            Err("expected an address other than the zero address, which is nobody's".to_owned())
        );
        assert_eq!(
            nonzero_address(&zero.replace("0x0", "0x1")),
            Ok("0x1000000000000000000000000000000000000000".parse().unwrap())
        );
        assert!(nonzero_address("0x12").unwrap_err().starts_with("expected an address of 40"));
    }

    #[test]
    fn an_error_says_what_was_expected() {
        let said = |text| quantity(address::parse)(text).unwrap_err();
        assert!(said("0x12").starts_with("expected an address of 40 hexadecimal digits"));
        let mistyped = "0x5AAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
        assert!(said(mistyped).starts_with("expected an address with a right EIP-55 checksum"));
        let said = |text| quantity(time::parse)(text).unwrap_err();
        assert!(said("tomorrow").starts_with("expected a time with its offset from UTC"));
        assert!(said("1969-12-01T09:00:00Z").starts_with("expected a time from 1970-01-01"));
        let said = |text| quantity(fraction::parse_share)(text).unwrap_err();
        assert_eq!(said("1.1"), "expected a share from 0 % to 100 %");
    }
}
