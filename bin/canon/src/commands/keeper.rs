//! `canon keeper`: the daemon that does what anyone may do.

use std::{collections::BTreeSet, net::SocketAddr};

use alloy_primitives::{Address, ChainId};
use canon_agents::{
    Agent, Keeper, PriceLimit, Turns,
    daemon::{Daemon, Watch},
};
use canon_chain::{DEVELOPMENT_CHAINS, tx::FeePolicy};
use canon_follow::HistoryCache;
use canon_protocol::text::gwei as shown_gwei;
use canon_protocol::{
    Seconds,
    text::{Duration, count, duration},
};
use canon_views::PayOut;
use clap::Args;
use serde_json::{Value, json};
use tracing::Instrument as _;

use crate::{
    chain::{self, Chain, ChainArgs, ChainSettings, KeeperFile, cache_folder},
    command_help::CommandHelp,
    daemon::{
        Identity, LogFormat, Logged, Published, Server, drive, line, patiently, settings_hash,
        until_stopped,
    },
    exit::{Exit, Failure},
    input::{gwei, nonzero_address, quantity},
    send,
    send::AccountLock,
    signing::{Need, Opened, SignerArgs},
    stop::Stop,
};

/// Keep upgrades going: push, execute and drop whatever is due, and record seeds, until it is stopped
///
/// It follows the chain block by block and does what anyone may do, within minutes after it becomes possible: it pushes rounds before
/// they expire, executes proposals in their grace period (with the frozen actions, if the payload withholds them),
/// records dropped proposals, and the seeds of the canonical rollup's epochs. With --pay-out it also pays withdrawals
/// and exits and finishes moves. A step whose simulation fails isn't sent.
///
/// A failing endpoint doesn't end it. No other command can send from its account meanwhile. It can be killed at any
/// moment: its journal has what was sent, and it goes on there when it is started again.
///
/// An alarm is logged once, at level error, for each push, execution and seed that isn't done when its time ends soon,
/// with the reason.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct RunKeeper {
    #[command(flatten)]
    keeping: KeepingArgs,

    #[command(flatten)]
    signer: SignerArgs,

    #[command(flatten)]
    chain: ChainArgs,
}

/// What the keeper does, and what it shows of itself.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Keeping")]
struct KeepingArgs {
    /// Push, execute and drop only this payload, or several, in a list with commas or by a flag for each [default: all]
    #[arg(long, value_name = "ADDRESS", env = "CANON_KEEPER_PAYLOAD", hide_env_values = true, value_delimiter = ',', value_parser = nonzero_address)]
    payload: Vec<Address>,

    /// Pay what is due to others, too: withdrawals, exits and moves
    #[arg(long, value_name = "BOOL", env = "CANON_KEEPER_PAY_OUT", hide_env_values = true, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pay_out: Option<bool>,

    /// Highest price of gas, in gwei [default: 500]. It holds while more than a quarter of the time for a step is left.
    /// Then it rises evenly, and reaches 500 gwei when a sixteenth is left. For what can be done for ever, it always
    /// holds
    #[arg(long, value_name = "GWEI", env = "CANON_KEEPER_MAX_GAS_PRICE", hide_env_values = true, value_parser = gwei)]
    max_gas_price: Option<u128>,

    /// Time before the end of a step's time at which an alarm is logged, or a quarter of that time if that is less
    /// [default: 6 h]
    #[arg(long, value_name = "DURATION", env = "CANON_KEEPER_ALARM_BEFORE", hide_env_values = true, value_parser = quantity(duration::parse))]
    alarm_before: Option<Seconds>,

    /// Account of another keeper with which this one takes turns, or several: name the same accounts at each. Two blocks
    /// belong to each in turn, in which it begins something, so that no two pay for the same [default: keepers that don't
    /// know of each other each draw one of eight blocks]
    #[arg(long, value_name = "ADDRESS", env = "CANON_KEEPER_PEER", hide_env_values = true, value_delimiter = ',', value_parser = nonzero_address)]
    peer: Vec<Address>,

