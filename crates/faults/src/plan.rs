//! The faults of packets, and the plans for them.

use crate::faults::lock;
use alloy_json_rpc::{RequestPacket, ResponsePacket};
use canon_testkit::histories::Rng;
use core::fmt;
use std::sync::{Arc, Mutex};

/// A fault of a packet.
#[derive(Clone, Debug)]
pub enum Fault {
    /// The packet doesn't reach the node.
    Lost,
    /// The node processes the packet, but its answer is lost.
    AnswerLost,
    /// The node processes the packet twice. The client gets the second answer.
    Doubled,
    /// The answer is lost, and the packet reaches the node later: just before the packet that comes this
    /// number of packets after it. 1 is the next packet.
    Delayed(u64),
    /// Each request gets the last answer to an identical request, as from a cache or a node that lags.
    /// Transactions, and requests without an earlier answer, reach the node.
    Stale,
    /// The process that made the packet ends before it reaches the node ([`Faults::killed`]).
    ///
    /// [`Faults::killed`]: crate::Faults::killed
    KilledBefore,
    /// The process that made the packet ends after the node has processed it ([`Faults::killed`]).
    ///
    /// [`Faults::killed`]: crate::Faults::killed
    KilledAfter,
    /// The packet doesn't reach the node. It is answered with this HTTP status and this body.
    HttpStatus(u16, &'static str),
    /// The packet doesn't reach the node. It is answered with this response. For single requests,
    /// [`Faults::answer`] is simpler.
    ///
    /// [`Faults::answer`]: crate::Faults::answer
    Answered(ResponsePacket),
}

/// A choice of the packets that have a fault. Packets are counted from 0, starting when the plan is set.
#[derive(Default)]
pub enum FaultPlan {
    /// No packet.
    #[default]
    Never,
    /// The packet with this number.
    At(u64, Fault),
    /// Every packet with a request of this method.
    Method(&'static str, Fault),
    /// Random packets.
    Random {
        /// The source of the draws.
        rng: Rng,
        /// The percentage of packets that have a fault.
        percent: u64,
        /// The faults, all with the same probability.
        faults: Vec<Fault>,
    },
    /// The packets for which a function returns a fault ([`FaultPlan::by`]).
    By(Rule),
}

/// A function that returns the fault of each packet.
#[derive(Clone)]
pub struct Rule(Arc<Mutex<dyn FnMut(&RequestPacket) -> Option<Fault> + Send>>);

/// The fault that a plan has for a packet.
pub(crate) enum PlannedFault {
    Fault(Option<Fault>),
    /// The one that a rule returns. Calling it needs no access to the plan.
    By(Rule),
}

impl Rule {
    pub(crate) fn fault(&self, packet: &RequestPacket) -> Option<Fault> {
        lock(&self.0)(packet)
    }
}

impl FaultPlan {
    /// A plan by a function, which returns the fault of each packet. It is called before the packet
    /// reaches the node, and may change the chain and the [`Faults`](crate::Faults) that call it.
    pub fn by(rule: impl FnMut(&RequestPacket) -> Option<Fault> + Send + 'static) -> Self {
        Self::By(Rule(Arc::new(Mutex::new(rule))))
    }

    /// The fault of the packet with this number.
    pub(crate) fn fault(&mut self, number: u64, packet: &RequestPacket) -> PlannedFault {
        PlannedFault::Fault(match self {
            Self::Never => None,
            Self::At(at, fault) => (number == *at).then(|| fault.clone()),
            Self::Method(method, fault) => {
                packet.method_names().any(|name| name == *method).then(|| fault.clone())
            }
            Self::Random { rng, percent, faults } => {
                rng.chance(*percent, 100).then(|| rng.pick(faults).cloned()).flatten()
            }
            Self::By(rule) => return PlannedFault::By(rule.clone()),
        })
    }

    /// Whether the plan may answer a request with an earlier answer.
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

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rule").finish_non_exhaustive()
    }
}
