//! What a policy says, what its profile says where it is silent, and what no policy may say.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use unisson_consent::{
    Aliases, Audience, Basis, Channel, Channels, Country, Family, Level, LevelRule, Need, Policy, Propagate, PurposeId,
    Relation,
};
use unisson_settings::{Keep, LoadError, LoadedPolicy, Profile, load_policy, parse_policy};

fn days(days: i64) -> SignedDuration {
    SignedDuration::from_hours(days * 24)
}

fn country(code: &str) -> Country {
    Country::parse(code).expect("a country of these tests")
}

fn of(profile: Profile) -> LoadedPolicy {
    parse_policy(&format!("version = \"1\"\nprofile = \"{}\"", profile.as_str())).expect("profiles load")
}

/// A policy over the profile eu-fr.
fn over(text: &str) -> Result<LoadedPolicy, LoadError> {
    parse_policy(&format!("version = \"1\"\nprofile = \"eu-fr\"\n{text}"))
}

fn level(policy: &Policy, code: &str, channel: Channel) -> u8 {
    policy.level_needed(&BTreeSet::from([country(code)]), &BTreeSet::new(), channel, false).number()
}

#[test]
fn the_built_in_policy_is_the_profile_of_france() {
    let LoadedPolicy { policy, version, profile, retention, deadlines, .. } = load_policy(None).unwrap();
    assert_eq!((version.as_str(), profile, policy.country), ("2026-11-23.1", Profile::EuFr, country("FR")));
    let parents = |id: &str| policy.purposes[&PurposeId::new(id)].parent.clone();
    for id in ["newsletter", "promotions", "partners"] {
        assert_eq!(parents(id), Some(PurposeId::new("marketing")), "{id}");
    }
    assert_eq!(policy.purposes[&PurposeId::new("order_service")].family, Family::Service);
    assert_eq!(policy.purposes.len(), 5);
    assert_eq!(policy.level_default, Level::Qualified);
    assert_eq!(policy.level_role, Level::Confirmed);
    let germany = LevelRule {
        countries: [country("DE")].into(),
        channels: Channels::one(Channel::Email).with(Channel::Sms),
        audiences: BTreeSet::new(),
        level: Level::Confirmed,
    };
    assert_eq!(policy.level_rules, [germany]);
    assert_eq!(policy.inactivity_max, Some(days(1096)));
    assert_eq!((policy.consent_age_max, policy.expiry_ask), (None, days(30)));
    assert_eq!((policy.request_age_max, policy.deadline), (Some(days(7)), None));
    assert!(policy.invite_allowed && policy.push_grants && policy.carry_verified_change);
    assert_eq!((policy.propagate, policy.aliases), (Propagate::Subject, Aliases::default()));
    assert_eq!((policy.soft_threshold, policy.soft_window, policy.soft_span), (5, days(30), days(7)));
    assert_eq!(policy.deliveries_clear_hard, 2);
    assert_eq!((policy.minor_age[&country("FR")], policy.minor_age_default), (15, 16));
    assert!(policy.role_accounts.contains("info"));
    assert!(policy.lists.is_empty() && policy.lineage.is_empty());
    assert_eq!((retention.suppression, retention.suppression_review), (Keep::Indefinitely, days(1096)));
    assert_eq!((retention.tombstone, retention.proof), (Keep::For(days(1827)), days(1827)));
    assert_eq!((deadlines.erasure.to_string(), deadlines.erasure_extension.to_string()), ("P1M".into(), "P2M".into()));
    assert_eq!(deadlines.negative_alarm, SignedDuration::from_hours(4));
    assert_eq!(deadlines.negative_limit, SignedDuration::from_hours(24));
}

#[test]
fn every_profile_needs_the_levels_of_its_country() {
    for (profile, code, email, sms, phone) in [
        (Profile::EuFr, "FR", 3, 3, 3),
        (Profile::EuDe, "DE", 4, 4, 3),
        (Profile::EuIt, "IT", 3, 3, 3),
        (Profile::Uk, "GB", 3, 3, 0),
        (Profile::Us, "US", 0, 3, 0),
        (Profile::Ca, "CA", 3, 3, 3),
    ] {
        let policy = of(profile).policy;
        assert_eq!(policy.country, country(code));
        let needed = [Channel::Email, Channel::Sms, Channel::PhoneLive].map(|channel| level(&policy, code, channel));
        assert_eq!(needed, [email, sms, phone], "{profile:?}");
        assert_eq!(level(&policy, "DE", Channel::Email), 4, "{profile:?}: people in Germany keep their law");
    }
}

