//! What is made of every flag, and of none.

use proptest::prelude::*;
use serde_json::{Value, json};
use unisson_consent::{Level, Purposes};

use super::*;

fn observe(contact: Value) -> Observation {
    let fields = Fields { customer: Some("EXT_ID".to_owned()), country: Some("COUNTRY".to_owned()) };
    fields.contact(&serde_json::from_value(contact).unwrap())
}

fn contact(changes: &Value) -> Value {
    let mut contact = json!({
        "id": 32, "email": "ada@example.org", "emailBlacklisted": false, "smsBlacklisted": true,
        "createdAt": "2025-05-12T12:30:00Z", "modifiedAt": "2025-05-12T14:30:00.123+02:00",
        "listIds": [40, 41], "listUnsubscribed": [41, 42],
        "attributes": {"FIRSTNAME": "Ada", "SMS": "33123456789", "EXT_ID": "crm-1", "COUNTRY": "fr", "DOUBLE_OPT-IN": "1"},
    });
    contact.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    contact
}

/// Every slot with what it shows.
fn slots(seen: &Observation) -> Vec<(String, Status)> {
    let name = |slot: &Slot| match &slot.scope.purposes {
        Purposes::List(id) => (id.as_str().to_owned(), slot.status),
        other => panic!("{other:?} is no slot of a contact"),
    };
    seen.slots.iter().map(name).collect()
}

fn named(slots: &[(&str, Status)]) -> Vec<(String, Status)> {
    slots.iter().map(|(name, status)| ((*name).to_owned(), *status)).collect()
}

#[test]
fn every_flag_has_its_canonical_word() {
    let seen = observe(contact(&json!({})));
    let wanted = [
        ("blocklist", Status::Never),
        ("41", Status::Unsubscribed),
        ("42", Status::Unsubscribed),
        ("40", Status::Subscribed),
        ("sms-blocklist", Status::Unsubscribed),
    ];
    assert_eq!(slots(&seen), named(&wanted));
    assert_eq!(seen.record.as_str(), "32");
    assert_eq!(seen.who.phones, ["+33123456789"]);
    assert_eq!(seen.who.customer, Some(CustomerNo::new("crm-1")));
    assert_eq!(seen.who.country, Country::parse("FR"));
}

#[test]
fn the_blocklist_shuts_every_list_and_says_so_once() {
    let seen = observe(contact(&json!({ "emailBlacklisted": true, "listUnsubscribed": null })));
    let wanted = [
        ("blocklist", Status::Unsubscribed),
        ("40", Status::Off),
        ("41", Status::Off),
        ("sms-blocklist", Status::Unsubscribed),
    ];
    assert_eq!(slots(&seen), named(&wanted));
    assert!(seen.slots.iter().all(|slot| slot.since == Occurred::Unknown), "`modifiedAt` is no time of an opt-out");
}

#[test]
fn a_flag_that_is_not_there_is_unknown_and_never_an_opt_in() {
    let seen = observe(contact(&json!({ "emailBlacklisted": null, "smsBlacklisted": null, "listUnsubscribed": null })));
    assert!(seen.slots.iter().all(|slot| slot.status == Status::Unknown));
    let bare = observe(json!({ "id": 1, "email": "ada@example.org" }));
    assert_eq!(slots(&bare), named(&[("blocklist", Status::Unknown)]));
}

#[test]
fn lists_may_be_null_or_left_out() {
    for absent in
        [json!({ "listIds": null, "listUnsubscribed": null }), json!({ "listIds": [], "listUnsubscribed": [] })]
    {
        assert_eq!(slots(&observe(contact(&absent))).len(), 2);
    }
}

#[test]
fn a_contact_known_by_number_only_has_no_slot_for_mail_and_one_known_by_neither_none_at_all() {
    for email in [json!(null), json!("")] {
        let seen = observe(contact(&json!({ "email": email })));
        assert_eq!(slots(&seen), named(&[("sms-blocklist", Status::Unsubscribed)]));
        assert!(seen.who.emails.is_empty());
        let neither = observe(contact(&json!({ "email": email, "attributes": {} })));
        assert!(neither.slots.is_empty());
        assert_eq!(neither.record.as_str(), "32", "it is there all the same, so that a sweep does not miss it");
    }
}

#[test]
fn a_changed_address_stays_the_same_record_so_that_the_host_sees_what_it_cleared() {
    let before = observe(contact(&json!({ "emailBlacklisted": true })));
    let after = observe(contact(&json!({ "email": "ada@example.net", "emailBlacklisted": false })));
    assert_eq!(before.record, after.record);
    assert_eq!(slots(&after)[0], ("blocklist".to_owned(), Status::Never), "a cleared blocklisting is no opt-in");
}

