//! The proposals of a payload.

use crate::chain::{Chain, NEW_PROPOSALS, PAYLOAD, PROPOSALS, ViewedChain as _, harmless};
use alloy_primitives::Address;
use canon_protocol::ProposalId;
use canon_views::ProposalView;

#[test]
fn the_newest_pushed_proposal_of_a_payload_is_neither_anothers_nor_through_the_lock() {
    const OTHER: Address = Address::with_last_byte(0xc2);
    let mut chain = Chain::staked(3);
    let id = chain.propose(PAYLOAD, &harmless());
    let mut present = chain.view_in(1).present;
    let pushed = *present.proposal(id).unwrap();
    // The origins and payloads of all proposals, and the number of the one that is found.
    type Case<'a> = (&'a [(Option<Address>, Address)], Option<u64>);
    const PUSHED: Option<Address> = Some(PROPOSALS);
    let cases: [Case<'_>; 6] = [
        (&[], None),
        (&[(PUSHED, PAYLOAD)], Some(0)),
        (&[(PUSHED, PAYLOAD), (PUSHED, PAYLOAD), (PUSHED, OTHER)], Some(1)),
        (&[(PUSHED, PAYLOAD), (None, PAYLOAD)], Some(0)),
        (&[(None, PAYLOAD), (PUSHED, OTHER)], None),
        // Proposals of any Proposals contract count.
        (&[(PUSHED, PAYLOAD), (Some(NEW_PROPOSALS), PAYLOAD)], Some(1)),
    ];
    for (proposals, expected) in cases {
        let numbered = (0..).zip(proposals);
        let proposals = numbered.map(|(id, (pushed_by, payload))| {
            let (pushed_by, payload) = (*pushed_by, *payload);
            ProposalView { id: ProposalId::of(id), pushed_by, payload, ..pushed }
        });
        present.governance.proposals = proposals.collect();
        let found = present.newest_pushed(PAYLOAD).map(|proposal| proposal.id);
        assert_eq!(found, expected.map(ProposalId::of), "{:?}", present.governance.proposals);
    }
}
