//! One pass over a listing that changes while it is read, as a pure machine: what to ask, what an answer proves.
//!
//! Rows come in the order of their last change, so a window that starts after a moment is never shifted by what happens
//! before it: whenever a full page reaches a later second, the window moves there, one second back because the filter
//! excludes its own moment. Inside a window, offsets count; each page repeats the last rows of the one before, and where
//! they do not come first and unbroken, the window is read anew. A row that changes meanwhile moves to the end and is
//! seen twice, never missed. The end is proven by the platform's own total, never by a short page. The host's clock is
//! not asked: all times are the platform's.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use unisson_connector::{Cursor, Error, ErrorKind, Result};

use crate::names::digest;

/// The layout of the cursor; another one starts a full sweep.
const FORMAT: u32 = 1;
/// The most rows Mailchimp gives at once.
pub(crate) const COUNT_MAX: u64 = 1000;
/// The rows a page repeats of the one before it.
const OVERLAP_ROWS_MAX: usize = 10;
/// How often a pass reads a window anew before it gives up.
const RESTARTS_MAX: u32 = 5;
/// The pages of one pass: a hundred million members.
const PAGES_MAX: u32 = 100_000;
/// How far an incremental pass reaches back before the newest change seen: late arrivals and the vendor's own lag.
const OVERLAP_SECONDS: i64 = 600;

/// Where a pass stands. It is the cursor, and holds no identifier of a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pass {
    format: u32,
    stream: String,
    /// The window: rows changed after this second.
    since: Option<i64>,
    /// Rows of the window read so far.
    offset: u64,
    /// Digests of the last of them, in their order.
    anchors: Vec<String>,
    /// Rows of the window that were seen before it was opened.
    edge: u64,
    /// Rows read in the windows left behind.
    behind: u64,
    /// The newest change seen, in this pass or an earlier one.
    newest: Option<i64>,
    /// A digest of the last answer, to know it again.
    page: String,
    pages: u32,
    restarts: u32,
    /// When the platform answered last, by its own clock; every answer says it anew.
    #[serde(skip)]
    served: Option<i64>,
}

/// What to ask the platform for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ask {
    pub(crate) since: Option<Timestamp>,
    pub(crate) offset: u64,
    pub(crate) count: u64,
}

/// A row of an answer: which one in which state, and the second of its last change where the listing shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) digest: String,
    pub(crate) changed: Option<i64>,
}

/// What an answer means for the pass.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Go on from here.
    More(Pass),
    /// Nothing new, although the platform counts more.
    Stalled,
    /// Everything was seen; the next incremental pass starts here.
    End(Pass),
}

impl Pass {
    /// The start of a full sweep.
    pub(crate) fn full(stream: &str) -> Self {
        Self {
            format: FORMAT,
            stream: stream.to_owned(),
            since: None,
            offset: 0,
            anchors: Vec::new(),
            edge: 0,
            behind: 0,
            newest: None,
            page: String::new(),
            pages: 0,
            restarts: 0,
            served: None,
        }
    }

    /// Reads a cursor of this stream. Anything else is refused: silently starting over would hide a lost place.
    pub(crate) fn resume(stream: &str, cursor: &Cursor) -> Result<Self> {
        let pass = serde_json::from_str::<Self>(&cursor.0).ok();
        let pass = pass.filter(|pass| pass.format == FORMAT && pass.stream == stream && pass.is_sound());
        let foreign = "read the cursor of a Mailchimp stream: it is damaged or another's, start a full sweep";
        pass.ok_or_else(|| Error::new(ErrorKind::Contract, foreign))
    }

    pub(crate) fn cursor(&self) -> Result<Cursor> {
        let text = serde_json::to_string(self);
        text.map(Cursor).map_err(|error| Error::new(ErrorKind::Contract, "write a cursor").because(error))
    }

    pub(crate) fn ask(&self, page_size: u64) -> Ask {
        let overlap = self.anchors.len() as u64;
        Ask {
            since: self.since.and_then(|since| Timestamp::from_second(since).ok()),
            offset: self.offset - overlap,
            count: (page_size + overlap).min(COUNT_MAX),
        }
    }

    /// The same, with the platform's time of the answer that is taken next, in seconds.
    pub(crate) fn at(self, served: Option<i64>) -> Self {
        Self { served: served.or(self.served), ..self }
    }

    /// What the answer to `ask` proves, `rows` out of the `total` that the platform counts for that question, and
    /// whether it is in doubt: empty or shorter than counted. Then asking once more is worth it.
    pub(crate) fn take(mut self, ask: Ask, total: u64, rows: &[Row]) -> Result<(Step, bool)> {
        self.pages += 1;
        self.check(ask, total, rows)?;
        self.page = page_digest(rows);
        let read = ask.offset + rows.len() as u64;
        let is_short = rows.is_empty() || (read < total && (rows.len() as u64) < ask.count);
        let step = match self.fresh(rows) {
            _ if rows.is_empty() && read < total => Step::Stalled,
            None => self.restart(total)?,
            Some(0) if read < total => Step::Stalled,
            Some(0) if self.edge > 0 && rows.is_empty() => {
                // What was seen a moment ago is gone, or the platform pretends to have ended: from the start.
                (self.since, self.behind) = (None, 0);
                self.restart(total)?
            }
            Some(_) => {
                self.newest = rows.iter().filter_map(|row| row.changed).max().max(self.newest);
                self.offset = read;
                if read >= total { Step::End(self.next_pass()) } else { self.go_on(rows, is_short) }
            }
        };
        Ok((step, is_short))
    }

