//! A small world for the laws: a policy, its systems, and random histories in it.

#![expect(clippy::unwrap_used, reason = "the fixtures are constant")]

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use unisson_consent::{
    Activity, Actor, Address, Basis, BasisRule, Bounce, Channel, Channels, Clock, Country, Evidence, Fact, FactId,
    Family, Key, Keyring, Kind, Law, Level, LevelRule, Need, Occurred, Policy, Propagate, Purpose, PurposeId, Purposes,
    RecordRef, RegrantLevels, Relation, Resubscribe, Scope, Status, System, SystemId, Systems, Via, Who,
};

pub(crate) const NOW: &str = "2026-11-23T00:00:00Z";

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn now() -> Timestamp {
    at(NOW)
}

/// The systems of the shared scenarios.
pub(crate) fn systems() -> Systems {
    let email_sms = Channels::one(Channel::Email).with(Channel::Sms);
    let crm = email_sms.with(Channel::PhoneLive).with(Channel::Postal);
    let of = |clock, level, marketing, channels, resubscribe| System {
        clock,
        zone: None,
        sequenced: false,
        level_max: Level::from_number(level).unwrap(),
        marketing,
        channels,
        resubscribe,
    };
    [
        ("web", of(Clock::Host, 5, false, Channels::NONE, Resubscribe::Forbidden)),
        (
            "esp",
            System {
                sequenced: true,
                ..of(Clock::Good, 4, true, Channels::one(Channel::Email), Resubscribe::VendorDoi)
            },
        ),
        ("esp2", of(Clock::Good, 4, true, email_sms, Resubscribe::Allowed)),
        ("crm", of(Clock::Poor, 2, true, crm, Resubscribe::Allowed)),
        ("shop", of(Clock::Good, 4, true, email_sms, Resubscribe::Forbidden)),
        ("csv", of(Clock::Poor, 1, false, Channels::NONE, Resubscribe::Forbidden)),
    ]
    .into_iter()
    .map(|(id, system)| (SystemId::new(id), system))
    .collect()
}

#[expect(clippy::too_many_lines, reason = "a policy is read as a whole")]
pub(crate) fn policy() -> Policy {
    let purpose = |family, parent: Option<&str>| Purpose { family, parent: parent.map(PurposeId::from), dpv: None };
    let countries = |codes: &[&str]| codes.iter().filter_map(|code| Country::parse(code)).collect::<BTreeSet<_>>();
    let days = |days: i64| SignedDuration::from_hours(24 * days);
    let rule = |id: &str, basis, purpose: &str, channels| BasisRule {
        id: id.to_owned(),
        countries: BTreeSet::new(),
        audiences: BTreeSet::new(),
        channels,
        purposes: [PurposeId::from(purpose)].into(),
        basis,
        relations: BTreeSet::new(),
        needs: BTreeSet::new(),
        age_max: None,
        from: None,
        until: None,
    };
    let email = Channels::one(Channel::Email);
    Policy {
        purposes: [
            ("marketing", purpose(Family::Marketing, None)),
            ("newsletter", purpose(Family::Marketing, Some("marketing"))),
            ("promo", purpose(Family::Marketing, Some("marketing"))),
            ("service", purpose(Family::Service, None)),
        ]
        .into_iter()
        .map(|(id, purpose)| (PurposeId::from(id), purpose))
        .collect(),
        country: Country::parse("FR").unwrap(),
        level_default: Level::Qualified,
        level_rules: vec![LevelRule {
            countries: countries(&["DE"]),
            channels: email,
            audiences: BTreeSet::new(),
            level: Level::Confirmed,
        }],
        level_role: Level::Confirmed,
        role_accounts: ["info".to_owned()].into(),
        regrant: RegrantLevels {
            refuse: Level::Qualified,
            withdraw: Level::Qualified,
            object: Level::Confirmed,
            complaint: Level::Confirmed,
            erase: Level::Confirmed,
        },
        propagate: Propagate::Subject,
        inactivity_max: Some(days(1096)),
        consent_age_max: None,
        expiry_ask: days(30),
        request_age_max: Some(days(7)),
        deadline: None,
        invite_allowed: true,
        push_grants: true,
        carry_verified_change: true,
        aliases: unisson_consent::Aliases::default(),
        soft_threshold: 5,
        soft_window: days(30),
        soft_span: days(7),
        deliveries_clear_hard: 2,
        minor_age: [(Country::parse("FR").unwrap(), 15)].into(),
        minor_age_default: 16,
        lists: std::iter::once((SystemId::from("esp"), [("L-news".into(), PurposeId::from("newsletter"))].into()))
            .collect(),
        lineage: std::collections::BTreeMap::new(),
        basis_rules: vec![
            BasisRule {
                relations: [Relation::Contract].into(),
                needs: [Need::Active].into(),
                ..rule("service", Basis::Contract, "service", Channels::ALL)
            },
            BasisRule {
                relations: [Relation::Sale].into(),
                needs: [Need::OptOutOffered, Need::Similar].into(),
                age_max: Some(days(1096)),
                ..rule("soft", Basis::SoftOptIn, "promo", email.with(Channel::Sms))
            },
            BasisRule {
                countries: countries(&["US"]),
                needs: [Need::AddressHeld].into(),
                ..rule("us", Basis::OptOutRegime, "newsletter", email)
            },
            BasisRule {
                needs: [Need::AddressHeld].into(),
                ..rule("post", Basis::LegitimateInterest, "promo", Channels::one(Channel::Postal))
            },
        ],
    }
}

