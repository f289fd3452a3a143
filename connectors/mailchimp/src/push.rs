//! Writing changes: one `PATCH` of one member for each, as many at once as the vendor allows.
//!
//! The batch call (`POST /lists/{id}` with `update_existing`) is not used. It creates every address it does not find, so
//! a member who changed address or left since the last read would be told to Mailchimp anew, and undoing that by a
//! permanent deletion would lock the person out for good. No system is told an address it does not hold; a `PATCH` of
//! one that is not there changes nothing and answers 404. Ten at a time, a hundred take some seconds.

use std::collections::BTreeMap;

use async_trait::async_trait;
use futures::future::join_all;
use unisson_connector::{Action, Batch, Change, Cx, ErrorKind, Outcome, Outcomes, Push, PushSpec, Result};
use unisson_sdk::segment;

use crate::names::{Place, parse_record, subscriber_hash};
use crate::wire::{Member, MemberStatus, Patch, Problem, SmsStatus, Switch, Title};
use crate::{CONNECTIONS_MAX, Mailchimp};

#[async_trait]
impl Push for Mailchimp {
    fn spec(&self) -> &PushSpec {
        &self.push
    }

    async fn push(&self, _: &Cx<'_>, batch: Batch) -> Result<Outcomes> {
        let mut results = Vec::with_capacity(batch.changes().len());
        for some in batch.changes().chunks(CONNECTIONS_MAX) {
            let round = join_all(some.iter().map(|change| self.change(change))).await;
            let is_shut = round.iter().all(|result| result.as_ref().is_err_and(|error| is_undone(error.kind())));
            results.extend(round);
            // Nobody of a round got through: the rest would only hammer on a closed door.
            if is_shut {
                break;
            }
        }
        if results.iter().all(|result| result.as_ref().is_err_and(|error| is_undone(error.kind())))
            && let Some(Err(error)) = results.pop()
        {
            return Err(error);
        }
        let mut results = results.into_iter();
        Ok(batch.settle(|_| match results.next() {
            Some(Ok(outcome)) => outcome,
            Some(Err(error)) => outcome_of(error.kind()),
            None => Outcome::Later(None),
        }))
    }
}

impl Mailchimp {
    async fn change(&self, change: &Change) -> Result<Outcome> {
        let refused = |code: &str| Ok(Outcome::Refused(code.to_owned()));
        let (Some(place), Some((list, member))) = (Place::parse(&change.scope), parse_record(&change.target.record))
        else {
            return refused("not_a_slot_of_mailchimp");
        };
        if place.list() != list {
            return refused("slot_of_another_audience");
        }
        let Some(patch) = patch(place, change.action) else { return refused("slot_cannot_take_this_change") };
        // A contact known by phone only has no digest; the path takes the lasting id too.
        let Some(key) = subscriber_hash(&change.target).or(member.map(str::to_owned)) else {
            return refused("no_address");
        };
        let call = self.client.patch(&format!("/lists/{}/members/{}", segment(list), segment(&key)));
        // Without it, a member whose required merge field is empty could not opt out.
        let call = call.query("skip_merge_validation", true).json(&patch).accept(&[400, 404]);
        let call = match change.action {
            Action::Suppress | Action::MarkInvalid => call.repeatable(),
            // Asking twice sends two messages; opting in twice may overtake an opt-out between the two.
            Action::Subscribe | Action::Reconfirm => call,
        };
        let reply = call.send("change a Mailchimp member").await?;
        match reply.status() {
            404 => Ok(Outcome::NotFound),
            400 => Ok(refusal(&reply.json()?)),
            _ => Ok(if is_done(&patch, &reply.json()?) { Outcome::Applied } else { refused("accepted_but_not_done")? }),
        }
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
fn patch(place: Place<'_>, action: Action) -> Option<Patch<'_>> {
    let is_in = action == Action::Subscribe;
    match (place, action) {
        (Place::Audience { .. }, Action::Suppress) => Some(Patch::Status { status: "unsubscribed" }),
        (Place::Audience { .. }, Action::Subscribe) => Some(Patch::Status { status: "subscribed" }),
        (Place::Audience { .. }, Action::Reconfirm) => Some(Patch::Status { status: "pending" }),
        (Place::Sms { .. }, Action::MarkInvalid) | (_, Action::Reconfirm) => None,
        (_, Action::MarkInvalid) => Some(Patch::Status { status: "cleaned" }),
        (Place::Interest { id, .. }, _) => Some(Patch::Interest { interests: BTreeMap::from([(id, is_in)]) }),
        (Place::Permission { id, .. }, _) => {
            Some(Patch::Permission { marketing_permissions: [Switch { marketing_permission_id: id, enabled: is_in }] })
        }
        (Place::Sms { .. }, _) => {
            Some(Patch::Sms { sms_subscription_status: if is_in { "subscribed" } else { "unsubscribed" } })
        }
    }
}

/// Whether the member in the answer shows what was written. An opt-in below an audience counts only in a subscribed one.
fn is_done(patch: &Patch<'_>, member: &Member) -> bool {
    let holds = |is_in: bool| !is_in || member.status == Some(MemberStatus::Subscribed);
    match patch {
        Patch::Status { status } => member.status == Some(MemberStatus::from((*status).to_owned())),
        Patch::Interest { interests } => interests.iter().all(|(id, wanted)| {
            let shown = member.interests.iter().flatten().any(|(shown, is_in)| shown == id && *is_in);
            shown == *wanted && holds(*wanted)
        }),
        Patch::Permission { marketing_permissions: [wanted] } => {
            let mut shown = member.marketing_permissions.iter().flatten();
            let shown = shown.any(|shown| shown.marketing_permission_id == wanted.marketing_permission_id && shown.enabled);
            shown == wanted.enabled && holds(wanted.enabled)
        }
        Patch::Sms { sms_subscription_status: wanted } => {
            member.sms_subscription_status == Some(SmsStatus::from((*wanted).to_owned()))
        }
    }
}

/// Whether an error says that nothing was written.
fn is_undone(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::Config | ErrorKind::Scope | ErrorKind::RateLimited(_) | ErrorKind::Transient | ErrorKind::Bounds
    )
}

fn outcome_of(kind: ErrorKind) -> Outcome {
    match kind {
        ErrorKind::RateLimited(wait) => Outcome::Later(wait),
        ErrorKind::NotFound => Outcome::NotFound,
        ErrorKind::Refused => Outcome::Refused("refused".to_owned()),
        ErrorKind::Lost | ErrorKind::Contract | ErrorKind::Incomplete => Outcome::Unknown,
        ErrorKind::Config | ErrorKind::Scope | ErrorKind::Transient | ErrorKind::Bounds => Outcome::Later(None),
    }
}
