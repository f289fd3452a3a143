//! Brevo's contact exports: who is on the blocklists. An export shows no opt-in: a list in `_listIds` may be one that the
//! contact has left, so nothing in it opts anybody in.
//!
//! How well each name is known. `EMAIL`, `ADDED_TIME`, `MODIFIED_TIME` and `_listIds` are named by the vendor's reference;
//! `CONTACT ID` and `SMS` are seen in several public programs that read exports. `_SUBSCRIBED` and `_BLOCKLISTED`, which
//! name channels such as `email_marketing` and come where the subscription status is exported, are from one such program.
//! `EMAIL_BLACKLISTED`, `SMS_BLACKLISTED` and `BLACKLISTED` are from others' tests and the names of fields in the interface,
//! the spellings with `BLOCKLISTED` from the words the vendor uses since.

use unisson_consent::{Actor, Channel, Status};

use super::{Attempt, Head, claim, flagged, layout};
use crate::mapping::{Claim, Column, PersonRule, StatusRule};

/// Names that occur in these exports.
pub(super) const NAMES: &[&str] =
    &["CONTACT ID", "EMAIL", "SMS", "ADDED_TIME", "MODIFIED_TIME", "EMAIL_BLACKLISTED", "_BLOCKLISTED", "_listIds"];

const EMAIL: [&str; 1] = ["EMAIL"];
const EMAIL_FLAGS: [&str; 4] = ["EMAIL_BLACKLISTED", "EMAIL_BLOCKLISTED", "BLACKLISTED", "BLOCKLISTED"];
const SMS_FLAGS: [&str; 2] = ["SMS_BLACKLISTED", "SMS_BLOCKLISTED"];
/// Which channels somebody is blocklisted for, and subscribed to.
const CHANNELS: [&str; 2] = ["_BLOCKLISTED", "_SUBSCRIBED"];

/// The blocklists, under the names that the connector of this platform gives them.
const BLOCKLIST: (&str, Channel) = ("blocklist", Channel::Email);
const SMS_BLOCKLIST: (&str, Channel) = ("sms-blocklist", Channel::Sms);

pub(super) fn try_on(mut head: Head<'_>) -> Attempt {
    let mut lacks = Vec::new();
    if !head.names_addresses && !head.has(&EMAIL) {
        lacks.push("a column `EMAIL` (or `columns.email`)");
    }
    if !head.claims && !head.has(&EMAIL_FLAGS) && !head.has(&CHANNELS[..1]) {
        lacks.push("a column `_BLOCKLISTED` or `EMAIL_BLACKLISTED`: export it with the subscription status");
    }
    let bears_marks = head.has(&["ADDED_TIME", "MODIFIED_TIME", "_BLOCKLISTED", "_listIds"]);
    let person = PersonRule {
        emails: head.one(&EMAIL).into_iter().collect(),
        bare_phones: head.one(&["SMS"]).into_iter().collect(),
        record: head.one(&["CONTACT ID", "CONTACT_ID"]).into_iter().collect(),
        ..PersonRule::default()
    };
    let claims = claims(&mut head);
    Attempt {
        vendor: "Brevo",
        bears_marks,
        lacks,
        doubt: None,
        what: "Brevo's export of contacts",
        layout: layout(head, person, claims, Vec::new()),
    }
}

fn claims(head: &mut Head<'_>) -> Vec<Claim> {
    let (address, number) = (head.one(&EMAIL), head.one(&["SMS"]));
    let email_flags = head.all(&EMAIL_FLAGS);
    let sms_flags = head.all(&SMS_FLAGS);
    let channels: Vec<Column> = CHANNELS.iter().filter_map(|name| head.one(&[*name])).collect();
    let blocked = head.has(&CHANNELS[..1]);
    let email = match (email_flags.is_empty(), blocked) {
        (false, _) => Some(StatusRule::Told(email_flags, listed)),
        (true, true) => Some(StatusRule::Told(channels.clone(), by_email)),
        (true, false) => None,
    };
    let sms = match (sms_flags.is_empty(), blocked) {
        (false, _) => Some(StatusRule::Told(sms_flags, listed)),
        (true, true) => Some(StatusRule::Told(channels, by_sms)),
        (true, false) => None,
    };
    let email = email.map(|rule| Claim { needs: address, ..claim(BLOCKLIST, rule) });
    let sms = sms.filter(|_| number.is_some()).map(|rule| Claim { needs: number, ..claim(SMS_BLOCKLIST, rule) });
    email.into_iter().chain(sms).collect()
}

/// What a blocklist shows. Not to be on it is no opt-in, and a blank says neither.
fn listed(cells: &[&str]) -> (Status, Actor) {
    let status = if cells.iter().all(|cell| cell.is_empty()) { Status::Unknown } else { flagged(cells) };
    (status, Actor::DataSubject)
}

fn by_email(cells: &[&str]) -> (Status, Actor) {
    let names = |cell: Option<&&str>| cell.is_some_and(|cell| cell.contains("email_marketing"));
    let status = match (names(cells.first()), cells.get(1)) {
        (true, _) => Status::Unsubscribed,
        (false, Some(subscribed)) if !names(Some(subscribed)) => Status::Unknown,
        (false, _) => Status::Never,
    };
    (status, Actor::DataSubject)
}

/// The channel may not have been exported at all: then nothing is said of it.
fn by_sms(cells: &[&str]) -> (Status, Actor) {
    let blocked = cells.first().is_some_and(|cell| cell.contains("sms_marketing"));
    (if blocked { Status::Unsubscribed } else { Status::Never }, Actor::DataSubject)
}
