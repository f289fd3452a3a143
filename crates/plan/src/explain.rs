//! Explaining: why may this person not be mailed, from what was known, to what every system shows and what is on its way.

use jiff::Timestamp;
use unisson_connector::{Action, Presence};
use unisson_consent::{
    Activity, Actor, Address, AddressKind, Bounce, Channel, Decision, Fact, FactId, Interval, Key, Kind, Law, Level,
    Occurred, PurposeId, Purposes, Reason, Relation, Scope, Standing, Status, SystemId,
};

use crate::judge::{Dossier, OpenState};

/// The whole answer about one address.
#[derive(Debug, Clone)]
pub struct Explanation {
    /// The kind of address that was asked about.
    pub kind: AddressKind,
    /// The decision for every purpose and every channel of that kind of address.
    pub decisions: Vec<Explained>,
    /// What was known, in the order in which it may have happened.
    pub facts: Vec<ToldFact>,
    /// What every system shows now.
    pub shows: Vec<ShownSlot>,
}

/// One decision.
#[derive(Debug, Clone)]
pub struct Explained {
    /// For what.
    pub purpose: PurposeId,
    /// Over which channel.
    pub channel: Channel,
    /// The answer.
    pub decision: Decision,
}

/// One fact, as it is told to a reader.
#[derive(Debug, Clone)]
pub struct ToldFact {
    /// Its id.
    pub id: FactId,
    /// Who told it.
    pub system: SystemId,
    /// What happened, in words.
    pub what: String,
    /// What it was about, in words.
    pub scope: String,
    /// When it may have happened.
    pub at: Interval,
    /// When the host learnt of it.
    pub observed_at: Timestamp,
    /// Who did it.
    pub actor: Actor,
    /// The level of evidence, for an opt-in.
    pub level: Option<Level>,
    /// What keeps an opt-in from being demonstrable, in words.
    pub missing: Vec<&'static str>,
}

/// What one system shows in one slot.
#[derive(Debug, Clone)]
pub struct ShownSlot {
    /// Which system.
    pub system: SystemId,
    /// Which slot, in words.
    pub scope: String,
    /// What it shows.
    pub status: Status,
    /// Since when, as the vendor says.
    pub since: Occurred,
    /// Whether the record is there.
    pub presence: Presence,
    /// Changes of this slot that have no final outcome yet.
    pub pending: Vec<(Action, OpenState)>,
}

/// Explains one address from everything known of its subject.
pub fn explain(dossier: &Dossier, address: &Address, law: &Law, now: Timestamp) -> Explanation {
    let standing = Standing::fold(dossier.facts.iter().cloned(), &[], law);
    Explanation {
        kind: address.kind(),
        decisions: decisions(&standing, address, law, now),
        facts: standing.about(address, law).into_iter().map(|fact| told(fact, law)).collect(),
        shows: shown(&standing, dossier, address),
    }
}

fn decisions(standing: &Standing, address: &Address, law: &Law, now: Timestamp) -> Vec<Explained> {
    let channels: Vec<Channel> =
        Channel::ALL.into_iter().filter(|channel| channel.address_kind() == address.kind()).collect();
    let mut decisions = Vec::new();
    for purpose in law.policy.purposes.keys() {
        for channel in &channels {
            let key = Key { address: address.clone(), purpose: purpose.clone(), channel: *channel, person: None };
            let decision = standing.decide(&key, law, now);
            // The channels everybody asks about are always told; others only where something is known.
            let usual = matches!(channel, Channel::Email | Channel::Sms | Channel::PhoneLive | Channel::Postal);
            if usual || decision.negative || decision.reason != Reason::Unknown {
                decisions.push(Explained { purpose: purpose.clone(), channel: *channel, decision });
            }
        }
    }
    decisions
}

/// A fact as it is told to a reader.
pub(crate) fn told(fact: &Fact, law: &Law) -> ToldFact {
    let evidence = match &fact.kind {
        Kind::Grant { evidence, .. } | Kind::Snapshot { status: Status::Subscribed, evidence, .. } => Some(evidence),
        _ => None,
    };
    ToldFact {
        id: fact.id,
        system: fact.system.clone(),
        what: words(&fact.kind),
        scope: if has_scope(&fact.kind) { scope_words(&fact.scope) } else { String::new() },
        at: Standing::interval(fact, law),
        observed_at: fact.observed_at,
        actor: fact.actor,
        level: Standing::level_of(fact, law),
        missing: evidence.map(unisson_consent::Evidence::missing).unwrap_or_default(),
    }
}

