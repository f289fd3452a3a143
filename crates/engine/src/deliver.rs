//! Delivering: claims under lease, batches to the connector's size, one outcome for each change, settled by a commit.

use std::collections::BTreeMap;

use futures::StreamExt as _;
use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use unisson_connector::{Action, Batch, ChangeId, Cx, Error, ErrorKind, Outcome, Push, PushSpec};
use unisson_consent::{RecordId, Status};
use unisson_plan::{Commit, Learned, Replica, Settled, Settlement, Wrote, acknowledge, intend, shows_after};
use unisson_store::{Claim, Claimed, StoreError};

use crate::host::{Instance, Run, count};
use crate::report::{InstanceReport, RunReport};

/// How many batches of one instance are under way at once. Its own limits are kept below, by the transport.
const BATCHES_AT_ONCE: usize = 4;
/// How many changes are claimed at once, in batches.
const BATCHES_CLAIMED: usize = 8;
/// How often in a row an instance may fail before delivery to it ends for this run.
const FAILURES_MAX: u32 = 3;
/// The first pause before a change is tried again; each further one is twice as long.
const PAUSE_FIRST: SignedDuration = SignedDuration::from_secs(30);
/// The longest such pause.
const PAUSE_MAX: SignedDuration = SignedDuration::from_hours(6);

/// The pause before a suppression that the platform refused is tried again.
const PAUSE_REFUSED: SignedDuration = SignedDuration::from_hours(24);

/// Changes that share action and scope, with what is known of each.
type Group = Vec<Claimed>;

