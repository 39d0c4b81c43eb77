//! Values that several commands take.

use std::ffi::OsStr;

use canon_chain::Endpoint;
use canon_rehearsal::text::grouped;
use clap::{Arg, Command, Error, builder::TypedValueParser, error::ErrorKind, parser::ValueSource};

/// A parser of whole numbers. It accepts any of 64 bits, and names `least` and `most` when it refuses
/// a text: whoever uses the number judges the bounds that depend on other input.
pub(crate) fn whole(
    least: u64,
    most: u64,
) -> impl Fn(&str) -> Result<u64, String> + Clone + Send + Sync + 'static {
    move |text| {
        text.parse().map_err(|_| {
            format!("expected a whole number from {} to {}", grouped(least), grouped(most))
        })
    }
}

/// A parser of endpoints. clap's own message for a value that is refused repeats it, and a key may be
/// part of it: this one names the flag, or the variable, and what was expected.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EndpointParser;

impl TypedValueParser for EndpointParser {
    type Value = Endpoint;

    fn parse_ref(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<Endpoint, Error> {
        self.parse_ref_(command, argument, value, ValueSource::CommandLine)
    }

    fn parse_ref_(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        value: &OsStr,
        source: ValueSource,
    ) -> Result<Endpoint, Error> {
        // What isn't UTF-8 is no endpoint: the replacement is refused, or fails as a path.
        value.to_string_lossy().parse().map_err(|error| {
            let flag = argument.map(Arg::to_string).unwrap_or_default();
            let variable = argument.and_then(Arg::get_env).filter(|_| source == ValueSource::EnvVariable);
            let variable = variable.map(|name| format!(" ({})", name.display())).unwrap_or_default();
            let message = format!(
                "invalid value for '{flag}'{variable}: {error}\n\nFor more information, try '--help'.\n"
            );
            Error::raw(ErrorKind::ValueValidation, message).with_cmd(command)
        })
    }
}
