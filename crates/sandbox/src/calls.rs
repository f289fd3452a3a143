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
    /// The status that was sent; `None` where none was, be it dropped, still under way or no longer waited for.
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
    /// Notes a call that has come in, and gives it its number.
    pub(crate) fn open(&mut self, mut call: Call) -> u64 {
        self.tally.calls += 1;
        self.tally.writes += u64::from(call.write);
        call.number = self.tally.calls;
        if self.kept.len() == CALLS_MAX {
            self.kept.pop_front();
        }
        self.kept.push_back(call);
        self.tally.calls
    }

    /// Notes the status that the call of this number was answered with, if it is still kept.
    pub(crate) fn close(&mut self, number: u64, status: u16) {
        let first = self.kept.front().map_or(0, |call| call.number);
        let at = number.checked_sub(first).and_then(|at| usize::try_from(at).ok());
        if let Some(call) = at.and_then(|at| self.kept.get_mut(at)) {
            call.status = Some(status);
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn call() -> Call {
        Call { number: 0, method: "GET".to_owned(), template: "/x", status: None, write: false, fault: None }
    }

    #[test]
    fn old_calls_give_way_and_statuses_find_their_call() {
        let mut log = CallLog::default();
        let numbers: Vec<u64> = (0..CALLS_MAX + 2).map(|_| log.open(call())).collect();
        log.close(numbers[0], 200);
        log.close(numbers[3], 201);
        assert_eq!(log.kept().len(), CALLS_MAX);
        assert_eq!(log.tally().calls, numbers.len() as u64);
        let answered: Vec<_> = log.kept().into_iter().filter_map(|call| Some((call.number, call.status?))).collect();
        assert_eq!(answered, [(numbers[3], 201)]);
    }
}
