//! One pass over a listing that changes while it is read, as a pure machine: what to ask, what an answer proves.
//!
//! Rows come in the order of their creation, so new ones are appended and only what is taken away, or what a filter lets
//! in late, shifts the offsets. Each page repeats the last rows of the one before; where none of them comes again, the
//! pass is read anew. The end is proven by the platform's own count twice over: as many places were read and as many
//! rows were seen as it counts, and the page that reached them was not full. All times are the platform's.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use unisson_connector::{Cursor, Error, ErrorKind, Result};

/// The layout of the cursor; another one starts a full sweep.
const FORMAT: u32 = 1;
/// The rows a page repeats of the one before it.
const OVERLAP_ROWS: usize = 20;
/// How often a pass is read anew before it gives up.
const RESTARTS_MAX: u32 = 5;
/// How far the next incremental pass reaches back before the start of this one: late arrivals, a filter that excludes its
/// own moment, coarser times, and clocks of the vendor's that differ.
const OVERLAP_MS: i64 = 10 * 60 * 1_000;

/// Where a pass stands. It is the cursor, and holds no address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pass {
    format: u32,
    stream: String,
    /// Only rows modified after this moment, in milliseconds.
    since: Option<i64>,
    /// When the platform answered first, by its own clock, in milliseconds.
    began: Option<i64>,
    /// Places read so far.
    offset: u64,
    /// Rows seen so far.
    seen: u64,
    /// The names of the last of them, in their order.
    anchors: Vec<String>,
    restarts: u32,
}

/// What to ask the platform for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ask {
    pub(crate) since: Option<Timestamp>,
    pub(crate) offset: u64,
    pub(crate) limit: u64,
}

/// What an answer means for the pass.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Go on from here.
    More(Pass),
    /// Nothing new, although the platform counts more.
    Stalled,
    /// Everything was seen; the next incremental pass starts here.
    End(Option<Pass>),
}

impl Pass {
    /// The start of a full sweep.
    pub(crate) fn full(stream: &str) -> Self {
        let (stream, anchors) = (stream.to_owned(), Vec::new());
        Self { format: FORMAT, stream, since: None, began: None, offset: 0, seen: 0, anchors, restarts: 0 }
    }

    /// Reads a cursor of this stream. Anything else is refused: silently starting over would hide a lost place.
    pub(crate) fn resume(stream: &str, cursor: &Cursor) -> Result<Self> {
        let pass = serde_json::from_str::<Self>(&cursor.0).ok();
        let pass = pass.filter(|pass| pass.format == FORMAT && pass.stream == stream && pass.is_sound());
        let foreign = "read the cursor of a Brevo stream: it is damaged or another's, start a full sweep";
        pass.ok_or_else(|| Error::new(ErrorKind::Contract, foreign))
    }

    pub(crate) fn cursor(&self) -> Result<Cursor> {
        let text = serde_json::to_string(self);
        text.map(Cursor).map_err(|error| Error::new(ErrorKind::Contract, "write a cursor").because(error))
    }

    /// The next question, for so many further rows, and at most so many in all.
    pub(crate) fn ask(&self, page_size: u64, limit_max: u64) -> Ask {
        let overlap = self.anchors.len() as u64;
        let since = self.since.and_then(|since| Timestamp::from_millisecond(since).ok());
        Ask { since, offset: self.offset - overlap, limit: (page_size + overlap).min(limit_max) }
    }

    /// The same, with the platform's time of an answer.
    pub(crate) fn at(mut self, served: Option<Timestamp>) -> Self {
        self.began = self.began.or(served.map(Timestamp::as_millisecond));
        self
    }

    /// What the answer to `ask` proves: the names of its rows, out of so many that the platform counts for the question;
    /// and whether it is in doubt: empty, short, or not what follows. Then asking once more is worth it.
    pub(crate) fn take(mut self, ask: Ask, count: u64, rows: &[String]) -> Result<(Step, bool)> {
        let (read, is_full) = (ask.offset + rows.len() as u64, rows.len() as u64 >= ask.limit);
        if rows.len() as u64 > ask.limit {
            let error = Error::new(ErrorKind::Contract, "read a page of a Brevo listing: more rows than asked for");
            return Err(error.with("rows", rows.len()));
        }
        let Some(fresh) = self.fresh(rows) else { return Ok((self.restart(count)?, true)) };
        // Rows were seen before a pass was read anew: that there are none at all then is no end either.
        if fresh == 0 && (is_full || read < count || (self.restarts > 0 && rows.is_empty())) {
            return Ok((Step::Stalled, true));
        }
        self.seen += fresh;
        if is_full || read < count {
            self.offset = read;
            let last = &rows[rows.len().saturating_sub(OVERLAP_ROWS)..];
            self.anchors = last.iter().filter(|name| !name.is_empty()).cloned().collect();
            return Ok((Step::More(self), !is_full));
        }
        if self.seen < count {
            // As many places as are counted, but a row was left out or came in behind: from the start.
            return Ok((self.restart(count)?, true));
        }
        // Never back, whatever the platform says the time is. Without a time only another sweep is safe.
        let since = self.began.map(|began| began.saturating_sub(OVERLAP_MS)).max(self.since);
        let next = since.map(|since| Self { since: Some(since), ..Self::full(&self.stream) });
        Ok((Step::End(next), rows.is_empty()))
    }

    /// That less was seen than the platform counts.
    pub(crate) fn incomplete(&self, count: u64) -> Error {
        let error = Error::new(ErrorKind::Incomplete, "read every row that Brevo counts, start a full sweep");
        error.with("seen", self.seen).with("counted", count).with("restarts", self.restarts)
    }

    fn restart(self, count: u64) -> Result<Step> {
        if self.restarts == RESTARTS_MAX {
            return Err(self.incomplete(count));
        }
        let restarts = self.restarts + 1;
        Ok(Step::More(Self { since: self.since, began: self.began, restarts, ..Self::full(&self.stream) }))
    }

    /// How many rows follow those that were read before; `None` where the page does not join them. As rows keep their
    /// order, nothing is left out behind any row that was seen.
    fn fresh(&self, rows: &[String]) -> Option<u64> {
        if self.anchors.is_empty() {
            return Some(rows.len() as u64);
        }
        let known = rows.iter().rposition(|row| self.anchors.contains(row))?;
        Some((rows.len() - known - 1) as u64)
    }

    /// Whether the numbers of a cursor can be what this connector wrote.
    fn is_sound(&self) -> bool {
        let mut moments = [self.since, self.began].into_iter().flatten();
        self.anchors.len() as u64 <= self.offset.min(OVERLAP_ROWS as u64)
            && self.restarts <= RESTARTS_MAX
            && [self.offset, self.seen].into_iter().all(|number| u32::try_from(number).is_ok())
            && moments.all(|moment| Timestamp::from_millisecond(moment).is_ok())
    }
}

#[cfg(test)]
mod tests;
