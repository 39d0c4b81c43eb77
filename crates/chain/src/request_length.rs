//! The length of requests that each endpoint limits in its own way: the blocks of an `eth_getLogs`, the requests of a
//! batch.

/// The number of answers in a row after which a shortened request is lengthened again. Most limits stay, so the
/// next longer request is tried rarely.
pub(crate) const ANSWERS_TO_LENGTHEN: u32 = 10;

/// The length of the next request: shorter after a refusal, longer again after enough answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestLength {
    length: u64,
    /// The number of answers in a row to requests of that length.
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
    /// The blocks of a request for logs: from 10 to 10,000, the lowest and the highest usual limit of providers.
    pub const BLOCKS: Self = Self::longest(&Bounds { min: 10, max: 10_000, factor: 10 });

    /// The requests of a batch: up to 1,000, geth's default limit.
    pub(crate) const BATCH: Self = Self::longest(&Bounds { min: 1, max: 1_000, factor: 2 });

    const fn longest(bounds: &'static Bounds) -> Self {
        Self { length: bounds.max, answers: 0, bounds }
    }

    /// The length of the next request.
    pub const fn get(&self) -> u64 {
        self.length
    }

    /// Takes note of what came of a request of this length: the answer, or `None` if the endpoint
    /// refused and a shorter one may be accepted.
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

    /// Takes note of an answer to a request of `length`. A shorter one than this shows that longer ones were refused.
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
