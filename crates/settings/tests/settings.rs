//! What settings say, what overrides what, and how each mistake is named.

use std::path::Path;

use jiff::SignedDuration;
use unisson_consent::{Channel, Channels, Clock, Level, ListId, PurposeId, Resubscribe, SystemId};
use unisson_settings::{Enforce, LoadError, Settings, StoreUrl, TrustDefaults, apply_lists, load_policy};

const NEWS: &str = r#"
[instances.News-FR]
connector = "mailchimp"
enforce = "full"
clock = "good"
tz = "Europe/Paris"
max_level = 4
sequenced = true
resubscribe = "vendor_doi"
marketing = true
channels = ["email", "sms"]
api_key = { env = "MAILCHIMP_API_KEY" }
base_url = "http://127.0.0.1:9400/3.0"

[instances.News-FR.lists]
"a6B5.da/1054" = { purpose = "newsletter", channel = "email" }
"A6b5" = { purpose = "promotions", channel = "sms" }
"#;

fn parse(text: &str, environment: &[(&str, &str)]) -> Result<Settings, LoadError> {
    let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Settings::parse(text, environment, "/etc/unisson")
}

fn refusal(text: &str, environment: &[(&str, &str)]) -> String {
    parse(text, environment).expect_err("these settings are wrong").to_string()
}

#[test]
fn without_a_file_the_built_in_settings_hold() {
    let settings = parse("", &[]).unwrap();
    assert_eq!(settings.store.url, StoreUrl::Sqlite("/etc/unisson/unisson.db".into()));
    assert_eq!(settings.policy.file, None);
    assert_eq!((settings.guard.count, settings.guard.share), (100, 0.05));
    assert_eq!(settings.sync.commit_size, 2_000);
    assert_eq!(settings.sync.sweep_every, SignedDuration::from_hours(7 * 24));
    assert_eq!(settings.sync.lease, SignedDuration::from_mins(2));
    assert!(settings.instances.is_empty());
}

#[test]
fn a_file_that_nobody_named_may_be_missing() {
    let settings = Settings::load(None, [("UNISSON__GUARD__COUNT".to_owned(), "3".to_owned())].into_iter()).unwrap();
    assert_eq!((settings.guard.count, settings.folder.as_path()), (3, Path::new(".")));
}

#[test]
fn common_keys_are_read_and_the_rest_is_kept_for_the_connector() {
    let settings = parse(NEWS, &[]).unwrap();
    let news = &settings.instances["News-FR"];
    assert_eq!((news.connector.as_str(), news.enabled, news.enforce), ("mailchimp", true, Enforce::Full));
    assert_eq!(news.trust.clock, Some(Clock::Good));
    assert_eq!(news.trust.tz.as_ref().and_then(|zone| zone.iana_name()), Some("Europe/Paris"));
    assert_eq!(news.trust.level_max, Some(Level::Confirmed));
    assert_eq!(news.trust.channels, Some(Channels::one(Channel::Email).with(Channel::Sms)));
    let rest = serde_json::json!({
        "api_key": { "env": "MAILCHIMP_API_KEY" },
        "base_url": "http://127.0.0.1:9400/3.0",
    });
    assert_eq!(serde_json::Value::Object(news.rest.clone()), rest);
}

#[test]
fn names_and_list_ids_keep_their_case() {
    let settings = parse(NEWS, &[]).unwrap();
    let lists = &settings.instances["News-FR"].lists;
    assert_eq!(lists[&ListId::new("a6B5.da/1054")].purpose, PurposeId::new("newsletter"));
    assert_eq!(settings.list_channel("News-FR", &ListId::new("A6b5")), Some(Channel::Sms));
    assert_eq!(settings.list_channel("News-FR", &ListId::new("a6b5")), None);
    assert_eq!(settings.list_channel("news-fr", &ListId::new("A6b5")), None);
}

