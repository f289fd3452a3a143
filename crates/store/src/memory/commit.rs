//! Writing a commit: what can fail comes first, then everything is written.

use std::collections::BTreeSet;

use unisson_connector::{ChangeId, Presence};
use unisson_consent::Fact;
use unisson_plan::{Commit, Digest, Judged, Planned, Settled, Settlement};

use super::state::{Record, Row, Shows, Standing, State};
use crate::codec::encode_scope;
use crate::enrol::{EnrolledStanding, Enrolment, enrol, meet, schemes, schemes_of};
use crate::error::Result;
use crate::identifier::{Scheme, require_keys};
use crate::ledger::{Entry, LedgerCommit};
use crate::outbox::OutboxState;
use crate::store::{Met, Receipt};

/// The subjects that a commit makes stale.
#[derive(Default)]
struct Touched {
    subjects: BTreeSet<u64>,
    everyone: bool,
}

impl State {
    pub(super) fn commit(&mut self, mut commit: Commit) -> Result<Receipt> {
        let mut answered: BTreeSet<ChangeId> = BTreeSet::new();
        commit.judged.retain(|judged| self.subjects.contains_key(&judged.subject.0));
        commit.settled.retain(|settled| {
            self.outbox.get(&settled.id).is_some_and(|row| !row.state.is_settled())
                && answered.insert(settled.id.clone())
        });
        self.take_up(schemes(&commit))?;
        let mut lookup = &*self;
        let enrolment = enrol(&commit, self.counters, &mut lookup)?;
        let planned = prepare(&commit, &enrolment)?;
        for case in &commit.cases {
            self.save_case(case)?;
        }

        let mut touched = Touched::default();
        self.admit(&enrolment, &mut touched);
        let entries = self.append(&enrolment, &mut touched);
        self.show(&enrolment, &mut touched);
        for record in &commit.absent {
            self.miss(record.0, &mut touched);
        }
        for settled in &commit.settled {
            self.settle(settled, &mut touched);
        }
        for judged in enrolment.judged(&commit) {
            self.recall(judged);
        }
        let changes = planned.into_iter().map(|(id, row)| u64::from(self.plan(id, row))).sum();
        let fresh = enrolment.standings.len() - enrolment.newcomers.len();
        let born: BTreeSet<u64> = enrolment.standings[fresh..].iter().map(|standing| standing.subject).collect();
        touched.subjects.retain(|subject| !born.contains(subject));
        let (learned, newcomers) = (enrolment.learned, enrolment.newcomers);
        self.refresh(enrolment.standings, &touched);
        self.make_stale(&touched);
        for (instance, stream, position) in commit.positions {
            self.positions.insert((instance, stream), position);
        }
        if !entries.is_empty() {
            let last = self.ledger.last().map_or((0, [0; 32]), |last| (last.seq, last.hash));
            self.ledger.push(LedgerCommit::after(last, commit.at, &commit.run, &entries));
            self.counters.commits += 1;
        }
        Ok(Receipt { facts: entries.len() as u64, changes, learned, newcomers })
    }

    fn admit(&mut self, enrolment: &Enrolment<'_>, touched: &mut Touched) {
        self.counters = enrolment.counters;
        for subject in &enrolment.subjects {
            self.subjects.insert(*subject, Standing::default());
        }
        for (from, into) in &enrolment.merges {
            let moved = self.members.remove(from).unwrap_or_default();
            for record in &moved {
                if let Some(record) = self.records.get_mut(record) {
                    record.subject = *into;
                }
            }
            self.members.entry(*into).or_default().extend(moved);
            self.subjects.remove(from);
            touched.subjects.insert(*into);
        }
        for new in &enrolment.records {
            self.record_numbers.insert(new.key.clone(), new.number);
            self.records.insert(new.number, Record { key: new.key.clone(), subject: new.subject, shows: None });
            self.members.entry(new.subject).or_default().insert(new.number);
            touched.subjects.insert(new.subject);
        }
        for new in &enrolment.identifiers {
            self.identifiers.insert(new.number, (new.identifier.clone(), new.record));
            self.classes.entry(new.class.clone()).or_default().push(new.number);
            for key in &new.digests {
                self.digests.entry(*key).or_default().push(new.number);
            }
        }
    }

    /// Makes every address found by its digest under schemes that are new.
    fn take_up(&mut self, wanted: BTreeSet<Scheme>) -> Result<()> {
        require_keys(&wanted, &self.keyring, "find addresses by their digests")?;
        let new: Vec<Scheme> = wanted.into_iter().filter(|scheme| !self.schemes.contains(scheme)).collect();
        for (number, (identifier, _)) in &self.identifiers {
            for borne in identifier.borne(&new, &self.keyring) {
                self.digests.entry(borne.key).or_default().push(*number);
            }
        }
        self.schemes.extend(new);
        Ok(())
    }

    pub(super) fn met(&mut self, facts: &[Fact]) -> Result<Vec<Met>> {
        self.take_up(schemes_of(facts.iter().map(|fact| &fact.who)))?;
        let state = &*self;
        let named = |record: &u64| state.records.get(record).is_some_and(|record| record.instance().is_some());
        let mut peopled = |subject| Ok(state.members.get(&subject).is_some_and(|members| members.iter().any(named)));
        let mut lookup = state;
        meet(facts, &mut lookup, &mut peopled)
    }

