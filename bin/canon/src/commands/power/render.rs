//! A holder's power as text.

use canon_protocol::{
    Amount, ForeignText, ProposalState, Timestamp,
    text::{Time, Tokens, count, grouped},
};
use canon_views::DUST_LIMIT;

use super::{DueWithdrawal, PowerDocument, PowerOnProposal};
use crate::page::{Page, lasts, line, share, until, wrapped};

pub(super) fn render(power: &PowerDocument) -> String {
    let mut page = Page::default();
    line!(page, "Holder {}", power.holder);
    let part = share(power.power, power.total_power);
    line!(page, "  power    {} tokens, {part} of all that is locked", Tokens(power.power));
    line!(page, "  balance  {} tokens that aren't locked", Tokens(power.balance));
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
    let tokens = Tokens(ballot.power);
    match on.snapshot >= now {
        true => {
            let when = until(now, on.snapshot);
            line!(
                page,
                "{proposal:>6}  {state}: {tokens} tokens now; what is locked {when} counts"
            );
        }
        false => line!(page, "{proposal:>6}  {state}: {tokens} tokens at the snapshot"),
    }
    let side = |side: &str, amount: Amount| match amount.is_zero() {
        true => None,
        false => Some(format!("{} cast {side}", Tokens(amount))),
    };
    let cast = [side("for", ballot.cast.yea), side("against", ballot.cast.nea)];
    let mut parts: Vec<_> = cast.into_iter().flatten().collect();
    parts.push(format!("{} left", Tokens(on.left)));
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
        line!(page, "{id:>6}  {} tokens to {}", Tokens(view.amount), view.recipient);
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
        let (dust, limit) = (grouped(dust.len() as u64), Tokens(DUST_LIMIT));
        line!(page, "        {dust} made by others, of less than {limit} token each: see --json");
    }
}
