//! From a finished case to its certificate.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use thiserror::Error;
use unisson_consent::{HoldBasis, SystemId};
use unisson_plan::erasure::{Case, CaseState, HoldRule, Origin, Part, Survey, Task, TaskState};

use crate::certificate::{
    Certificate, Coverage, ExtensionTaken, Format, HoldKept, Line, Occasion, Outcome, PolicyUsed, RecipientTold,
    SystemDone, TaskResult, Verb,
};
use crate::digest::Digest32;
use crate::scrub::scrubbed;

/// What every erasure rests on.
const GROUND: &str = "GDPR art. 17(1)";
/// What allows more time.
const GROUND_EXTENSION: &str = "GDPR art. 12(3)";

/// What a case alone does not know.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The name of the controller.
    pub controller: &'a str,
    /// The version of the policy, in the operator's words.
    pub policy_version: &'a str,
    /// SHA-256 of the policy.
    pub policy_hash: [u8; 32],
    /// The program and its version.
    pub software: &'a str,
    /// The holds that the policy declares, and those it declared when the case was searched.
    pub holds: &'a [HoldRule],
    /// What systems are called for people; one without a title goes by its name.
    pub titles: &'a BTreeMap<SystemId, String>,
    /// Who had got data of the person apart from the systems: files handed out, companies told.
    pub recipients: &'a [RecipientTold],
    /// Now.
    pub issued_at: Timestamp,
}

/// Why there is no certificate.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CertificateError {
    /// The case has not ended, or something in it is not settled again.
    #[error("case {case} is {}: a certificate is made once every system is settled", state.as_str())]
    Unsettled {
        /// Which case.
        case: String,
        /// How far it has come.
        state: CaseState,
    },
    /// The policy does not say what a hold rests on.
    #[error("the hold `{hold}` of {system} is not in the policy: put it back, or the person cannot be told why")]
    HoldUnknown {
        /// Which system.
        system: SystemId,
        /// Which hold.
        hold: String,
    },
}

impl Certificate {
    /// The certificate of a case that has ended.
    ///
    /// Refuses a case that is open, was rejected or taken back, and one in which something became due again. Free text
    /// loses what reads as an address or a number.
    pub fn of(case: &Case, context: &Context<'_>) -> Result<Self, CertificateError> {
        let outcome = match case.state {
            CaseState::Completed => Some(Outcome::Completed),
            CaseState::CompletedWithHolds => Some(Outcome::CompletedWithHolds),
            CaseState::Received
            | CaseState::AwaitingIdentity
            | CaseState::Accepted
            | CaseState::Frozen
            | CaseState::Dispatched
            | CaseState::Rejected
            | CaseState::WithdrawnByPerson => None,
        };
        let systems: Option<Vec<SystemDone>> =
            case.parts.iter().map(|(system, part)| done(system, part, context)).collect();
        let (Some(outcome), Some(completed), Some(systems)) = (outcome, case.ended_at, systems) else {
            return Err(CertificateError::Unsettled { case: case.id.to_string(), state: case.state });
        };
        let holds = case.parts.iter().filter_map(|(system, part)| kept(system, part, context));
        let mut commitments: Vec<Digest32> = case.commitments.iter().copied().map(Digest32).collect();
        commitments.sort_unstable();
        commitments.dedup();
        Ok(Self {
            format: Format::V1,
            case: case.id.to_string(),
            controller: scrubbed(context.controller),
            occasion: match &case.origin {
                Origin::Request => Occasion::Request,
                Origin::Reappearance { system, .. } => Occasion::Reappearance { system: scrubbed(system.as_str()) },
            },
            ground: GROUND.to_owned(),
            received: case.received_at,
            due: case.due_at,
            extension: case.extension.as_ref().map(|extension| ExtensionTaken {
                ground: GROUND_EXTENSION.to_owned(),
                decided: extension.decided_at,
                reason: scrubbed(&extension.reason),
            }),
            completed,
            outcome,
            issued: context.issued_at,
            holds: holds.collect::<Result<_, _>>()?,
            systems,
            recipients: context.recipients.iter().map(told).collect(),
            commitments,
            policy: PolicyUsed { version: scrubbed(context.policy_version), hash: Digest32(context.policy_hash) },
            software: scrubbed(context.software),
        })
    }
}

