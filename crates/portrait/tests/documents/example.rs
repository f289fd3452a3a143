//! Ada, who is in four systems: a rich portrait, made by the law itself from facts like those of a real installation.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use unisson_connector::{Field, FieldValue, Gathered, Holding, Identity, Observation, Presence, StreamId};
use unisson_consent::{
    Actor, Address, Channel, Channels, Clock, Country, Evidence, Fact, FactId, HoldBasis, Keyring, Kind, Law, Level,
    ListId, Occurred, Purposes, RecordId, RecordRef, Scope, Status, System, SystemId, Systems, Via, Who,
};
use unisson_plan::{Digest, Dossier, Replica, ReplicaSlot, SubjectNo, explain};
use unisson_portrait::{Controller, FileGiven, Keeping, Known, Look, Portrait, Recipient, SystemPart, ToldPurpose};

/// The address of the person.
pub(crate) const ADA: &str = "ada.lovelace@example.org";

/// When the portrait is made.
pub(crate) const NOW: &str = "2026-12-01T09:30:00Z";

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().expect("a timestamp")
}

/// A portrait of somebody whom nobody knows.
pub(crate) fn empty() -> Portrait {
    let policy = unisson_settings::load_policy(None).expect("the built-in policy").policy;
    Portrait {
        controller: Controller {
            name: "Maison Exemple SAS".to_owned(),
            contact: Some("privacy@maison.example".to_owned()),
        },
        made_at: at(NOW),
        zone: TimeZone::get("Europe/Paris").expect("a zone"),
        languages: vec!["fr".to_owned(), "en".to_owned()],
        whom: vec!["nobody@example.org".to_owned()],
        systems: vec![system("newsletter", "Newsletter", "Mailchimp", Look::Gathered(Gathered::default()))],
        known: Vec::new(),
        purposes: ToldPurpose::all_of(&policy),
        lists: [].into(),
        jurisdiction: Country::parse("FR").expect("a country"),
        recipients: Vec::new(),
        files: Vec::new(),
        keeping: Vec::new(),
        retention: Vec::new(),
    }
}

/// The portrait of Ada.
pub(crate) fn ada() -> Portrait {
    let mut law = law();
    law.policy.lists.insert("newsletter".into(), [(ListId::new("a6b5da1054"), "newsletter".into())].into());
    let mut purposes = ToldPurpose::all_of(&law.policy);
    for purpose in &mut purposes {
        purpose.description = match purpose.id.as_str() {
            "newsletter" => Some("News of the house, once a month.".to_owned()),
            "partners" => Some("Offers of others, and handing your address on to them.".to_owned()),
            _ => None,
        };
    }
    Portrait {
        whom: vec!["Ada.Lovelace@example.org".to_owned(), "+33 6 12 34 56 78".to_owned()],
        systems: systems(),
        known: vec![known(ADA, facts(), &law), known("+33612345678", phone_facts(), &law)],
        purposes,
        lists: law.policy.lists.clone(),
        recipients: vec![
            recipient(
                "Mailchimp (Intuit)",
                "Your address, your name and what you agreed to",
                Some("2026-11-30T06:00:00Z"),
            ),
            recipient("HubSpot", "Your contact record", Some("2026-11-30T06:01:00Z")),
            recipient("Imprimerie Exemple", "Your postal address, for the catalogue of spring 2026", None),
        ],
        files: vec![FileGiven {
            at: at("2026-03-02T10:15:00Z"),
            to: "Imprimerie Exemple, Lyon".to_owned(),
            what: "Postal addresses for the catalogue".to_owned(),
        }],
        keeping: vec![Keeping {
            system: "shop".into(),
            fields: vec!["invoice number".to_owned(), "name and billing address".to_owned(), "lines".to_owned()],
            ground: HoldBasis::LegalObligation,
            provision: "C. com. L123-22".to_owned(),
            until: Some(at("2034-12-31T23:00:00Z")),
        }],
        retention: vec![
            "Consents end three years after the last sign of life from you.".to_owned(),
            "Refusals are kept for good, so that they are respected for good.".to_owned(),
            "The proof of a consent is kept for five years after its end.".to_owned(),
        ],
        ..empty()
    }
}

