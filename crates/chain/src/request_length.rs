//! The length of requests that each endpoint limits differently: the blocks of an `eth_getLogs`, and the
//! requests in a batch.

/// The number of consecutive answers after which a shortened request is lengthened again. Most limits are
/// permanent, so longer requests are tried rarely.
pub(crate) const ANSWERS_TO_LENGTHEN: u32 = 10;

/// The length of the next request. It is shortened after a refusal, and lengthened after enough answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestLength {
    length: u64,
    /// The number of consecutive answers to requests of this length.
    answers: u32,
    bounds: &'static Bounds,
}

#[derive(Debug, PartialEq, Eq)]
struct Bounds {
    min: u64,
    max: u64,
    /// The factor by which a request is shortened and lengthened.
    factor: u64,
}

impl RequestLength {
    /// The blocks in a request for logs: from 10 to 10,000, which are the usual limits of providers.
    pub const BLOCKS: Self = Self::longest(&Bounds { min: 10, max: 10_000, factor: 10 });

    /// The requests in a batch: up to 1,000, which is geth's default limit.
    pub(crate) const BATCH: Self = Self::longest(&Bounds { min: 1, max: 1_000, factor: 2 });

    const fn longest(bounds: &'static Bounds) -> Self {
        Self { length: bounds.max, answers: 0, bounds }
    }

    /// The length of the next request.
    pub const fn get(&self) -> u64 {
        self.length
    }

    /// Records the outcome of a request of this length. Returns the answer, or `None` if the endpoint
    /// refused the length and a shorter request may be accepted.
    ///
    /// # Errors
    ///
    /// An error that isn't a refusal of the length, or a refusal of the shortest one.
    pub fn note<T, E>(
        &mut self,
        outcome: Result<T, E>,
        is_refusal: impl Fn(&E) -> bool,
    ) -> Result<Option<T>, E> {
        match outcome {
            Ok(answer) => {
                self.note_answer(self.length);
                Ok(Some(answer))
            }
            Err(error) if is_refusal(&error) && self.length > self.bounds.min => {
                *self = Self { length: self.length / self.bounds.factor, answers: 0, ..*self };
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Records an answer to a request of `length`. If it is shorter than this length, longer ones were
    /// refused.
    pub(crate) fn note_answer(&mut self, length: u64) {
        if length < self.length {
            *self = Self { length, answers: 0, ..*self };
        }
        self.answers += 1;
        if self.answers >= ANSWERS_TO_LENGTHEN {
            let length = self.bounds.max.min(self.length * self.bounds.factor);
            *self = Self { length, answers: 0, ..*self };
        }
    }
}
