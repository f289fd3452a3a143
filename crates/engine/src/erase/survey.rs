//! The inventory: every system is searched for the person, live, before anything is deleted and again where it was down.

use futures::future::join_all;
use jiff::SignedDuration;
use unisson_connector::{Cx, Error, ErrorKind, Gathered, Observation, StreamId};
use unisson_consent::{RecordId, SystemId};
use unisson_plan::erasure::{Case, Deed, Part, PartHold, Step};
use unisson_plan::{Commit, Digest, Learned, Lesson, learn};
use unisson_store::StoreError;

use super::person::Person;
use super::{Progress, take};
use crate::host::{Instance, Run};

/// The stream of records that only a search has shown: no sweep says that they are gone.
const FOUND: &str = "found by a search";

/// The name of a hold that a system itself tells of.
const TOLD_HOLD: &str = "told by the system";

/// What such a hold keeps.
const TOLD_FIELDS: &str = "what the system keeps apart";

/// What a system said when it was searched.
enum Answer {
    Gathered(Gathered),
    Blind(String),
    Failed(Error),
    /// It is left out of this run.
    Left,
}

impl Run<'_> {
    /// Searches the systems whose search is due, all at once. Whether there was any.
    pub(super) async fn survey(
        &self,
        case: &mut Case,
        deeds: &[Deed],
        progress: &mut Progress,
    ) -> Result<bool, StoreError> {
        let due: Vec<SystemId> = deeds
            .iter()
            .filter_map(|deed| match deed {
                Deed::Survey { system } => Some(system.clone()),
                _ => None,
            })
            .collect();
        if due.is_empty() {
            return Ok(false);
        }
        let person = self.person(case).await?;
        let answers = join_all(due.iter().map(|system| self.search(system, person.as_ref()))).await;
        let mut commit = Commit::new(self.id.clone(), self.heard_at());
        for (system, answer) in due.iter().zip(&answers) {
            if let (Answer::Gathered(gathered), Some(instance)) = (answer, self.instance(system)) {
                commit.learned.extend(self.learn(instance, gathered).await?);
            }
        }
        if commit.learned.iter().any(|learned| !learned.facts.is_empty() || learned.replica.digest != Digest::default())
        {
            self.engine.store.commit(commit).await?;
        }
        // What was found may show more of the person: another address, another number.
        let person = self.person(case).await?;
        let now = self.now();
        for (system, answer) in due.into_iter().zip(answers) {
            let records = self.numbers_at(person.as_ref(), &system).await?;
            let step = match answer {
                Answer::Gathered(gathered) => {
                    Step::Surveyed { system: system.clone(), records, unseen: gathered.unseen }
                }
                Answer::Blind(why) => Step::Blind { system: system.clone(), why, records },
                Answer::Left => Step::Unsearched { system: system.clone(), pause: None },
                Answer::Failed(error) => {
                    let pause = pause_of(&error);
                    progress.failures.push((system.clone(), error));
                    Step::Unsearched { system: system.clone(), pause }
                }
            };
            take(case, step, now)?;
            *progress.done.entry("searched").or_default() += 1;
            if let (Some(part), Some(person)) = (case.parts.get_mut(&system), &person) {
                hold_what_is_told(part, &system, person);
            }
        }
        self.save(case).await.map(|()| true)
    }

    async fn search(&self, system: &SystemId, person: Option<&Person>) -> Answer {
        let Some(instance) = self.instance(system) else {
            return Answer::Blind("it is no longer configured".to_owned());
        };
        if !instance.enabled || !self.includes(instance) {
            return Answer::Left;
        }
        let Some(access) = instance.connector.access() else {
            return Answer::Blind(
                "its connector cannot search: what its last sync showed is all that is known".to_owned(),
            );
        };
        let Some(person) = person else { return Answer::Gathered(Gathered::default()) };
        match access.gather(&Cx { run: &self.id.0 }, &person.seek(system)).await {
            Ok(gathered) => Answer::Gathered(gathered),
            Err(error) => Answer::Failed(error),
        }
    }

    /// What a search showed, as a pull would learn it.
    async fn learn(&self, instance: &Instance, gathered: &Gathered) -> Result<Vec<Learned>, StoreError> {
        let observations: Vec<&Observation> = gathered.holdings.iter().map(|holding| &holding.observation).collect();
        let records: Vec<RecordId> = observations.iter().map(|observation| observation.record.clone()).collect();
        let held = self.engine.store.is_held(&instance.id, &records).await?;
        let known = self.engine.store.replicas(&instance.id, &records).await?;
        let lag = instance.connector.push().map(|push| push.spec().read_after_write_lag).unwrap_or_default();
        let found = StreamId(FOUND.to_owned());
        let mut learned = Vec::new();
        for ((observation, known), held) in observations.into_iter().zip(known).zip(held) {
            let digest = Digest::of(observation);
            if held || known.as_ref().is_some_and(|known| known.digest == digest) {
                continue;
            }
            let lesson = Lesson {
                instance: &instance.id,
                stream: known.as_ref().map_or(&found, |known| &known.stream),
                country: self.engine.law.policy.country.as_str(),
                lag: SignedDuration::try_from(lag).unwrap_or(SignedDuration::MAX),
                now: self.now(),
                observed_at: self.heard_at(),
            };
            learned.push(learn(observation, digest, known.as_ref(), &lesson));
        }
        Ok(learned)
    }

    /// A part for every system: each of them may hold the person.
    pub(super) fn parts(&self, case: &mut Case, holds: &[String]) {
        for instance in &self.engine.instances {
            let mut part = Part::new(instance.connector.erase().is_none());
            if let Some(erase) = instance.connector.erase() {
                part.residual_secs = erase.spec().residual_max.as_secs();
            }
            let rules = self.engine.erasures.holds.iter().filter(|rule| rule.system == instance.id);
            let applied = rules.filter(|rule| rule.always || holds.contains(&rule.name));
            // Of several holds the longest counts, and everything that one of them keeps.
            for hold in applied.map(|rule| rule.applied(case.received_at)).filter(|hold| hold.until > self.now()) {
                part.hold = Some(match part.hold.take() {
                    None => hold,
                    Some(before) => PartHold {
                        name: format!("{}, {}", before.name, hold.name),
                        fields: before.fields.into_iter().chain(hold.fields).collect(),
                        until: before.until.max(hold.until),
                    },
                });
            }
            case.parts.insert(instance.id.clone(), part);
        }
    }
}

/// A system that tells of a hold of its own is believed.
fn hold_what_is_told(part: &mut Part, system: &SystemId, person: &Person) {
    let Some(until) = person.erased.held_until else { return };
    let here = person
        .erased
        .due
        .iter()
        .any(|(record, verb)| record.system == *system && *verb == unisson_consent::Verb::EraseExceptHold);
    if here && part.hold.is_none() {
        // Which fields it means is not told: without any named, the whole record would be erased.
        let fields = vec![TOLD_FIELDS.to_owned()];
        part.hold = Some(PartHold { name: TOLD_HOLD.to_owned(), fields, until });
    }
}

/// How long a platform asks to be left alone.
pub(super) fn pause_of(error: &Error) -> Option<SignedDuration> {
    match error.kind() {
        ErrorKind::RateLimited(Some(after)) => SignedDuration::try_from(after).ok(),
        _ => None,
    }
}