/// What a hold keeps of a system; `None` where nothing is kept there.
fn kept(system: &SystemId, part: &Part, context: &Context<'_>) -> Option<Result<HoldKept, CertificateError>> {
    part.tasks.values().find_map(Task::held_until)?;
    let name = part.hold.as_ref().map_or("", |hold| hold.name.as_str());
    let rule = context.holds.iter().find(|rule| rule.system == *system && rule.name == name);
    let Some((rule, hold)) = rule.zip(part.hold.as_ref()) else {
        return Some(Err(CertificateError::HoldUnknown { system: system.clone(), hold: name.to_owned() }));
    };
    Some(Ok(HoldKept {
        system: scrubbed(system.as_str()),
        name: scrubbed(name),
        ground: ground_of(rule.ground).to_owned(),
        provision: scrubbed(&rule.provision),
        fields: hold.fields.iter().map(|field| scrubbed(field)).collect(),
        until: hold.until,
    }))
}

fn ground_of(basis: HoldBasis) -> &'static str {
    match basis {
        HoldBasis::LegalObligation => "GDPR art. 17(3)(b)",
        HoldBasis::LegalClaims => "GDPR art. 17(3)(e)",
        HoldBasis::Contract => "GDPR art. 6(1)(b)",
    }
}

/// What a system did; `None` where it is not settled.
fn done(system: &SystemId, part: &Part, context: &Context<'_>) -> Option<SystemDone> {
    let title = context.titles.get(system).map_or(system.as_str(), String::as_str);
    let records: Option<Vec<Line>> = part.tasks.values().map(|task| line(part, task)).collect();
    Some(SystemDone {
        system: scrubbed(system.as_str()),
        title: scrubbed(title),
        coverage: match &part.survey {
            Survey::Answered { at } => Coverage::Searched { at: *at },
            Survey::Blind { why } => Coverage::Blind { why: scrubbed(why) },
            Survey::Due { .. } => return None,
        },
        unseen: part.unseen.iter().map(|place| scrubbed(place)).collect(),
        records: records?,
    })
}

/// What became of a record; `None` where it is not settled.
fn line(part: &Part, task: &Task) -> Option<Line> {
    let result = match &task.state {
        TaskState::VerifiedAbsent => TaskResult::VerifiedAbsent,
        TaskState::Done if task.is_settled() => TaskResult::Done,
        TaskState::Held { until } => TaskResult::Held { until: *until },
        TaskState::Impossible(reason) => TaskResult::Impossible { reason: scrubbed(reason) },
        TaskState::Done
        | TaskState::Pending
        | TaskState::Sent
        | TaskState::Accepted(_)
        | TaskState::Refused(_)
        | TaskState::Unreachable => return None,
    };
    let at = match result {
        TaskResult::VerifiedAbsent => task.absent_at.or(task.told_at),
        TaskResult::Done | TaskResult::Held { .. } => task.told_at,
        TaskResult::Impossible { .. } => None,
    };
    let is_kept = part.residual_secs > 0 && !matches!(result, TaskResult::Impossible { .. });
    Some(Line {
        verb: verb(part, task, &result),
        at,
        receipt: task.receipt.map(Digest32),
        residual_until: task.told_at.filter(|_| is_kept).map(|told| later(told, part)),
        note: task.note.as_deref().map(scrubbed),
        result,
    })
}

fn verb(part: &Part, task: &Task, result: &TaskResult) -> Verb {
    let hold_ran = |at: Timestamp| part.hold.as_ref().is_some_and(|hold| hold.until > at);
    match result {
        _ if part.by_hand => Verb::ByHand,
        TaskResult::Held { .. } => Verb::EraseExceptHold,
        _ if task.told_at.is_some_and(hold_ran) => Verb::EraseExceptHold,
        TaskResult::VerifiedAbsent | TaskResult::Done | TaskResult::Impossible { .. } => Verb::Erase,
    }
}

fn later(told: Timestamp, part: &Part) -> Timestamp {
    let kept = SignedDuration::from_secs(i64::try_from(part.residual_secs).unwrap_or(i64::MAX));
    told.checked_add(kept).unwrap_or(Timestamp::MAX)
}

fn told(recipient: &RecipientTold) -> RecipientTold {
    RecipientTold { name: scrubbed(&recipient.name), received: scrubbed(&recipient.received), told: recipient.told }
}
