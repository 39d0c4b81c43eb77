//! Finding blocks by their time, and finding the newest final block.

use crate::test_chain::{chain, client_by};
use canon_chain::FINALITY;
use canon_faults::{Answer, Faults, params};
use canon_protocol::{BlockNumber, Timestamp};

#[tokio::test]
async fn the_first_block_of_a_time_is_found_at_every_boundary() {
    let chain = chain().await;
    for _ in 0..40 {
        chain.devchain.set_next_timestamp(chain.devchain.timestamp() + 7).unwrap();
        chain.devchain.mine().unwrap();
    }
    let mut times = Vec::new();
    for number in 0..=40 {
        times.push(chain.client.block(number.into()).await.unwrap().timestamp);
    }
    let (first, last) = (3_u64, 40_u64);
    let blocks = BlockNumber::of(first)..=BlockNumber::of(last);
    for time in &times {
        for time in [time.get() - 1, time.get(), time.get() + 1].map(Timestamp::of) {
            let expected = (first..=last).find(|number| times[*number as usize] >= time);
            let found = chain.client.first_block_since(time, blocks.clone()).await.unwrap();
            assert_eq!(found, expected.map(BlockNumber::of), "{time}");
        }
    }
}

#[tokio::test]
async fn on_a_chain_without_finality_a_block_is_final_when_64_follow_it() {
    let chain = chain().await;
    let faults = Faults::default();
    let client = client_by(&faults, &chain.devchain).await;
    faults.answer(|request| {
        let is_by_name = params(request).to_string().contains("finalized");
        match is_by_name {
            true => Answer::Refusal(-39001, "Unknown block".to_owned()),
            false => Answer::Node,
        }
    });
    for _ in 1..FINALITY {
        chain.devchain.mine().unwrap();
    }
    assert_eq!(client.final_block().await.unwrap(), None, "no block is final yet");
    for expected in 0..3 {
        chain.devchain.mine().unwrap();
        let found = client.final_block().await.unwrap().map(|block| block.number.get());
        assert_eq!(found, Some(expected));
    }
    // If the endpoint supports the tag, its answer is used.
    assert_eq!(chain.client.final_block().await.unwrap(), client.final_block().await.unwrap());
}
