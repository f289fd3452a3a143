//! Random histories, told to any store step by step, with everything it answers as text: two stores that are told the same
//! must answer the same.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use jiff::SignedDuration;
use jiff::civil::Date;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use unisson_connector::{Action, ChangeId, Cursor, StreamId, Ticket};
use unisson_consent::{
    Address, Algorithm, Aliases, CustomerNo, Fact, FactId, HashedAddress, Kind, Normalisation, PersonId, RecordRef,
    Status, SystemId, Who,
};
use unisson_plan::erasure::Held;
use unisson_plan::{
    Digest, Dossier, Judged, Learned, PlanId, Position, RecordNo, RunId, Settled, Settlement, SubjectNo, acknowledge,
    approved, shows_after,
};

use super::fixture::{
    at, by_person, commit, decision, fact, frozen, image, judged, known_by, planned, purging, record, tombstone,
    with_facts,
};
use crate::export::{self, Order};
use crate::store::{Cases, Claim, Claimed, Naming, Store, Wanted};

/// The instances of the histories.
pub const SYSTEMS: [&str; 2] = ["news", "crm"];

/// The native ids of the histories, the same at every instance.
pub const NATIVES: [&str; 4] = ["1", "2", "3", "4"];

/// Addresses of the histories, each with the class that it falls into.
pub const ADDRESSES: [(&str, u8); 8] = [
    ("a@example.org", 0),
    ("A+x@Example.org", 0),
    ("b@example.org", 1),
    ("b@example.com", 2),
    ("j.doe@gmail.com", 3),
    ("jdoe+y@googlemail.com", 3),
    ("c@example.org", 4),
    ("d@example.org", 5),
];

/// How the digests of the histories are made.
pub const SCHEMES: [Algorithm; 2] =
    [Algorithm::Md5(Normalisation::TrimLower), Algorithm::Sha256(Normalisation::GoogleDots)];

/// The plans of the histories.
pub const PLANS: [&str; 2] = ["plan-1", "plan-2"];

/// Something shown of a record.
#[derive(Debug, Clone)]
pub struct Sighting {
    /// Which of [`SYSTEMS`].
    pub system: usize,
    /// Which of [`NATIVES`].
    pub native: usize,
    /// Which of [`ADDRESSES`].
    pub addresses: Vec<usize>,
    /// Which of [`ADDRESSES`] it shows the digest of, under which of [`SCHEMES`].
    pub digest: Option<(usize, usize)>,
    /// A customer number.
    pub customer: Option<u8>,
    /// A person's id.
    pub person: Option<u8>,
    /// A day of birth.
    pub birth: Option<u8>,
    /// What the record shows.
    pub status: usize,
    /// Other records that a fact without a record links it with.
    pub link: Option<(usize, usize)>,
    /// A change of address that a fact of the record tells.
    pub moved: Option<(usize, usize)>,
    /// A fact that reaches everyone.
    pub void: Option<u8>,
}

/// One step of a history.
#[derive(Debug, Clone)]
pub enum Step {
    /// A page is learnt.
    Learn(Vec<Sighting>),
    /// A list is told: addresses, and digests of addresses, with no record to show for them.
    Tell(Vec<(usize, Option<usize>)>),
    /// Records are missed by a sweep.
    Miss(Vec<(usize, usize)>),
    /// Everybody stale is judged, and some changes are planned.
    Judge(Vec<(usize, usize, u8)>),
    /// Drafts are released.
    Release(usize),
    /// Drafts are held.
    Hold(usize),
    /// What was held is approved.
    Approve,
    /// Changes are marked for one of two plans, each by its place among those that wait.
    Earmark(usize, Vec<usize>),
    /// What is marked for a plan is released.
    ReleaseOf(usize, usize),
    /// Changes are claimed and answered, each in its own way; for a plan, where one is named.
    Deliver((usize, bool, Option<usize>), Vec<u8>),
    /// Tombstones are told, each of an address under one of two classes.
    Bury(Vec<(usize, bool)>),
    /// Records are purged, with facts of a list; one of them may be held.
    Purge(Vec<(usize, usize)>, Vec<(usize, Option<usize>)>, bool),
    /// Another law is adopted.
    Law(bool),
    /// A stream moves on.
    Move(usize, u8),
}

