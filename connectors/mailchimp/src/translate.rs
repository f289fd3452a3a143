//! The one place where Mailchimp's words become observations (consent model 3.6).
//!
//! A word nobody has mapped is never a grant, and nothing below an audience reads as opted in unless the audience does.
//! Evidence is only what the vendor shows: a stored notice comes from the operator's `forms`, never from a status.

use std::collections::BTreeMap;

use unisson_connector::{Event, Identity, Observation, Presence, Slot};
use unisson_consent::{
    Actor, Channel, Channels, Country, Evidence, Kind, NoticeId, Occurred, Purposes, Scope, Status, Via,
};
use unisson_sdk::{Table, exact};

use crate::names::{Part, Place, complaint_record, member_record};
use crate::settings::Form;
use crate::wire::{AbuseReport, Member, MemberStatus, Permission, SmsStatus};

/// Reads what one audience shows.
pub(crate) struct Reading<'a> {
    /// The audience.
    pub(crate) list: &'a str,
    /// What the operator vouches for, by the `source` of a member.
    pub(crate) forms: &'a BTreeMap<String, Form>,
}

impl Reading<'_> {
    /// A member as an observation, or why it cannot be one.
    pub(crate) fn member(&self, member: &Member) -> Result<Observation, &'static str> {
        let lasting = member.contact_id.get().or(member.unique_email_id.get()).or(member.id.get());
        let record = member_record(self.list, lasting.ok_or("the member has no id: report it to Mailchimp")?);
        let email = member.email_address.get();
        let phone = member.sms_phone_number.get();
        if email.is_none() && phone.is_none() {
            return Err("the member has neither an e-mail address nor a phone number: nobody can be told from it");
        }
        let mut slots = Vec::new();
        if email.is_some() {
            slots.push(self.audience(member));
            slots.extend(self.interests(member));
            slots.extend(self.permissions(member));
        }
        if phone.is_some() {
            slots.push(self.sms(member));
        }
        let country = member.location.as_ref().and_then(|location| location.country_code.get());
        Ok(Observation {
            record,
            who: Identity {
                emails: email.map(str::to_owned).into_iter().collect(),
                phones: phone.map(str::to_owned).into_iter().collect(),
                country: country.and_then(Country::parse),
                ..Identity::default()
            },
            presence: if is_archived(member) { Presence::Archived } else { Presence::Present },
            slots,
            events: Vec::new(),
        })
    }

    /// A spam report as an observation of its own record: the same address makes it the member's.
    pub(crate) fn complaint(&self, report: &AbuseReport) -> Result<Observation, &'static str> {
        let id = match &report.id {
            serde_json::Value::Number(number) => {
                exact(number).ok_or("the report has no id that every reader keeps: report it to Mailchimp")?
            }
            serde_json::Value::String(text) if !text.is_empty() && !text.contains('/') => text.clone(),
            _ => return Err("the report has no id: report it to Mailchimp"),
        };
        let email = report.email_address.get().ok_or("the report names no address: its member may have been erased")?;
        Ok(Observation {
            record: complaint_record(self.list, &id),
            who: Identity { emails: vec![email.to_owned()], ..Identity::default() },
            presence: Presence::Present,
            slots: Vec::new(),
            events: vec![Event {
                native_id: Some(format!("{}/abuse-report/{id}", self.list)),
                kind: Kind::Complaint,
                occurred: occurred(report.date.get()),
                seq: None,
                actor: Actor::MailboxProvider,
                via: Via::Message,
                scope: Scope::default(),
            }],
        })
    }

    fn place<'p>(&'p self, part: Part<'p>) -> Place<'p> {
        Place { list: self.list, part }
    }

    fn audience(&self, member: &Member) -> Slot {
        let status = email_status(member);
        let place = self.place(Part::Audience);
        let (since, actor) = match status {
            Status::Subscribed => (claimed(member), self.claimant(member)),
            Status::Pending => (claimed(member), Actor::DataSubject),
            Status::Never => (Occurred::Unknown, Actor::DataSubject),
            _ => (occurred(member.last_changed.get()), who_left(member, status)),
        };
        let evidence = if status == Status::Subscribed { self.evidence(member, place) } else { Evidence::default() };
        Slot { scope: scope(place, Channel::Email), status, since, actor, evidence }
    }

    fn interests(&self, member: &Member) -> Vec<Slot> {
        let interests = member.interests.iter().flat_map(Table::iter);
        interests
            .map(|(id, chosen)| self.below(member, self.place(Part::Interest(id)), Channel::Email, *chosen))
            .collect()
    }

    fn permissions(&self, member: &Member) -> Vec<Slot> {
        // One that is there twice is chosen where both say so.
        let mut permissions: BTreeMap<&str, (Channel, bool)> = BTreeMap::new();
        for permission in member.marketing_permissions.iter().flatten() {
            let known = permissions.entry(&permission.marketing_permission_id);
            known.or_insert((permission_channel(permission), true)).1 &= permission.enabled;
        }
        let slot = |(id, (channel, chosen))| self.below(member, self.place(Part::Permission(id)), channel, chosen);
        permissions.into_iter().map(slot).collect()
    }

    /// A slot below the audience: in only where it is chosen *and* the audience is subscribed. An unticked box is
    /// off: the vendor does not tell "never ticked" from "taken back".
    fn below(&self, member: &Member, place: Place<'_>, channel: Channel, chosen: bool) -> Slot {
        let scope = scope(place, channel);
        if chosen && email_status(member) == Status::Subscribed {
            let evidence = self.evidence(member, place);
            Slot { scope, status: Status::Subscribed, since: claimed(member), actor: self.claimant(member), evidence }
        } else {
            let evidence = Evidence::default();
            Slot { scope, status: Status::Off, since: Occurred::Unknown, actor: Actor::DataSubject, evidence }
        }
    }

    /// Text messages have a status of their own, which an e-mail opt-out does not change. An archived contact is sent
    /// none.
    fn sms(&self, member: &Member) -> Slot {
        let status = match &member.sms_subscription_status {
            Some(SmsStatus::Unsubscribed) => Status::Unsubscribed,
            Some(SmsStatus::Other(_)) => Status::Unknown,
            Some(SmsStatus::Nonsubscribed) | None => Status::Never,
            Some(SmsStatus::Subscribed | SmsStatus::Pending) if is_archived(member) => Status::Never,
            Some(SmsStatus::Subscribed) => Status::Subscribed,
            Some(SmsStatus::Pending) => Status::Pending,
        };
        let since = match status {
            Status::Never => Occurred::Unknown,
            _ => occurred(member.sms_subscription_last_updated.get()),
        };
        Slot {
            scope: scope(self.place(Part::Sms), Channel::Sms),
            status,
            since,
            actor: Actor::DataSubject,
            evidence: Evidence::default(),
        }
    }

    /// Level 2 where time, origin and form are all there; more only for what a form of the operator's vouches for.
    fn evidence(&self, member: &Member, place: Place<'_>) -> Evidence {
        let Some(source) = member.source.get() else { return Evidence::default() };
        let confirmed = member.timestamp_opt.get().is_some() && member.ip_opt.get().is_some();
        let signed_up = member.timestamp_signup.get().is_some() && member.ip_signup.get().is_some();
        let traceable = Evidence { capture: confirmed || signed_up, ..Evidence::default() };
        let Some(form) = self.forms.get(source).filter(|form| form.vouches_for(place)) else { return traceable };
        Evidence {
            notice: Some(NoticeId::new(&form.notice)),
            controller_named: true,
            purpose_specific: true,
            affirmative: true,
            pre_ticked: Some(false),
            doi: form.double_opt_in && confirmed,
            ..traceable
        }
    }

    /// Who said yes, as far as `source` tells. A declared form is the person's own; staff and files say so themselves.
    fn claimant(&self, member: &Member) -> Actor {
        let Some(source) = member.source.get() else { return Actor::DataSubject };
        if self.forms.contains_key(source) {
            return Actor::DataSubject;
        }
        let source = source.to_ascii_lowercase();
        if source.contains("import") {
            Actor::Import
        } else if source.starts_with("admin add") {
            Actor::Operator
        } else {
            Actor::DataSubject
        }
    }
}

