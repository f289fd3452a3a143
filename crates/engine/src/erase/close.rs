//! The end of a case: our own memory is purged, and the journal hears of it.

use unisson_plan::RecordNo;
use unisson_plan::erasure::{Case, CaseState, Held, Step, TaskState};
use unisson_store::{Purge, StoreError};

use super::person::by_number;
use super::take;
use crate::host::Run;
use crate::journal::JournalLine;

impl Run<'_> {
    /// Forgets the person, and locks away what a hold keeps.
    pub(super) async fn close(&self, case: &mut Case) -> Result<(), StoreError> {
        let person = self.person(case).await?;
        let kept: Vec<RecordNo> = case
            .tasks()
            // What stays at the platform, for whatever reason, is none of marketing's business any more.
            .filter(|(_, _, task)| matches!(task.state, TaskState::Held { .. } | TaskState::Impossible(_)))
            .map(|(_, record, _)| record)
            .collect();
        let shown = by_number(&kept, self.engine.store.shown(&kept).await?);
        take(case, Step::Closed, self.now())?;
        let held = shown.into_iter().map(|(number, replica)| {
            let addresses = match &person {
                Some(person) => person.target(&replica).addresses,
                None => replica.who.addresses.clone(),
            };
            (number, Held::lock(replica.record, addresses))
        });
        let (records, loose) = person
            .as_ref()
            .map_or_else(Default::default, |person| (person.erased.records.clone(), person.erased.loose.clone()));
        let purge = Purge {
            run: self.id.clone(),
            at: self.heard_at(),
            case: case.clone(),
            records,
            loose,
            held: held.collect(),
        };
        self.engine.store.purge(purge).await?;
        self.tell_end(case).await
    }

    /// Tells the journal how a case stands at its end.
    pub(super) async fn tell_end(&self, case: &Case) -> Result<(), StoreError> {
        debug_assert!(case.state >= CaseState::CompletedWithHolds, "only ends are told");
        let line = JournalLine::Case { case: case.id.clone(), state: case.state, at: self.now() };
        self.record(&[line]).await.map(|_| ())
    }
}
