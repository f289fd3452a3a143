//! One pass over a listing that changes while it is read, as a pure machine: what to ask, what an answer proves.
//!
//! Rows come in the order of their last change, so a window that starts after a moment is never shifted by what happens
//! before it: whenever a full page reaches a later second, the window moves there, one second back because the filter
//! excludes its own moment. Inside a window, offsets count; each page repeats the last rows of the one before, and where
//! they are not found again at their place or earlier, the window is read anew. A row that changes meanwhile moves to
//! the end and is seen twice, never missed. The end is proven by the platform's own total, never by a short page. The
//! host's clock is not asked: all times are the platform's.

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
/// How often one window is read anew before the pass gives up.
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
    /// Rows read in the windows left behind.
    behind: u64,
    /// The newest change seen, in this pass or an earlier one.
    newest: Option<i64>,
    /// A digest of the last answer, to know it again.
    page: String,
    pages: u32,
    restarts: u32,
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
    /// The platform gave less than it counts: ask again, and go on from here where that brings no more.
    Short(Pass),
    /// The platform counts more, but gave nothing new: ask again, and give up where that brings nothing either.
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
            behind: 0,
            newest: None,
            page: String::new(),
            pages: 0,
            restarts: 0,
        }
    }

    /// Reads a cursor of this stream. Anything else is refused: silently starting over would hide a lost place.
    pub(crate) fn resume(stream: &str, cursor: &Cursor) -> Result<Self> {
        let foreign = Error::new(ErrorKind::Contract, "read the cursor of a Mailchimp stream, start a full sweep");
        match serde_json::from_str::<Self>(&cursor.0) {
            Ok(pass) if pass.format == FORMAT && pass.stream == stream && pass.is_sound() => Ok(pass),
            Ok(pass) => Err(foreign.with("format", pass.format)),
            Err(error) => Err(foreign.because(error)),
        }
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

    /// What the answer to `ask` proves: `rows` out of the `total` that the platform counts for that question.
    pub(crate) fn take(mut self, ask: Ask, total: u64, rows: &[Row]) -> Result<Step> {
        self.pages += 1;
        self.check(ask, total, rows)?;
        self.page = page_digest(rows);
        let read = ask.offset + rows.len() as u64;
        if rows.is_empty() && read < total {
            return Ok(Step::Stalled);
        }
        let Some(fresh) = self.fresh(rows) else { return self.restart(total) };
        if fresh == 0 && read < total {
            return Ok(Step::Stalled);
        }
        self.newest = rows.iter().filter_map(|row| row.changed).max().max(self.newest);
        if read >= total {
            return Ok(Step::End(self.next_pass()));
        }
        self.offset = read;
        let is_full = rows.len() as u64 == ask.count;
        match rows.last().and_then(|row| row.changed).map(|changed| changed - 1) {
            Some(moment) if is_full && self.since.is_none_or(|since| moment > since) => self.advance(moment, rows),
            _ => self.anchors = rows[rows.len().saturating_sub(OVERLAP_ROWS_MAX)..].iter().map(|row| row.digest.clone()).collect(),
        }
        Ok(if is_full { Step::More(self) } else { Step::Short(self) })
    }

    /// That nothing more came although the platform counts more.
    pub(crate) fn incomplete(&self, total: u64) -> Error {
        Error::new(ErrorKind::Incomplete, "read every row that Mailchimp counts, start a full sweep")
            .with("seen", self.behind + self.offset)
            .with("counted", self.behind + total)
    }

    /// Moves the window to the rows changed after `moment`. A page that came short stays out of this, because only its
    /// continuation shows that it has no hole.
    fn advance(&mut self, moment: i64, rows: &[Row]) {
        let kept = rows.iter().filter(|row| row.changed.is_some_and(|changed| changed > moment)).count() as u64;
        self.behind += self.offset - kept;
        self.since = Some(moment);
        self.offset = 0;
        self.anchors.clear();
        self.restarts = 0;
    }

    fn restart(mut self, total: u64) -> Result<Step> {
        if self.restarts == RESTARTS_MAX {
            return Err(self.incomplete(total).with("restarts", RESTARTS_MAX));
        }
        self.restarts += 1;
        self.offset = 0;
        self.anchors.clear();
        Ok(Step::More(self))
    }

    fn next_pass(self) -> Self {
        let since = self.newest.map(|newest| newest - OVERLAP_SECONDS);
        Self { since, newest: self.newest, ..Self::full(&self.stream) }
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
            && self.offset <= u64::from(u32::MAX)
            && self.behind <= u64::from(u32::MAX) * 2
            && self.pages <= PAGES_MAX
            && [self.since, self.newest].into_iter().flatten().all(|second| Timestamp::from_second(second).is_ok())
    }
}