fn scope(place: Place<'_>, channel: Channel) -> Scope {
    Scope { purposes: Purposes::List(place.id()), channels: Channels::one(channel) }
}

fn is_archived(member: &Member) -> bool {
    member.status == Some(MemberStatus::Archived)
}

/// The status table for e-mail.
fn email_status(member: &Member) -> Status {
    match &member.status {
        Some(MemberStatus::Subscribed) => Status::Subscribed,
        Some(MemberStatus::Pending) => Status::Pending,
        // Both are where the vendor puts an address after a spam report.
        Some(MemberStatus::Unsubscribed | MemberStatus::Cleaned) if was_reported(member) => Status::Complained,
        Some(MemberStatus::Unsubscribed) => Status::Unsubscribed,
        Some(MemberStatus::Cleaned) => Status::Invalid,
        Some(MemberStatus::Transactional | MemberStatus::Archived) => Status::Never,
        Some(MemberStatus::Other(_)) | None => Status::Unknown,
    }
}

/// Whether the reason is the vendor's word for a spam report. What people type themselves is no report; the stream of
/// complaints shows every report anyway.
fn was_reported(member: &Member) -> bool {
    let reason = member.unsubscribe_reason.get().unwrap_or_default().trim().to_ascii_lowercase();
    reason == "spam" || reason.starts_with("abuse") || reason.ends_with(" as spam")
}

