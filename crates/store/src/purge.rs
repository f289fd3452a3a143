//! Purging: what an erased person leaves in a store, worked out once for every store.
//!
//! A purge names records, held ones included, and facts without one. What goes with them is a function of that and of what the store finds:
//! the facts of those records, and every identifier that nobody else of the cluster is known by. It refuses to forget a
//! tombstone, and whatever reaches beyond the person.

use std::collections::{BTreeMap, BTreeSet};

use unisson_consent::{FactId, RecordRef, SystemId, is_tombstone};
use unisson_plan::RecordNo;
use unisson_plan::erasure::{Case, TaskState};

use crate::codec::{About, Names, Needs, StoredFact, StoredReplica, held_record};
use crate::enrol::{EVERYONE, Located, RecordKey};
use crate::error::Result;
use crate::store::Purge;

/// What a store looks up while a purge is worked out.
pub trait Remains {
    /// Where a record stands.
    fn record(&mut self, key: &RecordKey) -> Result<Option<Located>>;

    /// The records of a subject, in the order of their numbers.
    fn members(&mut self, subject: u64) -> Result<Vec<u64>>;

    /// The facts that are kept with a record, or with [`EVERYONE`].
    fn facts(&mut self, record: u64) -> Result<Vec<(FactId, StoredFact)>>;

    /// What a record showed last.
    fn replica(&mut self, record: u64) -> Result<Option<StoredReplica>>;

    /// The identifiers that were first seen on a record.
    fn first_seen(&mut self, record: u64) -> Result<Vec<u64>>;

    /// What numbers stand for.
    fn names(&mut self, needs: &Needs) -> Result<Names>;
}

/// A record that goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaving {
    /// Its number.
    pub record: u64,
    /// Its subject.
    pub subject: u64,
    /// Its system; `None` where it stands for a fact without a record.
    pub system: Option<SystemId>,
}

/// Everything that a purge takes away or changes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Forgetting {
    /// Records that go, in the order of their numbers.
    pub records: Vec<Leaving>,
    /// Facts that go, by record and id, in that order.
    pub facts: Vec<(u64, FactId)>,
    /// Identifiers that go, in the order of their numbers.
    pub identifiers: Vec<u64>,
    /// Identifiers that stay, and the record that each belongs to from now on.
    pub moved: Vec<(u64, u64)>,
    /// Subjects that end.
    pub ended: Vec<u64>,
    /// Subjects that go on with fewer records.
    pub lessened: Vec<u64>,
    /// Whether a fact goes that stands in everybody's dossier.
    pub everyone: bool,
}

/// What stands for a native id that was purged, where a fact of somebody else still names its record.
pub fn purged_record(system: SystemId, number: u64) -> RecordRef {
    RecordRef { system, record: format!("purged-{number}").as_str().into() }
}

/// The records of a case that neither a hold nor their platform keeps: whatever was locked away of them goes.
pub fn released(case: &Case) -> impl Iterator<Item = RecordNo> {
    let stays = |state: &TaskState| matches!(state, TaskState::Held { .. } | TaskState::Impossible(_));
    case.tasks().filter(move |(_, _, task)| !stays(&task.state)).map(|(_, record, _)| record)
}

/// Works out what a purge takes away.
pub fn forget(purge: &Purge, remains: &mut dyn Remains) -> Result<Forgetting> {
    let mut leaving = leaving(purge, remains)?;
    leaving.sort_by_key(|leaving| leaving.record);
    leaving.dedup_by_key(|leaving| leaving.record);
    let mut worked = Work { gone: leaving.iter().map(|leaving| leaving.record).collect(), ..Work::default() };
    if leaving.is_empty() {
        return Ok(Forgetting::default());
    }
    worked.everyone(purge, remains)?;
    for record in &leaving {
        worked.take(record.record, remains)?;
    }
    let subjects: BTreeSet<u64> = leaving.iter().map(|leaving| leaving.subject).collect();
    let mut forgetting = Forgetting { records: leaving, everyone: worked.takes_from_everyone, ..Forgetting::default() };
    for subject in subjects {
        let stay: Vec<u64> =
            remains.members(subject)?.into_iter().filter(|record| !worked.gone.contains(record)).collect();
        worked.look_for_users(&stay, remains)?;
        if stay.is_empty() { forgetting.ended.push(subject) } else { forgetting.lessened.push(subject) }
    }
    for (identifier, user) in &worked.users {
        match user {
            None => forgetting.identifiers.push(*identifier),
            Some(record) if worked.homeless.contains(identifier) => forgetting.moved.push((*identifier, *record)),
            Some(_) => {}
        }
    }
    forgetting.facts = worked.facts.into_iter().collect();
    Ok(forgetting)
}