    /// Address and port for /health, /ready and /metrics over HTTP [default: none]; with port 0 a free one is taken
    #[arg(long, value_name = "ADDRESS", env = "CANON_KEEPER_LISTEN", hide_env_values = true)]
    listen: Option<SocketAddr>,

    /// Format of the log on stderr [default: text]
    #[arg(long, value_name = "FORMAT", env = "CANON_KEEPER_LOG_FORMAT", hide_env_values = true)]
    log_format: Option<LogFormat>,
}

const HELP: CommandHelp = CommandHelp::alone("it was stopped by Ctrl-C or SIGTERM")
    .input(&[
        "canon.toml",
        "no key",
        "an account with an interrupted command",
        "another chain than expected",
        "no Canon deployment at the given address",
    ])
    .internal(
        "the journal can't be used or another command has it, or the address can't be listened on",
    )
    .after(
        "\
Examples:
  canon keeper --account operator --password-file password
  canon keeper --account operator --max-gas-price 30 --listen 127.0.0.1:9464

canon.toml:
  [keeper]
  payload = [\"0x…\"]
  pay-out = true
  max-gas-price = 30
  alarm-before = \"6h\"
  peer = [\"0x…\"]
  listen = \"127.0.0.1:9464\"
  log-format = \"json\"",
    );

/// The alarm that is raised by default.
const ALARM_BEFORE: Seconds = Seconds::of(6 * 3_600);

/// The settings in force.
#[derive(Clone, Debug, PartialEq, Eq)]
struct KeeperSettings {
    /// `None` for all.
    payloads: Option<BTreeSet<Address>>,
    pay_out: PayOut,
    /// In wei per gas; `None` for the cap of the policy.
    max_gas_price: Option<u128>,
    alarm_before: Seconds,
    peers: BTreeSet<Address>,
    listen: Option<SocketAddr>,
    log_format: LogFormat,
}

impl RunKeeper {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let mut settings = self.chain.settings()?;
        let keeping = self.keeping.settings(*std::mem::take(&mut settings.keeper));
        let registry = settings.registry()?;
        settings.require_endpoint()?;
        let opened = self.signer.open(Need::Key)?;
        let identity = Identity { registry, account: opened.address() };
        chain::run(async {
            let mut stop = Stop::watch()?;
            let published = Published::new();
            let server = match keeping.listen {
                Some(address) => Some(Server::listen(address).await?),
                None => None,
            };
            keeping.log_format.install();
            let listening = server.as_ref().map(Server::address);
            if let Some(server) = server {
                server.start(&published);
            }
            let program = keep(&settings, &keeping, opened, listening, &published);
            let ended = until_stopped(&mut stop, program);
            Ok(ended.instrument(identity.span()).await)
        })
    }
}

impl KeepingArgs {
    /// The settings in force: a flag or the environment, which clap has put into the arguments, before the file.
    fn settings(self, file: KeeperFile) -> KeeperSettings {
        let given = |all: Vec<Address>| Some(all).filter(|all| !all.is_empty());
        let payloads = given(self.payload).or(file.payload);
        let pay_out = self.pay_out.or(file.pay_out).unwrap_or_default();
        KeeperSettings {
            payloads: payloads.map(BTreeSet::from_iter),
            pay_out: if pay_out { PayOut::Everything } else { PayOut::No },
            max_gas_price: self.max_gas_price.or(file.max_gas_price),
            alarm_before: self.alarm_before.or(file.alarm_before).unwrap_or(ALARM_BEFORE),
            peers: given(self.peer).or(file.peer).into_iter().flatten().collect(),
            listen: self.listen.or(file.listen),
            log_format: self.log_format.or(file.log_format).unwrap_or_default(),
        }
    }
}

impl KeeperSettings {
    /// The role on a chain, with a policy of fees whose cap is the highest price at all.
    fn role(&self, chain_id: ChainId) -> (Keeper, FeePolicy) {
        let policy = FeePolicy::default();
        let limit = self.max_gas_price;
        let ceiling = policy.cap.unwrap_or(u128::MAX).max(limit.unwrap_or_default());
        let keeper = Keeper {
            pay_out: self.pay_out,
            rollups: BTreeSet::new(),
            payloads: self.payloads.clone(),
            price_limit: limit.map(|limit| PriceLimit { limit, ceiling }),
            turns: match DEVELOPMENT_CHAINS.contains(&chain_id) {
                _ if !self.peers.is_empty() => Turns::Among(self.peers.clone()),
                // A development node may mine no block until it is asked for one.
                true => Turns::AtOnce,
                false => Turns::Drawn,
            },
        };
        (keeper, FeePolicy { cap: Some(ceiling), ..policy })
    }

    /// The settings without secrets, from which their hash is computed.
    fn document(&self, settings: &ChainSettings, account: Address) -> Value {
        json!({
            "endpoints": settings.named_endpoints(),
            "registry": settings.registry.as_ref().map(|one| one.value),
            "account": account,
            "payloads": self.payloads,
            "pay_out": self.pay_out == PayOut::Everything,
            "max_gas_price": self.max_gas_price.map(|price| price.to_string()),
            "alarm_before": self.alarm_before.get(),
            "peers": self.peers,
            "listen": self.listen,
            "log_format": self.log_format.name(),
        })
    }

    /// The settings in words.
    fn words(&self) -> String {
        let payloads = match &self.payloads {
            None => "all payloads".to_owned(),
            Some(some) => {
                let some: Vec<_> = some.iter().map(ToString::to_string).collect();
                format!("only the payloads {}", some.join(", "))
            }
        };
        let pays = match self.pay_out {
            PayOut::No => "pays nothing out",
            PayOut::Everything => "pays out",
        };
        let price = self.max_gas_price.map_or_else(String::new, |price| {
            format!(", at most {} gwei until a deadline comes near", shown_gwei(price))
        });
        let alarm = Duration(self.alarm_before);
        let peers = match self.peers.len() {
            0 => String::new(),
            peers => format!(", in turn with {}", count(peers as u64, "other keeper")),
        };
        format!("{payloads}, {pays}{price}, alarms {alarm} before{peers}")
    }
}

/// Keeps until something ends it.
async fn keep(
    settings: &ChainSettings,
    keeping: &KeeperSettings,
    opened: Opened,
    listening: Option<SocketAddr>,
    published: &Published,
) -> Failure {
    let account = opened.address();
    if let Some(address) = listening {
        let mut text = format!("serves /health, /ready and /metrics on http://{address}");
        if !address.ip().is_loopback() {
            text.push_str(
                ", which other machines may reach: it has no secrets, and anybody can read it",
            );
        }
        line(&Logged::info("listening", text));
    }
    let started = patiently(published, async || start(settings, keeping, opened.clone()).await);
    let (chain, mut daemon, _lock) = match started.await {
        Ok(started) => started,
        Err(failure) => return failure,
    };
    let text = format!(
        "canon {} keeps the set of Registry {} on chain {} from account {account}, by {}: {} (settings {})",
        env!("CARGO_PKG_VERSION"),
        chain.registry(),
        chain.client().chain_id(),
        settings.named_endpoints(),
        keeping.words(),
        settings_hash(&keeping.document(settings, account)),
    );
    line(&Logged::info("started", text));
    drive(&mut daemon, &chain, published).await
}

/// Connects, and opens the account.
async fn start(
    settings: &ChainSettings,
    keeping: &KeeperSettings,
    opened: Opened,
) -> Result<(Chain, Daemon<Keeper>, AccountLock), Failure> {
    let tell = |text: String| line(&Logged::warn("endpoint", text));
    let chain = settings.connect_telling(tell).await?;
    let client = chain.client();
    tracing::Span::current().record("chain", client.chain_id());
    let signer = opened.on(client).await?;
    let (role, fees) = keeping.role(client.chain_id());
    let (lock, sender) = send::open_sender(client, signer, fees, "canon keeper").await?;
    let agent = Agent::new(role, sender).map_err(send::ended)?;
    let cache = cache_folder().map_or_else(HistoryCache::in_memory, HistoryCache::new);
    let watch = Watch::new(client.clone(), chain.registry(), chain.block_time(), cache);
    let daemon = Daemon::new(agent, watch, keeping.alarm_before);
    Ok((chain, daemon, lock))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Parsed {
        #[command(flatten)]
        keeping: KeepingArgs,
    }

    fn settings(arguments: &str, file: KeeperFile) -> KeeperSettings {
        let arguments = std::iter::once("canon").chain(arguments.split_whitespace());
        Parsed::try_parse_from(arguments).unwrap().keeping.settings(file)
    }

    #[test]
    fn a_flag_beats_the_file_and_the_file_the_default() {
        let one = Address::repeat_byte(1);
        let file = KeeperFile {
            payload: Some(vec![one]),
            pay_out: Some(true),
            max_gas_price: Some(7),
            alarm_before: Some(Seconds::HOUR),
            peer: Some(vec![one]),
            listen: None,
            log_format: Some(LogFormat::Json),
        };
        let defaults = settings("", KeeperFile::default());
        assert_eq!(
            (defaults.payloads, defaults.pay_out, defaults.max_gas_price, defaults.listen),
            (None, PayOut::No, None, None)
        );
        assert_eq!((defaults.alarm_before, defaults.log_format), (ALARM_BEFORE, LogFormat::Text));
        let filed = settings("", file.clone());
        assert_eq!(filed.payloads, Some([one].into()));
        assert_eq!((filed.pay_out, filed.max_gas_price), (PayOut::Everything, Some(7)));
        let two = Address::repeat_byte(2);
        let typed = format!(
            "--payload {two} --pay-out=false --max-gas-price 2 --alarm-before 2h --peer {two} --log-format text"
        );
        let typed = settings(&typed, file);
        assert_eq!((typed.payloads, typed.pay_out), (Some([two].into()), PayOut::No));
        assert_eq!(typed.max_gas_price, Some(2_000_000_000));
        assert_eq!((typed.alarm_before, typed.log_format), (Seconds::of(7_200), LogFormat::Text));
        assert_eq!(typed.peers, [two].into());
    }

    #[test]
    fn the_hash_of_the_settings_changes_with_each_of_them() {
        let (one, two) = (Address::repeat_byte(1), Address::repeat_byte(2));
        let mut hashes = BTreeSet::new();
        let all = [
            String::new(),
            format!("--payload {one}"),
            "--pay-out".to_owned(),
            "--max-gas-price 2".to_owned(),
            "--alarm-before 2h".to_owned(),
            format!("--peer {two}"),
            "--listen 127.0.0.1:1".to_owned(),
            "--log-format json".to_owned(),
        ];
        for arguments in &all {
            let settings = settings(arguments, KeeperFile::default());
            hashes.insert(settings_hash(&settings.document(&ChainSettings::default(), one)));
        }
        assert_eq!(hashes.len(), all.len());
    }

    #[test]
    fn the_price_limit_never_lowers_what_is_paid_at_a_deadline() {
        let (keeper, policy) = settings("--max-gas-price 900", KeeperFile::default()).role(1);
        let limit = keeper.price_limit.unwrap();
        assert_eq!((limit.limit, limit.ceiling), (900_000_000_000, 900_000_000_000));
        assert_eq!(policy.cap, Some(limit.ceiling));
        let (keeper, policy) = settings("", KeeperFile::default()).role(1);
        assert_eq!((keeper.price_limit, policy), (None, FeePolicy::default()));
    }

    #[test]
    fn a_keeper_waits_for_others_only_where_blocks_come_by_themselves() {
        let turns = |arguments: &str, chain_id| {
            settings(arguments, KeeperFile::default()).role(chain_id).0.turns
        };
        assert_eq!((turns("", 1), turns("", 31337)), (Turns::Drawn, Turns::AtOnce));
        let peer = Address::repeat_byte(2);
        assert_eq!(turns(&format!("--peer {peer}"), 1), Turns::Among([peer].into()));
    }
}
