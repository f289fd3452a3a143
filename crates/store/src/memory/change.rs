//! The outbox: guard, lease, count.

use std::collections::{BTreeMap, BTreeSet};

use unisson_connector::{Action, Change, ChangeId, Target};
use unisson_consent::SystemId;
use unisson_plan::{RunId, Tally};

use super::state::{Row, State};
use crate::codec::action_code;
use crate::error::Result;
use crate::outbox::OutboxState;
use crate::store::{Claim, Claimed, OutboxCount};

impl State {
    pub(super) fn tally(&self) -> Vec<Tally> {
        let mut drafts: BTreeMap<&SystemId, BTreeSet<u64>> = BTreeMap::new();
        for row in self.outbox.values().filter(|row| row.state == OutboxState::Draft && !row.by_person) {
            drafts.entry(&row.instance).or_default().insert(row.record);
        }
        drafts
            .into_iter()
            .map(|(instance, records)| Tally {
                instance: instance.clone(),
                changes: records.len() as u64,
                contacts: self.contacts(instance),
            })
            .collect()
    }

    pub(super) fn move_drafts(&mut self, instance: &SystemId, to: OutboxState, run: Option<&RunId>) -> u64 {
        let mut moved = 0;
        for row in self.outbox.values_mut() {
            if row.state == OutboxState::Draft && row.instance == *instance {
                row.enter(to);
                row.held_by = run.cloned();
                row.plan = None;
                moved += 1;
            }
        }
        moved
    }

    pub(super) fn approve(&mut self, run: &RunId) -> u64 {
        let mut moved = 0;
        for row in self.outbox.values_mut() {
            if row.state == OutboxState::Held && row.held_by.as_ref() == Some(run) {
                row.enter(OutboxState::Pending);
                row.plan = None;
                moved += 1;
            }
        }
        moved
    }

    pub(super) fn claim(&mut self, claim: &Claim<'_>) -> Result<Vec<Claimed>> {
        let mut ids = self.claimable(claim, |action| matches!(action, Action::Suppress | Action::MarkInvalid));
        if claim.openings {
            ids.extend(self.claimable(claim, |action| matches!(action, Action::Subscribe | Action::Reconfirm)));
        }
        ids.truncate(claim.limit);
        let claimed = ids.iter().map(|id| self.claimed(id)).collect::<Result<Vec<_>>>()?;
        for id in &ids {
            if let Some(row) = self.outbox.get_mut(id) {
                row.enter(OutboxState::Leased);
                row.lease_until = Some(claim.until);
            }
        }
        Ok(claimed.into_iter().flatten().collect())
    }

    fn claimable(&self, claim: &Claim<'_>, wanted: fn(Action) -> bool) -> Vec<ChangeId> {
        let mut due: Vec<(&ChangeId, &Row)> = self
            .outbox
            .iter()
            .filter(|(_, row)| row.instance == *claim.instance && wanted(row.action) && row.is_due(claim))
            .filter(|(_, row)| self.records.get(&row.record).is_some_and(|record| record.shows.is_some()))
            .collect();
        due.sort_by_key(|(_, row)| (action_code(row.action), &row.scope_key, row.order));
        due.into_iter().map(|(id, _)| id.clone()).collect()
    }

    fn claimed(&self, id: &ChangeId) -> Result<Option<Claimed>> {
        let Some(row) = self.outbox.get(id) else { return Ok(None) };
        let Some(replica) = self.replica(row.record)? else { return Ok(None) };
        let change = Change {
            id: id.clone(),
            target: Target { record: replica.record.record.clone(), addresses: replica.who.addresses.clone() },
            scope: row.scope.clone(),
            action: row.action,
            reason: row.reason.as_str(),
        };
        Ok(Some(Claimed { change, attempts: row.attempts, replica }))
    }

    pub(super) fn outbox_counts(&self) -> Vec<OutboxCount> {
        self.count_where(|_| true)
    }

    pub(super) fn count_where(&self, counted: impl Fn(&Row) -> bool) -> Vec<OutboxCount> {
        let mut counts: BTreeMap<OutboxCount, u64> = BTreeMap::new();
        for row in self.outbox.values().filter(|row| counted(row)) {
            let like = OutboxCount {
                instance: row.instance.clone(),
                action: row.action,
                state: row.state.as_str().to_owned(),
                code: row.code.clone(),
                run: row.held_by.clone(),
                changes: 0,
            };
            *counts.entry(like).or_default() += 1;
        }
        counts.into_iter().map(|(like, changes)| OutboxCount { changes, ..like }).collect()
    }
}

impl Row {
    fn is_due(&self, claim: &Claim<'_>) -> bool {
        if claim.plan.is_some_and(|plan| self.plan.as_ref() != Some(plan)) {
            return false;
        }
        match self.state {
            OutboxState::Pending => true,
            OutboxState::Later => self.not_before.is_none_or(|at| at <= claim.now || at > claim.latest_pause()),
            OutboxState::Leased => self.lease_until.is_none_or(|until| until <= claim.now || until > claim.until),
            OutboxState::Draft
            | OutboxState::Held
            | OutboxState::InFlight
            | OutboxState::Unknown
            | OutboxState::Refused
            | OutboxState::Done
            | OutboxState::Gone
            | OutboxState::Cancelled => false,
        }
    }
}
