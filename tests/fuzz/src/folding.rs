//! Facts of every kind at every odd moment, and what must hold when a law folds any of them.

use jiff::Timestamp;
use unisson_consent::{
    Activity, Actor, Address, Bounce, Channel, Channels, Clock, CustomerNo, Evidence, Fact, FactId, HoldBasis, Key,
    Keyring, Kind, Law, Level, NoticeId, Occurred, PersonId, Policy, PurposeId, Purposes, RecordId, RecordRef,
    Relation, Resubscribe, Scope, Standing, Status, System, SystemId, Systems, Verdict, Via, Who,
};

/// How many purposes of a policy are asked about.
const PURPOSES_MAX: usize = 3;
/// How many addresses are asked about.
const ADDRESSES_MAX: usize = 3;
/// Moments in the words of sources: ordinary ones, the ends of the calendar, one that is far from now, and none.
const MOMENTS: [&str; 7] = [
    "2026-05-02T20:00:00Z",
    "",
    "2220-01-01T00:00:00Z",
    "9999-12-30",
    "-009999-01-02T01:59:59",
    "2026-05-02",
    "1969-12-31",
];

/// One fact of every kind.
pub fn every_kind() -> Vec<Fact> {
    let evidence = Evidence { capture: true, affirmative: true, doi: true, ..Evidence::default() };
    let proven = Evidence {
        notice: Some(NoticeId::new("N3")),
        controller_named: true,
        purpose_specific: true,
        pre_ticked: Some(false),
        ..evidence.clone()
    };
    let other = email("bob@example.org");
    let until = Timestamp::MAX;
    let (notices, targets) = (vec![NoticeId::new("N3")], vec![FactId::of(&["0"])]);
    let kinds = vec![
        Kind::Grant { evidence: proven, valid_until: None },
        Kind::Grant { evidence: evidence.clone(), valid_until: Some(Timestamp::MIN) },
        Kind::Request,
        Kind::Refuse,
        Kind::Withdraw,
        Kind::Object,
        Kind::Complaint,
        Kind::EraseRequest { verified: true },
        Kind::Snapshot { status: Status::Subscribed, evidence: evidence.clone(), turn: Some(u32::MAX) },
        Kind::Snapshot { status: Status::Unsubscribed, evidence, turn: None },
        Kind::Attribute,
        Kind::Bounce(Bounce::Hard),
        Kind::Bounce(Bounce::Soft),
        Kind::Delivered,
        Kind::ControlProof,
        Kind::Relationship { what: Relation::Sale, opt_out_offered: true, similar: true },
        Kind::Relationship { what: Relation::Contract, opt_out_offered: false, similar: false },
        Kind::Activity(Activity::Click),
        Kind::Invite,
        Kind::Invalidate { notices, targets: targets.clone() },
        Kind::Annul { targets, approvers: vec!["a".to_owned(), "b".to_owned()] },
        Kind::Restrict,
        Kind::Unrestrict,
        Kind::OperatorBlock,
        Kind::OperatorUnblock,
        Kind::Link { records: vec![record("a"), record("b")] },
        Kind::Split { groups: vec![vec![record("a")], vec![record("c")]] },
        Kind::AddressChange { from: email("ada@example.org"), to: other, verified: true },
        Kind::Hold { basis: HoldBasis::LegalClaims, until },
    ];
    kinds.into_iter().enumerate().map(|(place, kind)| fact(place, kind)).collect()
}

/// Folds facts under a policy and asks everything that can be asked.
///
/// # Panics
/// Where the order of the facts matters, where something is decided without a fact or a rule behind it, and where the law
/// is not total.
pub fn fold(facts: &[Fact], policy: &Policy) {
    ask(facts, policy, &[Timestamp::MIN, Timestamp::UNIX_EPOCH, now(), Timestamp::MAX]);
}

/// The same at one moment only.
///
/// # Panics
/// As above.
pub fn glance(facts: &[Fact], policy: &Policy) {
    ask(facts, policy, &[now()]);
}

fn ask(facts: &[Fact], policy: &Policy, moments: &[Timestamp]) {
    let law = Law { policy: policy.clone(), systems: systems(), keyring: Keyring::default() };
    let standing = Standing::fold(facts.iter().cloned(), &[], &law);
    let other_way = Standing::fold(facts.iter().rev().cloned().chain(facts.iter().cloned()), &[], &law);
    let addresses: Vec<Address> =
        facts.iter().flat_map(|fact| &fact.who.addresses).take(ADDRESSES_MAX).cloned().collect();
    for now in moments.iter().copied() {
        for key in keys(policy, &addresses) {
            let decision = standing.decide(&key, &law, now);
            assert_eq!(decision, other_way.decide(&key, &law, now), "order and repetition do not matter");
            let rests = !decision.facts.is_empty() || decision.rule.is_some();
            assert!(decision.verdict != Verdict::Allow || rests, "nobody is allowed for nothing");
            let actions = standing.actions(&key, &law, now);
            assert_eq!(actions, other_way.actions(&key, &law, now), "order and repetition do not matter");
        }
        let opt_ins = standing.opt_ins(&law, now);
        assert!(opt_ins.placed.iter().all(|opt_in| !opt_in.claims.is_empty()), "an opt-in is somebody's claim");
    }
}

/// The moment at which the facts here were learnt.
pub fn now() -> Timestamp {
    Timestamp::from_second(1_790_000_000).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn keys(policy: &Policy, addresses: &[Address]) -> Vec<Key> {
    let purposes: Vec<PurposeId> =
        policy.purposes.keys().take(PURPOSES_MAX).cloned().chain([PurposeId::new("nobody's")]).collect();
    let mut keys = Vec::new();
    for address in addresses {
        for purpose in &purposes {
            let channels = Channel::ALL.into_iter().filter(|channel| channel.address_kind() == address.kind());
            keys.extend(channels.map(|channel| Key {
                address: address.clone(),
                purpose: purpose.clone(),
                channel,
                person: None,
            }));
        }
    }
    keys
}

fn systems() -> Systems {
    let news = System {
        clock: Clock::Good,
        sequenced: true,
        level_max: Level::Signed,
        marketing: true,
        channels: Channels::ALL,
        resubscribe: Resubscribe::Allowed,
        zone: None,
    };
    Systems::from_iter([(SystemId::new("news"), news)])
}

fn fact(place: usize, kind: Kind) -> Fact {
    let who = Who {
        addresses: vec![email("ada@example.org"), email("ada@example.org"), email("broken")],
        customer: Some(CustomerNo::new("4711")),
        person: (place.is_multiple_of(2)).then(|| PersonId::new("p")),
        ..Who::default()
    };
    Fact {
        id: FactId::of(&[&place.to_string()]),
        system: SystemId::new("news"),
        record: (!place.is_multiple_of(5)).then(|| RecordId::new("a")),
        who,
        observed_at: now(),
        occurred: Occurred::parse(MOMENTS[place % MOMENTS.len()]),
        seq: Some(u64::MAX - place as u64),
        actor: if place.is_multiple_of(3) { Actor::Import } else { Actor::DataSubject },
        via: Via::Message,
        scope: Scope { purposes: Purposes::AllMarketing, channels: Channels::ALL },
        kind,
        echo_of: None,
    }
}

fn record(native: &str) -> RecordRef {
    RecordRef { system: SystemId::new("news"), record: RecordId::new(native) }
}

fn email(raw: &str) -> Address {
    Address::email(raw).expect("the text is not blank")
}