impl Run<'_> {
    /// Delivers what is released, all instances at once.
    pub(crate) async fn deliver(&self, report: &mut RunReport) -> Result<(), StoreError> {
        // Whoever was not read may know of a refusal: then nobody is brought back.
        let openings = self.order.only.is_empty() && self.engine.instances.iter().all(|one| is_heard(one, report));
        let parts = self.engine.instances.iter().map(|instance| {
            let part = report.instances.get(instance.id.as_str()).cloned().unwrap_or_default();
            self.deliver_instance(instance, part, openings)
        });
        let parts = join_all(parts).await;
        for (instance, part) in self.engine.instances.iter().zip(parts) {
            report.instances.insert(instance.id.as_str().to_owned(), part?);
        }
        Ok(())
    }

    async fn deliver_instance(
        &self,
        instance: &Instance,
        mut report: InstanceReport,
        openings: bool,
    ) -> Result<InstanceReport, StoreError> {
        let Some(push) = instance.connector.push().filter(|_| instance.enabled && self.includes(instance)) else {
            return Ok(report);
        };
        // Nobody is let in before everybody was shut out who is to be: batches are under way side by side.
        let all_tried = self.deliver_due((instance, push), &mut report, false).await?;
        if openings && all_tried {
            self.deliver_due((instance, push), &mut report, true).await?;
        }
        Ok(report)
    }

    /// Delivers until nothing is due any more, or too much failed. Tells whether everything was tried.
    async fn deliver_due(
        &self,
        (instance, push): (&Instance, &dyn Push),
        report: &mut InstanceReport,
        openings: bool,
    ) -> Result<bool, StoreError> {
        let spec = push.spec();
        let size = spec.batch_max.get();
        let mut failures = 0;
        while failures < FAILURES_MAX {
            let now = self.now();
            let until = now.checked_add(self.engine.options.lease).unwrap_or(now);
            let (limit, plan) = (size * BATCHES_CLAIMED, self.plan.as_ref());
            let claim = Claim { instance: &instance.id, now, until, limit, openings, plan };
            let claimed = self.engine.store.claim(claim).await?;
            if claimed.is_empty() {
                return Ok(true);
            }
            // Several changes of one record are acknowledged one after the other, each on what the last one left.
            let mut shown = self.intend(&claimed).await?;
            let deliveries = groups(claimed, size).into_iter().map(|group| self.deliver_group(push, group));
            let mut answers = futures::stream::iter(deliveries).buffer_unordered(BATCHES_AT_ONCE);
            let mut failed = false;
            while let Some((answered, error)) = answers.next().await {
                self.engine.progress.delivered(&instance.id, answered.len() as u64);
                let mut commit = Commit::new(self.id.clone(), self.now());
                for (one, outcome) in answered {
                    let refused = match &outcome {
                        Outcome::Refused(code) => Some(format!("refused: {code}")),
                        _ => None,
                    };
                    if refused.is_some() {
                        let known = shown.get(&one.change.target.record).unwrap_or(&one.replica);
                        let replica = intend(known, &one.change.scope, None);
                        shown.insert(one.change.target.record.clone(), replica.clone());
                        commit.learned.push(Learned { replica, facts: Vec::new() });
                    }
                    let settled = self.settle(&one, outcome, spec, &mut shown);
                    let word = refused.unwrap_or_else(|| word(&settled.settlement));
                    let what = format!("{} {word}", one.change.action.as_str());
                    count(&mut report.delivered, what, 1);
                    commit.settled.push(settled);
                }
                self.engine.store.commit(commit).await?;
                if let Some(error) = error {
                    tracing::warn!(instance.name = %instance.id, error = %error, "a batch was not delivered");
                    report.fail(&error);
                    failed = true;
                    if matches!(error.kind(), ErrorKind::Config | ErrorKind::Scope | ErrorKind::RateLimited(_)) {
                        failures = FAILURES_MAX;
                    }
                }
            }
            failures = if failed { failures + 1 } else { 0 };
        }
        Ok(false)
    }

    /// Remembers what is about to be sent: a write whose answer is lost, by a cut line or a kill, is no word of the
    /// person's when it comes back.
    async fn intend(&self, claimed: &[Claimed]) -> Result<BTreeMap<RecordId, Replica>, StoreError> {
        let now = self.now();
        let mut shown: BTreeMap<RecordId, Replica> = BTreeMap::new();
        for one in claimed {
            let change = &one.change;
            let known = shown.get(&change.target.record).unwrap_or(&one.replica);
            let before = known.slot(&change.scope).map_or(Status::Unknown, |slot| slot.status);
            let wrote = Wrote { before, status: shows_after(change.action), at: now };
            let replica = intend(known, &change.scope, Some(wrote));
            shown.insert(change.target.record.clone(), replica);
        }
        let mut commit = Commit::new(self.id.clone(), now);
        commit.learned =
            shown.values().map(|replica| Learned { replica: replica.clone(), facts: Vec::new() }).collect();
        self.engine.store.commit(commit).await?;
        Ok(shown)
    }

    /// Delivers one group; where the platform refuses it whole, its halves, until the poisonous change stands alone.
    async fn deliver_group(&self, push: &dyn Push, group: Group) -> (Vec<(Claimed, Outcome)>, Option<Error>) {
        let cx = Cx { run: &self.id.0 };
        let mut waiting = vec![group];
        let mut answered = Vec::new();
        let mut failure = None;
        while let Some(mut group) = waiting.pop() {
            let batch = Batch::new(group.iter().map(|claimed| claimed.change.clone()).collect());
            match push.push(&cx, batch).await {
                Ok(outcomes) => {
                    let mut outcomes: BTreeMap<ChangeId, Outcome> = outcomes.into_iter().collect();
                    answered.extend(group.into_iter().map(|one| {
                        let outcome = outcomes.remove(&one.change.id).unwrap_or(Outcome::Unknown);
                        (one, outcome)
                    }));
                }
                Err(error) if error.kind() == ErrorKind::Refused && group.len() > 1 => {
                    let rest = group.split_off(group.len() / 2);
                    waiting.extend([rest, group]);
                }
                Err(error) => {
                    let outcome = assume(&error);
                    answered.extend(group.into_iter().map(|one| (one, outcome.clone())));
                    failure = (!matches!(outcome, Outcome::Refused(_))).then_some(error).or(failure);
                }
            }
        }
        (answered, failure)
    }

    fn settle(
        &self,
        claimed: &Claimed,
        outcome: Outcome,
        spec: &PushSpec,
        shown: &mut BTreeMap<RecordId, Replica>,
    ) -> Settled {
        let now = self.now();
        let change = &claimed.change;
        let (settlement, replica) = match outcome {
            Outcome::Applied | Outcome::AlreadySo => {
                let known = shown.get(&change.target.record).unwrap_or(&claimed.replica);
                let before = known.slot(&change.scope).map_or(Status::Unknown, |slot| slot.status);
                let wrote = Wrote { before, status: shows_after(change.action), at: now };
                let replica = acknowledge(known, &change.scope, wrote);
                shown.insert(change.target.record.clone(), replica.clone());
                (Settlement::Done, Some(replica))
            }
            Outcome::NotFound => (Settlement::Gone, None),
            Outcome::InFlight(ticket) => (Settlement::InFlight(ticket), None),
            Outcome::Later(after) => {
                let after = after.and_then(|after| SignedDuration::try_from(after).ok());
                (Settlement::Later(later(now, after.unwrap_or_else(|| pause(claimed.attempts)))), None)
            }
            // Whoever said no must not stay mailable because of one refusal: a suppression is tried again, rarely.
            Outcome::Refused(_) if matches!(change.action, Action::Suppress | Action::MarkInvalid) => {
                (Settlement::Later(later(now, PAUSE_REFUSED)), None)
            }
            Outcome::Refused(code) => (Settlement::Refused(code), None),
            // What may be done twice is simply done again; anything else is read back first.
            Outcome::Unknown if spec.idempotent => (Settlement::Later(later(now, pause(claimed.attempts))), None),
            Outcome::Unknown => (Settlement::Unknown, None),
        };
        Settled { id: change.id.clone(), settlement, replica }
    }
}