#[test]
fn the_mark_of_a_double_opt_in_is_kept_and_proves_nothing_by_itself() {
    for (mark, is_set) in [
        (json!("1"), true),
        (json!(1), true),
        (json!("Yes"), true),
        (json!("0"), false),
        (json!("No"), false),
        (json!(""), false),
        (json!(null), false),
    ] {
        let seen = observe(contact(&json!({ "attributes": {"DOUBLE_OPT-IN": mark} })));
        let slot = seen.slots.iter().find(|slot| slot.status == Status::Subscribed).unwrap();
        assert_eq!(slot.evidence, Evidence { doi: is_set, ..Evidence::default() }, "{mark}");
        assert_eq!(slot.evidence.level(), Level::Claim);
    }
    let forms = observe(contact(&json!({ "attributes": {"OPT_IN": "1", "DOUBLE_OPT_IN": "1"} })));
    assert!(forms.slots.iter().all(|slot| slot.evidence == Evidence::default()), "the hyphen is part of the name");
}

#[test]
fn numbers_are_read_with_the_country_code_they_always_have() {
    for (number, wanted) in [
        (json!("33123456789"), Some("+33123456789")),
        (json!("+33 1 23 45 67 89"), Some("+33123456789")),
        (json!("0033123456789"), Some("+33123456789")),
        (json!(33_123_456_789_u64), Some("+33123456789")),
        (json!(""), None),
        (json!("unknown"), None),
    ] {
        let seen = observe(contact(&json!({ "attributes": {"SMS": number} })));
        assert_eq!(seen.who.phones.first().map(String::as_str), wanted, "{number}");
    }
}

fn block(changes: &Value) -> Result<Observation, &'static str> {
    let mut row = json!({
        "email": "ada@example.org", "senderEmail": "news@shop.example", "blockedAt": "2025-03-04T05:06:07.000Z",
        "reason": {"code": "contactFlaggedAsSpam", "message": "Unsubscribed"},
    });
    row.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    blocked(&serde_json::from_value(row).unwrap())
}

#[test]
fn a_block_is_known_by_all_it_says_and_dated_as_it_says() {
    let seen = block(&json!({})).unwrap();
    assert_eq!(seen.slots[0].since, Occurred::parse("2025-03-04T05:06:07Z"));
    assert_eq!((seen.slots[0].status, seen.slots[0].actor), (Status::Complained, Actor::MailboxProvider));
    assert_eq!(block(&json!({})).unwrap(), seen);
    for other in [
        json!({ "senderEmail": "shop@shop.example" }),
        json!({ "senderEmail": null }),
        json!({ "blockedAt": "2025-03-05T05:06:07.000Z" }),
        json!({ "reason": {"code": "adminBlocked"} }),
    ] {
        assert_ne!(block(&other).unwrap().record, seen.record, "{other}");
    }
    assert!(block(&json!({ "email": "" })).is_err());
}

#[test]
fn a_block_without_a_reason_is_a_block() {
    for reason in [json!(null), json!({}), json!({ "code": null, "message": "Unsubscribed" })] {
        let seen = block(&json!({ "reason": reason })).unwrap();
        assert_eq!((seen.slots[0].status, seen.slots[0].actor), (Status::Blocked, Actor::Machine));
    }
}

#[test]
fn a_list_that_is_there_twice_is_one_slot() {
    let seen = observe(contact(&json!({ "listIds": [40, 40, 41], "listUnsubscribed": [41, 41] })));
    let lists = slots(&seen).into_iter().filter(|(name, _)| name.parse::<u64>().is_ok());
    assert_eq!(lists.collect::<Vec<_>>(), named(&[("41", Status::Unsubscribed), ("40", Status::Subscribed)]));
}

#[test]
fn a_number_that_may_be_another_by_now_joins_nobody() {
    let seen = |text: &str| {
        let attributes: Value = serde_json::from_str(&format!("{{\"EXT_ID\":{text}}}")).unwrap();
        observe(contact(&json!({ "attributes": attributes }))).who.customer
    };
    assert_eq!(seen("4711"), Some("4711".into()));
    assert_eq!(seen("18446744073709551616"), None);
}

proptest! {
    #[test]
    fn whatever_a_block_is_called_it_is_never_an_opt_in(code in ".*") {
        let seen = block(&json!({ "reason": {"code": code} })).unwrap();
        let is_out = |slot: &Slot| {
            matches!(slot.status, Status::Unsubscribed | Status::Complained | Status::Blocked)
        };
        prop_assert_eq!(seen.slots.len() + seen.events.len(), 1);
        prop_assert!(seen.slots.iter().all(is_out));
    }

    #[test]
    fn only_a_list_of_a_contact_that_is_plainly_not_shut_claims_an_opt_in(
        flag in prop_oneof![Just(json!(true)), Just(json!(false)), Just(json!(null))],
        on in proptest::collection::vec(0..6_u64, 0..6),
        left in proptest::collection::vec(0..6_u64, 0..6),
        mark in ".*",
    ) {
        let attributes = json!({ "DOUBLE_OPT-IN": mark, "SMS": mark, "EMAIL": mark });
        let seen = observe(contact(&json!({
            "emailBlacklisted": flag, "listIds": on, "listUnsubscribed": left, "attributes": attributes,
        })));
        for (name, status) in slots(&seen) {
            let is_plain = name.parse().is_ok_and(|list| on.contains(&list) && !left.contains(&list));
            prop_assert!(status != Status::Subscribed || (is_plain && flag == json!(false)));
        }
        prop_assert!(seen.slots.iter().all(|slot| slot.evidence.level() <= Level::Claim));
    }
}
