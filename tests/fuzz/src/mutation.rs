//! Seeded mutations of a corpus, for machines without a fuzzer: the same seed gives the same inputs everywhere.

/// The longest input, in bytes: what a line or a row may have goes far below.
const INPUT_BYTES_MAX: usize = 16 * 1024;
/// How many changes are made to one input.
const CHANGES_MAX: u64 = 6;

/// A source of inputs.
#[derive(Debug)]
pub struct Mutator<'c> {
    corpus: &'c [Vec<u8>],
    words: &'c [&'c [u8]],
    state: u64,
}

impl<'c> Mutator<'c> {
    /// Mutations of these inputs, with these words put in.
    ///
    /// # Panics
    /// Without any input: nothing comes of nothing.
    pub fn new(corpus: &'c [Vec<u8>], words: &'c [&'c [u8]], seed: u64) -> Self {
        assert!(!corpus.is_empty(), "the corpus holds an input");
        Self { corpus, words, state: seed }
    }

    /// The next input.
    pub fn input(&mut self) -> Vec<u8> {
        let mut input = self.any().to_vec();
        for _ in 0..=self.below(CHANGES_MAX) {
            self.change(&mut input);
        }
        input.truncate(INPUT_BYTES_MAX);
        input
    }

    fn change(&mut self, input: &mut Vec<u8>) {
        let at = self.place(input.len() + 1);
        let until = at + self.place(input.len() - at + 1).min(64);
        match self.below(9) {
            0 if at < input.len() => input[at] ^= 1 << self.below(8),
            1 if at < input.len() => input[at] = self.byte(),
            2 => input.insert(at, self.byte()),
            3 => drop(input.drain(at..until)),
            4 => {
                let piece = input[at..until].to_vec();
                input.splice(at..at, piece);
            }
            5 | 6 if !self.words.is_empty() => {
                let word = self.words[self.place(self.words.len())];
                input.splice(at..if self.below(2) == 0 { at } else { until }, word.iter().copied());
            }
            7 => {
                // The end of another input behind the beginning of this one.
                let other = self.any();
                let from = self.place(other.len() + 1);
                input.truncate(at);
                input.extend_from_slice(&other[from..]);
            }
            _ => {
                let repeats = 1 << self.below(8);
                let piece = input[at..until].repeat(repeats);
                input.splice(at..at, piece);
            }
        }
    }

    fn any(&mut self) -> &'c [u8] {
        let place = self.place(self.corpus.len());
        &self.corpus[place]
    }

    /// A byte, more often than not one that means something to a reader.
    fn byte(&mut self) -> u8 {
        const LOADED: &[u8] = b"\0\t\n\r \"'#%&+,-./0189:;<=>?@[\\]_`{|}~\x7f\x80\xc3\xef\xff";
        let any = self.next();
        if any.is_multiple_of(3) { any.to_le_bytes()[7] } else { LOADED[self.place(LOADED.len())] }
    }

    /// A number below this one, which is not zero.
    fn place(&mut self, below: usize) -> usize {
        usize::try_from(self.below(below as u64)).unwrap_or_default()
    }

    fn below(&mut self, below: u64) -> u64 {
        self.next() % below
    }

    /// The generator `SplitMix64`.
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
