//! Writing changes: one `PATCH` of one member for each, as many at once as the vendor allows.
//!
//! The batch call (`POST /lists/{id}` with `update_existing`) is not used. It creates every address it does not find, so
//! a member who changed address or left since the last read would be told to Mailchimp anew, and undoing that by a
//! permanent deletion would lock the person out for good. No system is told an address it does not hold; a `PATCH` of
//! one that is not there changes nothing and answers 404. Ten at a time, a hundred take some seconds.

use std::num::NonZeroUsize;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::join_all;
use serde_json::{Value, json};
use unisson_connector::{
    Action, Batch, Calls, Change, Cx, Error, ErrorKind, Outcome, Outcomes, Push, PushSpec, Result,
};
use unisson_sdk::segment;

use crate::names::{Part, Place, parse_record, subscriber_hash};
use crate::wire::{Problem, Title};
use crate::{CONNECTIONS_MAX, Mailchimp};

/// The changes taken at once: some seconds of work at the vendor's pace.
const CHANGES_MAX: NonZeroUsize = NonZeroUsize::new(100).unwrap();

/// What it can do. The vendor documents no delay between a write and the reads after it.
pub(crate) fn spec() -> PushSpec {
    PushSpec {
        actions: vec![Action::Suppress, Action::MarkInvalid, Action::Subscribe, Action::Reconfirm],
        batch_max: CHANGES_MAX,
        idempotent: false,
        read_after_write_lag: Duration::ZERO,
    }
}

#[async_trait]
impl Push for Mailchimp {
    fn spec(&self) -> &PushSpec {
        &self.push
    }

    fn calls(&self, _: Action, changes: usize) -> Calls {
        Calls { path: "/lists", count: changes as u64 }
    }

    async fn push(&self, _: &Cx<'_>, batch: Batch) -> Result<Outcomes> {
        let mut results = Vec::with_capacity(batch.changes().len());
        for some in batch.changes().chunks(CONNECTIONS_MAX.get()) {
            let round = join_all(some.iter().map(|change| self.change(change))).await;
            let is_shut = round.iter().all(is_undone);
            results.extend(round);
            // Nobody of a round got through: the rest would only hammer on a closed door.
            if is_shut {
                break;
            }
        }
        let is_shut = results.iter().all(is_undone);
        match results.pop() {
            Some(Err(error)) if is_shut => return Err(error),
            last => results.extend(last),
        }
        let mut results = results.into_iter();
        Ok(batch.settle(|change| match results.next() {
            Some(Ok(outcome)) => outcome,
            Some(Err(error)) => outcome_of(error.kind(), change.action),
            None => Outcome::Later(None),
        }))
    }
}

impl Mailchimp {
    async fn change(&self, change: &Change) -> Result<Outcome> {
        const DURING: &str = "change a Mailchimp member";
        let refused = |code: &str| Ok(Outcome::Refused(code.to_owned()));
        let Some((list, member)) = parse_record(&change.target.record) else { return refused("not_a_member") };
        let Some(place) = Place::parse(&change.scope).filter(|place| place.list == list) else {
            return refused("slot_of_another_audience");
        };
        let Some(patch) = patch(place.part, change.action) else { return refused("slot_cannot_take_this_change") };
        // A contact known by phone only has no digest; the path takes the lasting id too.
        let Some(key) = subscriber_hash(&change.target).or(member.map(str::to_owned)) else {
            return refused("no_address");
        };
        let call = self.client.patch(&format!("/lists/{}/members/{}", segment(list), segment(&key)));
        // Without it, a member whose required merge field is empty could not opt out.
        let call = call.query("skip_merge_validation", true).json(&patch).accept(&[400, 404]);
        let call = if is_harmless_twice(change.action) { call.repeatable() } else { call };
        let reply = call.send(DURING).await?;
        match reply.status() {
            // Only Mailchimp's own words say that a member is not there; a moved address answers 404 as well.
            404 if reply.json::<Problem>()?.title.is_some() => return Ok(Outcome::NotFound),
            404 => return Err(Error::new(ErrorKind::Contract, DURING).with("status", 404)),
            400 => return Ok(refusal(&reply.json()?)),
            _ => {}
        }
        let member: Value = reply.json()?;
        if !member["status"].is_string() {
            return Err(Error::new(ErrorKind::Contract, DURING).with("missing", "status"));
        }
        if !shows(&member, &patch) {
            return refused("accepted_but_not_done");
        }
        // An opt-in below an audience counts only in a subscribed one.
        let is_live = change.action != Action::Subscribe || place.part == Part::Sms || member["status"] == "subscribed";
        if is_live { Ok(Outcome::Applied) } else { refused("audience_not_subscribed") }
    }
}

