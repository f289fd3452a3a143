//! The laws of a pass, against a listing that changes and lies while it is read.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

/// What happens between two requests.
#[derive(Debug, Clone, Copy)]
enum Deed {
    /// A contact is created, at the end.
    Add,
    /// One is deleted, so that all behind it move up.
    Remove(usize),
    /// One is modified and passes a filter now, so that all behind it move back.
    Insert(usize),
}

/// How an answer is spoilt.
#[derive(Debug, Clone, Copy)]
enum Fault {
    Short(usize),
    Hole(usize),
    Empty,
    FalseEnd,
    Promise,
    Again,
}

/// Rows in the order of their creation.
struct World {
    rows: Vec<u32>,
    next: u32,
    last: (u64, Vec<String>),
}

impl World {
    fn of(many: u32) -> Self {
        // Odd numbers are for rows that come in between.
        Self { rows: (0..many).map(|row| row * 1_000).collect(), next: 1, last: (0, Vec::new()) }
    }

    fn act(&mut self, deed: Deed) {
        match deed {
            Deed::Add => self.rows.push(10_000_000 + self.next),
            Deed::Remove(at) if !self.rows.is_empty() => drop(self.rows.remove(at % self.rows.len())),
            Deed::Remove(_) => {}
            Deed::Insert(at) => self.rows.insert(at % (self.rows.len() + 1), 20_000_000 + self.next),
        }
        self.next += 1;
    }

    fn answer(&mut self, ask: Ask, fault: Option<Fault>) -> (u64, Vec<String>) {
        let (offset, limit) = (usize::try_from(ask.offset).unwrap(), usize::try_from(ask.limit).unwrap());
        let mut rows: Vec<String> = self.rows.iter().skip(offset).take(limit).map(u32::to_string).collect();
        let mut count = self.rows.len() as u64;
        let truth = (count, rows.clone());
        match fault {
            None => {}
            Some(Fault::Short(missing)) => rows.truncate(rows.len().saturating_sub(missing)),
            Some(Fault::Hole(at)) if at < rows.len() => drop(rows.remove(at)),
            Some(Fault::Hole(_)) => {}
            Some(Fault::Empty) => rows.clear(),
            Some(Fault::FalseEnd) => (count, rows) = (ask.offset, Vec::new()),
            Some(Fault::Promise) => count += 3,
            Some(Fault::Again) => (count, rows) = self.last.clone(),
        }
        self.last = truth;
        (count, rows)
    }
}

/// A pass to its end, or to its error; and whom it saw. A doubtful answer is asked for twice, as the pull does, and a page
/// that failed once more, as the host does.
fn run(world: &mut World, page_size: u64, mut meanwhile: impl FnMut(u32, &mut World) -> Option<Fault>) -> Outcome {
    let (mut pass, mut seen, mut asked, mut patience) = (Pass::full("contacts"), BTreeSet::new(), 0, 1);
    for _ in 0..2_000 {
        let ask = pass.ask(page_size, 1_000);
        let mut step = None;
        let mut told = (0, Vec::new());
        for _ in 0..2 {
            let fault = meanwhile(asked, world);
            asked += 1;
            told = world.answer(ask, fault);
            let taken = pass.clone().take(ask, told.0, &told.1);
            let is_doubtful = taken.as_ref().is_ok_and(|(_, is_doubtful)| *is_doubtful);
            step = Some(taken.map(|(step, _)| step));
            if !is_doubtful {
                break;
            }
        }
        match step.unwrap() {
            Err(_) | Ok(Step::Stalled) if patience > 0 => {
                patience -= 1;
                continue;
            }
            Err(error) => return Outcome { seen, error: Some(error.kind()) },
            Ok(Step::Stalled) => return Outcome { seen, error: Some(pass.incomplete(told.0).kind()) },
            Ok(Step::More(next)) => {
                let cursor = next.cursor().unwrap();
                assert_eq!(Pass::resume("contacts", &cursor).unwrap(), next, "a cursor is read back as it was written");
                pass = next;
            }
            Ok(Step::End(_)) => {
                seen.extend(told.1);
                return Outcome { seen, error: None };
            }
        }
        seen.extend(told.1);
    }
    panic!("the pass does not end");
}

