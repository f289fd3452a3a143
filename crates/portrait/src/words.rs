//! Plain English for the person, and the codes that stand for the same in the data files.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use unisson_connector::Presence;
use unisson_consent::{
    Actor, AddressKind, Basis, Channel, Decision, Evidence, Family, HoldBasis, Interval, Level, Reason, Verdict,
};

use crate::portrait::Controller;

/// Two moments that lie no further apart are one to a reader: the blur of a clock, in seconds.
const BLUR_SECONDS: i64 = 600;

pub(crate) fn family_code(family: Family) -> &'static str {
    match family {
        Family::Marketing => "marketing",
        Family::Service => "service",
    }
}

pub(crate) fn presence_code(presence: Presence) -> &'static str {
    match presence {
        Presence::Present => "present",
        Presence::Archived => "archived",
        Presence::Deleted => "deleted",
    }
}

pub(crate) fn ground_code(ground: HoldBasis) -> &'static str {
    match ground {
        HoldBasis::LegalObligation => "legal_obligation",
        HoldBasis::LegalClaims => "legal_claims",
        HoldBasis::Contract => "contract",
    }
}

/// Why data stays after an erasure.
pub(crate) fn ground(ground: HoldBasis) -> &'static str {
    match ground {
        HoldBasis::LegalObligation => "A law obliges us to keep it (GDPR art. 17(3)(b))",
        HoldBasis::LegalClaims => "It may be needed for legal claims (GDPR art. 17(3)(e))",
        HoldBasis::Contract => "A contract with you still needs it (GDPR art. 6(1)(b))",
    }
}

pub(crate) fn address_kind(kind: AddressKind) -> &'static str {
    match kind {
        AddressKind::Email => "e-mail address",
        AddressKind::Phone => "telephone number",
        AddressKind::Postal => "postal address",
    }
}

pub(crate) fn channel(channel: Channel) -> &'static str {
    match channel {
        Channel::Email => "E-mail",
        Channel::EmailTracking => "Measuring whether e-mails are opened",
        Channel::Sms => "Text message",
        Channel::PhoneLive => "Telephone call",
        Channel::PhoneAuto => "Automated call",
        Channel::Postal => "Letter",
        Channel::Push => "Notification on a device",
        Channel::Messaging => "Messenger",
        Channel::Ads => "Advertising audience",
    }
}

pub(crate) fn answer(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Allow => "Yes",
        Verdict::Ask => "Only to ask you",
        Verdict::Deny => "No",
    }
}

/// Why a decision is what it is, in a sentence to the person.
pub(crate) fn because(decision: &Decision) -> &'static str {
    match decision.reason {
        Reason::Consent => "You agreed, and we can show it.",
        Reason::Basis(Basis::SoftOptIn) => "You bought from us and did not object to offers of similar products.",
        Reason::Basis(Basis::LegitimateInterest) => "We have a legitimate interest, and you have not objected.",
        Reason::Basis(Basis::Contract) => "We need it for a contract with you.",
        Reason::Basis(Basis::ContractInProgress) => "You have a running contract with us that it is about.",
        Reason::Basis(Basis::LegalObligation) => "A law obliges us to.",
        Reason::Basis(Basis::ImpliedConsent) => "The law implies your consent after a purchase or a question.",
        Reason::Basis(Basis::OptOutRegime) => "The law where you are allows it until you say no.",
        Reason::Erased => "You asked to be erased.",
        Reason::Restricted => "The use of your data is restricted.",
        Reason::OperatorBlock => "Our staff blocked it.",
        Reason::IdentityConflict => "Several people use this address, and one of them said no.",
        Reason::AddressRetired => "You moved to another address.",
        Reason::Undeliverable => "It is allowed, but messages to this address come back.",
        Reason::Complaint => "You reported a message as spam.",
        Reason::Objected => "You objected.",
        Reason::Withdrawn => "You withdrew your consent.",
        Reason::Refused => "You said no when asked.",
        Reason::Reassigned => "The address may belong to somebody else now.",
        Reason::Invalidated => "The text you agreed to was declared void.",
        Reason::Expired => "Your consent is too old.",
        Reason::Lapsed => "You did not confirm an old opt-in in time.",
        Reason::MinorGuardianMissing => "A parent or guardian would have to agree.",
        Reason::Unqualified => "An opt-in is on record, but we cannot prove it.",
        Reason::Requested => "You have not confirmed your sign-up yet.",
        Reason::Unknown => "You never agreed, and nothing else allows it.",
    }
}

pub(crate) fn actor(actor: Actor) -> &'static str {
    match actor {
        Actor::DataSubject => "You",
        Actor::Guardian => "Your parent or guardian",
        Actor::Operator => "Our staff",
        Actor::Import => "An imported file",
        Actor::Machine => "A program",
        Actor::MailboxProvider => "Your mailbox provider",
    }
}

/// How much of an opt-in can be shown.
pub(crate) fn level(level: Level) -> &'static str {
    match level {
        Level::Nothing => "No proof",
        Level::Claim => "Only a note that you opted in",
        Level::Traceable => "Time and place are known",
        Level::Qualified => "Proven",
        Level::Confirmed => "Proven and confirmed",
        Level::Signed => "Proven by a signed or recorded document",
    }
}

/// What an opt-in can show for itself, one thing each.
pub(crate) fn proofs(evidence: &Evidence) -> Vec<String> {
    let shown = [
        (evidence.capture, "the form, page or call is on record"),
        (evidence.controller_named, "the text named us"),
        (evidence.purpose_specific, "the text named this purpose"),
        (evidence.affirmative, "an act of yours"),
        (evidence.pre_ticked == Some(false), "the box was empty"),
        (evidence.doi, "a link sent to the address was opened"),
        (evidence.authenticated, "given inside your account"),
        (evidence.signed, "signed"),
        (evidence.document, "the document is kept"),
    ];
    let notice = evidence.notice.as_ref().map(|notice| format!("the text you were shown is kept as {notice}"));
    let shown = shown.into_iter().filter(|(is_shown, _)| *is_shown).map(|(_, words)| words.to_owned());
    shown.chain(notice).collect()
}

/// How to take a consent back (art. 7(3)).
pub(crate) fn withdrawal(controller: &Controller) -> String {
    match &controller.contact {
        Some(contact) => format!("the unsubscribe link in every message, or a word to {contact}"),
        None => "the unsubscribe link in every message, or a word to the controller".to_owned(),
    }
}

/// The text with a capital first.
pub(crate) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// A number with its noun.
pub(crate) fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// When something may have happened. `best` stands for it where the doubt is only that of a clock.
pub(crate) fn when(at: Interval, best: Timestamp, zone: &TimeZone) -> String {
    match at.lo {
        None => format!("before {}", moment(at.hi, zone)),
        Some(lo) if at.hi.as_second().saturating_sub(lo.as_second()) <= BLUR_SECONDS => moment(best, zone),
        Some(lo) if day(lo, zone) == day(at.hi, zone) => day(lo, zone),
        Some(lo) => format!("{} to {}", day(lo, zone), day(at.hi, zone)),
    }
}

/// A day: "3 May 2026".
pub(crate) fn day(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned_datetime(zone.clone()).strftime("%-d %B %Y").to_string()
}

/// A moment: "3 May 2026, 14:05".
pub(crate) fn moment(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned_datetime(zone.clone()).strftime("%-d %B %Y, %H:%M").to_string()
}