fn leaving(purge: &Purge, remains: &mut dyn Remains) -> Result<Vec<Leaving>> {
    let mut leaving = Vec::new();
    let held = purge.held.iter().map(|(_, held)| held_record(held));
    for record in purge.records.iter().chain(held) {
        if let Some(at) = remains.record(&RecordKey::Named(record.clone()))? {
            let system = Some(record.system.clone());
            leaving.push(Leaving { record: at.record, subject: at.subject, system });
        }
    }
    for id in &purge.loose {
        let Some(at) = remains.record(&RecordKey::Loose(*id))? else { continue };
        if !keeps_a_tombstone(at.record, remains)? {
            leaving.push(Leaving { record: at.record, subject: at.subject, system: None });
        }
    }
    Ok(leaving)
}

fn keeps_a_tombstone(record: u64, remains: &mut dyn Remains) -> Result<bool> {
    for (id, stored) in remains.facts(record)? {
        let mut needs = Needs::default();
        stored.needs(&mut needs);
        let names = remains.names(&needs)?;
        if is_tombstone(&stored.build(id, None, &names)?) {
            return Ok(true);
        }
    }
    Ok(false)
}

#[derive(Default)]
struct Work {
    /// Records that go.
    gone: BTreeSet<u64>,
    facts: BTreeSet<(u64, FactId)>,
    /// The identifiers that the records which go are known by, each with a record that stays and is known by it too.
    users: BTreeMap<u64, Option<u64>>,
    /// Those of them that were first seen on a record which goes.
    homeless: BTreeSet<u64>,
    /// Which record each fact that reaches everyone is told on, with the identifiers it names.
    common: BTreeMap<u64, Vec<u64>>,
    takes_from_everyone: bool,
}

impl Work {
    /// Facts that reach everyone go where they are asked for, or name the person whose record they are told on. One that
    /// names nobody stays: it says something of others.
    fn everyone(&mut self, purge: &Purge, remains: &mut dyn Remains) -> Result<()> {
        for (id, stored) in remains.facts(EVERYONE)? {
            let mut needs = Needs::default();
            stored.needs(&mut needs);
            let told_on = match stored.about() {
                About::Record(record) => Some(record),
                About::Row | About::Nothing if needs.identifiers.is_empty() => None,
                About::Row | About::Nothing => remains.record(&RecordKey::Loose(id))?.map(|at| at.record),
            };
            let goes = told_on.is_some_and(|record| self.gone.contains(&record));
            if goes && (!needs.identifiers.is_empty() || purge.loose.contains(&id)) {
                self.facts.insert((EVERYONE, id));
                self.takes_from_everyone = true;
                self.users.extend(needs.identifiers.into_iter().map(|number| (number, None)));
            } else if let Some(record) = told_on {
                self.common.entry(record).or_default().extend(needs.identifiers);
            }
        }
        Ok(())
    }

    fn take(&mut self, record: u64, remains: &mut dyn Remains) -> Result<()> {
        let facts = remains.facts(record)?;
        self.users
            .extend(identifiers(&facts, remains.replica(record)?.as_ref()).into_iter().map(|number| (number, None)));
        self.facts.extend(facts.into_iter().map(|(id, _)| (record, id)));
        for identifier in remains.first_seen(record)? {
            self.homeless.insert(identifier);
            self.users.entry(identifier).or_default();
        }
        Ok(())
    }

    /// Looks through the records that stay for whoever is known by one of the identifiers too.
    fn look_for_users(&mut self, stay: &[u64], remains: &mut dyn Remains) -> Result<()> {
        for record in stay {
            if self.users.values().all(Option::is_some) {
                return Ok(());
            }
            let mut known_by = identifiers(&remains.facts(*record)?, remains.replica(*record)?.as_ref());
            known_by.extend(self.common.get(record).into_iter().flatten());
            for identifier in known_by {
                if let Some(user) = self.users.get_mut(&identifier) {
                    user.get_or_insert(*record);
                }
            }
        }
        Ok(())
    }
}

fn identifiers(facts: &[(FactId, StoredFact)], replica: Option<&StoredReplica>) -> BTreeSet<u64> {
    let mut needs = Needs::default();
    for (_, fact) in facts {
        fact.needs(&mut needs);
    }
    if let Some(replica) = replica {
        replica.needs(&mut needs);
    }
    needs.identifiers
}
