//! Plans: the changes that wait, and those that are marked for a plan.

use std::collections::{BTreeMap, BTreeSet};

use unisson_connector::ChangeId;
use unisson_consent::SystemId;
use unisson_plan::{PlanId, SubjectNo, Tally};

use super::state::{Row, State};
use crate::outbox::OutboxState;
use crate::store::{OutboxChange, OutboxCount, OutboxNo};

impl State {
    pub(super) fn planned_after(&self, after: Option<OutboxNo>, limit: usize) -> Vec<OutboxChange> {
        let after = after.map_or(0, |after| after.0);
        let mut waiting: Vec<(&ChangeId, &Row)> =
            self.outbox.iter().filter(|(_, row)| row.state.is_waiting() && row.order > after).collect();
        waiting.sort_by_key(|(_, row)| row.order);
        waiting.into_iter().take(limit).filter_map(|(id, row)| self.listed(id, row)).collect()
    }

    pub(super) fn change(&self, id: &ChangeId) -> Option<OutboxChange> {
        self.outbox.get(id).and_then(|row| self.listed(id, row))
    }

    fn listed(&self, id: &ChangeId, row: &Row) -> Option<OutboxChange> {
        Some(OutboxChange {
            no: OutboxNo(row.order),
            id: id.clone(),
            instance: row.instance.clone(),
            action: row.action,
            reason: row.reason,
            by_person: row.by_person,
            state: row.state,
            plan: row.plan.clone(),
            subject: SubjectNo(self.records.get(&row.record)?.subject),
        })
    }

    pub(super) fn earmark(&mut self, plan: &PlanId, ids: &[ChangeId]) -> u64 {
        let mut marked = BTreeSet::new();
        for id in ids {
            if let Some(row) = self.outbox.get_mut(id).filter(|row| row.state.is_waiting()) {
                row.plan = Some(plan.clone());
                marked.insert(id);
            }
        }
        marked.len() as u64
    }

    pub(super) fn tally_of(&self, plan: &PlanId) -> Vec<Tally> {
        let mut records: BTreeMap<&SystemId, BTreeSet<u64>> = BTreeMap::new();
        for row in self.outbox.values().filter(|row| row.awaits_the_guard(plan) && !row.by_person) {
            records.entry(&row.instance).or_default().insert(row.record);
        }
        let tallies = records.into_iter().map(|(instance, records)| Tally {
            instance: instance.clone(),
            changes: records.len() as u64,
            contacts: self.contacts(instance),
        });
        tallies.collect()
    }

    pub(super) fn release_of(&mut self, plan: &PlanId, instance: &SystemId) -> u64 {
        let mut released = 0;
        for row in self.outbox.values_mut() {
            if row.instance == *instance && row.awaits_the_guard(plan) {
                row.enter(OutboxState::Pending);
                released += 1;
            }
        }
        released
    }

    pub(super) fn outbox_of(&self, plan: &PlanId) -> Vec<OutboxCount> {
        self.count_where(|row| row.plan.as_ref() == Some(plan))
    }
}

impl Row {
    /// Whether it is the plan's and nobody has let it go yet.
    fn awaits_the_guard(&self, plan: &PlanId) -> bool {
        self.plan.as_ref() == Some(plan) && matches!(self.state, OutboxState::Draft | OutboxState::Held)
    }
}
