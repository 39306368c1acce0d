//! Repeatable randomness: the same seed gives the same datafiles and calls on every machine.
//! Must not know what it is used for.

/// The splitmix64 generator: eight lines, good enough for drawing tests, and never different between versions.
pub(super) struct Random {
    state: u64,
}

impl Random {
    /// A stream of its own for each (seed, index), so that one datafile can be made again without the ones before it.
    pub(super) fn for_index(seed: u64, index: u64) -> Self {
        let mut random = Self { state: seed ^ index.wrapping_mul(0xD6E8_FEB8_6659_FD93) };
        random.next();
        random
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to `limit` - 1; 0 when `limit` is 0.
    pub(super) fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(limit.max(1)).unwrap_or(1)).unwrap_or(0)
    }

    /// A number from `low` to `high`, both included.
    pub(super) fn between(&mut self, low: usize, high: usize) -> usize {
        low + self.below(high - low + 1)
    }

    /// True in `percent` of 100 cases.
    pub(super) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of the choices; the default of the type when there are none.
    pub(super) fn pick<T: Clone + Default>(&mut self, choices: &[T]) -> T {
        choices.get(self.below(choices.len())).cloned().unwrap_or_default()
    }

    /// One of the choices, each as often as its weight says.
    pub(super) fn weighted<T: Copy + Default>(&mut self, choices: &[(usize, T)]) -> T {
        let mut left = self.below(choices.iter().map(|(weight, _)| weight).sum());
        for (weight, choice) in choices {
            if left < *weight {
                return *choice;
            }
            left -= weight;
        }
        T::default()
    }
}
