//! Which fields an observation of each kind carries. What says nothing of its kind is refused: it was meant elsewhere.

use crate::error::{Fault, Path};
use crate::schema::{Event, Observation};
use crate::word::Word;

/// Refuses fields that say nothing of the kind of the observation.
pub(crate) fn check(written: &Observation) -> Result<(), Fault> {
    let kind = written.ev.0;
    let stray = present(written).into_iter().find(|(field, present)| *present && !carries(kind, field));
    let Some((field, _)) = stray else { return Ok(()) };
    let carriers = Event::words().into_iter().filter(|(_, other)| carries(*other, field));
    let carriers: Vec<&str> = carriers.map(|(name, _)| name).collect();
    let problem = format!("says nothing of `{}`; it belongs to {}", name(kind), carriers.join(", "));
    Err(Fault::at(Path::of(&[field]), problem))
}

/// A field that the kind of the observation cannot do without.
pub(crate) fn needed<T>(field: &'static str, value: Option<T>) -> Result<T, Fault> {
    value.ok_or_else(|| Fault::new(format!("lacks `{field}`")))
}

impl Word for Event {
    const WHAT: &'static str = "kind of observation";

    fn words() -> Vec<(&'static str, Self)> {
        vec![
            ("grant", Self::Grant),
            ("request", Self::Request),
            ("refuse", Self::Refuse),
            ("withdraw", Self::Withdraw),
            ("object", Self::Object),
            ("complaint", Self::Complaint),
            ("erase_request", Self::EraseRequest),
            ("snapshot", Self::Snapshot),
            ("attribute", Self::Attribute),
            ("bounce", Self::Bounce),
            ("delivered", Self::Delivered),
            ("control_proof", Self::ControlProof),
            ("relationship", Self::Relationship),
            ("activity", Self::Activity),
            ("invite", Self::Invite),
            ("invalidate", Self::Invalidate),
            ("annul", Self::Annul),
            ("restrict", Self::Restrict),
            ("unrestrict", Self::Unrestrict),
            ("operator_block", Self::OperatorBlock),
            ("operator_unblock", Self::OperatorUnblock),
            ("link", Self::Link),
            ("split", Self::Split),
            ("address_change", Self::AddressChange),
            ("hold", Self::Hold),
        ]
    }
}

fn name(kind: Event) -> &'static str {
    Event::words().into_iter().find(|(_, known)| *known == kind).map_or("", |(name, _)| name)
}

/// The fields that only some kinds carry, and whether they are there.
fn present(written: &Observation) -> [(&'static str, bool); 19] {
    [
        ("evidence", written.evidence.is_some()),
        ("valid_until", written.valid_until.is_some()),
        ("status", written.status.is_some()),
        ("what", written.what.is_some()),
        ("opt_out_offered", written.opt_out_offered.is_some()),
        ("similar", written.similar.is_some()),
        ("code", written.code.is_some()),
        ("category", written.category.is_some()),
        ("notice", written.notice.is_some()),
        ("targets", written.targets.is_some()),
        ("approvers", written.approvers.is_some()),
        ("records", written.records.is_some()),
        ("groups", written.groups.is_some()),
        ("from", written.from.is_some()),
        ("to", written.to.is_some()),
        ("verified", written.verified.is_some()),
        ("basis", written.basis.is_some()),
        ("until", written.until.is_some()),
        ("reason", written.reason.is_some()),
    ]
}

/// Whether a field says something of a kind.
fn carries(kind: Event, field: &str) -> bool {
    match kind {
        Event::Grant => matches!(field, "evidence" | "valid_until"),
        // A source may show its proof for any act; the law weighs it only for opt-ins.
        Event::Request | Event::Refuse | Event::Withdraw | Event::Object | Event::Complaint | Event::ControlProof => {
            field == "evidence"
        }
        Event::Snapshot => matches!(field, "status" | "evidence"),
        Event::EraseRequest => field == "verified",
        Event::Bounce => matches!(field, "code" | "category"),
        Event::Relationship => matches!(field, "what" | "opt_out_offered" | "similar"),
        Event::Activity => field == "what",
        Event::Invalidate => matches!(field, "notice" | "targets" | "reason"),
        Event::Annul => matches!(field, "targets" | "approvers" | "reason"),
        Event::Restrict | Event::Unrestrict | Event::OperatorBlock | Event::OperatorUnblock => field == "reason",
        Event::Link => matches!(field, "records" | "reason"),
        Event::Split => matches!(field, "groups" | "reason"),
        Event::AddressChange => matches!(field, "from" | "to" | "verified"),
        Event::Hold => matches!(field, "basis" | "until" | "reason"),
        Event::Attribute | Event::Delivered | Event::Invite => false,
    }
}