pub(crate) fn law() -> Law {
    Law { policy: policy(), systems: systems(), keyring: Keyring::default() }
}

/// Policies that differ in what the laws are about.
pub(crate) fn laws() -> impl Strategy<Value = Law> {
    let deadlines =
        prop_oneof![Just(None), Just(Some(at("2026-06-01T00:00:00Z"))), Just(Some(at("2027-01-31T23:00:00Z")))];
    let reach = prop_oneof![3 => Just(Propagate::Subject), 1 => Just(Propagate::Address)];
    (deadlines, reach, any::<bool>(), any::<bool>()).prop_map(|(deadline, propagate, plus, invite_allowed)| {
        let mut law = law();
        law.policy.deadline = deadline;
        law.policy.propagate = propagate;
        law.policy.aliases.plus = plus;
        law.policy.invite_allowed = invite_allowed;
        law
    })
}

pub(crate) fn proven() -> Evidence {
    Evidence {
        capture: true,
        notice: Some("N3".into()),
        controller_named: true,
        purpose_specific: true,
        affirmative: true,
        pre_ticked: Some(false),
        ..Evidence::default()
    }
}

pub(crate) fn confirmed() -> Evidence {
    Evidence { doi: true, ..proven() }
}

/// The people of this world: few, so that histories collide.
pub(crate) fn people() -> impl Strategy<Value = Who> {
    prop_oneof![
        4 => Just(who(&["ana@example.com"], None)),
        2 => Just(who(&["Ana@Example.COM"], None)),
        2 => Just(who(&["ana@example.com"], Some("K1"))),
        2 => Just(who(&["ana.pro@example.com"], Some("K1"))),
        1 => Just(who(&["ana+tag@example.com"], None)),
        1 => Just(who(&["bob@example.com"], None)),
        1 => Just(who(&["info@example.com"], None)),
        1 => Just(Who { addresses: Address::phone("+33612345678", None).into_iter().collect(), ..who(&[], Some("K1")) }),
        1 => Just(Who { country: Country::parse("DE"), ..who(&["ana@example.com"], None) }),
        1 => Just(Who { country: Country::parse("US"), ..who(&["bob@example.com"], Some("K1")) }),
        1 => Just(Who { addresses: Address::postal("1 rue de la Paix Paris").into_iter().collect(), ..who(&[], Some("K1")) }),
    ]
}

pub(crate) fn who(emails: &[&str], customer: Option<&str>) -> Who {
    Who {
        addresses: emails.iter().filter_map(|email| Address::email(email)).collect(),
        customer: customer.map(Into::into),
        ..Who::default()
    }
}

