//! The parts of a view that people are shown.

use crate::chain::{
    Chain, EPOCH_SECONDS, GOVERNANCE, NEW_ROLLUP, PAYLOAD, PROPOSALS, ROLLUP, SLOT,
    ViewedChain as _, harmless, named, tokens,
};
use canon_protocol::{
    Epoch, GovernanceCall, ProposalId, ProposalState, ProposalsCall, Seconds, Slot, Support,
    Timestamp, WithdrawalId,
};
use canon_views::{
    AvailableAction, CalendarEntry, CalendarEvent, IntendedAction, Opportunity, Question,
    available_actions, calendar,
};

#[test]
fn every_date_of_a_proposal_is_the_first_second_of_its_change() {
    let mut chain = Chain::voting(2000, 0);
    let id = chain.propose(PAYLOAD, &harmless());
    let seen = |chain: &Chain| *chain.view_in(1).present.proposal(id).unwrap();
    let before = |time: Timestamp| Timestamp::of(time.get() - 1);
    let (proposal, dates) = (seen(&chain), seen(&chain).dates());
    let starts = dates.voting_starts;
    assert_eq!(proposal.state_at(before(starts)), ProposalState::Pending);
    assert_eq!(proposal.state_at(starts), ProposalState::Active);
    chain.jump(starts);
    chain.vote("alice", id, 1500, Support::Yea);
    let proposal = seen(&chain);
    for (date, until, from) in [
        (dates.voting_ends, ProposalState::Active, ProposalState::Queued),
        (dates.executable, ProposalState::Queued, ProposalState::Executable),
        (dates.expires, ProposalState::Executable, ProposalState::Expired),
    ] {
        assert_eq!((proposal.state_at(before(date)), proposal.state_at(date)), (until, from));
    }
    assert!(proposal.takes_ballots(Support::Nea, before(dates.objections_end)));
    assert!(!proposal.takes_ballots(Support::Nea, dates.objections_end));
}

#[test]
fn the_calendar_has_the_first_second_of_every_change() {
    let mut chain = Chain::voting(2000, 0);
    let id = chain.propose(PAYLOAD, &harmless());
    let withdraw = GovernanceCall::InitiateWithdraw { to: named("alice"), amount: tokens(1) };
    chain.ok("alice", GOVERNANCE, withdraw);
    let deadlines = chain.set.governance().proposals()[0].deadlines();
    let unlocks_at = chain.set.governance().withdrawals()[0].unlocks_at;
    let entries = calendar(&chain.view_in(1));
    let after = |time: Timestamp| time + Seconds::SECOND;
    let round = chain.set.proposals(PROPOSALS).unwrap().rules().round_of(chain.slot());
    let rules = *chain.set.proposals(PROPOSALS).unwrap().rules();
    let epoch = Epoch::of(chain.slot().get() / crate::chain::EPOCH);
    let rollup = ROLLUP;
    let clock = *chain.set.rollup(ROLLUP).unwrap().clock();
    let mut expected = vec![
        (deadlines.voting_starts(), CalendarEvent::VotingStarts { id }),
        (after(deadlines.active), CalendarEvent::VotingEnds { id }),
        (after(deadlines.objections_until), CalendarEvent::ObjectionsEnd { id }),
        (deadlines.earliest_execution(), CalendarEvent::Executable { id }),
        (after(deadlines.executable), CalendarEvent::Expires { id }),
        (chain.slot_start(rules.first_slot(round.next())), CalendarEvent::RoundEnds { round }),
        (
            clock.epoch_start(epoch.next()).unwrap(),
            CalendarEvent::EpochStarts { rollup, epoch: epoch.next() },
        ),
        (unlocks_at, CalendarEvent::WithdrawalUnlocks { id: WithdrawalId::ZERO }),
    ];
    let this_epoch = clock.seed_recording_start(epoch).unwrap();
    let is_open = this_epoch <= chain.now();
    let epoch = if is_open { epoch.next() } else { epoch };
    let time = clock.seed_recording_start(epoch).unwrap();
    expected.push((time, CalendarEvent::SeedRecordable { rollup, epoch: epoch.next() }));
    let mut expected: Vec<_> =
        expected.into_iter().map(|(time, event)| CalendarEntry { time, event }).collect();
    expected.sort_unstable();
    assert_eq!(entries, expected);
    // The calendar has no past changes. It has the deadline of a won round while the round can be pushed.
    chain.write(NEW_ROLLUP, &harmless());
    let round = chain.win(NEW_ROLLUP);
    let (_, last) = rules.push_slots(round);
    let entries = calendar(&chain.view_in(1));
    let time = chain.slot_start(last.next());
    assert!(entries.contains(&CalendarEntry { time, event: CalendarEvent::PushExpires { round } }));
    assert!(entries.iter().all(|entry| entry.time > chain.now()));
    chain.jump(deadlines.executable);
    let entries = calendar(&chain.view_in(1));
    // It was rejected, since there are no ballots.
    let is_about = |entry: &&CalendarEntry| entry.event == CalendarEvent::Expires { id };
    assert_eq!(entries.iter().find(is_about), None);
}