/// Whether this run has read every refusal that an instance shows: where only a sweep shows opt-outs, by a sweep.
fn is_heard(instance: &Instance, report: &RunReport) -> bool {
    let shows = instance.connector.pull().is_none_or(|pull| pull.spec().incremental_shows_opt_outs);
    report.instances.get(instance.id.as_str()).is_some_and(|part| part.complete && (part.swept || shows))
}

/// What a failure of a whole batch says of each change in it.
fn assume(error: &Error) -> Outcome {
    match error.kind() {
        ErrorKind::RateLimited(after) => Outcome::Later(after),
        ErrorKind::Refused => {
            let status = error.context().iter().find(|(name, _)| *name == "status").map(|(_, value)| value.as_str());
            match status {
                // Only these say something of the one contact; an unpaid account or a closed interface says nothing.
                None | Some("400" | "409" | "422") => Outcome::Refused(status.unwrap_or("refused").to_owned()),
                Some(_) => Outcome::Later(None),
            }
        }
        // A call that found nothing says nothing of the contacts in it: a moved address answers like a missing person.
        ErrorKind::NotFound | ErrorKind::Bounds => Outcome::Later(None),
        // The answer was not what the platform documents: it may have acted all the same.
        ErrorKind::Lost | ErrorKind::Contract => Outcome::Unknown,
        ErrorKind::Config | ErrorKind::Scope | ErrorKind::Transient | ErrorKind::Incomplete => Outcome::Later(None),
    }
}

/// Cuts what was claimed into batches that share action and scope.
fn groups(claimed: Vec<Claimed>, size: usize) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for one in claimed {
        let same = |group: &Group| {
            group.first().is_some_and(|first| {
                (first.change.action, &first.change.scope) == (one.change.action, &one.change.scope)
            })
        };
        match groups.last_mut() {
            Some(group) if same(group) && group.len() < size => group.push(one),
            _ => groups.push(vec![one]),
        }
    }
    groups
}

fn pause(attempts: u32) -> SignedDuration {
    let doubled = PAUSE_FIRST.checked_mul(1_i32.checked_shl(attempts.min(20)).unwrap_or(1)).unwrap_or(PAUSE_MAX);
    doubled.min(PAUSE_MAX)
}

fn later(now: Timestamp, after: SignedDuration) -> Timestamp {
    now.checked_add(after).unwrap_or(now)
}

fn word(settlement: &Settlement) -> String {
    match settlement {
        Settlement::Done => "done".to_owned(),
        Settlement::Gone => "gone".to_owned(),
        Settlement::InFlight(_) => "in flight".to_owned(),
        Settlement::Later(_) => "later".to_owned(),
        Settlement::Refused(code) => format!("refused: {code}"),
        Settlement::Unknown => "unknown".to_owned(),
    }
}