    /// That nothing more came although the platform counts more.
    pub(crate) fn incomplete(&self, total: u64) -> Error {
        Error::new(ErrorKind::Incomplete, "read every row that Mailchimp counts, start a full sweep")
            .with("seen", self.behind.saturating_add(self.offset))
            .with("counted", self.behind.saturating_add(total))
    }

    /// Moves the window to the second before the last row, if that is later; else goes on inside it. A short page never
    /// moves it, because only its continuation shows that it has no hole.
    fn go_on(mut self, rows: &[Row], is_short: bool) -> Step {
        match rows.last().and_then(|row| row.changed).map(|changed| changed - 1) {
            Some(moment) if !is_short && self.since.is_none_or(|since| moment > since) => {
                self.edge =
                    rows.iter().filter(|row| row.changed.is_some_and(|changed| changed > moment)).count() as u64;
                self.behind += self.offset - self.edge;
                (self.since, self.offset) = (Some(moment), 0);
                self.anchors.clear();
            }
            _ => {
                let last = &rows[rows.len().saturating_sub(OVERLAP_ROWS_MAX)..];
                self.anchors = last.iter().map(|row| row.digest.clone()).collect();
            }
        }
        Step::More(self)
    }

    /// Reads the window anew, in which rows are known to be.
    fn restart(mut self, total: u64) -> Result<Step> {
        if self.restarts == RESTARTS_MAX {
            return Err(self.incomplete(total).with("restarts", RESTARTS_MAX));
        }
        self.restarts += 1;
        self.edge = self.edge.max(self.offset);
        self.offset = 0;
        self.anchors.clear();
        Ok(Step::More(self))
    }

    fn next_pass(self) -> Self {
        // A change from a time that is yet to come is somebody's wrong clock: behind it nothing would ever be found.
        let newest = self.newest.map(|newest| self.served.map_or(newest, |served| newest.min(served)));
        let since = newest.map(|newest| newest - OVERLAP_SECONDS);
        Self { since, newest, ..Self::full(&self.stream) }
    }

    /// How many rows follow those that were read before; `None` where the page does not join them. A stranger among the
    /// anchors means that a row was left out before, no anchor at all that more were taken away than the overlap bears.
    fn fresh(&self, rows: &[Row]) -> Option<usize> {
        if self.anchors.is_empty() {
            return Some(rows.len());
        }
        let known = rows.iter().take_while(|row| self.anchors.contains(&row.digest)).count();
        let is_later = |row: &Row| self.anchors.contains(&row.digest);
        (known > 0 && !rows[known..].iter().any(is_later)).then(|| rows.len() - known)
    }

    /// Refuses answers that contradict the question or themselves.
    ///
    /// A row of the very second asked for is let pass, for the vendor may count finer than it shows, but not on a page
    /// that came before.
    fn check(&self, ask: Ask, total: u64, rows: &[Row]) -> Result<()> {
        let seconds = || rows.iter().filter_map(|row| row.changed);
        let oldest = seconds().min();
        let defect = if self.pages > PAGES_MAX {
            "more pages than one pass may have"
        } else if rows.len() as u64 > ask.count {
            "more rows than asked for"
        } else if !rows.is_empty() && ask.offset + rows.len() as u64 > total {
            "more rows than it counts"
        } else if oldest.is_some() && oldest < self.since {
            "rows from before the moment asked for"
        } else if oldest.is_some() && oldest == self.since && page_digest(rows) == self.page {
            "the same page twice"
        } else if !seconds().is_sorted() {
            "rows out of the order asked for"
        } else {
            return Ok(());
        };
        Err(Error::new(ErrorKind::Contract, "read a page of a Mailchimp listing").with("defect", defect))
    }

    /// Whether the numbers of a cursor can be what this connector wrote.
    fn is_sound(&self) -> bool {
        self.anchors.len() <= OVERLAP_ROWS_MAX
            && self.anchors.len() as u64 <= self.offset
            && u32::try_from(self.offset).is_ok()
            && u32::try_from(self.behind).is_ok()
            && self.pages <= PAGES_MAX
            && self.restarts <= RESTARTS_MAX
            && [self.since, self.newest].into_iter().flatten().all(|second| Timestamp::from_second(second).is_ok())
    }
}

fn page_digest(rows: &[Row]) -> String {
    digest(&rows.iter().map(|row| row.digest.as_str()).collect::<Vec<_>>().join("/"))
}

#[cfg(test)]
mod tests;