/// Moments on a coarse grid, so that ties and overlaps are common; some years back, so that things expire.
pub(crate) fn moments() -> impl Strategy<Value = Timestamp> {
    (prop_oneof![1 => Just(2022_i16), 1 => Just(2023), 1 => Just(2024), 4 => Just(2026)], 1..=10_i8, 1..=3_i8, 0..=2_i8)
        .prop_map(|(year, month, day, hour)| {
            jiff::tz::TimeZone::UTC.to_timestamp(jiff::civil::date(year, month, day).at(hour * 8, 0, 0, 0)).unwrap()
        })
}

fn occurrences() -> impl Strategy<Value = (Occurred, Timestamp)> {
    (moments(), 0..=40_i64, 0..=5_u8).prop_map(|(moment, delay_hours, form)| {
        let observed = (moment + SignedDuration::from_hours(delay_hours)).min(now());
        let civil = jiff::tz::TimeZone::UTC.to_datetime(moment);
        let occurred = match form {
            0 => Occurred::Unknown,
            1 => Occurred::Day(civil.date()),
            2 => Occurred::Local(civil),
            _ => Occurred::Instant(moment),
        };
        (occurred, observed)
    })
}

pub(crate) fn scopes() -> impl Strategy<Value = Scope> {
    let purposes = prop_oneof![
        2 => Just(Purposes::AllMarketing),
        4 => Just(Purposes::Named(vec!["newsletter".into()])),
        2 => Just(Purposes::Named(vec!["promo".into()])),
        1 => Just(Purposes::Named(vec!["marketing".into()])),
        1 => Just(Purposes::List("L-news".into())),
        1 => Just(Purposes::List("L-mystery".into())),
    ];
    let channels = prop_oneof![
        4 => Just(Channels::one(Channel::Email)),
        1 => Just(Channels::one(Channel::Sms)),
        1 => Just(Channels::one(Channel::Email).with(Channel::Sms)),
        1 => Just(Channels::ALL),
    ];
    (purposes, channels).prop_map(|(purposes, channels)| Scope { purposes, channels })
}

fn evidences() -> impl Strategy<Value = Evidence> {
    prop_oneof![
        1 => Just(Evidence::default()),
        1 => Just(Evidence { capture: true, ..Evidence::default() }),
        2 => Just(proven()),
        3 => Just(confirmed()),
        1 => Just(Evidence { pre_ticked: Some(true), ..confirmed() }),
        1 => Just(Evidence { document: true, signed: true, ..proven() }),
    ]
}

pub(crate) fn negative_kinds() -> impl Strategy<Value = Kind> {
    prop_oneof![
        Just(Kind::Refuse),
        Just(Kind::Withdraw),
        Just(Kind::Object),
        Just(Kind::Complaint),
        Just(Kind::EraseRequest { verified: true }),
        Just(Kind::EraseRequest { verified: false }),
    ]
}

fn kinds() -> impl Strategy<Value = Kind> {
    let statuses = proptest::sample::select(Status::ALL.map(|(status, _)| status).to_vec());
    prop_oneof![
        5 => evidences().prop_map(|evidence| Kind::Grant { evidence, valid_until: None }),
        3 => negative_kinds(),
        4 => (statuses, evidences()).prop_map(|(status, evidence)| Kind::Snapshot { status, evidence, turn: None }),
        1 => Just(Kind::Request),
        2 => prop_oneof![Just(Bounce::Hard), Just(Bounce::Soft), Just(Bounce::Reassigned), Just(Bounce::Sender)].prop_map(Kind::Bounce),
        1 => Just(Kind::Delivered),
        1 => Just(Kind::ControlProof),
        2 => (any::<bool>(), prop_oneof![Just(Relation::Sale), Just(Relation::Contract), Just(Relation::ContractEnd)])
            .prop_map(|(fair, what)| Kind::Relationship { what, opt_out_offered: fair, similar: fair }),
        1 => prop_oneof![Just(Activity::Click), Just(Activity::Open)].prop_map(Kind::Activity),
        1 => Just(Kind::Invite),
        1 => Just(Kind::Restrict),
        1 => Just(Kind::Unrestrict),
        1 => Just(Kind::OperatorBlock),
        1 => Just(Kind::Attribute),
        1 => Just(Kind::Invalidate { notices: vec!["N2".into()], targets: vec![] }),
    ]
}