/// What a refusal means: all are told by one status code, so the title decides. The texts may hold the address and go
/// no further.
pub(crate) fn refusal(problem: &Problem) -> Outcome {
    let details = problem.errors.iter().map(|error| &error.message).chain([&problem.detail]);
    let is_throttle = details.filter_map(|text| text.get()).any(|text| text.contains("signed up to a lot of lists"));
    let code = match &problem.title {
        Some(Title::InvalidResource) if is_throttle => return Outcome::Later(None),
        Some(Title::InvalidResource) => "invalid_resource",
        Some(Title::InComplianceState) => "member_in_compliance_state",
        Some(Title::Forgotten) => "forgotten_email_not_subscribed",
        Some(Title::Exists) => "member_exists",
        Some(Title::Other(_)) | None => "bad_request",
    };
    Outcome::Refused(code.to_owned())
}

/// The one thing to write; `None` where the platform has no such change for the slot.
///
/// A member's `status` takes subscribed, unsubscribed, cleaned and pending. A dead address is a matter of the whole
/// member, whichever e-mail slot it was met on; there is no word for a dead number, nor a question for a single
/// interest or permission.
fn patch(part: Part<'_>, action: Action) -> Option<Value> {
    let is_in = action == Action::Subscribe;
    Some(match (part, action) {
        (Part::Audience, Action::Suppress) => json!({ "status": "unsubscribed" }),
        (Part::Audience, Action::Subscribe) => json!({ "status": "subscribed" }),
        (Part::Audience, Action::Reconfirm) => json!({ "status": "pending" }),
        (Part::Sms, Action::MarkInvalid) | (_, Action::Reconfirm) => return None,
        (_, Action::MarkInvalid) => json!({ "status": "cleaned" }),
        (Part::Interest(id), _) => json!({ "interests": { id: is_in } }),
        (Part::Permission(id), _) => {
            json!({ "marketing_permissions": [{ "marketing_permission_id": id, "enabled": is_in }] })
        }
        (Part::Sms, _) => json!({ "sms_subscription_status": if is_in { "subscribed" } else { "unsubscribed" } }),
    })
}

/// Whether the member in the answer shows what was written.
fn shows(member: &Value, wanted: &Value) -> bool {
    match (member, wanted) {
        (Value::Object(member), Value::Object(wanted)) => {
            wanted.iter().all(|(name, wanted)| member.get(name).is_some_and(|member| shows(member, wanted)))
        }
        (Value::Array(member), Value::Array(wanted)) => {
            wanted.iter().all(|wanted| member.iter().any(|member| shows(member, wanted)))
        }
        _ => member == wanted,
    }
}

/// Asking twice sends two messages; opting in twice may overtake an opt-out between the two.
fn is_harmless_twice(action: Action) -> bool {
    matches!(action, Action::Suppress | Action::MarkInvalid)
}

/// Whether the change is certainly not made, for a reason that is not its own.
fn is_undone(result: &Result<Outcome>) -> bool {
    use ErrorKind::{Bounds, Config, RateLimited, Scope, Transient};
    let kind = result.as_ref().err().map(Error::kind);
    matches!(kind, Some(Config | Scope | RateLimited(_) | Transient | Bounds))
}

fn outcome_of(kind: ErrorKind, action: Action) -> Outcome {
    match kind {
        ErrorKind::RateLimited(wait) => Outcome::Later(wait),
        ErrorKind::NotFound => Outcome::NotFound,
        ErrorKind::Refused => Outcome::Refused("refused".to_owned()),
        ErrorKind::Lost | ErrorKind::Contract | ErrorKind::Incomplete if !is_harmless_twice(action) => Outcome::Unknown,
        _ => Outcome::Later(None),
    }
}