fn law() -> Law {
    let trusted = System { clock: Clock::Good, level_max: Level::Signed, ..System::default() };
    let mut systems = Systems::default();
    for name in ["newsletter", "crm", "shop", "host"] {
        systems.insert(SystemId::new(name), trusted.clone());
    }
    let policy = unisson_settings::load_policy(None).expect("the built-in policy").policy;
    Law { policy, systems, keyring: Keyring::default() }
}

fn known(address: &str, facts: Vec<Fact>, law: &Law) -> Known {
    let address = if address.contains('@') { Address::email(address) } else { Address::phone(address, None) };
    let address = address.expect("an address");
    let replica = Replica {
        record: RecordRef { system: "newsletter".into(), record: "f3ab1c".into() },
        stream: StreamId("a6b5da1054".to_owned()),
        presence: Presence::Present,
        who: Who { addresses: vec![address.clone()], ..Who::default() },
        slots: vec![ReplicaSlot {
            scope: Scope {
                purposes: Purposes::List(ListId::new("a6b5da1054")),
                channels: Channels::one(Channel::Email),
            },
            status: Status::Subscribed,
            since: Occurred::parse("2026-02-11T18:22:09Z"),
            proof: 0,
            turn: 0,
            wrote: None,
        }],
        digest: Digest::default(),
    };
    let replicas = if address.canonical() == ADA { vec![replica] } else { Vec::new() };
    let dossier = Dossier { subject: SubjectNo(1), facts: facts.clone(), replicas, open: Vec::new() };
    let explanation = explain(&dossier, &address, law, at(NOW));
    Known { address, explanation, facts }
}

/// What is told of a fact before it has an id.
fn fact(system: &str, when: &str, kind: Kind, scope: Scope) -> Fact {
    Fact {
        id: FactId::of(&[system, when, &format!("{kind:?}"), &format!("{scope:?}")]),
        system: system.into(),
        record: Some("f3ab1c".into()),
        who: Who { addresses: vec![Address::email(ADA).expect("an address")], ..Who::default() },
        observed_at: at("2026-11-20T06:00:00Z"),
        occurred: Occurred::parse(when),
        seq: None,
        actor: Actor::DataSubject,
        via: Via::Message,
        scope,
        kind,
        echo_of: None,
    }
}

fn scope(purpose: &str, channel: Channel) -> Scope {
    Scope { purposes: Purposes::Named(vec![purpose.into()]), channels: Channels::one(channel) }
}

pub(crate) fn proven() -> Evidence {
    Evidence {
        capture: true,
        notice: Some("newsletter-2026-01".into()),
        controller_named: true,
        purpose_specific: true,
        affirmative: true,
        pre_ticked: Some(false),
        doi: true,
        ..Evidence::default()
    }
}

fn facts() -> Vec<Fact> {
    let email = Channel::Email;
    let grant = |evidence| Kind::Grant { evidence, valid_until: None };
    let form = Evidence { doi: false, ..proven() };
    vec![
        fact("newsletter", "2024-03-05T08:00:00Z", grant(form), scope("newsletter", email)),
        fact("newsletter", "2026-02-11T18:20:01Z", Kind::Request, scope("newsletter", email)),
        fact("newsletter", "2026-02-11T18:22:09Z", grant(proven()), scope("newsletter", email)),
        fact("crm", "2019-06-01", grant(Evidence { capture: true, ..Evidence::default() }), scope("promotions", email)),
        fact("crm", "2026-05-03T12:05:00Z", Kind::Refuse, scope("partners", email)),
        Fact { actor: Actor::Machine, ..fact("shop", "", Kind::Attribute, Scope::default()) },
    ]
}