fn actors() -> impl Strategy<Value = Actor> {
    prop_oneof![6 => Just(Actor::DataSubject), 1 => Just(Actor::Operator), 1 => Just(Actor::Import), 1 => Just(Actor::Machine)]
}

fn places() -> impl Strategy<Value = (SystemId, &'static str)> {
    let systems = proptest::sample::select(vec!["web", "esp", "esp2", "crm", "shop", "csv"]);
    let records = proptest::sample::select(vec!["r1", "r2"]);
    (systems, records).prop_map(|(system, record)| (SystemId::from(system), record))
}

/// One random fact; its id follows from its content.
pub(crate) fn facts() -> impl Strategy<Value = Fact> {
    (places(), people(), occurrences(), actors(), scopes(), kinds()).prop_map(
        |((system, record), who, (occurred, observed_at), actor, scope, kind)| {
            // Each address has its own record, so that people are joined by what they share and not by accident.
            let own = who.addresses.first().map_or(String::new(), |address| address.canonical().to_owned());
            let record = unisson_consent::RecordId::new(format!("{record}-{own}"));
            named(Fact {
                id: FactId([0; 16]),
                system,
                record: Some(record),
                who,
                observed_at,
                occurred,
                seq: None,
                actor,
                via: Via::Message,
                scope,
                kind,
                echo_of: None,
            })
        },
    )
}

/// The fact with the id that its content gives it, whenever it was observed.
pub(crate) fn named(fact: Fact) -> Fact {
    let addresses: Vec<&str> = fact.who.addresses.iter().map(Address::raw).collect();
    let record = fact.record.as_ref().map_or("", |record| record.as_str());
    let seen = matches!(fact.kind, Kind::Snapshot { .. }).then_some(fact.observed_at);
    let content = format!("{:?} {:?} {:?} {:?} {seen:?}", fact.occurred, fact.actor, fact.scope, fact.kind);
    Fact { id: FactId::of(&[fact.system.as_str(), record, &addresses.join(","), &content]), ..fact }
}

pub(crate) fn histories() -> impl Strategy<Value = Vec<Fact>> {
    proptest::collection::vec(facts(), 0..9)
}

/// Every key of this world.
pub(crate) fn keys() -> Vec<Key> {
    let mut keys = Vec::new();
    for purpose in ["newsletter", "promo", "service"] {
        for (address, channel) in [
            (Address::email("ana@example.com"), Channel::Email),
            (Address::email("ana.pro@example.com"), Channel::Email),
            (Address::phone("+33612345678", None), Channel::Sms),
            (Address::postal("1 rue de la Paix Paris"), Channel::Postal),
        ] {
            keys.push(Key { address: address.unwrap(), purpose: purpose.into(), channel, person: None });
        }
    }
    keys
}

pub(crate) fn key(email: &str, purpose: &str) -> Key {
    Key { address: Address::email(email).unwrap(), purpose: purpose.into(), channel: Channel::Email, person: None }
}

/// A negative of this kind about the key's address, at that moment, by the person, on the web form.
pub(crate) fn refusal(key: &Key, kind: Kind, moment: Timestamp) -> Fact {
    named(Fact {
        id: FactId([0; 16]),
        system: "web".into(),
        record: Some("refusal".into()),
        who: Who { addresses: vec![key.address.clone()], ..Who::default() },
        observed_at: moment,
        occurred: Occurred::Instant(moment),
        seq: None,
        actor: Actor::DataSubject,
        via: Via::Message,
        scope: Scope { purposes: Purposes::AllMarketing, channels: Channels::one(key.channel) },
        kind,
        echo_of: None,
    })
}

pub(crate) fn record_of(fact: &Fact) -> RecordRef {
    RecordRef { system: fact.system.clone(), record: fact.record.clone().unwrap() }
}
