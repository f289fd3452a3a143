//! Gathering: the outbox page by page, each change with the decision behind it, kept as figures and a few samples.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use unisson_connector::{Action, Allowance, Calls, ChangeId, Connector};
use unisson_consent::{Interval, Reason, Scope, SystemId};
use unisson_plan::{
    CALL_ASSUMED, Effort, Ground, GuardRule, Rules, SubjectNo, Tally, ToldFact, admit, effort, grounds, masked,
};
use unisson_store::{OutboxChange, OutboxNo, StoreError};

use super::{
    EffortOutlook, GuardOutlook, InstanceOutlook, OutlookFact, OutlookGroup, OutlookSample, OutlookSource, PAGE,
};
use crate::host::{Instance, Run, off_thread};
use crate::report::RunReport;

/// How many facts behind a sample are told.
const FACTS_TOLD_MAX: usize = 5;

/// A kind of fact: who told it, what happened, and the level of evidence. There are few.
type SourceKey = (Option<SystemId>, String, Option<u8>);

/// From the first time to the last.
type Span = (Timestamp, Timestamp);

/// What is gathered of one instance.
#[derive(Default)]
struct Gathered {
    groups: BTreeMap<(Action, Reason), Group>,
    /// How many changes go to each slot: those that share one go together.
    slots: BTreeMap<(Action, Scope), usize>,
}

/// What is gathered of one group.
#[derive(Default)]
struct Group {
    changes: u64,
    by_person: u64,
    states: BTreeMap<&'static str, u64>,
    sources: BTreeMap<SourceKey, Source>,
    outdated: u64,
    samples: BTreeMap<ChangeId, OutlookSample>,
}

/// How often something was told, and when.
struct Source {
    changes: u64,
    times: Option<Span>,
}

/// A page of changes with what is behind each.
struct Looked {
    grounds: BTreeMap<ChangeId, Ground>,
    scopes: BTreeMap<ChangeId, Scope>,
}

impl Run<'_> {
    /// Pulls, judges, and tells what waits at each instance that takes part.
    pub(super) async fn plan(
        &self,
        samples: usize,
        report: &mut RunReport,
    ) -> Result<BTreeMap<String, InstanceOutlook>, StoreError> {
        self.look(report).await?;
        self.left_over(report).await?;
        let mut gathered = self.gather(samples, report).await?;
        let tallies = self.engine.store.tally().await?;
        let mut instances = BTreeMap::new();
        for instance in self.engine.instances.iter().filter(|instance| self.takes_part(instance)) {
            let name = instance.id.as_str();
            let found = gathered.remove(&instance.id).unwrap_or_default();
            let tally = tallies.iter().find(|tally| tally.instance == instance.id);
            let part = report.instances.get(name).cloned().unwrap_or_default();
            let groups = groups(found.groups);
            let outlook = InstanceOutlook {
                platform: instance.connector.info().title,
                enforce: part.enforce,
                complete: part.complete,
                changes: groups.iter().map(|group| group.changes).sum(),
                groups,
                effort: effort_of(instance.connector.as_ref(), &found.slots),
                guard: self.guard(tally, self.engine.store.contacts(&instance.id).await?, part.held),
            };
            instances.insert(name.to_owned(), outlook);
        }
        Ok(instances)
    }

    /// Goes through what waits, page by page.
    async fn gather(&self, samples: usize, report: &RunReport) -> Result<BTreeMap<SystemId, Gathered>, StoreError> {
        let rules = Arc::new(self.rules(report));
        let instances = self.engine.instances.iter().filter(|instance| self.takes_part(instance));
        let included: BTreeSet<&SystemId> = instances.map(|instance| &instance.id).collect();
        let mut gathered: BTreeMap<SystemId, Gathered> = BTreeMap::new();
        let mut after: Option<OutboxNo> = None;
        loop {
            let mut page = self.engine.store.planned(after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(gathered) };
            after = Some(last.no);
            page.retain(|change| included.contains(&change.instance));
            let mut looked = self.look_behind(&page, Arc::clone(&rules)).await?;
            for change in page {
                gathered.entry(change.instance.clone()).or_default().add(&change, &mut looked, samples);
            }
        }
    }

    /// What is behind the changes of a page.
    async fn look_behind(
        &self,
        page: &[OutboxChange],
        rules: Arc<BTreeMap<SystemId, Rules>>,
    ) -> Result<Looked, StoreError> {
        let subjects: BTreeSet<SubjectNo> = page.iter().map(|change| change.subject).collect();
        let subjects: Vec<SubjectNo> = subjects.into_iter().collect();
        let dossiers = self.engine.store.dossiers(&subjects).await?;
        let (law, now) = (Arc::clone(&self.engine.law), self.now());
        let looked = off_thread(move || {
            let mut looked = Looked { grounds: BTreeMap::new(), scopes: BTreeMap::new() };
            for dossier in dossiers {
                looked.grounds.extend(grounds(&dossier, &law, &rules, now));
                looked.scopes.extend(dossier.open.into_iter().map(|open| (open.id, open.scope)));
            }
            looked
        });
        Ok(looked.await)
    }

    /// Whether anything can be planned at an instance in this run.
    fn takes_part(&self, instance: &Instance) -> bool {
        instance.enabled && self.includes(instance)
    }

    fn guard(&self, tally: Option<&Tally>, of: u64, held: BTreeMap<String, u64>) -> GuardOutlook {
        let GuardRule { count, share } = self.engine.options.guard;
        let holds = tally.is_some_and(|tally| admit(std::slice::from_ref(tally), self.engine.options.guard).is_err());
        let contacts = tally.map_or(0, |tally| tally.changes);
        GuardOutlook { holds: holds || !held.is_empty(), contacts, of, count, share, held }
    }
}

