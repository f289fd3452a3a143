//! `HubSpot`'s contact exports: opt-outs and bounces. An export shows no opt-in, so nothing in it opts anybody in.
//!
//! How well each name is known. A column is called by the label of its property or, where that was chosen, by its internal
//! name. The internal names are those of the contact properties in the vendor's interface. The labels `Record ID`, `Email`,
//! `Phone Number`, `Unsubscribed from all email`, `Opted out of email: …`, `Invalid email address`, `Email hard bounce
//! reason`, `Email Address Quarantined` and `Email address internal quarantine reason` are well known, from several lists of
//! the properties of live accounts; `Mobile Phone Number` and `Additional email addresses` are from memory. Labels are not
//! unique: two types of subscription, and two properties of bounces, can have one, so all columns of a label are read.

use std::collections::BTreeMap;

use unisson_consent::{Actor, Bounce, Channel, Kind, Scope, Status};

use super::{Attempt, Head, claim, flagged, layout, over};
use crate::event::{EventRule, When};
use crate::mapping::{Claim, Column, PersonRule, StatusRule};

/// Names that occur in these exports.
pub(super) const NAMES: &[&str] =
    &["Record ID", "Email", "hs_object_id", "hs_email_optout", "Unsubscribed from all email"];

const RECORD: [&str; 3] = ["Record ID", "hs_object_id", "Contact ID"];
const EMAIL: [&str; 1] = ["Email"];
const OUT_OF_ALL: [&str; 2] = ["Unsubscribed from all email", "hs_email_optout"];
/// What the columns of single types of subscription begin with; the rest is the type's name, or its id.
const OUT_OF_ONE: [&str; 2] = ["Opted out of email: ", "hs_email_optout_"];
/// Columns of contacts that only `HubSpot` has beside a record id.
const BESIDE: [&str; 4] = ["Lifecycle Stage", "Lead Status", "Marketing contact status", "Contact owner"];
const YES: [&str; 3] = ["true", "yes", "1"];

pub(super) fn try_on(mut head: Head<'_>) -> Attempt {
    let mut lacks = Vec::new();
    if !head.names_addresses && !head.has(&EMAIL) {
        lacks.push("a column `Email` (or `columns.email`)");
    }
    if !head.claims && !head.has(&OUT_OF_ALL) {
        lacks.push("a column `Unsubscribed from all email`: export it with that property");
    }
    let is_contact = head.has(&RECORD) && head.has(&BESIDE);
    let bears_marks = is_contact || head.has(&OUT_OF_ALL) || OUT_OF_ONE.iter().any(|prefix| head.has_begun(prefix));
    let person = PersonRule {
        emails: head.one(&EMAIL).into_iter().collect(),
        more_emails: head.one(&["Additional email addresses", "hs_additional_emails"]).into_iter().collect(),
        phones: [["Phone Number", "phone"], ["Mobile Phone Number", "mobilephone"]]
            .iter()
            .filter_map(|names| head.one(names))
            .collect(),
        record: head.one(&RECORD).into_iter().collect(),
        ..PersonRule::default()
    };
    let claims = claims(&mut head);
    let events = events(&mut head);
    Attempt {
        vendor: "HubSpot",
        bears_marks,
        lacks,
        doubt: None,
        what: "HubSpot's export of contacts",
        layout: layout(head, person, claims, events),
    }
}

/// The opt-out of everything, and those of single types. Silence claims nothing.
fn claims(head: &mut Head<'_>) -> Vec<Claim> {
    let mut claims = vec![over(Scope::default(), StatusRule::Told(head.all(&OUT_OF_ALL), opted_out))];
    let mut types: BTreeMap<String, Vec<Column>> = BTreeMap::new();
    for (id, column) in OUT_OF_ONE.iter().flat_map(|prefix| head.begun(prefix)) {
        types.entry(id).or_default().push(column);
    }
    claims.extend(
        types.into_iter().map(|(id, columns)| claim((&id, Channel::Email), StatusRule::Told(columns, opted_out))),
    );
    claims
}

fn opted_out(cells: &[&str]) -> (Status, Actor) {
    (flagged(cells), Actor::DataSubject)
}

/// What the columns say of deliveries to the first address. They carry no time.
fn events(head: &mut Head<'_>) -> Vec<EventRule> {
    let yes = |column| When::Equals(column, YES.map(str::to_owned).into_iter().collect());
    let mut events = Vec::new();
    for column in head.all(&["Invalid email address", "hs_email_bad_address"]) {
        events.push(EventRule::told(yes(column), column, |_| Kind::Bounce(Bounce::Hard)));
    }
    let bounced = ["Email hard bounce reason", "hs_email_hard_bounce_reason_enum", "hs_email_hard_bounce_reason"];
    for column in head.all(&bounced) {
        events.push(EventRule::told(When::Filled(column), column, bounce));
    }
    let reason = head.one(&["Email address internal quarantine reason", "hs_email_quarantined_reason"]);
    if let Some(column) = head.one(&["Email Address Quarantined", "hs_email_quarantined"]) {
        events.push(EventRule::told(yes(column), reason.unwrap_or(column), quarantine));
    }
    events
}

/// `HubSpot` calls all of these hard. Only an unknown user says that the address is dead; content, policy and spam are the
/// sender's doing, and anything else is a failure of this one time.
fn bounce(reason: &str) -> Kind {
    Kind::Bounce(match word(reason).as_str() {
        "UNKNOWN_USER" => Bounce::Hard,
        "CONTENT" | "POLICY" | "SPAM" => Bounce::Sender,
        _ => Bounce::Soft,
    })
}

/// A quarantine is a complaint or a dead address where it says so; the other reasons are about the sender.
fn quarantine(reason: &str) -> Kind {
    match word(reason).as_str() {
        "RECIPIENT_COMPLAINT" => Kind::Complaint,
        "UNDELIVERABLE_ADDRESS" => Kind::Bounce(Bounce::Hard),
        _ => Kind::Bounce(Bounce::Sender),
    }
}

/// A reason as its internal name: exports may show the label instead, which differs in case and spaces.
fn word(reason: &str) -> String {
    reason.trim().to_uppercase().replace([' ', '-'], "_")
}