#[derive(Debug)]
struct Outcome {
    seen: BTreeSet<String>,
    error: Option<ErrorKind>,
}

fn names(rows: &[u32]) -> BTreeSet<String> {
    rows.iter().map(u32::to_string).collect()
}

fn any_deed() -> impl Strategy<Value = Deed> {
    prop_oneof![Just(Deed::Add), any::<usize>().prop_map(Deed::Remove), any::<usize>().prop_map(Deed::Insert)]
}

fn any_fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        (1..40_usize).prop_map(Fault::Short),
        (0..40_usize).prop_map(Fault::Hole),
        Just(Fault::Empty),
        Just(Fault::FalseEnd),
        Just(Fault::Promise),
        Just(Fault::Again),
    ]
}

proptest! {
    #[test]
    fn whoever_is_there_from_beginning_to_end_is_seen(
        many in 0..200_u32,
        page_size in 1..60_u64,
        deeds in proptest::collection::vec((0..30_u32, any_deed()), 0..30),
    ) {
        let mut world = World::of(many);
        let start = names(&world.rows);
        let outcome = run(&mut world, page_size, |asked, world| {
            deeds.iter().filter(|(when, _)| *when == asked).for_each(|(_, deed)| world.act(*deed));
            None
        });
        let stayed: BTreeSet<String> = start.intersection(&names(&world.rows)).cloned().collect();
        prop_assert!(outcome.error.is_some() || stayed.is_subset(&outcome.seen), "{:?}", stayed.difference(&outcome.seen));
    }

    #[test]
    fn one_spoilt_answer_loses_nobody(many in 0..200_u32, page_size in 1..60_u64, at in 0..8_u32, fault in any_fault()) {
        let mut world = World::of(many);
        let outcome = run(&mut world, page_size, |asked, _| (asked == at).then_some(fault));
        prop_assert_eq!(outcome.error, None);
        prop_assert_eq!(outcome.seen, names(&world.rows));
    }

    #[test]
    fn answers_that_stay_spoilt_end_in_an_error_or_in_the_truth(
        many in 1..200_u32, page_size in 1..60_u64, from in 0..8_u32, fault in any_fault(),
    ) {
        let mut world = World::of(many);
        let outcome = run(&mut world, page_size, |asked, _| (asked >= from).then_some(fault));
        // That there was never anything is the one lie that nothing here can tell; the host counts what vanished.
        let is_void = from == 0 && matches!(fault, Fault::FalseEnd);
        prop_assert!(is_void || outcome.error.is_some() || outcome.seen == names(&world.rows), "{outcome:?}");
    }

    #[test]
    fn a_listing_that_stands_still_takes_no_more_pages_than_it_must(many in 0..200_u32, page_size in 1..60_u64) {
        let mut world = World::of(many);
        let mut asked = 0;
        let outcome = run(&mut world, page_size, |number, _| { asked = number + 1; None });
        prop_assert_eq!(outcome.error, None);
        prop_assert!(u64::from(asked) <= u64::from(many) / page_size + 2);
    }
}

#[test]
fn a_listing_that_never_joins_is_given_up() {
    let mut pass = Pass::full("contacts");
    for page in 0..100_u64 {
        let ask = pass.ask(10, 1_000);
        let rows: Vec<String> = (0..ask.limit).map(|row| format!("{page}/{row}")).collect();
        match pass.take(ask, 1_000, &rows) {
            Ok((Step::More(next), _)) => pass = next,
            Err(error) => return assert_eq!((error.kind(), page <= 12), (ErrorKind::Incomplete, true)),
            Ok(other) => panic!("{other:?}"),
        }
    }
    panic!("rows that never come again are read for ever");
}