impl Gathered {
    fn add(&mut self, change: &OutboxChange, looked: &mut Looked, samples: usize) {
        let ground = looked.grounds.remove(&change.id);
        if let Some(scope) = looked.scopes.remove(&change.id) {
            *self.slots.entry((change.action, scope)).or_default() += 1;
        }
        let group = self.groups.entry((change.action, change.reason)).or_default();
        group.changes += 1;
        group.by_person += u64::from(change.by_person);
        *group.states.entry(change.state.as_str()).or_default() += 1;
        match ground {
            Some(ground) => group.rests_on(&change.id, &ground, samples),
            None => group.outdated += 1,
        }
    }
}

impl Group {
    fn rests_on(&mut self, id: &ChangeId, ground: &Ground, samples: usize) {
        let mut told: BTreeMap<SourceKey, Option<Span>> = BTreeMap::new();
        for fact in &ground.facts {
            let key = (Some(fact.system.clone()), fact.what.clone(), fact.level.map(unisson_consent::Level::number));
            let times = told.entry(key).or_default();
            *times = widest(*times, Some((fact.at.hi, fact.at.hi)));
        }
        if told.is_empty() {
            told.insert((None, "nobody said anything".to_owned(), None), None);
        }
        for (key, times) in told {
            let source = self.sources.entry(key).or_insert(Source { changes: 0, times: None });
            source.changes += 1;
            source.times = widest(source.times, times);
        }
        // Ids are digests: the lowest of them are a choice by chance, and the same one each time.
        let is_chosen =
            self.samples.len() < samples || self.samples.last_key_value().is_some_and(|(last, _)| id < last);
        if samples > 0 && is_chosen {
            self.samples.insert(id.clone(), sample(id, ground));
            while self.samples.len() > samples {
                self.samples.pop_last();
            }
        }
    }
}

fn widest(one: Option<Span>, other: Option<Span>) -> Option<Span> {
    match (one, other) {
        (Some((first, last)), Some((early, late))) => Some((first.min(early), last.max(late))),
        (some, None) | (None, some) => some,
    }
}

