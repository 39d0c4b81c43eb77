//! The faults of packets, and their times.

use alloy_json_rpc::{RequestPacket, ResponsePacket};
use canon_testkit::histories::Rng;
use core::fmt;

/// A fault of a packet.
#[derive(Clone, Debug)]
pub enum Fault {
    /// It doesn't reach the node.
    Lost,
    /// The node carries it out, and its answer is lost.
    AnswerLost,
    /// The node carries it out twice. The second answer counts.
    Doubled,
    /// Its answer is lost, and the node carries it out before the packet that is this number of packets
    /// later. 1 is the next packet.
    Delayed(u64),
    /// Its requests are answered as the same requests were the last time, by a cache or a node that lags.
    /// Transactions, and what is asked for the first time, reach the node.
    Stale,
    /// The process that made it ends before it reaches the node ([`Faults::killed`]).
    ///
    /// [`Faults::killed`]: crate::Faults::killed
    KilledBefore,
    /// The process that made it ends after the node has carried it out ([`Faults::killed`]).
    ///
    /// [`Faults::killed`]: crate::Faults::killed
    KilledAfter,
    /// It doesn't reach the node, and each request is refused with code -32000 and these words.
    Refused(&'static str),
    /// It doesn't reach the node, and is answered with this status of HTTP and these words.
    HttpStatus(u16, &'static str),
    /// It doesn't reach the node, and is answered with this.
    Answered(ResponsePacket),
}

/// When packets go wrong. They are counted from 0, from when the plan is set.
#[derive(Default)]
pub enum FaultPlan {
    /// Never.
    #[default]
    Never,
    /// One packet.
    At(u64, Fault),
    /// Every packet with a request of this method.
    Method(&'static str, Fault),
    /// At random.
    Random {
        /// Draws.
        rng: Rng,
        /// The packets in 100 that go wrong.
        percent: u64,
        /// The faults, each as likely as the others.
        faults: Vec<Fault>,
    },
    /// As a function says ([`FaultPlan::by`]).
    By(Rule),
}

type Rule = Box<dyn FnMut(&RequestPacket) -> Option<Fault> + Send>;

impl FaultPlan {
    /// Packets go wrong as a function says. It sees every packet before the node does, and may change the
    /// chain. It must not use the [`Faults`](crate::Faults) that call it.
    pub fn by(rule: impl FnMut(&RequestPacket) -> Option<Fault> + Send + 'static) -> Self {
        Self::By(Box::new(rule))
    }

    /// The fault of the packet with this number.
    pub(crate) fn fault(&mut self, number: u64, packet: &RequestPacket) -> Option<Fault> {
        match self {
            Self::Never => None,
            Self::At(at, fault) => (number == *at).then(|| fault.clone()),
            Self::Method(method, fault) => {
                packet.method_names().any(|name| name == *method).then(|| fault.clone())
            }
            Self::Random { rng, percent, faults } => {
                rng.chance(*percent, 100).then(|| rng.pick(faults).cloned()).flatten()
            }
            Self::By(rule) => rule(packet),
        }
    }

    /// Whether some request may be answered as the last time.
    pub(crate) fn may_be_stale(&self) -> bool {
        let is_stale = |fault: &Fault| matches!(fault, Fault::Stale);
        match self {
            Self::Never => false,
            Self::At(_, fault) | Self::Method(_, fault) => is_stale(fault),
            Self::Random { faults, .. } => faults.iter().any(is_stale),
            Self::By(_) => true,
        }
    }
}

impl fmt::Debug for FaultPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Never => f.write_str("Never"),
            Self::At(at, fault) => f.debug_tuple("At").field(at).field(fault).finish(),
            Self::Method(method, fault) => {
                f.debug_tuple("Method").field(method).field(fault).finish()
            }
            Self::Random { rng, percent, faults } => f
                .debug_struct("Random")
                .field("rng", rng)
                .field("percent", percent)
                .field("faults", faults)
                .finish(),
            Self::By(_) => f.debug_tuple("By").finish_non_exhaustive(),
        }
    }
}