#[test]
fn every_profile_has_the_times_and_scopes_of_its_country() {
    let two_years = Some(days(731));
    let five_years = Keep::For(days(1827));
    for (profile, idle, ask, invite, tombstone, proof, due, propagate, regrant) in [
        (Profile::EuFr, Some(days(1096)), 30, true, five_years, 1827, "P1M", Propagate::Subject, 3),
        (Profile::EuDe, two_years, 0, false, five_years, 1827, "P1M", Propagate::Subject, 4),
        (Profile::EuIt, two_years, 0, true, five_years, 1827, "P1M", Propagate::Subject, 3),
        (Profile::Uk, two_years, 0, false, Keep::For(days(2192)), 2192, "P1M", Propagate::Subject, 3),
        (Profile::Us, None, 0, false, Keep::Indefinitely, 1827, "P45D", Propagate::Address, 3),
        (Profile::Ca, None, 0, false, Keep::Indefinitely, 1096, "P30D", Propagate::Address, 3),
    ] {
        let LoadedPolicy { policy, retention, deadlines, .. } = of(profile);
        assert_eq!((policy.inactivity_max, policy.expiry_ask), (idle, days(ask)), "{profile:?}");
        assert_eq!((policy.invite_allowed, policy.propagate), (invite, propagate), "{profile:?}");
        assert_eq!((retention.tombstone, retention.proof), (tombstone, days(proof)), "{profile:?}");
        assert_eq!(deadlines.erasure.to_string(), due, "{profile:?}");
        assert_eq!(
            (policy.regrant.refuse.number(), policy.regrant.withdraw.number()),
            (regrant, regrant),
            "{profile:?}"
        );
        assert_eq!(policy.regrant.object.min(policy.regrant.complaint).min(policy.regrant.erase), Level::Confirmed);
    }
}

#[test]
fn a_profile_grants_no_basis_in_other_countries_than_its_own() {
    for (profile, code) in [
        (Profile::EuFr, "FR"),
        (Profile::EuDe, "DE"),
        (Profile::EuIt, "IT"),
        (Profile::Uk, "GB"),
        (Profile::Us, "US"),
        (Profile::Ca, "CA"),
    ] {
        let rules = of(profile).policy.basis_rules;
        assert!(rules.len() > 1);
        for rule in rules.iter().filter(|rule| rule.basis != Basis::Contract) {
            assert_eq!(rule.countries, [country(code)].into(), "{}", rule.id);
        }
    }
}

#[test]
fn a_basis_rule_is_read_whole() {
    let rules = load_policy(None).unwrap().policy.basis_rules;
    let rule = |id: &str| rules.iter().find(|rule| rule.id == id).unwrap();
    let soft = rule("fr_soft_optin");
    assert_eq!((soft.basis, soft.age_max), (Basis::SoftOptIn, Some(days(1096))));
    assert_eq!(soft.channels, Channels::one(Channel::Email).with(Channel::Sms));
    assert_eq!(soft.purposes, [PurposeId::new("promotions")].into());
    assert_eq!(
        (&soft.relations, &soft.needs),
        (&[Relation::Sale].into(), &[Need::OptOutOffered, Need::Similar].into())
    );
    assert_eq!(rule("fr_b2b_li").audiences, [Audience::B2b].into());
    assert_eq!(rule("fr_postal_li").needs, [Need::AddressHeld].into());
    assert_eq!(rule("fr_phone_old").until, Some("2026-08-10T22:00:00Z".parse().unwrap()));
    assert!(rule("order_service").countries.is_empty());
}

