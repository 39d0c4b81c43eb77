//! Answers of rollups.

use super::{Walk, number};
use crate::Rollup as Sol;
use alloy_primitives::{Address, U256};
use canon_protocol::{Epoch, Refusal, Rollup, RollupRefusal, Slot, Timestamp};
use std::collections::BTreeSet;

impl Walk<'_> {
    pub(super) fn rollup(&mut self, at: Address, rollup: &Rollup) {
        let parameters = rollup.parameters();
        let clock = &parameters.clock;
        self.same(at, Sol::ASSETCall {}, parameters.asset);
        self.same(at, Sol::REGISTRYCall {}, parameters.registry);
        self.same(at, Sol::REWARD_DISTRIBUTORCall {}, parameters.reward_distributor);
        self.same(at, Sol::GENESIS_TIMECall {}, clock.genesis.to_word());
        self.same(at, Sol::SLOT_DURATIONCall {}, U256::from(clock.slot_duration.get()));
        self.same(at, Sol::EPOCH_DURATIONCall {}, U256::from(clock.epoch_duration.get()));
        self.same(at, Sol::MINIMUM_STAKECall {}, parameters.minimum_stake.to_word());
        self.same(at, Sol::EXIT_DELAYCall {}, parameters.exit_delay.to_word());
        self.ownership(at);
        self.clock(at, rollup);
        self.draws(at, rollup);
        self.attesters(at, rollup);
        let head = rollup.head();
        let newest = head.map_or(U256::ZERO, |head| head.number.to_word());
        self.same(at, Sol::blockNumberCall {}, newest);
        self.same(
            at,
            Sol::lastBlockSlotCall {},
            Sol::lastBlockSlotReturn {
                exists: head.is_some(),
                slot: head.map_or(U256::ZERO, |head| head.slot.to_word()),
            },
        )
    }

    fn clock(&mut self, at: Address, rollup: &Rollup) {
        let clock = rollup.clock();
        let before = Timestamp::new(clock.genesis.get().saturating_sub(1)).unwrap_or_default();
        for time in [before, clock.genesis, self.now] {
            let slot = rollup.slot_at(time).map_err(Refusal::from);
            let timestamp = time.to_word();
            let epoch = slot.clone().map(|slot| clock.epoch_of(slot).to_word());
            self.ask(at, Sol::getEpochAtCall { timestamp }, epoch);
            let slot = slot.map(Slot::to_word);
            self.ask(at, Sol::getSlotAtCall { timestamp }, slot);
        }
        let slot = rollup.slot_at(self.now).map_err(Refusal::from);
        self.ask(at, Sol::getCurrentSlotCall {}, slot.clone().map(Slot::to_word));
        let epoch = slot.clone().map(|slot| clock.epoch_of(slot).to_word());
        self.ask(at, Sol::getCurrentEpochCall {}, epoch);
        let start = slot.ok().and_then(|slot| Some((slot, clock.slot_start(slot)?)));
        if let Some((slot, start)) = start {
            let call = Sol::getTimestampForSlotCall { slot: slot.to_word() };
            self.same(at, call, start.to_word());
        }
    }

    /// The sets, seeds and proposers of all epochs that can be asked for, and of one epoch before
    /// and after them.
    fn draws(&mut self, at: Address, rollup: &Rollup) {
        let (clock, now) = (rollup.clock(), self.now);
        let Some(present) = clock.epoch_at(now) else { return };
        let epochs = [present.previous(), Some(present), Some(present.next())];
        let later = present.next().next();
        for epoch in epochs.into_iter().flatten().chain([later]) {
            let word = epoch.to_word();
            let size = rollup.set_size(epoch, now);
            let members = size.clone().unwrap_or_default();
            self.ask(
                at,
                Sol::getSetSizeCall { epoch: word },
                size.map(U256::from).map_err(Refusal::from),
            );
            let seed = rollup.seed(epoch, now).map(|seed| Sol::getSeedReturn {
                recorded: seed.is_some(),
                seed: seed.unwrap_or_default(),
            });
            self.ask(at, Sol::getSeedCall { epoch: word }, seed.map_err(Refusal::from));
            // The last member doesn't exist.
            for index in 0..=members {
                let member = rollup.member_of(epoch, index, now);
                let member = member.map(|member| Sol::getMemberReturn {
                    attester: member.attester(),
                    proposer: member.proposer(),
                });
                let call = Sol::getMemberCall { epoch: word, index: U256::from(index) };
                self.ask(at, call, member.map_err(Refusal::from));
            }
            self.proposers(at, rollup, epoch);
        }
        let proposer = self.proposer_at(rollup, now);
        self.ask(at, Sol::getCurrentProposerCall {}, proposer.map_err(Refusal::from))
    }

    fn proposers(&mut self, at: Address, rollup: &Rollup, epoch: Epoch) {
        let clock = rollup.clock();
        let Some(first) = clock.first_slot(epoch) else { return };
        let slots = clock.epoch_duration.get().min(6);
        for slot in first.get()..first.get() + slots {
            let Some(time) = clock.slot_start(Slot::of(slot)) else { continue };
            let proposer = self.proposer_at(rollup, time).map_err(Refusal::from);
            self.ask(at, Sol::getProposerAtCall { timestamp: time.to_word() }, proposer);
        }
    }

    fn proposer_at(&self, rollup: &Rollup, time: Timestamp) -> Result<Address, RollupRefusal> {
        let member = rollup.member_at(time, self.now)?;
        Ok(member.map_or(Address::ZERO, |member| member.proposer()))
    }

    fn attesters(&mut self, at: Address, rollup: &Rollup) {
        let set: Vec<_> = rollup.set().map(|member| member.attester()).collect();
        self.same(at, Sol::getActiveAttesterCountCall {}, number(set.len()));
        self.same(at, Sol::getAttestersCall {}, set);
        let registrations = rollup.registrations();
        self.same(at, Sol::registrationCountCall {}, number(registrations.len()));
        let known: BTreeSet<_> = registrations.iter().map(|member| member.attester()).collect();
        for attester in known.into_iter().chain([Address::ZERO]) {
            let member = rollup.member(attester);
            self.same(
                at,
                Sol::getInfoCall { attester },
                Sol::getInfoReturn {
                    stake: member.map_or(U256::ZERO, |member| member.stake().to_word()),
                    withdrawer: member.map_or(Address::ZERO, |member| member.withdrawer()),
                    proposer: member.map_or(Address::ZERO, |member| member.proposer()),
                    status: member.map_or(0, |member| member.status() as u8),
                },
            );
            let exit = member.and_then(|member| member.exit());
            self.same(
                at,
                Sol::getExitCall { attester },
                Sol::getExitReturn {
                    exitableAt: exit.map_or(U256::ZERO, |exit| exit.exitable_at.to_word()),
                    recipient: exit.map_or(Address::ZERO, |exit| exit.recipient),
                },
            );
            let moving = member.and_then(|member| member.moving());
            self.same(
                at,
                Sol::getMoveCall { attester },
                Sol::getMoveReturn {
                    newRollup: moving.map_or(Address::ZERO, |moving| moving.new_rollup),
                    readyAt: moving.map_or(U256::ZERO, |moving| moving.ready_at.to_word()),
                },
            );
            let coinbase = member.map_or(Address::ZERO, |member| member.coinbase());
            self.same(at, Sol::getCoinbaseCall { attester }, coinbase);
        }
    }
}