#[test]
fn the_calendar_has_all_dates_of_a_proposal_until_it_is_rejected() {
    let mut chain = Chain::voting(2000, 0);
    let id = chain.propose(PAYLOAD, &harmless());
    let deadlines = chain.set.governance().proposals()[0].deadlines();
    let after = |time: Timestamp| time + Seconds::SECOND;
    let ends = (after(deadlines.active), CalendarEvent::VotingEnds { id });
    let follows = [
        (after(deadlines.objections_until), CalendarEvent::ObjectionsEnd { id }),
        (deadlines.earliest_execution(), CalendarEvent::Executable { id }),
        (after(deadlines.executable), CalendarEvent::Expires { id }),
    ];
    let entries = |chain: &Chain| -> Vec<_> {
        let entries = calendar(&chain.view_in(1)).into_iter();
        let entries = entries.map(|entry| (entry.time, entry.event));
        entries.filter(|entry| *entry == ends || follows.contains(entry)).collect()
    };
    let all: Vec<_> = [ends].into_iter().chain(follows).collect();
    assert_eq!(entries(&chain), all, "Pending");
    chain.jump(deadlines.voting_starts());
    assert_eq!(entries(&chain), all, "nobody voted yet");
    let mut rejected = chain.clone();
    rejected.jump(after(deadlines.active));
    assert_eq!(entries(&rejected), [], "rejected");
    chain.vote("alice", id, 1500, Support::Yea);
    chain.jump(after(deadlines.active));
    assert_eq!(entries(&chain), follows, "accepted");
}

#[test]
fn the_calendar_shows_the_next_seed_while_this_epoch_can_record_one() {
    let mut chain = Chain::staked(3);
    let clock = *chain.set.rollup(ROLLUP).unwrap().clock();
    let recording = clock.epoch_at(chain.now()).unwrap().next();
    let start = clock.seed_recording_start(recording).unwrap();
    for (now, recording) in [
        (Timestamp::of(start.get() - 1), recording),
        (start, recording.next()),
        (start + Seconds::SECOND, recording.next()),
    ] {
        chain.jump(now);
        let time = clock.seed_recording_start(recording).unwrap();
        let event = CalendarEvent::SeedRecordable { rollup: ROLLUP, epoch: recording.next() };
        let seeds = calendar(&chain.view_in(1)).into_iter();
        let seeds =
            seeds.filter(|entry| matches!(entry.event, CalendarEvent::SeedRecordable { .. }));
        assert_eq!(seeds.collect::<Vec<_>>(), [CalendarEntry { time, event }], "at {now}");
    }
}

#[test]
fn the_calendar_has_the_first_epoch_of_a_rollup_before_its_genesis() {
    let mut chain = Chain::staked(3);
    let genesis = chain.now() + Seconds::of(1000);
    // A rollup of this set is never deployed before its genesis. One of another implementation may be.
    let rollup = NEW_ROLLUP;
    chain.deploy_rollup(rollup);
    let starts = |epoch| CalendarEvent::EpochStarts { rollup, epoch: Epoch::of(epoch) };
    let seed = |epoch| CalendarEvent::SeedRecordable { rollup, epoch: Epoch::of(epoch) };
    let second_slot = genesis + Seconds::of(SLOT);
    let second_epoch = genesis + Seconds::of(EPOCH_SECONDS);
    let first = [(genesis, starts(0)), (second_slot, seed(1))];
    for (now, expected) in [
        (chain.now(), first),
        (Timestamp::of(genesis.get() - 1), first),
        (genesis, [(second_slot, seed(1)), (second_epoch, starts(1))]),
    ] {
        chain.jump(now);
        let mut view = chain.view_in(1);
        let seen = view.present.rollups.get_mut(&rollup).unwrap();
        seen.clock.genesis = genesis;
        (seen.set_size, seen.next_set_size) = (None, None);
        let entries = calendar(&view).into_iter();
        let entries = entries.map(|entry| (entry.time, entry.event));
        let its_own = entries.filter(|(_, event)| match event {
            CalendarEvent::EpochStarts { rollup: of, .. }
            | CalendarEvent::SeedRecordable { rollup: of, .. } => *of == rollup,
            _ => false,
        });
        assert_eq!(its_own.collect::<Vec<_>>(), expected, "at {now}");
    }
}