#[test]
fn the_environment_overrides_the_file() {
    let environment = [
        ("UNISSON__GUARD__COUNT", "7"),
        ("UNISSON__STORE__URL", "sqlite:/var/lib/u.db"),
        ("UNISSON__INSTANCES__NEWS_FR__ENFORCE", "observe"),
        ("UNISSON__INSTANCES__NEWS_FR__ENABLED", "false"),
        ("UNISSON__INSTANCES__NEWS_FR__CHANNELS", "[\"email\"]"),
        ("UNISSON__INSTANCES__NEWS_FR__LISTS__A6B5__CHANNEL", "email"),
        ("UNISSON__INSTANCES__NEWS_FR__API_KEY__ENV", "OTHER_KEY"),
        ("UNISSON__INSTANCES__NEWS_FR__PAGE_SIZE", "50"),
        ("UNISSON__INSTANCES__NEWS_FR__LABEL", "\"50\""),
        ("UNISSON__POLICY__FILE", "counsel/policy.toml"),
        ("UNISSON_CONFIG", "not ours"),
        ("PATH", "/bin"),
    ];
    let text = format!("[guard]\ncount = 5\nshare = 0.5\n{NEWS}");
    let settings = parse(&text, &environment).unwrap();
    assert_eq!((settings.guard.count, settings.guard.share), (7, 0.5));
    assert_eq!(settings.store.url.to_string(), "sqlite:/var/lib/u.db");
    assert_eq!(settings.policy.file.as_deref(), Some(Path::new("/etc/unisson/counsel/policy.toml")));
    let news = &settings.instances["News-FR"];
    assert_eq!((news.enforce, news.enabled), (Enforce::Observe, false));
    assert_eq!(news.trust.channels, Some(Channels::one(Channel::Email)));
    assert_eq!(settings.list_channel("News-FR", &ListId::new("A6b5")), Some(Channel::Email));
    assert_eq!(news.rest["api_key"]["env"], "OTHER_KEY");
    assert_eq!((&news.rest["page_size"], &news.rest["label"]), (&50.into(), &"50".into()));
}

#[test]
fn an_instance_can_come_from_the_environment_alone() {
    let environment = [
        ("UNISSON__INSTANCES__CRM__CONNECTOR", "hubspot"),
        ("UNISSON__INSTANCES__CRM__LISTS__77__PURPOSE", "newsletter"),
        ("UNISSON__INSTANCES__CRM__LISTS__77__CHANNEL", "email"),
    ];
    let settings = parse("", &environment).unwrap();
    assert_eq!(settings.instances["crm"].connector, "hubspot");
    assert_eq!(settings.list_channel("crm", &ListId::new("77")), Some(Channel::Email));
}

#[test]
fn mistakes_in_the_environment_name_the_variable() {
    let two = "[instances.news]\nconnector = \"a\"\n[instances.NEWS]\nconnector = \"b\"\n";
    for (text, environment, expected) in [
        (
            "",
            &[("UNISSON__GUARD__CUONT", "5")][..],
            "load the settings: environment variable UNISSON__GUARD__CUONT: guard.cuont is no key of this table; did you \
             mean `count`? known are count, share",
        ),
        (
            "",
            &[("UNISSON__GUARD__COUNT", "many")],
            "load the settings: environment variable UNISSON__GUARD__COUNT: guard.count needs a whole number from zero \
             up, not text; write for example count = 100",
        ),
        (
            "",
            &[("UNISSON__", "5")],
            "load the settings: environment variable UNISSON__ names no setting; write UNISSON__SECTION__KEY, such as \
             UNISSON__GUARD__COUNT",
        ),
        (
            "",
            &[("UNISSON__GUARD", "5"), ("UNISSON__GUARD__COUNT", "5")],
            "load the settings: environment variable UNISSON__GUARD__COUNT sets a part of guard, which another variable \
             sets as a whole; keep one of them",
        ),
        (
            "",
            &[("UNISSON__GUARD__COUNT", "5"), ("UNISSON__guard__COUNT", "6")],
            "load the settings: environment variable UNISSON__guard__COUNT sets guard.count, which another variable sets \
             too; keep one of them",
        ),
        (
            two,
            &[("UNISSON__INSTANCES__News__ENABLED", "false")],
            "load the settings: environment variable UNISSON__INSTANCES__News__ENABLED could mean \"NEWS\" or \"news\"; \
             rename one of them, or set the value in the file",
        ),
    ] {
        assert_eq!(refusal(text, environment), expected);
    }
}

#[test]
fn a_key_with_a_dot_is_one_key() {
    let text = "\"guard.count\" = 5";
    assert!(refusal(text, &[]).contains("unisson.toml, line 1: \"guard.count\" is no key of this table"));
}

#[test]
fn no_message_and_no_debug_output_repeats_a_pasted_secret() {
    let secret = "hunter2-us21";
    for text in [
        format!("[instances.news]\nconnector = \"mailchimp\"\nenforce = \"{secret}\""),
        format!("[instances.news]\nconnector = \"mailchimp\"\nlists = \"{secret}\""),
        format!("[instances.news]\nconnector = \"mailchimp\"\nenabled = \"{secret}\""),
        format!("[instances.news]\nconnector = [\"{secret}\"]"),
        format!("[instances.news]\napi_key = \"{secret}\" oops"),
        format!("[instances.news]\napi_key = \"{secret}"),
        format!("[store]\nurl = \"postgres://unisson:{secret}@db\""),
        format!("[guard]\ncount = \"{secret}\""),
        format!("[sync]\nlease = \"{secret}\""),
    ] {
        let error = parse(&text, &[]).unwrap_err();
        assert!(!format!("{error} {error:?}").contains(secret), "{error:?}");
    }
    let text = format!("[instances.news]\nconnector = \"mailchimp\"\napi_key = \"{secret}\"");
    let settings = parse(&text, &[("UNISSON__INSTANCES__NEWS__OTHER", secret)]).unwrap();
    assert!(!format!("{settings:?}").contains(secret));
}

