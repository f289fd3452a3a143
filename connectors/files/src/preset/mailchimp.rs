//! Mailchimp's audience exports: a ZIP of one file for each status, whose columns tell the statuses apart.
//!
//! How well each name is known. `Email Address` (the label of the address, which an account can change), `MEMBER_RATING`,
//! `OPTIN_TIME`, `OPTIN_IP`, `CONFIRM_TIME`, `CONFIRM_IP`, `CC`, `LAST_CHANGED`, `LEID`, `EUID`, `NOTES` and `TAGS` of the
//! subscribed, and `UNSUB_TIME`, `UNSUB_REASON` and `CLEAN_TIME` in place of `LAST_CHANGED` in the other files: well, from
//! the headers of many public programs that read them, over ten years. `SMS Phone Number` and `SMS_MARKETING_STATUS`: from
//! one description of an export of 2026. The words of `UNSUB_REASON` are taken for those of `unsubscribe_reason` in the
//! Marketing API. Times are UTC in the interface; whether they are in exports is not documented, so the instance's `tz`
//! decides.
//!
//! The non-subscribed have the columns of the subscribed: only the name of their file tells them apart.

use unisson_consent::{Actor, Channel, Status};

use super::{Attempt, Head, claim, layout};
use crate::mapping::{Claim, PersonRule, StatusRule};

/// Names that occur in these exports.
pub(super) const NAMES: &[&str] = &[
    "Email Address",
    "MEMBER_RATING",
    "OPTIN_TIME",
    "CONFIRM_TIME",
    "LAST_CHANGED",
    "UNSUB_TIME",
    "CLEAN_TIME",
    "LEID",
    "EUID",
];

/// What marks these exports: two of them.
const MARKS: [&str; 5] = ["MEMBER_RATING", "OPTIN_TIME", "CONFIRM_TIME", "LEID", "EUID"];

/// The audience, under the name by which its purpose is mapped.
const AUDIENCE: (&str, Channel) = ("audience", Channel::Email);
/// Its text messages.
const SMS: (&str, Channel) = ("audience/sms", Channel::Sms);

/// Which of the files it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Subscribed,
    Unsubscribed,
    Cleaned,
    NonSubscribed,
}

pub(super) fn try_on(mut head: Head<'_>, stem: &str) -> Attempt {
    let mut lacks = Vec::new();
    if !head.names_addresses && !head.has(&["Email Address"]) {
        lacks.push("a column `Email Address` (or `columns.email`)");
    }
    let part = if head.claims { Ok(Some(Part::Subscribed)) } else { part(&head, stem) };
    if part == Ok(None) {
        lacks.push("one of `LAST_CHANGED`, `UNSUB_TIME` and `CLEAN_TIME`");
    }
    let shown = part.ok().flatten().unwrap_or(Part::NonSubscribed);
    let person = PersonRule {
        emails: head.one(&["Email Address"]).into_iter().collect(),
        phones: head.one(&["SMS Phone Number"]).into_iter().collect(),
        country: head.one(&["CC"]),
        record: head.one(&["LEID"]).into_iter().collect(),
        ..PersonRule::default()
    };
    let claims = claims(&mut head, shown);
    Attempt {
        vendor: "Mailchimp",
        bears_marks: MARKS.iter().filter(|mark| head.has(&[*mark])).count() >= 2,
        lacks,
        doubt: part.err(),
        what: shown.words(),
        layout: layout(head, person, claims, Vec::new()),
    }
}

