//! A holder's power as text.

use canon_protocol::{
    Amount, ForeignText, ProposalState, Seconds, Timestamp,
    text::{Time, Tokens, count, grouped},
};
use canon_views::DUST_LIMIT;

use super::{DueWithdrawal, PowerDocument, PowerOnProposal};
use crate::page::{Page, lasts, line, share, tokens, until, wrapped};

pub(super) fn render(power: &PowerDocument) -> String {
    let mut page = Page::default();
    line!(page, "Holder {}", power.holder);
    let part = share(power.power, power.total_power);
    line!(page, "  power    {}, {part} of all that is locked", tokens(power.power));
    let verb = if power.balance == Amount::TOKEN { "isn't" } else { "aren't" };
    line!(page, "  balance  {} that {verb} locked", tokens(power.balance));
    line!(page, "\nProposals that take ballots, or will");
    if power.ballots.is_empty() {
        line!(page, "  none");
    }
    for ballot in &power.ballots {
        on_proposal(&mut page, ballot, power.time);
    }
    withdrawals(&mut page, power);
    for reason in &power.unknown {
        line!(page, "\nNot known");
        for text in wrapped(reason, 78) {
            line!(page, "  {}", ForeignText::new(&text));
        }
    }
    line!(page, "\nAs of block {}, {}", power.block, Time(power.time));
    page.into_text()
}

fn on_proposal(page: &mut Page, on: &PowerOnProposal, now: Timestamp) {
    let PowerOnProposal { proposal, state, ballot, .. } = on;
    let power = tokens(ballot.power);
    let start = on.snapshot + Seconds::SECOND;
    if start > now {
        line!(page, "{proposal:>6}  {state}: {power} now");
        line!(page, "        what is locked before voting starts counts: canon lock");
        line!(page, "        it starts at {} ({})", Time(start), until(now, start));
        return;
    }
    line!(page, "{proposal:>6}  {state}: {power} at the snapshot");
    let side = |side: &str, amount: Amount| match amount.is_zero() {
        true => None,
        false => Some(format!("{} cast {side}", tokens(amount))),
    };
    let cast = [side("for", ballot.cast.yea), side("against", ballot.cast.nea)];
    let mut parts: Vec<_> = cast.into_iter().flatten().collect();
    parts.push(format!("{} left to cast", Tokens(on.left)));
    line!(page, "        {}", parts.join(", "));
    match state {
        ProposalState::Pending => {}
        ProposalState::Queued => {
            let last = on.against_until;
            line!(page, "        against it {}", lasts(now, last));
        }
        _ => {
            line!(page, "        {}", lasts(now, on.until));
            line!(page, "        against it also, if it passes,");
            line!(page, "        {}", lasts(now, on.against_until));
        }
    }
}

fn withdrawals(page: &mut Page, power: &PowerDocument) {
    let Some(due) = &power.withdrawals else { return };
    let paid = power.paid_withdrawals.unwrap_or_default();
    match (due.is_empty(), paid) {
        (true, 0) => line!(page, "\nWithdrawals: none"),
        (true, paid) => line!(page, "\nWithdrawals: all paid, {}", grouped(paid)),
        (false, 0) => line!(page, "\nWithdrawals, {} to be paid", grouped(due.len() as u64)),
        (false, paid) => line!(
            page,
            "\nWithdrawals, {} to be paid; {} paid",
            grouped(due.len() as u64),
            count(paid, "other")
        ),
    }
    // Anybody can make any number of withdrawals that are dust.
    let (dust, worthwhile): (Vec<&DueWithdrawal>, Vec<_>) =
        due.iter().partition(|one| one.view.is_dust_for(power.holder, Some(one.holder)));
    for DueWithdrawal { id, holder, view } in worthwhile {
        line!(page, "{id:>6}  {} to {}", tokens(view.amount), view.recipient);
        if *holder != power.holder {
            line!(page, "        from {holder}, who gave the power up");
        }
        let when = match view.is_payable(power.time) {
            true => "can be paid now: anyone can ask for it".to_owned(),
            false => {
                format!("from {} ({})", Time(view.unlocks_at), until(power.time, view.unlocks_at))
            }
        };
        line!(page, "        {when}");
    }
    if !dust.is_empty() {
        let (dust, limit) = (grouped(dust.len() as u64), tokens(DUST_LIMIT));
        line!(page, "        {dust} made by others, of less than {limit} each: see --json");
    }
}