fn sample(id: &ChangeId, ground: &Ground) -> OutlookSample {
    OutlookSample {
        change: id.0.clone(),
        address: masked(&ground.address),
        slot: ground.slot(),
        shows: ground.shows.as_str(),
        status: ground.decision.status.as_str(),
        sentence: ground.sentence(),
        because: ground.facts.iter().take(FACTS_TOLD_MAX).map(fact).collect(),
        more: ground.facts.len().saturating_sub(FACTS_TOLD_MAX),
    }
}

fn fact(told: &ToldFact) -> OutlookFact {
    let Interval { lo, hi } = told.at;
    OutlookFact {
        system: told.system.as_str().to_owned(),
        what: told.what.clone(),
        scope: told.scope.clone(),
        not_before: lo,
        not_after: hi,
        observed_at: told.observed_at,
        actor: told.actor.as_str(),
        level: told.level.map(unisson_consent::Level::number),
    }
}

fn groups(gathered: BTreeMap<(Action, Reason), Group>) -> Vec<OutlookGroup> {
    let mut groups: Vec<OutlookGroup> = gathered
        .into_iter()
        .map(|((action, reason), group)| OutlookGroup {
            action: action.as_str(),
            reason: reason.as_str(),
            changes: group.changes,
            by_person: group.by_person,
            states: group.states,
            sources: sources(group.sources, action),
            outdated: group.outdated,
            samples: group.samples.into_values().collect(),
        })
        .collect();
    // The order of the actions is kept: shutting out comes before letting in.
    let place =
        |action: &str| ["suppress", "mark_invalid", "subscribe", "reconfirm"].iter().position(|one| *one == action);
    groups.sort_by_key(|group| (place(group.action), std::cmp::Reverse(group.changes), group.reason));
    groups
}

fn sources(gathered: BTreeMap<SourceKey, Source>, action: Action) -> Vec<OutlookSource> {
    let mut sources: Vec<OutlookSource> = gathered
        .into_iter()
        .map(|((system, what, level), source)| OutlookSource {
            system: system.map(|system| system.as_str().to_owned()),
            what,
            level,
            changes: source.changes,
            first: source.times.map(|(first, _)| first),
            last: source.times.map(|(_, last)| last),
        })
        .collect();
    // Where somebody is shut out, what says so comes before the opt-in that it outweighs.
    let outweighed = matches!(action, Action::Suppress | Action::MarkInvalid);
    sources.sort_by_key(|source| (outweighed && source.level.is_some(), std::cmp::Reverse(source.changes)));
    sources
}

/// The calls of a delivery, cut into batches as they are delivered, under the platform's allowances.
fn effort_of(connector: &dyn Connector, slots: &BTreeMap<(Action, Scope), usize>) -> EffortOutlook {
    let Some(push) = connector.push() else { return EffortOutlook::default() };
    let most = push.spec().batch_max.get();
    let mut calls: Vec<Calls> = Vec::new();
    for ((action, _), changes) in slots {
        let whole = push.calls(*action, most);
        calls.push(Calls { count: whole.count.saturating_mul((changes / most) as u64), ..whole });
        calls.push(push.calls(*action, changes % most));
    }
    let Effort { calls, bound } = effort(&calls, &connector.info().limits);
    let mut outlook = EffortOutlook { calls, ..EffortOutlook::default() };
    if let Some(bound) = bound {
        outlook.limit = Some(bound.limiter);
        outlook.seconds = Some(bound.time.as_millis().div_ceil(1_000).try_into().unwrap_or(u64::MAX));
        match bound.allowance {
            Allowance::Rate { calls, per } => {
                outlook.limit_calls = Some(u64::from(calls.get()));
                outlook.limit_seconds = Some(per.as_secs_f64());
            }
            Allowance::Concurrent(calls) => {
                outlook.limit_calls = Some(calls.get() as u64);
                outlook.assumed_call_ms = Some(CALL_ASSUMED.as_millis().try_into().unwrap_or(u64::MAX));
            }
        }
    }
    outlook
}