/// Which of the files it is; `None` where no column says so, and why where several do.
fn part(head: &Head<'_>, stem: &str) -> Result<Option<Part>, &'static str> {
    let has = |name| head.has(&[name]);
    match (has("LAST_CHANGED"), has("UNSUB_TIME"), has("CLEAN_TIME")) {
        (false, false, false) => Ok(None),
        (false, true, false) => Ok(Some(Part::Unsubscribed)),
        (false, false, true) => Ok(Some(Part::Cleaned)),
        (true, false, false) => match Part::of_name(stem) {
            Some(part @ (Part::Subscribed | Part::NonSubscribed)) => Ok(Some(part)),
            Some(_) => Err("its name is that of another of the files than its columns are: keep the vendor's name"),
            None => Err("the subscribed and the non-subscribed have the same columns: keep the vendor's file name, \
                which begins with `subscribed_` or `nonsubscribed_`"),
        },
        _ => Err("it has more than one of `LAST_CHANGED`, `UNSUB_TIME` and `CLEAN_TIME`, each of which marks another \
            file: say what rows claim in `claims`"),
    }
}

fn claims(head: &mut Head<'_>, part: Part) -> Vec<Claim> {
    let mut dated = |names: &[&'static str]| names.iter().filter_map(|name| head.one(&[*name])).collect::<Vec<_>>();
    let since = match part {
        Part::Subscribed => dated(&["CONFIRM_TIME", "OPTIN_TIME"]),
        Part::Unsubscribed => dated(&["UNSUB_TIME"]),
        Part::Cleaned => dated(&["CLEAN_TIME"]),
        Part::NonSubscribed => Vec::new(),
    };
    let reason = head.all(&["UNSUB_REASON"]);
    let email = match part {
        Part::Subscribed => claim(AUDIENCE, StatusRule::Assumed(Status::Subscribed)),
        Part::Unsubscribed => claim(AUDIENCE, StatusRule::Told(reason, left)),
        Part::Cleaned => Claim { actor: Actor::Machine, ..claim(AUDIENCE, StatusRule::Assumed(Status::Invalid)) },
        Part::NonSubscribed => claim(AUDIENCE, StatusRule::Assumed(Status::Never)),
    };
    let mut claims = vec![Claim { since, ..email }];
    let number = head.one(&["SMS Phone Number"]);
    let told = head.all(&["SMS_MARKETING_STATUS"]);
    if number.is_some() && !told.is_empty() {
        claims.push(Claim { needs: number, ..claim(SMS, StatusRule::Told(told, text_messages)) });
    }
    claims
}

/// How somebody left. The vendor names spam reports, and marks what staff did: that can be annulled, a person's own act
/// cannot.
fn left(cells: &[&str]) -> (Status, Actor) {
    let reported = |reason: &str| reason == "spam" || reason.starts_with("abuse") || reason.ends_with(" as spam");
    let by_staff = |reason: &str| reason.starts_with("n/a (unsubscribed by") && reason.contains("admin");
    let reasons = || cells.iter().map(|cell| cell.to_ascii_lowercase());
    if reasons().any(|reason| reported(&reason)) {
        (Status::Complained, Actor::MailboxProvider)
    } else if reasons().any(|reason| by_staff(&reason)) {
        (Status::Unsubscribed, Actor::Operator)
    } else {
        (Status::Unsubscribed, Actor::DataSubject)
    }
}

/// Text messages have a status of their own.
fn text_messages(cells: &[&str]) -> (Status, Actor) {
    let word = cells.first().map_or(String::new(), |cell| cell.to_ascii_lowercase().replace('-', ""));
    let status = match word.as_str() {
        "subscribed" => Status::Subscribed,
        "unsubscribed" => Status::Unsubscribed,
        "nonsubscribed" | "" => Status::Never,
        "pending" => Status::Pending,
        _ => Status::Unknown,
    };
    (status, Actor::DataSubject)
}

impl Part {
    /// The part that the vendor's name of a file says, such as `unsubscribed_email_audience_export_1a2b`.
    fn of_name(stem: &str) -> Option<Self> {
        let name: String = stem.to_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
        [
            ("nonsubscribed", Self::NonSubscribed),
            ("unsubscribed", Self::Unsubscribed),
            ("cleaned", Self::Cleaned),
            ("subscribed", Self::Subscribed),
        ]
        .into_iter()
        .find(|(word, _)| name.contains(word))
        .map(|(_, part)| part)
    }

    fn words(self) -> &'static str {
        match self {
            Self::Subscribed => "Mailchimp's export of the subscribed",
            Self::Unsubscribed => "Mailchimp's export of the unsubscribed",
            Self::Cleaned => "Mailchimp's export of the cleaned",
            Self::NonSubscribed => "Mailchimp's export of the non-subscribed",
        }
    }
}
