//! `canon devchain`: serves the embedded L1 to wallets and tools.

use std::{
    fmt::Write as _,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use canon_devchain::{Clock, Devchain, DevchainConfig, serve};
use canon_protocol::text::{Rounding, ether};
use clap::Args;
use eyre::WrapErr as _;

use crate::{
    chain::{self, now},
    command_help::CommandHelp,
    exit::{Exit, Failure},
    output,
    stop::Stop,
};

/// Serve the embedded L1 alone, with JSON-RPC for wallets and tools
///
/// The chain executes transactions under the rules of mainnet and mines each of them in a block of its own, with the
/// time of this machine's clock. It is kept in memory, and gone when the command ends. Its accounts and their private keys are printed: everybody can
/// derive them, so never send anything of value to them.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct ServeDevchain {
    /// Address and port for JSON-RPC over HTTP; with port 0 a free one is taken
    #[arg(long, value_name = "ADDRESS", default_value_t = DEFAULT)]
    listen: SocketAddr,
}

/// Where development nodes listen.
const DEFAULT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8545);

/// The time that requests get to end after the command was stopped.
const SHUTDOWN: Duration = Duration::from_millis(500);

const HELP: CommandHelp = CommandHelp::alone("it was stopped by Ctrl-C or SIGTERM")
    .internal("the address can't be listened on")
    .after(
        "\
Examples:
  canon devchain
  canon devchain --listen 127.0.0.1:0",
    );

impl ServeDevchain {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        chain::run(self.serve())
    }

    async fn serve(&self) -> Result<Exit, Failure> {
        let genesis = DevchainConfig {
            genesis_timestamp: now().get(),
            clock: Some(Clock::new(|| now().get())),
            ..DevchainConfig::default()
        };
        let balance = genesis.dev_balance;
        let chain = Devchain::new(genesis);
        let mut stop = Stop::watch()?;
        let server = serve(chain.clone(), self.listen).await;
        let server = server.wrap_err_with(|| format!("--listen: can't listen on {}", self.listen));
        let server = server.map_err(|report| {
            Failure::internal(report, "name another address, such as --listen 127.0.0.1:0")
        })?;
        if !server.addr().ip().is_loopback() {
            output::note(
                &"other machines can reach this address, and whoever reaches it controls the chain",
            );
        }

        let mut page =
            format!("The embedded L1, chain {}\n  http://{}\n", chain.chain_id(), server.addr());
        page.push_str("  HTTP only: there is no WebSocket, and no eth_subscribe\n");
        let _ = writeln!(page, "\nAccounts, with {} ether each", ether(balance, Rounding::Down));
        for account in chain.dev_accounts() {
            let _ = writeln!(page, "  {}  private key {}", account.address(), account.to_bytes());
        }
        page.push_str("\nCtrl-C stops it\n");
        output::result(&page)?;

        stop.wait().await;
        // A client that never ends its request doesn't keep the command from ending.
        match tokio::time::timeout(SHUTDOWN, server.shutdown()).await {
            Ok(Err(error)) => Err(Failure::internal(error.into(), "start it again")),
            Ok(Ok(())) | Err(_) => Ok(Exit::Success),
        }
    }
}