#[test]
fn the_calendar_of_an_empty_set_has_the_first_slots_and_the_seed_that_draws_them() {
    let mut chain = Chain::deployed();
    let rollup = ROLLUP;
    let clock = *chain.set.rollup(rollup).unwrap().clock();
    let first = |chain: &Chain| {
        let entries = calendar(&chain.view_in(1)).into_iter();
        let mut found = entries.filter_map(|CalendarEntry { time, event }| match event {
            CalendarEvent::DrawsStart { epoch, .. } => Some((time, epoch, "draws")),
            CalendarEvent::SeedRecordable { epoch, .. } => Some((time, epoch, "seed")),
            _ => None,
        });
        (found.next(), found.next(), found.next())
    };
    let of = |epoch: u64| {
        let (epoch, before) = (Epoch::of(epoch), Epoch::of(epoch - 1));
        let seed = (clock.seed_recording_start(before).unwrap(), epoch, "seed");
        (Some(seed), Some((clock.epoch_start(epoch).unwrap(), epoch, "draws")), None)
    };
    // A stake that is made now draws in the epoch after the next one.
    assert_eq!(first(&chain), of(2));
    chain.jump(clock.epoch_start(Epoch::of(1)).unwrap());
    assert_eq!(first(&chain), of(3));
    chain.stake(rollup, 0);
    assert_eq!(first(&chain), of(3));
    chain.jump(clock.epoch_start(Epoch::of(2)).unwrap());
    assert_eq!(first(&chain), of(3));
    chain.jump(clock.epoch_start(Epoch::of(3)).unwrap());
    let (seed, draws, _) = first(&chain);
    assert!(seed.is_some_and(|(_, epoch, what)| (epoch, what) == (Epoch::of(4), "seed")));
    assert_eq!(draws, None);
}

#[test]
fn tokens_can_be_locked_for_a_proposal_until_the_second_of_its_snapshot() {
    let mut chain = Chain::voting(2000, 0);
    let id = chain.propose(PAYLOAD, &harmless());
    let last = chain.set.governance().proposals()[0].deadlines().pending;
    let of = |next| {
        let all = available_actions(&chain.view_of(next, &Question::default())).into_iter();
        let mut locks = all.filter(|one| matches!(one.opportunity, Opportunity::Lock { .. }));
        locks.next()
    };
    let lock = AvailableAction { opportunity: Opportunity::Lock { id }, until: Some(last) };
    assert_eq!(of(last), Some(lock));
    assert_eq!(of(last + Seconds::SECOND), None);
}

#[test]
fn available_actions_say_who_may_act_until_when() {
    let mut chain = Chain::voting(2000, 0);
    let id = chain.propose(PAYLOAD, &harmless());
    let deadlines = chain.set.governance().proposals()[0].deadlines();
    chain.jump(deadlines.voting_starts());
    chain.vote("alice", id, 1000, Support::Yea);
    let next = deadlines.active;
    let signal = |next: Timestamp| {
        let slot = chain.set.rollup(ROLLUP).unwrap().slot_at(next).unwrap();
        AvailableAction {
            opportunity: Opportunity::Signal { proposer: chain.proposer_at(next), slot },
            until: Some(Timestamp::of(chain.slot_start(Slot::of(slot.get() + 1)).get() - 1)),
        }
    };
    let vote = |support| AvailableAction {
        opportunity: Opportunity::Vote { id, support },
        until: Some(deadlines.ballots_until(support)),
    };
    let mut soon = chain.clone();
    soon.jump(Timestamp::of(next.get() - 1));
    let [yea, nea] = [vote(Support::Yea), vote(Support::Nea)];
    let of = |chain: &Chain, next| {
        let is_seed = |available: &AvailableAction| {
            let opportunity = &available.opportunity;
            matches!(opportunity, Opportunity::Anyone(IntendedAction::RecordSeed { .. }))
        };
        let all = available_actions(&chain.view_of(next, &Question::default())).into_iter();
        all.filter(|available| !is_seed(available)).collect::<Vec<_>>()
    };
    assert_eq!(of(&chain, chain.now()), [signal(chain.now()), yea.clone(), nea.clone()]);
    assert_eq!(of(&soon, next)[1..], [yea, nea.clone()]);
    assert_eq!(of(&soon, next + Seconds::SECOND)[1..], [nea]);
    let execute = AvailableAction {
        opportunity: Opportunity::Anyone(IntendedAction::Execute {
            id,
            frozen_actions: Some(harmless().into()),
        }),
        until: Some(deadlines.executable),
    };
    chain.jump(deadlines.queued);
    assert_eq!(of(&chain, deadlines.earliest_execution())[1..], [execute]);
    // The proposer of a slot that was used can't signal any more.
    let proposer = chain.proposer_at(chain.now());
    chain.send(proposer, PROPOSALS, ProposalsCall::Vote { payload: PAYLOAD }).unwrap();
    assert_eq!(of(&chain, chain.now()), []);
    assert_eq!(ProposalId::ZERO, id);
}