fn shown(standing: &Standing, dossier: &Dossier, address: &Address) -> Vec<ShownSlot> {
    let mut shows = Vec::new();
    for replica in dossier.replicas.iter().filter(|replica| standing.is_record_of(&replica.record, address)) {
        for slot in &replica.slots {
            let pending = dossier
                .open
                .iter()
                .filter(|open| {
                    open.instance == replica.record.system
                        && open.record == replica.record.record
                        && open.scope == slot.scope
                })
                .map(|open| (open.action, open.state))
                .collect();
            shows.push(ShownSlot {
                system: replica.record.system.clone(),
                scope: scope_words(&slot.scope),
                status: slot.status,
                since: slot.since,
                presence: replica.presence,
                pending,
            });
        }
    }
    shows
}

/// What happened, in words.
pub fn words(kind: &Kind) -> String {
    let fixed = match kind {
        Kind::Grant { .. } => "opt-in",
        Kind::Request => "sign-up, confirmation due",
        Kind::Refuse => "refusal",
        Kind::Withdraw => "withdrawal",
        Kind::Object => "objection",
        Kind::Complaint => "spam complaint",
        Kind::EraseRequest { verified: true } => "erasure request",
        Kind::EraseRequest { verified: false } => "erasure request, not verified",
        Kind::Snapshot { status, .. } => return format!("shown as {}", status.as_str()),
        Kind::Attribute => "seen",
        Kind::Bounce(Bounce::Hard) => "hard bounce",
        Kind::Bounce(Bounce::Soft) => "soft bounce",
        Kind::Bounce(Bounce::Reassigned) => "mailbox has a new owner",
        Kind::Bounce(Bounce::Sender) => "bounce by the sender's fault",
        Kind::Delivered => "delivery",
        Kind::ControlProof => "control of the address proven",
        Kind::Relationship { what: Relation::Sale, .. } => "sale",
        Kind::Relationship { what: Relation::Inquiry, .. } => "inquiry",
        Kind::Relationship { what: Relation::Contract, .. } => "contract",
        Kind::Relationship { what: Relation::ContractEnd, .. } => "end of contract",
        Kind::Activity(Activity::Open) => "open (does not count)",
        Kind::Activity(activity) => return (*activity).as_str().to_owned(),
        Kind::Invite => "invitation to requalify",
        Kind::Invalidate { .. } => "notice or facts declared void",
        Kind::Annul { .. } => "annulment",
        Kind::Restrict => "restriction",
        Kind::Unrestrict => "end of restriction",
        Kind::OperatorBlock => "blocked by staff",
        Kind::OperatorUnblock => "unblocked by staff",
        Kind::Link { .. } => "records linked",
        Kind::Split { .. } => "records split",
        Kind::AddressChange { verified: true, .. } => "address changed, verified",
        Kind::AddressChange { verified: false, .. } => "address changed",
        Kind::Hold { .. } => "legal hold",
    };
    fixed.to_owned()
}

fn has_scope(kind: &Kind) -> bool {
    matches!(
        kind,
        Kind::Grant { .. }
            | Kind::Request
            | Kind::Refuse
            | Kind::Withdraw
            | Kind::Object
            | Kind::Complaint
            | Kind::Snapshot { .. }
            | Kind::Invite
    )
}

/// A scope in words: purposes or list, and channels.
pub fn scope_words(scope: &Scope) -> String {
    let what = match &scope.purposes {
        Purposes::AllMarketing => "all marketing".to_owned(),
        Purposes::Named(named) => named.iter().map(PurposeId::as_str).collect::<Vec<_>>().join(", "),
        Purposes::List(list) => format!("list {list}"),
    };
    let channels: Vec<&str> = scope.channels.iter().map(Channel::as_str).collect();
    if channels.len() == Channel::ALL.len() {
        format!("{what}, all channels")
    } else {
        format!("{what}, {}", channels.join(" + "))
    }
}
