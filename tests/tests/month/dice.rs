//! Chance that can be thrown again: everything that a month decides comes from one seed.

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

/// The dice of one month.
pub(crate) struct Dice(StdRng);

impl Dice {
    pub(crate) fn of(seed: u64) -> Self {
        Self(StdRng::seed_from_u64(seed))
    }

    /// A number below this one.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0.random_range(0..end)
    }

    /// A number from the first to the last.
    pub(crate) fn between(&mut self, first: u32, last: u32) -> u32 {
        self.0.random_range(first..=last)
    }

    /// Whether it happens, so many times in a hundred.
    pub(crate) fn chance(&mut self, percent: u32) -> bool {
        self.0.random_range(0..100) < percent
    }

    /// One of these.
    pub(crate) fn pick<T: Clone>(&mut self, among: &[T]) -> T {
        among[self.0.random_range(0..among.len())].clone()
    }
}
