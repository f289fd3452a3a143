//! What settings say of the controller and of erasing people.

use jiff::SignedDuration;
use jiff::civil::date;
use secrecy::ExposeSecret as _;
use unisson_consent::KeyId;
use unisson_settings::{KeyRef, SecretSource, Settings};

fn parse(text: &str) -> Settings {
    Settings::parse(text, [].into_iter(), "/etc/unisson").expect("these settings are right")
}

#[test]
fn without_a_word_the_controller_has_no_name_and_erasing_no_key() {
    let settings = parse("[store]\nurl = \"sqlite:/var/lib/unisson/memory.db\"");
    assert_eq!((settings.controller.name.as_str(), settings.controller.contact), ("the controller", None));
    let erasure = &settings.erasure;
    assert_eq!(erasure.journal.to_str(), Some("/var/lib/unisson/erasures.jsonl"), "beside the store");
    assert_eq!((&erasure.signing_key, erasure.sealing_key()), (&None, None));
    assert_eq!(erasure.zone.iana_name(), Some("UTC"));
    assert!(erasure.holidays.is_empty());
}

#[test]
fn the_highest_id_seals_whatever_the_order() {
    let erasure = parse(
        r#"
        [erasure]
        journal = "log/erasures.jsonl"
        signing_key = { env = "UNISSON_SIGNING_KEY" }
        tombstone_keys = [{ id = 9, key = { file = "nine.key" } }, { id = 2, key = { env = "TWO" } }]
        zone = "Europe/Paris"
        holidays = ["2026-12-25", 2027-01-01]
        "#,
    )
    .erasure;
    assert_eq!(erasure.journal.to_str(), Some("/etc/unisson/log/erasures.jsonl"));
    assert_eq!(erasure.signing_key, Some(KeyRef::Env("UNISSON_SIGNING_KEY".to_owned())));
    assert_eq!(erasure.tombstone_keys.iter().map(|key| key.id).collect::<Vec<_>>(), [KeyId(2), KeyId(9)]);
    assert_eq!(erasure.sealing_key().map(|key| &key.key), Some(&KeyRef::File("nine.key".into())));
    assert_eq!(erasure.zone.iana_name(), Some("Europe/Paris"));
    assert!(erasure.holidays.contains(&date(2026, 12, 25)) && erasure.holidays.contains(&date(2027, 1, 1)));
}

#[test]
fn the_environment_overrides_the_zone() {
    let zone = [("UNISSON__ERASURE__ZONE".to_owned(), "Europe/Berlin".to_owned())];
    let settings = Settings::parse("[erasure]\nzone = \"Europe/Paris\"", zone.into_iter(), ".").unwrap();
    assert_eq!(settings.erasure.zone.iana_name(), Some("Europe/Berlin"));
}

#[test]
fn the_wait_before_the_second_look_is_told_or_left_to_the_vendor() {
    let settings = parse(
        "[instances.news]\nconnector = \"mailchimp\"\nverify_after = \
         \"PT2S\"\n[instances.crm]\nconnector = \"hubspot\"",
    );
    assert_eq!(settings.instances["news"].verify_after, Some(SignedDuration::from_secs(2)));
    assert_eq!(settings.instances["crm"].verify_after, None);
    assert!(settings.instances["news"].rest.is_empty(), "it is no key of the connector");
}

#[test]
fn a_key_is_fetched_where_its_reference_says_and_a_pasted_one_is_not_shown() {
    let source = SecretSource::new(".", |name| (name == "TWO").then(|| "k-2".into()));
    let found = source.resolve(&KeyRef::Env("TWO".to_owned())).unwrap();
    assert_eq!(found.value.expose_secret(), "k-2");
    assert!(source.resolve(&KeyRef::File("/no/such/file".into())).is_err());
    assert!(!format!("{:?}", KeyRef::Env("s3cret-pasted".to_owned())).contains("s3cret"));
}
