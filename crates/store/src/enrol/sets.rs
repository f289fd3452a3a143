//! A union-find over places: which of them belong together.

/// Disjoint sets whose roots are their lowest members.
pub(super) struct Sets(Vec<usize>);

impl Sets {
    /// So many sets of one member each.
    pub(super) fn new(count: usize) -> Self {
        Self((0..count).collect())
    }

    /// Adds a set of one member and gives its place.
    pub(super) fn push(&mut self) -> usize {
        self.0.push(self.0.len());
        self.0.len() - 1
    }

    /// The lowest member of the set that this one is in.
    pub(super) fn root(&mut self, mut place: usize) -> usize {
        while self.0[place] != place {
            self.0[place] = self.0[self.0[place]];
            place = self.0[place];
        }
        place
    }

    /// Makes two sets one.
    pub(super) fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.0[a.max(b)] = a.min(b);
    }
}