fn page_digest(rows: &[Row]) -> String {
    digest(&rows.iter().map(|row| row.digest.as_str()).collect::<Vec<_>>().join("/"))
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;

    /// A listing that behaves as Mailchimp documents: filtered, ordered by the last change, cut by offset.
    #[derive(Clone, Default)]
    struct World {
        rows: BTreeMap<u32, i64>,
        clock: i64,
    }

    /// What happens to it between two requests.
    #[derive(Debug, Clone, Copy)]
    enum Deed {
        Touch(u32),
        Add,
        Remove(u32),
    }

    /// How an answer is spoilt.
    #[derive(Debug, Clone, Copy)]
    enum Fault {
        /// Rows are left out at the end of the page.
        Short(usize),
        /// A row is left out in its middle.
        Hole(usize),
        /// Nothing comes.
        Empty,
        /// The answer before comes again.
        Again,
        /// The total promises more than there is.
        Promise,
    }

    type Answer = (u64, Vec<Row>);

    impl World {
        fn of(changes: &[i64]) -> Self {
            let rows = changes.iter().zip(0..).map(|(changed, id)| (id, *changed)).collect();
            Self { rows, clock: 1_000 }
        }

        fn act(&mut self, deed: Deed) {
            self.clock += 1;
            let nth = |rows: &BTreeMap<u32, i64>, nth: u32| rows.keys().nth(nth as usize % rows.len().max(1)).copied();
            match deed {
                Deed::Touch(n) => {
                    if let Some(id) = nth(&self.rows, n) {
                        self.rows.insert(id, self.clock);
                    }
                }
                Deed::Add => {
                    self.rows.insert(u32::try_from(self.clock).unwrap() + 100_000, self.clock);
                }
                Deed::Remove(n) => {
                    if let Some(id) = nth(&self.rows, n) {
                        self.rows.remove(&id);
                    }
                }
            }
        }

        fn answer(&self, ask: Ask) -> Answer {
            let since = ask.since.map(Timestamp::as_second);
            let mut rows: Vec<(i64, u32)> = self.rows.iter().map(|(id, changed)| (*changed, *id)).collect();
            rows.retain(|(changed, _)| since.is_none_or(|since| *changed > since));
            rows.sort_unstable();
            let total = rows.len() as u64;
            let offset = usize::try_from(ask.offset).unwrap().min(rows.len());
            let count = usize::try_from(ask.count).unwrap();
            (total, rows[offset..].iter().take(count).map(|(changed, id)| line(*id, *changed)).collect())
        }

        fn digests(&self) -> BTreeSet<String> {
            self.rows.iter().map(|(id, changed)| line(*id, *changed).digest).collect()
        }
    }

    fn line(id: u32, changed: i64) -> Row {
        Row { digest: format!("{id}@{changed}"), changed: Some(changed) }
    }

    fn spoil((total, mut rows): Answer, fault: Fault, before: &Answer) -> Answer {
        match fault {
            Fault::Short(n) => rows.truncate(rows.len().saturating_sub(n)),
            Fault::Hole(n) if !rows.is_empty() => drop(rows.remove(n % rows.len())),
            Fault::Hole(_) => {}
            Fault::Empty => rows.clear(),
            Fault::Again => return before.clone(),
            Fault::Promise => return (total + 3, rows),
        }
        (total, rows)
    }

    /// A whole pass through text cursors, as a host makes it. `Ok` holds every row seen and the start of the next pass.
    fn sweep(
        world: &mut World,
        from: Pass,
        page_size: u64,
        mut between: impl FnMut(usize, &mut World, Answer) -> Answer,
    ) -> Result<(BTreeSet<String>, Pass)> {
        let mut pass = from;
        let mut seen = BTreeSet::new();
        let mut again = false;
        for step in 0..5_000 {
            let ask = pass.ask(page_size);
            let answer = world.answer(ask);
            let (total, rows) = between(step, world, answer);
            again = match pass.clone().take(ask, total, &rows) {
                Ok(Step::Stalled) if again => return Err(pass.incomplete(total)),
                Err(error) if again || error.kind() != ErrorKind::Contract => return Err(error),
                Ok(Step::Short(_)) if !again => true,
                Ok(Step::Stalled) | Err(_) => true,
                Ok(Step::More(next) | Step::Short(next)) => {
                    seen.extend(rows.into_iter().map(|row| row.digest));
                    pass = Pass::resume("s", &next.cursor()?)?;
                    false
                }
                Ok(Step::End(next)) => {
                    seen.extend(rows.into_iter().map(|row| row.digest));
                    return Ok((seen, next));
                }
            }
        }
        panic!("a pass over a small listing does not end");
    }

    fn times() -> impl Strategy<Value = Vec<i64>> {
        // Few different seconds: ties of more than a page are the rule.
        (1..40_i64, 0..120_usize).prop_flat_map(|(spread, many)| prop::collection::vec(1..=spread, many))
    }

    fn deed() -> impl Strategy<Value = Deed> {
        prop_oneof![any::<u32>().prop_map(Deed::Touch), Just(Deed::Add), any::<u32>().prop_map(Deed::Remove)]
    }

    fn fault() -> impl Strategy<Value = Fault> {
        prop_oneof![
            (1..30_usize).prop_map(Fault::Short),
            any::<usize>().prop_map(Fault::Hole),
            Just(Fault::Empty),
            Just(Fault::Again),
            Just(Fault::Promise),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        #[test]
        fn a_still_listing_is_read_whole_in_few_requests(changes in times(), page_size in 1..30_u64) {
            let mut world = World::of(&changes);
            let mut requests = 0;
            let (seen, _) = sweep(&mut world, Pass::full("s"), page_size, |_, _, answer| { requests += 1; answer }).unwrap();
            prop_assert_eq!(seen, world.digests());
            prop_assert!(requests as u64 <= 2 + 3 * changes.len() as u64 / page_size + 3, "{} requests", requests);
        }

        #[test]
        fn a_listing_that_changes_meanwhile_is_read_whole(
            changes in times(),
            page_size in 10..30_u64,
            deeds in prop::collection::vec(prop::collection::vec(deed(), 0..6), 0..20),
        ) {
            let mut world = World::of(&changes);
            let mut last = World::default();
            let (seen, _) = sweep(&mut world, Pass::full("s"), page_size, |step, world, answer| {
                last = world.clone();
                deeds.get(step).into_iter().flatten().for_each(|deed| world.act(*deed));
                answer
            }).unwrap();
            // Everyone who was there at the last answer was seen in the state of that moment.
            prop_assert!(last.digests().is_subset(&seen));
        }

        #[test]
        fn no_end_is_reported_with_a_gap(
            changes in times(),
            page_size in 1..30_u64,
            deeds in prop::collection::vec(prop::collection::vec(deed(), 0..20), 0..10),
            faults in prop::collection::btree_map((0..8_usize).prop_map(|step| step * 2), fault(), 0..4),
            is_lasting in any::<bool>(),
        ) {
            // A fault that passes may meet any change; one that lasts looks like a change only where there is none.
            let deeds = if is_lasting { Vec::new() } else { deeds };
            let mut world = World::of(&changes);
            let mut last = World::default();
            let mut before = world.answer(Pass::full("s").ask(page_size));
            let result = sweep(&mut world, Pass::full("s"), page_size, |step, world, answer| {
                last = world.clone();
                deeds.get(step).into_iter().flatten().for_each(|deed| world.act(*deed));
                let lasting = faults.first_key_value().filter(|(first, _)| is_lasting && step >= **first);
                let spoilt = match faults.get(&step).or(lasting.map(|(_, fault)| fault)) {
                    Some(fault) => spoil(answer.clone(), *fault, &before),
                    None => answer.clone(),
                };
                before = answer;
                spoilt
            });
            match result {
                Ok((seen, _)) => prop_assert!(last.digests().is_subset(&seen)),
                Err(error) => prop_assert!(matches!(error.kind(), ErrorKind::Contract | ErrorKind::Incomplete)),
            }
        }

        #[test]
        fn the_next_pass_sees_what_changed_since_and_what_arrived_late(
            changes in times(),
            late in 0..OVERLAP_SECONDS,
        ) {
            let mut world = World::of(&changes);
            let (_, next) = sweep(&mut world, Pass::full("s"), 20, |_, _, answer| answer).unwrap();
            let newest = changes.iter().copied().max().unwrap_or(700);
            world.rows.insert(900_000, newest - late);
            world.act(Deed::Touch(3));
            let changed: BTreeSet<String> = world.rows.iter()
                .filter(|(id, changed)| **id == 900_000 || **changed > 1_000)
                .map(|(id, changed)| line(*id, *changed).digest)
                .collect();
            let (seen, _) = sweep(&mut world, next, 20, |_, _, answer| answer).unwrap();
            prop_assert!(changed.is_subset(&seen));
        }

        #[test]
        fn a_hostile_cursor_never_panics(
            text in "\\PC*",
            since in prop_oneof![any::<i64>(), 0..10_i64],
            offset in prop_oneof![any::<u64>(), 0..3_u64],
            newest in prop_oneof![any::<i64>(), 0..10_i64],
            anchors in prop::collection::vec("[ab]", 0..4),
        ) {
            let _ = Pass::resume("s", &Cursor(text));
            let pass = Pass { since: Some(since), offset, newest: Some(newest), anchors, ..Pass::full("s") };
            if let Ok(pass) = Pass::resume("s", &pass.cursor().unwrap()) {
                let ask = pass.ask(1000);
                let _ = pass.take(ask, 3, &[line(1, since.saturating_add(1))]);
            }
        }
    }

    #[test]
    fn a_cursor_of_another_stream_or_format_is_refused() {
        let cursor = Pass::full("a").cursor().unwrap();
        assert!(Pass::resume("a", &cursor).is_ok());
        for foreign in [cursor.clone(), Cursor(String::new()), Cursor(cursor.0.replace("\"format\":1", "\"format\":2"))] {
            let stream = if foreign == cursor { "b" } else { "a" };
            let error = Pass::resume(stream, &foreign).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Contract);
            assert!(error.to_string().contains("start a full sweep"), "{error}");
        }
    }

    #[test]
    fn a_cursor_from_the_future_sees_nothing_and_keeps_its_place() {
        let far = Pass { since: Some(7_900_000_000), newest: Some(7_900_000_600), ..Pass::full("s") };
        let (seen, next) = sweep(&mut World::of(&[1, 2, 3]), far.clone(), 10, |_, _, answer| answer).unwrap();
        assert!(seen.is_empty());
        assert_eq!(next, far);
    }

    #[test]
    fn a_page_that_comes_twice_is_no_progress() {
        let page = [line(1, 4), line(2, 4), line(3, 5)];
        let pass = Pass { since: Some(3), ..Pass::full("s") };
        let Step::More(next) = pass.clone().take(pass.ask(3), 9, &page).unwrap() else { panic!("more was counted") };
        let error = next.clone().take(next.ask(3), 9, &page).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Contract);
    }

    #[test]
    fn a_cursor_stays_small_however_many_members_share_a_second() {
        let mut world = World::of(&[7; 5_000]);
        let mut longest = 0;
        let mut pass = Pass::full("s");
        while let Step::More(next) = { let ask = pass.ask(1000); let (total, rows) = world.answer(ask); pass.clone().take(ask, total, &rows).unwrap() } {
            longest = longest.max(next.cursor().unwrap().0.len());
            pass = next;
        }
        assert!(longest < 1_000, "{longest} bytes");
        world.rows.clear();
    }
}