#[test]
fn what_looks_like_a_misspelt_common_key_can_be_pointed_out() {
    let settings = parse("[instances.news]\nconnector = \"mailchimp\"\nenfroce = \"full\"\napi_key = 1", &[]).unwrap();
    let doubts: Vec<_> = settings.instances["news"].doubts().collect();
    assert_eq!(doubts, [("enfroce", "enforce")]);
}

#[test]
fn a_system_is_what_settings_say_over_what_its_kind_says() {
    let defaults = TrustDefaults {
        clock: Clock::Poor,
        level_max: Level::Traceable,
        sequenced: false,
        resubscribe: Resubscribe::Allowed,
        marketing: true,
        channels: Channels::one(Channel::Email),
    };
    let text = format!("{NEWS}\n[instances.crm]\nconnector = \"hubspot\"\nmarketing = false");
    let settings = parse(&text, &[]).unwrap();
    let news = settings.system("News-FR", &defaults).unwrap();
    assert_eq!((news.clock, news.level_max, news.sequenced), (Clock::Good, Level::Confirmed, true));
    assert_eq!(news.resubscribe, Resubscribe::VendorDoi);
    assert!(news.zone.is_some());
    let crm = settings.system("crm", &defaults).unwrap();
    assert_eq!((crm.clock, crm.level_max, crm.sequenced), (Clock::Poor, Level::Traceable, false));
    assert_eq!((crm.marketing, crm.channels), (false, Channels::one(Channel::Email)));
    assert!(settings.system("nobody", &defaults).is_none());
}

#[test]
fn lists_become_part_of_the_policy() {
    let mut policy = load_policy(None).unwrap().policy;
    apply_lists(&mut policy, &parse(NEWS, &[]).unwrap()).unwrap();
    let system = SystemId::new("News-FR");
    assert_eq!(policy.list_purpose(&system, &ListId::new("A6b5")), Some(&PurposeId::new("promotions")));
    assert_eq!(policy.list_purpose(&system, &ListId::new("a6b5")), None);
}

#[test]
fn a_list_for_an_unknown_purpose_is_refused_and_changes_nothing() {
    let mut policy = load_policy(None).unwrap().policy;
    let settings = parse(&NEWS.replace("\"promotions\"", "\"promotion\""), &[]).unwrap();
    let error = apply_lists(&mut policy, &settings).unwrap_err();
    assert_eq!(
        error.to_string(),
        "load the settings: unisson.toml, line 17: instances.News-FR.lists.A6b5.purpose names `promotion`, which is no \
         purpose of the policy; did you mean `promotions`? known are marketing, newsletter, order_service, partners, \
         promotions"
    );
    assert!(policy.lists.is_empty());
}

#[test]
fn relative_paths_start_in_the_folder_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("unisson.toml");
    std::fs::write(&file, "[policy]\nfile = \"policy.toml\"\n[store]\nurl = \"sqlite:data/u.db\"").unwrap();
    let settings = Settings::load(Some(&file), [].into_iter()).unwrap();
    assert_eq!(settings.policy.file, Some(folder.path().join("policy.toml")));
    assert_eq!(settings.store.url, StoreUrl::Sqlite(folder.path().join("data/u.db")));
    assert_eq!(settings.folder, folder.path());
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("nowhere.toml");
    let error = Settings::load(Some(&missing), [].into_iter()).unwrap_err();
    assert!(matches!(&error, LoadError::Missing { path } if *path == missing), "{error}");
    let binary = folder.path().join("binary.toml");
    std::fs::write(&binary, [0xff, 0xfe, 0x00]).unwrap();
    assert!(matches!(Settings::load(Some(&binary), [].into_iter()), Err(LoadError::File { .. })));
    assert!(matches!(Settings::load(Some(folder.path()), [].into_iter()), Err(LoadError::File { .. })));
    let long = folder.path().join("long.toml");
    std::fs::write(&long, "# é\n".repeat(300_000)).unwrap();
    let error = Settings::load(Some(&long), [].into_iter()).unwrap_err();
    assert!(
        error.to_string().ends_with("is longer than 1048576 bytes; split it or take out what is not needed"),
        "{error}"
    );
}

#[test]
fn a_byte_order_mark_is_no_mistake() {
    assert_eq!(parse("\u{feff}[guard]\ncount = 5", &[]).unwrap().guard.count, 5);
}

#[test]
fn too_many_instances_are_refused() {
    let text: String =
        (0..257).map(|n| ["[instances.i", &n.to_string(), "]\nconnector = \"files\"\n"].concat()).collect();
    assert!(refusal(&text, &[]).contains("has more than 256 instances; use a second installation"));
}
