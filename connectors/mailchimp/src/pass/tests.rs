//! The laws of a pass, against a listing that changes, lies and stalls while it is read.

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
    /// Nothing comes, and the total says that nothing is missing.
    FalseEnd,
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

#[test]
fn a_change_from_a_time_to_come_does_not_hide_the_changes_after_it() {
    let now = 1_735_689_600;
    let rows = [line(1, now - 10), line(2, 7_889_238_000)];
    let end = |pass: Pass| match pass.take(Pass::full("a").ask(10), 2, &rows).unwrap().0 {
        Step::End(next) => next,
        step => panic!("{step:?}"),
    };
    let next = end(Pass::full("a").at(Some(now)));
    let since = next.ask(10).since.unwrap().as_second();
    assert!((now - 2 * OVERLAP_SECONDS..=now).contains(&since), "{since}");
    let again = Pass::resume("a", &next.cursor().unwrap()).unwrap();
    assert_eq!(again, next, "a cursor keeps no time of an answer");
}

fn line(id: u32, changed: i64) -> Row {
    Row { digest: format!("{id}@{changed}"), changed: Some(changed) }
}

fn spoil(ask: Ask, (total, mut rows): Answer, fault: Fault, before: &Answer) -> Answer {
    match fault {
        Fault::Short(n) => rows.truncate(rows.len().saturating_sub(n)),
        Fault::Hole(n) if !rows.is_empty() => drop(rows.remove(n % rows.len())),
        Fault::Hole(_) => {}
        Fault::Empty => rows.clear(),
        Fault::Again => return before.clone(),
        Fault::Promise => return (total + 3, rows),
        Fault::FalseEnd => return (total.min(ask.offset), Vec::new()),
    }
    (total, rows)
}

/// A whole pass through text cursors, as a host makes it. `Ok` holds every row seen and the start of the next pass.
fn sweep(
    world: &mut World,
    from: Pass,
    page_size: u64,
    mut between: impl FnMut((usize, Ask), &mut World, Answer) -> Answer,
) -> Result<(BTreeSet<String>, Pass)> {
    let mut pass = from;
    let mut seen = BTreeSet::new();
    let mut again = false;
    for step in 0..5_000 {
        let ask = pass.ask(page_size);
        let answer = world.answer(ask);
        let (total, rows) = between((step, ask), world, answer);
        again = match pass.clone().take(ask, total, &rows) {
            Ok((_, true)) if !again => true,
            Err(error) if !again && error.kind() == ErrorKind::Contract => true,
            Err(error) => return Err(error),
            Ok((Step::Stalled, _)) => return Err(pass.incomplete(total)),
            Ok((Step::More(next), _)) => {
                seen.extend(rows.into_iter().map(|row| row.digest));
                pass = Pass::resume("s", &next.cursor()?)?;
                false
            }
            Ok((Step::End(next), _)) => {
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
        Just(Fault::FalseEnd),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_still_listing_is_read_whole_in_few_requests(changes in times(), page_size in 1..30_u64) {
        let mut world = World::of(&changes);
        let mut requests = 0_u64;
        let (seen, _) = sweep(&mut world, Pass::full("s"), page_size, |_, _, answer| { requests += 1; answer }).unwrap();
        prop_assert_eq!(seen, world.digests());
        prop_assert!(requests <= 2 + 3 * changes.len() as u64 / page_size + 3, "{} requests", requests);
    }

    #[test]
    fn a_listing_that_changes_meanwhile_is_read_whole(
        changes in times(),
        page_size in 10..30_u64,
        deeds in prop::collection::vec(prop::collection::vec(deed(), 0..6), 0..20),
    ) {
        let mut world = World::of(&changes);
        let mut last = World::default();
        let (seen, _) = sweep(&mut world, Pass::full("s"), page_size, |(step, _), world, answer| {
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
        let result = sweep(&mut world, Pass::full("s"), page_size, |(step, ask), world, answer| {
            last = world.clone();
            deeds.get(step).into_iter().flatten().for_each(|deed| world.act(*deed));
            // A listing that shows nothing from the first answer on cannot be told from an empty one.
            let lasting = faults.first_key_value().filter(|(first, _)| step >= 1.max(**first)).map(|(_, fault)| fault);
            let spoilt = match if is_lasting { lasting } else { faults.get(&step) } {
                Some(fault) => spoil(ask, answer.clone(), *fault, &before),
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
    let (Step::More(next), false) = pass.clone().take(pass.ask(3), 9, &page).unwrap() else { panic!("not so") };
    let error = next.clone().take(next.ask(3), 9, &page).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Contract);
}

#[test]
fn a_cursor_stays_small_however_many_members_share_a_second() {
    let world = World::of(&vec![7; 5_000]);
    let mut longest = 0;
    let mut pass = Pass::full("s");
    loop {
        let ask = pass.ask(1000);
        let (total, rows) = world.answer(ask);
        let (Step::More(next), false) = pass.take(ask, total, &rows).unwrap() else { break };
        longest = longest.max(next.cursor().unwrap().0.len());
        pass = next;
    }
    assert!(longest < 1_000, "{longest} bytes");
}