/// Who made an opt-out so. The vendor marks those that staff or an interface made; they can be annulled, a person's
/// own cannot.
fn who_left(member: &Member, status: Status) -> Actor {
    let reason = member.unsubscribe_reason.get().unwrap_or_default().trim().to_ascii_lowercase();
    match status {
        Status::Complained => Actor::MailboxProvider,
        Status::Invalid => Actor::Machine,
        Status::Unsubscribed if reason.starts_with("n/a (unsubscribed by") && reason.contains("admin") => {
            Actor::Operator
        }
        _ => Actor::DataSubject,
    }
}

/// When the opt-in was confirmed or, without a confirmation, made.
fn claimed(member: &Member) -> Occurred {
    occurred(member.timestamp_opt.get().or(member.timestamp_signup.get()))
}

fn occurred(text: Option<&str>) -> Occurred {
    text.map_or(Occurred::Unknown, Occurred::parse)
}

/// The channel a permission names beyond doubt; e-mail otherwise, which is what the platform sends.
pub(crate) fn permission_channel(permission: &Permission) -> Channel {
    match permission.text.get().unwrap_or_default().trim().to_lowercase().as_str() {
        "sms" | "text message" | "text messages" => Channel::Sms,
        "direct mail" | "postal mail" | "post" => Channel::Postal,
        "phone" | "phone call" | "phone calls" | "telephone" => Channel::PhoneLive,
        "customized online advertising" | "online advertising" => Channel::Ads,
        _ => Channel::Email,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn observe(member: serde_json::Value) -> Observation {
        let forms = BTreeMap::from([(
            "Spring form".to_owned(),
            Form {
                source: "Spring form".to_owned(),
                notice: "N3".to_owned(),
                double_opt_in: true,
                slots: vec!["a6b5/interest/i2".to_owned()],
            },
        )]);
        let member: Member = serde_json::from_value(member).unwrap();
        Reading { list: "a6b5", forms: &forms }.member(&member).unwrap()
    }

    fn member(status: &str, changes: &serde_json::Value) -> serde_json::Value {
        let mut member = json!({
            "id": "62eeb292278cc15f5817cb78f7790b08", "email_address": "ada@example.org",
            "unique_email_id": "a1b2c3", "contact_id": "c0ffee", "status": status, "unsubscribe_reason": "",
            "ip_signup": "203.0.113.7", "timestamp_signup": "2025-01-05T10:00:00+00:00",
            "ip_opt": "203.0.113.7", "timestamp_opt": "2025-01-05T10:04:11+00:00",
            "last_changed": "2025-06-01T08:00:00+00:00", "source": "API - Generic",
            "interests": {"i1": true, "i2": true, "i3": false},
            "marketing_permissions": [
                {"marketing_permission_id": "p1", "text": "Email", "enabled": true},
                {"marketing_permission_id": "p2", "text": "Direct Mail", "enabled": true},
            ],
        });
        let changes = changes.as_object().unwrap().clone();
        member.as_object_mut().unwrap().extend(changes);
        member
    }

    fn slot<'a>(observation: &'a Observation, id: &str) -> &'a Slot {
        let named = |slot: &&Slot| slot.scope.purposes == Purposes::List(id.into());
        observation.slots.iter().find(named).unwrap()
    }

    #[test]
    fn every_status_has_its_canonical_word_and_only_one_is_in() {
        let table = [
            ("subscribed", "", Status::Subscribed),
            ("unsubscribed", "", Status::Unsubscribed),
            ("unsubscribed", "No longer interested", Status::Unsubscribed),
            ("unsubscribed", "abuse", Status::Complained),
            ("cleaned", "", Status::Invalid),
            ("cleaned", "Abuse complaint", Status::Complained),
            ("cleaned", "Marked as spam", Status::Complained),
            ("unsubscribed", "Too much spam", Status::Unsubscribed),
            ("pending", "", Status::Pending),
            ("transactional", "", Status::Never),
            ("archived", "", Status::Never),
            ("snoozed", "", Status::Unknown),
            ("Subscribed", "", Status::Unknown),
        ];
        for (status, reason, wanted) in table {
            let seen = observe(member(status, &json!({"unsubscribe_reason": reason})));
            assert_eq!(slot(&seen, "a6b5").status, wanted, "{status}");
            let below = if wanted == Status::Subscribed { Status::Subscribed } else { Status::Off };
            for id in ["a6b5/interest/i1", "a6b5/permission/p1", "a6b5/permission/p2"] {
                assert_eq!(slot(&seen, id).status, below, "{id} of {status}");
            }
            assert_eq!(slot(&seen, "a6b5/interest/i3").status, Status::Off);
            let archived = status == "archived";
            assert_eq!(seen.presence, if archived { Presence::Archived } else { Presence::Present });
        }
    }

    #[test]
    fn a_permission_that_is_there_twice_is_one_slot_and_chosen_where_both_say_so() {
        let permission = |id: &str, enabled: bool| json!({"marketing_permission_id": id, "enabled": enabled});
        let twice =
            [("p1", true), ("p1", false), ("p2", true), ("p2", true)].map(|(id, enabled)| permission(id, enabled));
        let seen = observe(member("subscribed", &json!({"marketing_permissions": twice, "interests": {}})));
        assert_eq!(seen.slots.len(), 3);
        assert_eq!(slot(&seen, "a6b5/permission/p1").status, Status::Off);
        assert_eq!(slot(&seen, "a6b5/permission/p2").status, Status::Subscribed);
    }

    #[test]
    fn a_member_without_a_status_is_unknown() {
        let seen = observe(member("", &json!({"status": null})));
        assert_eq!(slot(&seen, "a6b5").status, Status::Unknown);
    }

    #[test]
    fn an_opt_out_is_dated_by_the_last_change_and_a_claim_by_its_confirmation() {
        let out = observe(member("unsubscribed", &json!({})));
        assert_eq!(slot(&out, "a6b5").since, Occurred::parse("2025-06-01T08:00:00Z"));
        let claim = observe(member("subscribed", &json!({})));
        assert_eq!(slot(&claim, "a6b5").since, Occurred::parse("2025-01-05T10:04:11Z"));
        let single = observe(member("subscribed", &json!({"timestamp_opt": ""})));
        assert_eq!(slot(&single, "a6b5").since, Occurred::parse("2025-01-05T10:00:00Z"));
        let bare = observe(member("subscribed", &json!({"timestamp_opt": "", "timestamp_signup": null})));
        assert_eq!(slot(&bare, "a6b5").since, Occurred::Unknown);
    }

    #[test]
    fn evidence_is_what_the_vendor_shows_and_a_form_vouches_for() {
        let table = [
            (json!({}), 2),
            (json!({"source": ""}), 1),
            (json!({"ip_opt": "", "ip_signup": ""}), 1),
            (json!({"ip_opt": "", "timestamp_signup": ""}), 1),
            (json!({"timestamp_opt": "", "ip_opt": ""}), 2),
            (json!({"source": "Spring form"}), 4),
            (json!({"source": "Spring form", "ip_opt": ""}), 3),
            (json!({"source": "Spring form", "ip_opt": "", "ip_signup": ""}), 1),
            (json!({"source": "spring form"}), 2),
        ];
        for (changes, level) in table {
            let seen = observe(member("subscribed", &changes));
            assert_eq!(slot(&seen, "a6b5").evidence.level().number(), level, "{changes}");
        }
    }

    #[test]
    fn a_form_vouches_for_the_slots_it_names_and_no_other() {
        let seen = observe(member("subscribed", &json!({"source": "Spring form"})));
        assert_eq!(slot(&seen, "a6b5/interest/i2").evidence.level().number(), 4);
        assert_eq!(slot(&seen, "a6b5/interest/i1").evidence.level().number(), 2);
        assert_eq!(slot(&seen, "a6b5/permission/p1").evidence.level().number(), 2);
    }

    #[test]
    fn staff_and_files_are_not_taken_for_the_person() {
        for (source, actor) in [
            ("Admin Add", Actor::Operator),
            ("List Import from CSV", Actor::Import),
            ("Hosted Signup Form", Actor::DataSubject),
        ] {
            let seen = observe(member("subscribed", &json!({"source": source})));
            assert_eq!(slot(&seen, "a6b5").actor, actor, "{source}");
        }
        let reason = json!({"unsubscribe_reason": "N/A (Unsubscribed by an admin)"});
        assert_eq!(slot(&observe(member("unsubscribed", &reason)), "a6b5").actor, Actor::Operator);
        assert_eq!(slot(&observe(member("unsubscribed", &json!({}))), "a6b5").actor, Actor::DataSubject);
    }

    #[test]
    fn text_messages_have_a_status_of_their_own() {
        let table = [
            ("subscribed", Status::Subscribed),
            ("unsubscribed", Status::Unsubscribed),
            ("nonsubscribed", Status::Never),
            ("pending", Status::Pending),
            ("paused", Status::Unknown),
        ];
        for (word, wanted) in table {
            let sms = json!({"sms_phone_number": "+33600000000", "sms_subscription_status": word});
            let seen = observe(member("unsubscribed", &sms));
            assert_eq!(slot(&seen, "a6b5/sms").status, wanted, "{word}");
            assert_eq!(slot(&seen, "a6b5/sms").scope.channels, Channels::one(Channel::Sms));
            let archived = observe(member("archived", &sms));
            assert_ne!(slot(&archived, "a6b5/sms").status, Status::Subscribed, "{word}");
        }
        let none = observe(member("subscribed", &json!({"sms_subscription_status": "subscribed"})));
        assert!(none.slots.iter().all(|slot| slot.scope.channels != Channels::one(Channel::Sms)));
    }

    #[test]
    fn a_member_without_address_has_no_slot_for_mail() {
        let sms =
            json!({"email_address": "", "sms_phone_number": "+33600000000", "sms_subscription_status": "subscribed"});
        let seen = observe(member("subscribed", &sms));
        assert_eq!(seen.slots.len(), 1);
        assert!(seen.who.emails.is_empty());
    }

    #[test]
    fn a_record_keeps_its_name_when_the_address_changes() {
        let before = observe(member("subscribed", &json!({})));
        let after = observe(member("subscribed", &json!({"id": "ffff", "email_address": "ada@example.net"})));
        assert_eq!(before.record, after.record);
        assert_eq!(before.record.as_str(), "a6b5/c0ffee");
        let older = observe(member("subscribed", &json!({"contact_id": null})));
        assert_eq!(older.record.as_str(), "a6b5/a1b2c3");
        let oldest = observe(member("subscribed", &json!({"contact_id": null, "unique_email_id": ""})));
        assert_eq!(oldest.record.as_str(), "a6b5/62eeb292278cc15f5817cb78f7790b08");
    }

    #[test]
    fn a_permission_speaks_for_another_channel_only_where_it_says_so() {
        let seen = observe(member("subscribed", &json!({})));
        assert_eq!(slot(&seen, "a6b5/permission/p1").scope.channels, Channels::one(Channel::Email));
        assert_eq!(slot(&seen, "a6b5/permission/p2").scope.channels, Channels::one(Channel::Postal));
        let vague = json!({"marketing_permissions": [
            {"marketing_permission_id": "p3", "text": "News by mail or SMS", "enabled": true}]});
        let seen = observe(member("subscribed", &vague));
        assert_eq!(slot(&seen, "a6b5/permission/p3").scope.channels, Channels::one(Channel::Email));
    }

    #[test]
    fn the_country_is_taken_where_the_vendor_says_it() {
        let seen = observe(member("subscribed", &json!({"location": {"country_code": "fr", "timezone": "x"}})));
        assert_eq!(seen.who.country, Country::parse("FR"));
        assert_eq!(observe(member("subscribed", &json!({"location": {"country_code": ""}}))).who.country, None);
    }
}
