//! Judging every subject whose standing is stale, batch by batch, each batch in one commit.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::future::join;
use unisson_consent::SystemId;
use unisson_plan::{Commit, Dossier, Judged, OpenState, Rules, SubjectNo, judge};
use unisson_store::StoreError;

use crate::host::{Instance, Run, count, off_thread};
use crate::report::RunReport;

impl Run<'_> {
    pub(crate) async fn judge(&self, report: &mut RunReport) -> Result<(), StoreError> {
        let engine = self.engine;
        let rules = Arc::new(self.rules(report));
        for part in report.instances.values_mut() {
            part.unreached.clear();
        }
        // A lost answer that no fresh read has settled, or a change that nothing can carry out, keeps its subject stale:
        // it is judged once here.
        let mut unsettled: BTreeSet<SubjectNo> = BTreeSet::new();
        let mut judged: Vec<Judged> = Vec::new();
        loop {
            let now = self.now();
            let most = unsettled.len() + judged.len() + engine.options.judge_batch;
            let mut batch = engine.store.stale(now, most).await?;
            let unwritten: BTreeSet<SubjectNo> = judged.iter().map(|one| one.subject).collect();
            batch.retain(|subject| !unsettled.contains(subject) && !unwritten.contains(subject));
            if batch.is_empty() && judged.is_empty() {
                return Ok(());
            }
            let dossiers = engine.store.dossiers(&batch).await?;
            unsettled.extend(dossiers.iter().filter(|dossier| has_lost_answer(dossier)).map(|dossier| dossier.subject));
            // One batch is judged while the one before it is written.
            let (law, rules) = (Arc::clone(&engine.law), Arc::clone(&rules));
            let weighed = off_thread(move || {
                dossiers.iter().map(|dossier| judge(dossier, &law, &rules, now)).collect::<Vec<_>>()
            });
            let (written, weighed) = join(self.write(std::mem::take(&mut judged), report), weighed).await;
            written?;
            for one in &weighed {
                note(one, report);
            }
            unsettled.extend(weighed.iter().filter(|one| !one.unreached.is_empty()).map(|one| one.subject));
            report.judged += weighed.len() as u64;
            engine.progress.judged(weighed.len() as u64);
            judged = weighed;
        }
    }

    async fn write(&self, judged: Vec<Judged>, report: &mut RunReport) -> Result<(), StoreError> {
        if judged.is_empty() {
            return Ok(());
        }
        let mut commit = Commit::new(self.id.clone(), self.now());
        commit.cases = self.reappeared(&judged, report).await?;
        commit.judged = judged;
        self.engine.store.commit(commit).await?;
        Ok(())
    }

    /// What may be done at each instance in this run.
    pub(crate) fn rules(&self, report: &RunReport) -> BTreeMap<SystemId, Rules> {
        self.engine
            .instances
            .iter()
            .map(|instance| {
                let complete = report.instances.get(instance.id.as_str()).is_some_and(|part| part.complete);
                (instance.id.clone(), rules(instance, complete && self.includes(instance)))
            })
            .collect()
    }
}

/// What may be done at one instance, which was read completely or not.
pub(crate) fn rules(instance: &Instance, fresh: bool) -> Rules {
    let push = instance.connector.push();
    Rules {
        enforce: instance.enforce,
        reachable: instance.enabled && push.is_some(),
        fresh,
        actions: push.map(|push| push.spec().actions.iter().copied().collect()).unwrap_or_default(),
    }
}

fn has_lost_answer(dossier: &Dossier) -> bool {
    dossier.open.iter().any(|open| open.state == OpenState::Unknown)
}

fn note(judged: &Judged, report: &mut RunReport) {
    for planned in &judged.changes {
        let part = report.instances.entry(planned.instance.as_str().to_owned()).or_default();
        count(&mut part.planned, format!("{} {}", planned.change.action.as_str(), planned.reason.as_str()), 1);
    }
    for unreached in &judged.unreached {
        let part = report.instances.entry(unreached.instance.as_str().to_owned()).or_default();
        count(&mut part.unreached, format!("{}: {}", unreached.verb.as_str(), unreached.why), 1);
    }
}