/// Random sightings.
pub fn sighting() -> impl Strategy<Value = Sighting> {
    let place = || 0..NATIVES.len();
    let known_by = (
        vec(0..ADDRESSES.len(), 0..3),
        option::weighted(0.2, (0..ADDRESSES.len(), 0..SCHEMES.len())),
        option::weighted(0.2, 0..3_u8),
        option::weighted(0.1, 0..3_u8),
        option::weighted(0.1, 0..2_u8),
    );
    let told = (
        option::weighted(0.1, (0..SYSTEMS.len(), place())),
        option::weighted(0.1, (0..ADDRESSES.len(), 0..ADDRESSES.len())),
        option::weighted(0.05, 0..2_u8),
    );
    (0..SYSTEMS.len(), place(), known_by, 0..Status::ALL.len(), told).prop_map(
        |(system, native, known_by, status, told)| {
            let (addresses, digest, customer, person, birth) = known_by;
            let (link, moved, void) = told;
            Sighting { system, native, addresses, digest, customer, person, birth, status, link, moved, void }
        },
    )
}

/// Random histories.
pub fn history() -> impl Strategy<Value = Vec<Step>> {
    let record = || (0..SYSTEMS.len(), 0..NATIVES.len());
    let changes = vec((0..SYSTEMS.len(), 0..NATIVES.len(), 0..8_u8), 0..5);
    let listed = (0..ADDRESSES.len(), option::of(0..SCHEMES.len()));
    let unlisted = (0..ADDRESSES.len(), option::of(0..SCHEMES.len()));
    let step = prop_oneof![
        4 => vec(sighting(), 1..5).prop_map(Step::Learn),
        2 => vec(listed, 1..4).prop_map(Step::Tell),
        1 => vec(record(), 1..3).prop_map(Step::Miss),
        4 => changes.prop_map(Step::Judge),
        2 => (0..SYSTEMS.len()).prop_map(Step::Release),
        1 => (0..SYSTEMS.len()).prop_map(Step::Hold),
        1 => Just(Step::Approve),
        2 => (0..PLANS.len(), vec(0..6_usize, 1..4)).prop_map(|(plan, places)| Step::Earmark(plan, places)),
        1 => (0..PLANS.len(), 0..SYSTEMS.len()).prop_map(|(plan, system)| Step::ReleaseOf(plan, system)),
        3 => ((0..4_usize, any::<bool>(), option::weighted(0.3, 0..PLANS.len())), vec(0..7_u8, 4))
            .prop_map(|(claim, answers)| Step::Deliver(claim, answers)),
        1 => vec((0..ADDRESSES.len(), any::<bool>()), 1..3).prop_map(Step::Bury),
        2 => (vec(record(), 1..4), vec(unlisted, 0..3), any::<bool>())
            .prop_map(|(records, loose, held)| Step::Purge(records, loose, held)),
        1 => any::<bool>().prop_map(Step::Law),
        1 => (0..SYSTEMS.len(), 0..4_u8).prop_map(|(system, place)| Step::Move(system, place)),
    ];
    vec(step, 1..16)
}

impl Sighting {
    /// What there is to learn from it.
    pub fn learned(&self) -> Learned {
        let (system, native) = (SYSTEMS[self.system], NATIVES[self.native]);
        let who = Who {
            addresses: self.addresses.iter().map(|place| address(*place)).collect(),
            hashes: self.digest.iter().map(|(place, scheme)| digest(*place, *scheme)).collect(),
            customer: self.customer.map(|number| CustomerNo::new(format!("C{number}"))),
            person: self.person.map(|number| PersonId::new(format!("P{number}"))),
            birth: self.birth.map(|day| Date::constant(1990, 1, 1 + day.cast_signed())),
            ..Who::default()
        };
        let mut learned = known_by(system, native, who);
        let status = Status::ALL[self.status].0;
        learned.replica.slots[0].status = status;
        learned.replica.digest = Digest(FactId::of(&[&format!("{self:?}")]).0);
        let mut facts = std::mem::take(&mut learned.facts);
        for fact in &mut facts {
            fact.id = FactId::of(&[system, native, &format!("{self:?}")]);
        }
        facts.extend(self.link.map(|(system, native)| {
            let records = vec![learned.replica.record.clone(), named(system, native)];
            let link = fact("host", None, Kind::Link { records });
            Fact { id: FactId::of(&["link", &format!("{self:?}")]), ..link }
        }));
        facts.extend(self.moved.map(|(from, to)| {
            let kind = Kind::AddressChange { from: address(from), to: address(to), verified: true };
            Fact { id: FactId::of(&["moved", &format!("{self:?}")]), ..fact(system, Some(native), kind) }
        }));
        facts.extend(self.void.map(|notice| {
            fact(
                "host",
                None,
                Kind::Invalidate { notices: vec![format!("N{notice}").as_str().into()], targets: vec![] },
            )
        }));
        with_facts(learned, facts)
    }
}