#[test]
fn every_key_overrides_the_profile() {
    let loaded = over(
        r#"
        country = "be"
        push_grants = false
        without_basis = ["fr_b2b_li", "fr_phone_old"]
        [level.need]
        default = 4
        rules = []
        [level.regrant]
        withdraw = 5
        [time]
        consent_max_age = "P730D"
        suppression_retention = "P4Y"
        [scope]
        propagate = "address"
        [identity]
        suppression_alias = ["plus", "gmail_dots"]
        carry_grant_on_address_change = "never"
        role_accounts = ["Vente"]
        [minor_age.country]
        FR = 16
        PT = 13
        [campaign]
        deadline = 2027-01-31T23:00:00Z
        [purposes.events]
        family = "marketing"
        parent = "newsletter"
        [lineage]
        old_news = ["newsletter", "events"]
        [[basis]]
        id = "fr_soft_optin"
        purpose = ["promotions", "events"]
        max_age = "P12M"
        [[basis]]
        id = "letters"
        channel = ["postal"]
        purpose = ["events"]
        basis = "legitimate_interest"
        facts = ["address_held"]
        "#,
    )
    .unwrap();
    let LoadedPolicy { policy, retention, .. } = loaded;
    assert_eq!((policy.country, policy.push_grants), (country("BE"), false));
    assert_eq!((policy.level_default, policy.level_rules), (Level::Confirmed, vec![]));
    assert_eq!((policy.regrant.withdraw, policy.regrant.refuse), (Level::Signed, Level::Qualified));
    assert_eq!(policy.consent_age_max, Some(days(730)));
    assert_eq!(policy.inactivity_max, Some(days(1096)), "what is not overridden stays");
    assert_eq!(retention.suppression, Keep::For(days(1461)));
    assert_eq!((policy.propagate, policy.aliases), (Propagate::Address, Aliases::WIDEST));
    assert!(!policy.carry_verified_change);
    assert_eq!(policy.role_accounts, ["vente".to_owned()].into());
    let age = |code| policy.minor_age.get(&country(code)).copied();
    assert_eq!((age("FR"), age("PT"), age("DE")), (Some(16), Some(13), Some(16)));
    assert_eq!(policy.deadline, Some("2027-01-31T23:00:00Z".parse().unwrap()));
    assert_eq!(policy.purposes.len(), 6);
    assert_eq!(policy.lineage[&PurposeId::new("old_news")].len(), 2);
    let ids: Vec<&str> = policy.basis_rules.iter().map(|rule| rule.id.as_str()).collect();
    assert_eq!(ids, ["order_service", "fr_soft_optin", "fr_postal_li", "fr_phone_contract", "letters"]);
    let soft = &policy.basis_rules[1];
    assert_eq!((soft.purposes.len(), soft.age_max, soft.basis), (2, Some(days(366)), Basis::SoftOptIn));
}

#[test]
fn the_digest_is_of_what_is_said_and_not_of_how() {
    let one = over("country = \"BE\"\n[scope]\npropagate = \"address\"").unwrap();
    let same = over("# counsel agreed\ncountry   = 'BE'\nscope = { propagate = \"address\" }").unwrap();
    let other = over("country = \"BE\"\n[scope]\npropagate = \"subject\"").unwrap();
    assert_eq!((&one.hash, &one.effective), (&same.hash, &same.effective));
    assert_ne!(one.hash, other.hash);
    assert_eq!(one.hash.len(), 64);
    assert!(serde_json::from_str::<serde_json::Value>(&one.effective).is_ok());
}

#[test]
fn writing_the_built_in_policy_out_changes_nothing() {
    let built_in = load_policy(None).unwrap();
    let silent = parse_policy("version = \"2026-11-23.1\"\nprofile = \"eu-fr\"").unwrap();
    assert_eq!(built_in.effective, silent.effective);
}

#[test]
fn a_retention_as_long_as_the_longest_permission_is_enough() {
    let text = "[time]\ntombstone_retention = \"P36M\"\nsuppression_retention = \"P1096D\"";
    assert_eq!(over(text).unwrap().retention.tombstone, Keep::For(days(1096)));
    let bounded_by_age = "[time]\ninactivity_max = \"none\"\nconsent_max_age = \"P5Y\"";
    assert!(over(bounded_by_age).is_ok());
}

#[test]
fn a_low_level_is_taken_where_an_opt_out_regime_covers_it() {
    let text = |countries: &str| {
        format!(
            "[level.need]\nrules = [{{ country = [\"US\"], channel = [\"email\"], level = 0 }}]\n[[basis]]\nid = \"o\"\n\
             country = [{countries}]\nchannel = [\"email\", \"postal\"]\nbasis = \"opt_out_regime\"\n\
             facts = [\"address_held\"]\npurpose = [\"marketing\", \"newsletter\", \"promotions\", \"partners\"]"
        )
    };
    assert!(over(&text("\"US\", \"CA\"")).is_ok());
    assert!(over(&text("")).is_ok(), "no country means everywhere");
    assert!(over(&text("\"CA\"")).is_err());
}

#[test]
fn a_policy_file_is_named_in_its_mistakes() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ours.toml");
    std::fs::write(&file, "version = \"1\"\nprofile = \"uk\"\n[scope]\npropagate = \"adress\"").unwrap();
    let error = load_policy(Some(&file)).unwrap_err();
    assert_eq!(error.defects().len(), 1);
    let place = &error.defects()[0].place;
    assert_eq!((place.source.as_str(), place.line), (file.to_str().unwrap(), Some(4)));
    assert_eq!(place.path, "scope.propagate");
    let missing = folder.path().join("theirs.toml");
    assert!(matches!(load_policy(Some(&missing)), Err(LoadError::Missing { path }) if path == missing));
}
