//! The rounds of rollups that were canonical before.

use alloy_primitives::Address;
use canon_protocol::Round;
use canon_views::SetView;
use eyre::eyre;

use super::{RollupRounds, Term};
use crate::{chain::Chain, exit::Failure};

/// The round `asked` of a rollup that was canonical before, otherwise its last one. All of its rounds are too old to be
/// pushed.
///
/// # Errors
///
/// If the history isn't known, the rollup wasn't canonical, the round isn't of its time in office, or the endpoint
/// doesn't answer.
pub(super) async fn of_earlier<'a>(
    chain: &Chain,
    view: &'a SetView,
    rollup: Address,
    asked: Option<Round>,
) -> Result<Term<'a>, Failure> {
    let Some(history) = &view.history else {
        let report =
            eyre!("the rounds of earlier rollups are in the set's history, which isn't known");
        return Err(Failure::internal(report, "use an endpoint that has the set's logs"));
    };
    // Version 0 isn't a rollup.
    let versions = history.registry().snapshots().get(1..).unwrap_or_default();
    let terms = versions.iter().zip(versions.iter().skip(1));
    let Some((first, next)) = terms.clone().find(|(term, _)| term.rollup == rollup) else {
        let earlier: Vec<_> = terms.map(|(term, _)| term.rollup.to_string()).collect();
        let report = match earlier.is_empty() {
            true => eyre!("--rollup: no rollup was canonical before, found {rollup}"),
            false => {
                let earlier = earlier.join(", ");
                eyre!("--rollup: expected a rollup that was canonical, found {rollup}: {earlier}")
            }
        };
        return Err(Failure::bad_input(report, "leave --rollup out for the canonical one"));
    };
    let unknown = || {
        let report = eyre!("the rounds of rollup {rollup} aren't known: its events aren't");
        Failure::refused(report, "`canon status` shows what is known")
    };
    let clock = history.rollup(rollup).ok_or_else(unknown)?.clock();
    let mut counted = history.all_proposals();
    let of_rollup = counted.find(|(_, counted)| counted.instances().any(|one| one == rollup));
    let in_office = view.present.addresses.proposals;
    let or_in_office = || Some((in_office, history.proposals(in_office)?));
    let (proposals, counted) = of_rollup.or_else(or_in_office).ok_or_else(unknown)?;
    let rules = *counted.rules();
    let (start, end) = (
        chain.timestamp_of(first.block_number).await?,
        chain.timestamp_of(next.block_number).await?,
    );
    let round_at = |time| rules.round_of(clock.slot_at(time).unwrap_or_default());
    let (oldest, newest) = (round_at(start), round_at(end));
    let round = asked.unwrap_or(newest);
    if !(oldest..=newest).contains(&round) {
        let report = eyre!(
            "round {round} isn't of the time in office of rollup {rollup}: expected a round from {oldest} to {newest}"
        );
        return Err(Failure::bad_input(report, "`canon round` shows the running round"));
    }
    let rounds = RollupRounds { view, rollup, proposals, rules, clock: Some(clock), running: None };
    Ok(Term { rounds, round, blocks: Some(first.block_number..=next.block_number) })
}
