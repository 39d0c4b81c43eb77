//! The number of blocks of one `eth_getLogs`, which each endpoint limits in its own way.

/// The most blocks that one request covers: the usual limit of providers.
const MAX: u64 = 10_000;

/// The fewest blocks to which a refused range is shortened: the lowest usual limit of providers.
const MIN: u64 = 10;

/// The factor by which a range is shortened that the endpoint refuses.
const SHORTENING: u64 = 10;

/// The number of answers in a row after which a shortened range is lengthened by the same factor. Most
/// limits stay, so the next longer range is tried rarely.
const ANSWERS_TO_LENGTHEN: u32 = 10;

/// The number of blocks that the next request for logs covers: shorter after a refusal, longer again
/// after enough answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RangeLength {
    blocks: u64,
    /// The number of answers in a row to requests of that length.
    answers: u32,
}

impl Default for RangeLength {
    fn default() -> Self {
        Self { blocks: MAX, answers: 0 }
    }
}

impl RangeLength {
    /// The number of blocks, from 10 to 10,000.
    pub const fn get(&self) -> u64 {
        self.blocks
    }

    /// Takes note of what came of a request of this length: the answer, or `None` if the endpoint
    /// refused and a shorter range may be accepted.
    ///
    /// # Errors
    ///
    /// An error that isn't a refusal of the range, or a refusal of the shortest one.
    pub fn note<T, E>(
        &mut self,
        outcome: Result<T, E>,
        is_refusal: impl Fn(&E) -> bool,
    ) -> Result<Option<T>, E> {
        match outcome {
            Ok(answer) => {
                self.answers += 1;
                if self.answers == ANSWERS_TO_LENGTHEN {
                    *self = Self { blocks: MAX.min(self.blocks * SHORTENING), answers: 0 };
                }
                Ok(Some(answer))
            }
            Err(error) if is_refusal(&error) && self.blocks > MIN => {
                *self = Self { blocks: self.blocks / SHORTENING, answers: 0 };
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}