/// One of [`ADDRESSES`].
pub fn address(place: usize) -> Address {
    Address::email(ADDRESSES[place].0).unwrap()
}

/// The digest of one of [`ADDRESSES`], made in one of [`SCHEMES`].
pub fn digest(place: usize, scheme: usize) -> HashedAddress {
    HashedAddress::of(&address(place), &SCHEMES[scheme]).unwrap()
}

/// An entry of a list: an address, or its digest under a scheme.
fn listed((place, scheme): (usize, Option<usize>)) -> Fact {
    let who = match scheme {
        Some(scheme) => Who { hashes: vec![digest(place, scheme)], ..Who::default() },
        None => Who { addresses: vec![address(place)], ..Who::default() },
    };
    let id = FactId::of(&["listed", &place.to_string(), &format!("{scheme:?}")]);
    Fact { id, who, ..fact("list", None, Kind::Withdraw) }
}

/// The tombstone of one of [`ADDRESSES`].
fn buried_fact(place: usize, wide: bool) -> Fact {
    tombstone(&address(place), if wide { Aliases::WIDEST } else { Aliases::default() })
}

/// The record of these places.
pub fn named(system: usize, native: usize) -> RecordRef {
    record(SYSTEMS[system], NATIVES[native])
}

/// Takes one step, the `number`-th of its history, and gives everything the store answered.
pub async fn take(store: &dyn Store, number: i64, step: &Step) -> String {
    let now = at(number * 40);
    match step {
        Step::Learn(sightings) => {
            let mut draft = commit("learn").build();
            draft.at = now;
            draft.learned = sightings.iter().map(Sighting::learned).collect();
            format!("{:?}", store.commit(draft).await.unwrap())
        }
        Step::Tell(list) => {
            let mut draft = commit("tell").build();
            draft.told = list.iter().map(|entry| listed(*entry)).collect();
            let met = store.met(&draft.told).await.unwrap();
            format!("{met:?} {:?}", store.commit(draft).await.unwrap())
        }
        Step::Bury(buried) => {
            let mut draft = commit("bury").build();
            draft.told = buried.iter().map(|(place, wide)| buried_fact(*place, *wide)).collect();
            draft.cases.push(frozen(&format!("c{}", number % 3), draft.told.iter().map(|fact| fact.id).collect()));
            format!("{:?}", store.commit(draft).await.unwrap())
        }
        Step::Purge(records, loose, held) => {
            let named: Vec<RecordRef> = records.iter().map(|(system, native)| named(*system, *native)).collect();
            let mut loose: Vec<FactId> = loose.iter().map(|entry| listed(*entry).id).collect();
            // A tombstone that is named by mistake stays.
            loose.push(buried_fact(0, false).id);
            let mut purge = purging(frozen(&format!("c{}", number % 3), loose.clone()), &[], loose);
            let first = store.numbers(&named[..1]).await.unwrap()[0].filter(|_| *held);
            purge.held =
                first.map(|number| (number, Held::lock(named[0].clone(), vec![address(0)]))).into_iter().collect();
            (purge.records, purge.at) = (named, now);
            let purged = store.purge(purge).await.unwrap();
            let is_clean = !held || store.forget_traces().await.unwrap();
            format!("{first:?} {purged:?} {is_clean}")
        }
        Step::Miss(records) => {
            let mut draft = commit("miss").build();
            for (system, native) in records {
                draft.absent.extend(number_of(store, *system, *native).await);
            }
            format!("{:?}", store.commit(draft).await.unwrap())
        }
        Step::Judge(changes) => judge(store, number, changes).await,
        Step::Release(system) => format!("{:?}", store.release(&SYSTEMS[*system].into(), approved()).await.unwrap()),
        Step::Hold(system) => format!("{:?}", store.hold(&SYSTEMS[*system].into(), &run()).await.unwrap()),
        Step::Approve => format!("{:?}", store.approve(&run(), approved()).await.unwrap()),
        Step::Earmark(plan, places) => {
            let waiting = store.planned(None, 6).await.unwrap();
            let ids: Vec<ChangeId> =
                places.iter().filter_map(|place| waiting.get(*place)).map(|change| change.id.clone()).collect();
            format!("{:?}", store.earmark(&plan_of(*plan), &ids).await.unwrap())
        }
        Step::ReleaseOf(plan, system) => {
            let (plan, system) = (plan_of(*plan), SYSTEMS[*system].into());
            format!("{:?}", store.release_of(&plan, &system, approved()).await.unwrap())
        }
        Step::Deliver(claim, answers) => deliver(store, now, *claim, answers).await,
        Step::Law(first) => format!("{:?}", store.adopt_law(if *first { "one" } else { "two" }).await.unwrap()),
        Step::Move(system, place) => {
            let position = Position {
                cursor: (*place > 0).then(|| Cursor(place.to_string())),
                in_pass: *place > 1,
                sweeping: *place > 2,
                swept_at: (*place > 1).then_some(now),
            };
            let mut draft = commit("move").build();
            draft.positions.push((SYSTEMS[*system].into(), stream(), position));
            format!("{:?}", store.commit(draft).await.unwrap())
        }
    }
}