    fn append(&mut self, enrolment: &Enrolment<'_>, touched: &mut Touched) -> Vec<Entry> {
        let seq = self.counters.commits + 1;
        let mut entries = Vec::new();
        for fact in &enrolment.facts {
            let key = (fact.record, fact.id);
            if self.facts.contains_key(&key) {
                continue;
            }
            self.facts.insert(key, (seq, fact.body.clone()));
            entries.push(Entry::of(fact.record, fact.id, &fact.body));
            touched.everyone |= fact.subject.is_none();
            touched.subjects.extend(fact.subject);
            if fact.is_request {
                self.requests.insert(fact.id, fact.record);
            }
        }
        self.counters.facts += entries.len() as u64;
        entries
    }

    fn show(&mut self, enrolment: &Enrolment<'_>, touched: &mut Touched) {
        for replica in &enrolment.replicas {
            let shows = Shows {
                stream: replica.stream.clone(),
                presence: replica.presence,
                digest: replica.digest,
                body: replica.body.clone(),
            };
            let Some(record) = self.records.get_mut(&replica.record) else { continue };
            if record.shows.as_ref() != Some(&shows) {
                record.shows = Some(shows);
                touched.subjects.insert(replica.subject);
            }
        }
    }

    /// A record is no longer there. Its digest goes, so that it is compared in full should it come back.
    fn miss(&mut self, record: u64, touched: &mut Touched) {
        let Some(record) = self.records.get_mut(&record) else { return };
        let Some(shows) = record.shows.as_mut().filter(|shows| shows.presence != Presence::Deleted) else { return };
        shows.presence = Presence::Deleted;
        shows.digest = Digest::default();
        touched.subjects.insert(record.subject);
    }

    fn settle(&mut self, settled: &Settled, touched: &mut Touched) {
        let Some(row) = self.outbox.get_mut(&settled.id) else { return };
        row.enter(OutboxState::after(&settled.settlement));
        row.attempts = row.attempts.saturating_add(1);
        let record = row.record;
        match &settled.settlement {
            Settlement::Done | Settlement::Unknown => {}
            Settlement::Gone => self.miss(record, touched),
            Settlement::InFlight(ticket) => row.ticket = Some(ticket.clone()),
            Settlement::Later(at) => row.not_before = Some(*at),
            Settlement::Refused(code) => row.code.clone_from(code),
        }
        if matches!(settled.settlement, Settlement::Done | Settlement::Gone) {
            touched.subjects.extend(self.records.get(&record).map(|record| record.subject));
        }
    }

    fn recall(&mut self, judged: &Judged) {
        let moves = [
            (&judged.cancelled, OutboxState::Cancelled),
            (&judged.confirmed, OutboxState::Done),
            (&judged.retried, OutboxState::Pending),
        ];
        for (ids, state) in moves {
            for id in ids {
                let Some(row) = self.outbox.get_mut(id) else { continue };
                let may_move = match state {
                    OutboxState::Cancelled => row.state.is_recallable(),
                    _ => row.state == OutboxState::Unknown,
                };
                if may_move {
                    if matches!(row.state, OutboxState::Draft | OutboxState::Held) {
                        row.plan = None;
                    }
                    row.enter(state);
                }
            }
        }
    }

    /// Adds a planned change, or takes up one again that has ended. Tells whether it did.
    fn plan(&mut self, id: ChangeId, mut row: Row) -> bool {
        if self.outbox.get(&id).is_some_and(|held| held.state.open().is_some()) {
            return false;
        }
        row.order = self.outbox.get(&id).map_or(self.last_planned + 1, |held| held.order);
        self.last_planned = self.last_planned.max(row.order);
        self.planned.entry(row.record).or_default().insert(id.clone());
        self.outbox.insert(id, row);
        true
    }

    fn refresh(&mut self, standings: Vec<EnrolledStanding>, touched: &Touched) {
        for standing in standings {
            let old = touched.everyone
                || touched.subjects.contains(&standing.subject)
                || self.lent.is_outdated(standing.subject);
            self.lent.give_back(standing.subject);
            if let Some(held) = self.subjects.get_mut(&standing.subject).filter(|_| !old) {
                *held = Standing { body: Some(standing.body), valid_until: standing.valid_until };
            }
        }
    }

    fn make_stale(&mut self, touched: &Touched) {
        for subject in &touched.subjects {
            self.lent.change(*subject);
            self.subjects.insert(*subject, Standing::default());
        }
        if touched.everyone {
            self.lent.change_all();
            self.subjects.values_mut().for_each(|standing| *standing = Standing::default());
        }
    }
}

/// The rows of everything that was planned.
fn prepare(commit: &Commit, enrolment: &Enrolment<'_>) -> Result<Vec<(ChangeId, Row)>> {
    let all = enrolment.judged(commit).flat_map(|judged| &judged.changes);
    all.map(|planned| Ok((planned.change.id.clone(), row(planned, enrolment)?))).collect()
}

fn row(planned: &Planned, enrolment: &Enrolment<'_>) -> Result<Row> {
    let target =
        unisson_consent::RecordRef { system: planned.instance.clone(), record: planned.change.target.record.clone() };
    Ok(Row {
        order: 0,
        instance: planned.instance.clone(),
        record: enrolment.record(&target)?,
        scope: planned.change.scope.clone(),
        scope_key: encode_scope(&planned.change.scope)?,
        action: planned.change.action,
        reason: planned.reason,
        by_person: planned.by_person,
        state: OutboxState::planned(planned.by_person),
        held_by: None,
        plan: None,
        attempts: 0,
        not_before: None,
        lease_until: None,
        ticket: None,
        code: String::new(),
    })
}
