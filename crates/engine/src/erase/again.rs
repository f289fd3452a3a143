//! Who comes back: a record of an erased person, seen in any system, begins a case of its own, or joins the one that runs.

use jiff::SignedDuration;
use unisson_consent::Erased;
use unisson_plan::Judged;
use unisson_plan::erasure::{Case, CaseId, CaseState, Origin, Step};
use unisson_store::StoreError;

use super::take;
use crate::host::Run;
use crate::report::RunReport;

/// Within which time people who come back are counted for their source.
const INCIDENT_WINDOW: SignedDuration = SignedDuration::from_hours(24 * 30);
/// How many of them make an incident.
const INCIDENT_AT: u64 = 3;

impl Run<'_> {
    /// The cases that people make necessary who were erased and are there all the same: to be written together with their
    /// judgement, so that a kill in between forgets nobody.
    pub(crate) async fn reappeared(&self, judged: &[Judged], report: &mut RunReport) -> Result<Vec<Case>, StoreError> {
        let mut cases: Vec<Case> = Vec::new();
        for erased in judged.iter().flat_map(|judged| &judged.erased) {
            let known = self.engine.store.cases_of(&erased.asked).await?;
            let first = known.is_empty();
            match known.into_iter().find(|case| case.state.is_open()) {
                Some(case) if case.state >= CaseState::Frozen => cases.extend(self.join(case, erased).await?),
                // It has not been searched for yet: what was seen is found then.
                Some(_) => {}
                None => cases.push(self.reopen(erased, first, report).await?),
            }
        }
        Ok(cases)
    }

    /// Adds what was seen to the case that runs.
    async fn join(&self, mut case: Case, erased: &Erased) -> Result<Option<Case>, StoreError> {
        let before = case.clone();
        let records: Vec<_> = erased.due.iter().map(|(record, _)| record.clone()).collect();
        for (record, number) in records.iter().zip(self.engine.store.numbers(&records).await?) {
            let Some(number) = number else { continue };
            take(&mut case, Step::Sighted { system: record.system.clone(), record: number }, self.now())?;
        }
        Ok((case != before).then_some(case))
    }

    /// Begins a case for somebody who was brought back, or who asked one of the systems and never the host.
    async fn reopen(&self, erased: &Erased, first: bool, report: &mut RunReport) -> Result<Case, StoreError> {
        let now = self.now();
        let shown_first = erased.due.first().map(|(record, _)| record.clone()).or(erased.records.first().cloned());
        let numbers = self.engine.store.numbers(shown_first.as_slice()).await?;
        let numbers: Vec<_> = numbers.into_iter().flatten().collect();
        let shown = self.engine.store.shown(&numbers).await?;
        let stream = shown.into_iter().flatten().next().map(|replica| replica.stream.0).unwrap_or_default();
        let system = shown_first.map_or_else(|| super::receive::HOST.into(), |record| record.system);
        let source = if stream.is_empty() { system.to_string() } else { format!("{system} ({stream})") };
        let id = CaseId(uuid::Uuid::now_v7().to_string());
        let due_at = self.engine.erasures.calendar.due(now);
        let (origin, by) = if erased.due.is_empty() {
            // Only our own memory holds them, as after the restore of a backup.
            (Origin::Request, "the erasure that was asked for before".to_owned())
        } else if first {
            (Origin::Request, format!("the word of {source}"))
        } else {
            *report.erasures.reappeared.entry(source).or_default() += 1;
            (Origin::Reappearance { system, stream }, "the erasure that was asked for before".to_owned())
        };
        let mut case = Case::open(id, origin, now, due_at);
        case.facts.clone_from(&erased.asked);
        take(&mut case, Step::Verified { by }, now)?;
        self.parts(&mut case, &[]);
        Ok(case)
    }

    /// Names the sources that bring erased people back again and again.
    pub(crate) async fn name_incidents(&self, report: &mut RunReport) -> Result<(), StoreError> {
        if report.erasures.reappeared.is_empty() {
            return Ok(());
        }
        let since = self.now().checked_sub(INCIDENT_WINDOW).unwrap_or(jiff::Timestamp::MIN);
        for (system, times) in self.engine.store.reappearances(since).await? {
            let now = report
                .erasures
                .reappeared
                .keys()
                .any(|source| source == system.as_str() || source.starts_with(&format!("{system} (")));
            if now && times >= INCIDENT_AT {
                report.erasures.incidents.insert(system.as_str().to_owned(), times);
            }
        }
        Ok(())
    }
}
