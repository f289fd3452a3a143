//! Eventual consistency: writes that were acknowledged and do not show yet.
//!
//! What waits is carried out in the order in which it was sent, each write at its moment. A write that no fault holds up
//! still waits behind those that wait already: a copy that lags behind never shows the second write before the first.

use std::collections::VecDeque;

use crate::fault::Lag;
use crate::message::Ask;

/// How many writes may wait; the oldest shows early to make room.
const WAITING_MAX: usize = 1_000;

/// A write that does not show yet.
pub(crate) struct Pending {
    pub(crate) ask: Ask,
    /// Which route answers it.
    pub(crate) route: usize,
    /// When it was sent.
    pub(crate) sent_ms: i64,
    due: Due,
}

/// What a write waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Due {
    /// This moment, in milliseconds since 1970.
    At(i64),
    /// So many reads.
    AfterReads(u32),
}

/// The writes of one account that do not show yet, in the order in which they were sent.
#[derive(Default)]
pub(crate) struct Late {
    waiting: VecDeque<Pending>,
}

impl Late {
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Pending> {
        self.waiting.iter()
    }

    /// Lets a write wait for this, or, without a lag of its own, for those before it. Gives back a write that has to make
    /// room and is to be carried out now.
    pub(crate) fn push(&mut self, (ask, route): (Ask, usize), lag: Option<&Lag>, now_ms: i64) -> Option<Pending> {
        let due = match lag {
            Some(Lag::Milliseconds(lag_ms)) => {
                Due::At(now_ms.saturating_add(i64::try_from(*lag_ms).unwrap_or(i64::MAX)))
            }
            Some(Lag::Reads(reads)) => Due::AfterReads(*reads),
            None => Due::AfterReads(0),
        };
        let early = (self.waiting.len() == WAITING_MAX).then(|| self.waiting.pop_front()).flatten();
        self.waiting.push_back(Pending { ask, route, sent_ms: now_ms, due });
        early
    }

    /// The writes that show from now on.
    pub(crate) fn take_due(&mut self, now_ms: i64) -> Vec<Pending> {
        let mut due = Vec::new();
        while let Some(first) = self.waiting.pop_front() {
            let shows = match first.due {
                Due::At(at_ms) => at_ms <= now_ms,
                Due::AfterReads(left) => left == 0,
            };
            if !shows {
                self.waiting.push_front(first);
                break;
            }
            due.push(first);
        }
        due
    }

    /// Everything that waits, to be carried out now.
    pub(crate) fn take_all(&mut self) -> Vec<Pending> {
        std::mem::take(&mut self.waiting).into()
    }

    /// Counts a read that has been served without what waits.
    pub(crate) fn count_read(&mut self) {
        for pending in &mut self.waiting {
            if let Due::AfterReads(left) = &mut pending.due {
                *left = left.saturating_sub(1);
            }
        }
    }

    pub(crate) fn clear(&mut self) {
        self.waiting.clear();
    }
}
