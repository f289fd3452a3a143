//! Erasure cases, and what a hold keeps.

use std::collections::BTreeMap;

use jiff::Timestamp;
use unisson_consent::{FactId, RecordRef, SystemId};
use unisson_plan::erasure::{Case, CaseId, CaseState, Held, Origin};
use unisson_plan::{RecordNo, Replica, SubjectNo};

use super::state::State;
use crate::codec::{decode_case, decode_held, encode_case, encode_held, held_record};
use crate::enrol::RecordKey;
use crate::error::Result;
use crate::store::{CaseCount, Cases};

impl State {
    pub(super) fn save_case(&mut self, case: &Case) -> Result<()> {
        self.cases.insert(case.id.clone(), encode_case(case)?);
        Ok(())
    }

    pub(super) fn case(&self, id: &CaseId) -> Result<Option<Case>> {
        self.cases.get(id).map(|body| decode_case(id.clone(), body)).transpose()
    }

    fn all_cases(&self) -> impl Iterator<Item = Result<Case>> {
        self.cases.iter().map(|(id, body)| decode_case(id.clone(), body))
    }

    pub(super) fn cases(&self, which: Cases, after: Option<&CaseId>, limit: usize) -> Result<Vec<Case>> {
        let wanted = |case: &Case| match which {
            Cases::All => true,
            Cases::Open => case.state.is_open(),
            Cases::Due(now) => case.next_at().is_some_and(|at| at <= now),
        };
        let behind = |case: &Case| after.is_none_or(|after| case.id > *after);
        self.all_cases()
            .filter(|case| case.as_ref().map_or(true, |case| behind(case) && wanted(case)))
            .take(limit)
            .collect()
    }

    pub(super) fn case_counts(&self) -> Result<Vec<CaseCount>> {
        let mut counts: BTreeMap<CaseState, u64> = BTreeMap::new();
        for case in self.all_cases() {
            *counts.entry(case?.state).or_default() += 1;
        }
        Ok(counts.into_iter().map(|(state, cases)| CaseCount { state, cases }).collect())
    }

    pub(super) fn cases_of(&self, facts: &[FactId]) -> Result<Vec<Case>> {
        let of_them = |case: &Case| case.facts.iter().any(|id| facts.contains(id));
        self.all_cases().filter(|case| case.as_ref().map_or(true, of_them)).collect()
    }

    pub(super) fn reappearances(&self, since: Timestamp) -> Result<Vec<(SystemId, u64)>> {
        let mut times: BTreeMap<SystemId, u64> = BTreeMap::new();
        for case in self.all_cases() {
            let case = case?;
            match case.origin {
                Origin::Reappearance { system, .. } if case.received_at >= since => {
                    *times.entry(system).or_default() += 1;
                }
                Origin::Reappearance { .. } | Origin::Request => {}
            }
        }
        Ok(times.into_iter().collect())
    }

    pub(super) fn subjects_of(&self, facts: &[FactId]) -> Vec<Option<SubjectNo>> {
        let subject = |id: &FactId| {
            let number = self.record_numbers.get(&RecordKey::Loose(*id)).or_else(|| self.requests.get(id))?;
            self.records.get(number).map(|record| SubjectNo(record.subject))
        };
        facts.iter().map(subject).collect()
    }

    pub(super) fn numbers(&self, records: &[RecordRef]) -> Vec<Option<RecordNo>> {
        let number = |record: &RecordRef| self.record_numbers.get(&RecordKey::Named(record.clone())).copied();
        records.iter().map(|record| number(record).map(RecordNo)).collect()
    }

    pub(super) fn replicas_at(&self, records: &[RecordNo]) -> Result<Vec<Option<Replica>>> {
        records.iter().map(|record| self.replica(record.0)).collect()
    }

    /// Locks a record away.
    pub(super) fn hold(&mut self, record: RecordNo, held: &Held) -> Result<()> {
        self.held.insert(record.0, (held_record(held).clone(), encode_held(held)?));
        Ok(())
    }

    pub(super) fn is_held(&self, record: &RecordRef) -> bool {
        self.held.values().any(|(held, _)| held == record)
    }

    pub(super) fn held(&self, record: RecordNo) -> Result<Option<Held>> {
        self.held.get(&record.0).map(|(_, body)| decode_held(body)).transpose()
    }
}