fn phone_facts() -> Vec<Fact> {
    let who = Who { addresses: vec![Address::phone("+33612345678", None).expect("a number")], ..Who::default() };
    let scope =
        Scope { purposes: Purposes::AllMarketing, channels: Channels::one(Channel::Sms).with(Channel::PhoneLive) };
    vec![
        Fact { who: who.clone(), ..fact("crm", "2025-09-14T16:40:00Z", Kind::Withdraw, scope.clone()) },
        Fact { who, ..fact("shop", "2026-01-02T07:00:00Z", Kind::Object, scope) },
    ]
}

fn systems() -> Vec<SystemPart> {
    let text = |text: &str| FieldValue::Text(text.to_owned());
    let member = holding(
        "f3ab1c",
        "member of the audience Newsletter",
        &[
            ("/email_address", text(ADA)),
            ("/status", text("subscribed")),
            ("/merge_fields/FNAME", text("Ada")),
            ("/merge_fields/LNAME", text("Lovelace")),
            ("/merge_fields/BIRTHDAY", text("12/10")),
            ("/merge_fields/ADDRESS", FieldValue::Empty),
            ("/stats/avg_open_rate", FieldValue::Number("0.4375".to_owned())),
            ("/vip", FieldValue::Flag(true)),
            ("/ip_opt", text("192.0.2.17")),
            ("/timestamp_opt", text("2026-02-11T18:22:09+00:00")),
            ("/tags/0/name", text("spring-2026")),
        ],
    );
    let contact = holding(
        "701",
        "contact",
        &[
            ("/properties/email", text(ADA)),
            ("/properties/firstname", text("Ada")),
            ("/properties/notes_last", text("Called about the order.\nWants the <b>blue</b> one & a receipt.")),
            (
                "/properties/hs_analytics_first_url",
                text(
                    "https://maison.example/landing?utm_source=newsletter&utm_campaign=spring-2026-long-name-that-does-not-break",
                ),
            ),
            ("/properties/hs_email_optout", FieldValue::Flag(false)),
        ],
    );
    let mut old = holding("388", "contact", &[("/properties/email", text("ADA.LOVELACE@EXAMPLE.ORG"))]);
    old.observation.presence = Presence::Archived;
    let row = holding(
        "4711",
        "row of customers.csv",
        &[
            ("/Email", text(ADA)),
            ("/Phone", text("+33 6 12 34 56 78")),
            ("/Name", text("أدا لوفلايس")),
            ("/Turnover", FieldValue::Number("128.40".to_owned())),
        ],
    );
    let unseen = vec!["logs of transactional messages".to_owned(), "notes that staff marked as private".to_owned()];
    vec![
        system("newsletter", "Newsletter", "Mailchimp", gathered(vec![member], Vec::new())),
        system("crm", "Customer relations", "HubSpot", gathered(vec![contact, old], unseen)),
        system("shop", "Shop export", "Files", gathered(vec![row], Vec::new())),
        system(
            "support",
            "Support desk",
            "Brevo",
            Look::NotCovered {
                why: "its credentials were refused on 1 December 2026. We ask again and send you what is missing."
                    .to_owned(),
            },
        ),
    ]
}

fn recipient(name: &str, received: &str, last: Option<&str>) -> Recipient {
    Recipient { name: name.to_owned(), received: received.to_owned(), last: last.map(at) }
}

pub(crate) fn system(name: &str, title: &str, connector: &str, look: Look) -> SystemPart {
    SystemPart { name: name.into(), title: title.to_owned(), connector: connector.to_owned(), look }
}

pub(crate) fn gathered(holdings: Vec<Holding>, unseen: Vec<String>) -> Look {
    Look::Gathered(Gathered { holdings, unseen })
}

pub(crate) fn holding(record: &str, kind: &str, fields: &[(&str, FieldValue)]) -> Holding {
    Holding {
        observation: Observation {
            record: RecordId::new(record),
            who: Identity::default(),
            presence: Presence::Present,
            slots: Vec::new(),
            events: Vec::new(),
        },
        kind: kind.to_owned(),
        fields: fields.iter().map(|(path, value)| Field { path: (*path).to_owned(), value: value.clone() }).collect(),
    }
}
