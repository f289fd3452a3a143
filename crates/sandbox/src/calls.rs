//! The record of calls that a twin answered: enough to count and compare, nothing of whom they were about.

use std::collections::VecDeque;

use serde::Serialize;

/// How many calls are kept. Older ones are forgotten; the counts go on.
const CALLS_MAX: usize = 100_000;

/// One call that a twin answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Call {
    /// Its place since the start or the last reset, from one on.
    pub number: u64,
    /// The HTTP method.
    pub method: String,
    /// The path with placeholders instead of what identifies anybody, such as `/lists/{list}/members/{member}`.
    pub template: &'static str,
    /// The status that was sent; `None` where the connection was dropped without an answer.
    pub status: Option<u16>,
    /// Whether it was a call that asks for a change.
    pub write: bool,
    /// The fault that struck it, by name.
    pub fault: Option<&'static str>,
}

/// How many calls there were.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Tally {
    /// All of them.
    pub calls: u64,
    /// Those that asked for a change, whatever became of them.
    pub writes: u64,
}

#[derive(Debug, Default)]
pub(crate) struct CallLog {
    kept: VecDeque<Call>,
    tally: Tally,
}

impl CallLog {
    pub(crate) fn push(&mut self, mut call: Call) {
        self.tally.calls += 1;
        self.tally.writes += u64::from(call.write);
        call.number = self.tally.calls;
        if self.kept.len() == CALLS_MAX {
            self.kept.pop_front();
        }
        self.kept.push_back(call);
    }

    pub(crate) fn kept(&self) -> Vec<Call> {
        self.kept.iter().cloned().collect()
    }

    pub(crate) fn tally(&self) -> Tally {
        self.tally
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}