/// Everything a store tells at the end of a history of so many steps.
pub async fn observe(store: &dyn Store, steps: i64) -> String {
    let now = at(steps * 40);
    let mut seen = String::new();
    let mut subjects: BTreeSet<SubjectNo> = BTreeSet::new();
    for native in NATIVES {
        subjects.extend(store.find(&Wanted::Record(native.into())).await.unwrap());
    }
    for (address, _) in ADDRESSES {
        let found = store.find(&Wanted::Address(Address::email(address).unwrap())).await.unwrap();
        let _ = writeln!(seen, "{address} {found:?}");
        subjects.extend(found);
    }
    let subjects: Vec<SubjectNo> = subjects.into_iter().collect();
    for dossier in store.dossiers(&subjects).await.unwrap() {
        seen.push_str(&image(&dossier));
    }
    for system in SYSTEMS {
        let system = SystemId::new(system);
        let records = NATIVES.map(Into::into);
        let _ = writeln!(seen, "{:?}", store.known(&system, &records).await.unwrap());
        let _ = writeln!(seen, "{:?}", store.replicas(&system, &records).await.unwrap());
        let _ = writeln!(seen, "{:?}", store.position(&system, &stream()).await.unwrap());
        let _ = writeln!(seen, "{:?}", store.contacts(&system).await.unwrap());
        let one = BTreeSet::from([RecordNo(1)]);
        let _ = writeln!(seen, "{:?}", store.absentees(&system, &stream(), &one).await.unwrap());
    }
    let buried: Vec<FactId> =
        (0..ADDRESSES.len()).flat_map(|place| [buried_fact(place, false).id, buried_fact(place, true).id]).collect();
    let _ = writeln!(seen, "{:?}", store.subjects_of(&buried).await.unwrap());
    let _ = writeln!(seen, "{:?}", store.cases_of(&buried).await.unwrap());
    let _ = writeln!(seen, "{:?}", store.cases(Cases::Due(now), None, 10).await.unwrap());
    for system in SYSTEMS {
        let held = store.is_held(&system.into(), &NATIVES.map(Into::into)).await.unwrap();
        let _ = writeln!(seen, "{held:?}");
    }
    let _ = writeln!(seen, "{:?}", store.standings(None, 100).await.unwrap());
    let _ = writeln!(seen, "{:?}", store.stale(now, 100).await.unwrap());
    let _ = writeln!(seen, "{:?} {:?}", store.outbox().await.unwrap(), store.tally().await.unwrap());
    let mut after = None;
    loop {
        let page = store.planned(after, 2).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.no);
        let _ = writeln!(seen, "{page:?}");
    }
    for plan in (0..PLANS.len()).map(plan_of) {
        let _ =
            writeln!(seen, "{:?} {:?}", store.outbox_of(&plan).await.unwrap(), store.tally_of(&plan).await.unwrap());
    }
    let _ = writeln!(seen, "{:?} {:?}", store.counts(now).await.unwrap(), store.verify().await.unwrap());
    let _ = writeln!(seen, "{:?}\n{}", store.systems().await.unwrap(), exported(store, now).await);
    seen
}

