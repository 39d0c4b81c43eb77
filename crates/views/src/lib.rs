#![doc = include_str!("../README.md")]

mod available;
mod calendar;
mod duties;
mod fold;
mod intent;
mod present;
mod proposal;
mod question;
mod signals;

pub use available::{AvailableAction, Opportunity, available_actions};
pub use calendar::{CalendarEntry, CalendarEvent, calendar};
pub use duties::{
    BlockDuty, Duty, HopelessRule, LockMethod, MoveObstacle, MovePhase, MovePlan, Order,
    OrderAmount, OrderStatus, PayOut, SequencerIdentity, SignalDecision, SignalPlan, StatusRule,
    WaitsFor, Window, holder, keeper, mover, payload_of, sequencer, windows,
};
pub use intent::{
    Completion, IntendedAction, IntendedCall, Intent, IntentId, IntentProgress, IntentSubject,
    NewAttester, PermitSignature, PermitTerms, RequestId, SetId,
};
pub use present::{
    AttesterView, BallotView, BlockView, DUST_LIMIT, GovernanceView, HolderView, PayloadView,
    Present, ProposalView, RollupView, SeedStatus, SetAddresses, SetView, SignalingView,
    WithdrawalView,
};
pub use proposal::ProposalDates;
pub use question::Question;
pub use signals::PayloadStatus;
