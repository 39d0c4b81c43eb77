//! A file or a folder per subcommand.

pub(crate) mod forecast;
pub(crate) mod rehearse;
