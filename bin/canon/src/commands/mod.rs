//! One file per subcommand.

pub(crate) mod forecast;
pub(crate) mod rehearse;
