//! Judging every subject whose standing is stale, batch by batch, each batch in one commit.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use unisson_consent::SystemId;
use unisson_plan::{Commit, Dossier, Judged, OpenState, Rules, SubjectNo, judge};
use unisson_store::StoreError;

use crate::host::{Run, count};
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
        loop {
            let now = self.now();
            let stale = engine.store.stale(now, unsettled.len() + engine.options.judge_batch).await?;
            let batch: Vec<SubjectNo> = stale.into_iter().filter(|subject| !unsettled.contains(subject)).collect();
            if batch.is_empty() {
                return Ok(());
            }
            let dossiers = engine.store.dossiers(&batch).await?;
            unsettled.extend(dossiers.iter().filter(|dossier| has_lost_answer(dossier)).map(|dossier| dossier.subject));
            let judged = weigh(dossiers, Arc::clone(&engine.law), Arc::clone(&rules), now).await;
            for one in &judged {
                note(one, report);
            }
            unsettled.extend(judged.iter().filter(|one| !one.unreached.is_empty()).map(|one| one.subject));
            report.judged += judged.len() as u64;
            engine.progress.judged(judged.len() as u64);
            let mut commit = Commit::new(self.id.clone(), now);
            commit.judged = judged;
            engine.store.commit(commit).await?;
        }
    }

    /// What may be done at each instance in this run.
    fn rules(&self, report: &RunReport) -> BTreeMap<SystemId, Rules> {
        self.engine
            .instances
            .iter()
            .map(|instance| {
                let push = instance.connector.push();
                let complete = report.instances.get(instance.id.as_str()).is_some_and(|part| part.complete);
                let rules = Rules {
                    enforce: instance.enforce,
                    reachable: instance.enabled && push.is_some(),
                    fresh: complete && self.includes(instance),
                    actions: push.map(|push| push.spec().actions.iter().copied().collect()).unwrap_or_default(),
                };
                (instance.id.clone(), rules)
            })
            .collect()
    }
}

fn has_lost_answer(dossier: &Dossier) -> bool {
    dossier.open.iter().any(|open| open.state == OpenState::Unknown)
}

/// Judges off the async threads: it is pure work.
async fn weigh(
    dossiers: Vec<Dossier>,
    law: Arc<unisson_consent::Law>,
    rules: Arc<BTreeMap<SystemId, Rules>>,
    now: jiff::Timestamp,
) -> Vec<Judged> {
    let work = move || dossiers.iter().map(|dossier| judge(dossier, &law, &rules, now)).collect();
    match tokio::task::spawn_blocking(work).await {
        Ok(judged) => judged,
        Err(died) => std::panic::resume_unwind(died.into_panic()),
    }
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