/// The whole ledger with everybody named. It is checked from what was written.
async fn exported(store: &dyn Store, made_at: jiff::Timestamp) -> String {
    let order = Order { from: 1, naming: Naming::Names, made_at, program: String::new() };
    let mut out = Vec::new();
    export::write(store, &order, &mut out).await.unwrap();
    export::check(out.as_slice()).unwrap();
    String::from_utf8(out).unwrap()
}

/// Judges everybody stale: an address each is decided on, and some changes are planned for whoever has the record.
async fn judge(store: &dyn Store, number: i64, changes: &[(usize, usize, u8)]) -> String {
    let stale = store.stale(at(number * 40), 100).await.unwrap();
    let dossiers = store.dossiers(&stale).await.unwrap();
    let mut draft = commit("judge").build();
    draft.judged = dossiers.iter().map(|dossier| judgement(dossier, number, changes)).collect();
    format!("{stale:?} {:?}", store.commit(draft).await.unwrap())
}

fn judgement(dossier: &Dossier, number: i64, changes: &[(usize, usize, u8)]) -> Judged {
    let mut judgement = judged(dossier.subject);
    let addresses = dossier.facts.iter().flat_map(|fact| &fact.who.addresses);
    judgement.decisions = addresses.take(2).map(|address| decision(address.raw())).collect();
    judgement.valid_until = (number % 3 == 0).then(|| at(number * 40 + 100));
    for (place, open) in dossier.open.iter().enumerate() {
        match place % 4 {
            0 => judgement.cancelled.push(open.id.clone()),
            1 => judgement.confirmed.push(open.id.clone()),
            2 => judgement.retried.push(open.id.clone()),
            _ => {}
        }
    }
    for (system, native, which) in changes {
        let target = named(*system, *native);
        if !dossier.replicas.iter().any(|replica| replica.record == target) {
            continue;
        }
        let action =
            [Action::Suppress, Action::MarkInvalid, Action::Subscribe, Action::Reconfirm][usize::from(*which) / 2];
        let id = format!("{system}-{native}-{which}");
        let change = planned(SYSTEMS[*system], NATIVES[*native], &id, action);
        judgement.changes.push(if which % 2 == 0 { by_person(change) } else { change });
    }
    judgement
}

/// Claims at both instances, answers, and lets the rest run into the end of its lease.
async fn deliver(
    store: &dyn Store,
    now: jiff::Timestamp,
    (limit, openings, plan): (usize, bool, Option<usize>),
    answers: &[u8],
) -> String {
    let mut told = String::new();
    let plan = plan.map(plan_of);
    for system in SYSTEMS {
        let instance = SystemId::new(system);
        let until = now.checked_add(SignedDuration::from_secs(60)).unwrap();
        let claimed =
            store.claim(Claim { instance: &instance, now, until, limit, openings, plan: plan.as_ref() }).await.unwrap();
        let _ = writeln!(told, "{claimed:?}");
        let mut draft = commit("settle").build();
        draft.settled =
            claimed.iter().zip(answers).filter_map(|(claimed, answer)| settled(claimed, *answer, now)).collect();
        let _ = writeln!(told, "{:?}", store.commit(draft).await.unwrap());
    }
    told
}

fn settled(claimed: &Claimed, answer: u8, now: jiff::Timestamp) -> Option<Settled> {
    let settlement = match answer {
        0 => Settlement::Done,
        1 => Settlement::Gone,
        2 => Settlement::InFlight(Ticket("ticket".to_owned())),
        3 => Settlement::Later(now.checked_add(SignedDuration::from_secs(30)).unwrap()),
        4 => Settlement::Refused("code".to_owned()),
        5 => Settlement::Unknown,
        _ => return None,
    };
    let replica = (settlement == Settlement::Done).then(|| {
        let status = shows_after(claimed.change.action);
        let wrote = unisson_plan::Wrote { before: claimed.replica.slots[0].status, status, at: now };
        acknowledge(&claimed.replica, &claimed.change.scope, wrote)
    });
    Some(Settled { id: ChangeId(claimed.change.id.0.clone()), settlement, replica })
}

async fn number_of(store: &dyn Store, system: usize, native: usize) -> Option<RecordNo> {
    let RecordRef { system, record } = named(system, native);
    store.known(&system, &[record]).await.unwrap()[0].map(|(number, _)| number)
}

fn stream() -> StreamId {
    StreamId("contacts".to_owned())
}

fn plan_of(place: usize) -> PlanId {
    PlanId(PLANS[place].to_owned())
}

fn run() -> RunId {
    RunId("run".to_owned())
}
