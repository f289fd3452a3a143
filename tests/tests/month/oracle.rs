//! What the test itself remembers: who said no, to what, and who came back by an act that they confirmed. It is told by the
//! events that were played and by nothing that the program says.

use std::collections::{BTreeMap, BTreeSet};

use unisson_consent::{Address, Channel, Fact, Kind as FactKind, RecordId};
use unisson_plan::is_negative;
use unisson_sandbox::{Audience, SUBSCRIPTION_IDS, Sandbox, Status};
use unisson_store::{Store, Wanted};

use crate::writes::Opening;

/// How many people a company of a month has at most.
const SUBJECTS_MAX: usize = 10_000;

/// What mail is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Purpose {
    Newsletter,
    Promotions,
}

impl Purpose {
    pub(crate) const ALL: [Self; 2] = [Self::Newsletter, Self::Promotions];

    fn as_str(self) -> &'static str {
        match self {
            Self::Newsletter => "newsletter",
            Self::Promotions => "promotions",
        }
    }
}

/// Somebody of the company, by number.
pub(crate) type Who = u32;

/// A place where an address gets mail.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mailed {
    /// In lower case.
    pub(crate) address: String,
    pub(crate) purpose: Purpose,
    /// Which platform and list, in words.
    pub(crate) place: String,
}

/// What must not be, and about whom.
#[derive(Debug)]
pub(crate) struct Wrong {
    pub(crate) what: String,
    /// Nobody's where it is empty.
    pub(crate) address: String,
}

/// Everything that the ledger holds about an address, a line for each fact, in the order in which it was learnt.
pub(crate) async fn told(store: &dyn Store, address: &str) -> Vec<String> {
    let Some(address) = Address::email(address) else { return Vec::new() };
    let subjects = store.find(&Wanted::Address(address)).await.expect("the store works");
    let dossiers = store.dossiers(&subjects).await.expect("the store works");
    let mut facts: Vec<_> = dossiers.into_iter().flat_map(|dossier| dossier.facts).collect();
    facts.sort_by_key(|fact| fact.observed_at);
    let line = |fact: &Fact| {
        let addresses: Vec<&str> = fact.who.addresses.iter().map(Address::raw).collect();
        let kind = match &fact.kind {
            FactKind::Snapshot { status, turn, .. } => format!("{status:?} {turn:?}"),
            FactKind::Grant { .. } => "Grant".to_owned(),
            kind => format!("{kind:?}"),
        };
        let (system, scope) = (fact.system.as_str(), &fact.scope.purposes);
        let record = fact.record.as_ref().map_or("", RecordId::as_str);
        let (seen, when, by) = (fact.observed_at, fact.occurred, fact.actor);
        format!("{seen} {system} {record} {addresses:?} {kind} {scope:?} {when:?} {by:?}")
    };
    facts.iter().map(line).collect()
}

/// The memory of one month.
#[derive(Debug, Default)]
pub(crate) struct Oracle {
    people: BTreeMap<String, Who>,
    noes: BTreeMap<(Who, Purpose), String>,
    /// How many said no in all.
    pub(crate) said: usize,
}

impl Oracle {
    /// From now on this address is theirs too.
    pub(crate) fn has(&mut self, who: Who, address: &str) {
        self.people.insert(address.to_lowercase(), who);
    }

    /// They said no.
    pub(crate) fn no(&mut self, who: Who, to: &[Purpose], how: &str) {
        self.said += 1;
        for purpose in to {
            self.noes.insert((who, *purpose), how.to_owned());
        }
    }

    /// They came back, and confirmed it.
    pub(crate) fn back(&mut self, who: Who, to: Purpose) {
        self.noes.remove(&(who, to));
    }

    /// Whether they have said no and not come back.
    pub(crate) fn is_out(&self, who: Who, of: Purpose) -> bool {
        self.noes.contains_key(&(who, of))
    }

    /// How somebody said no to this, if they did and have not come back.
    fn refusal(&self, address: &str, purpose: Purpose) -> Option<&str> {
        let who = self.people.get(&address.to_lowercase())?;
        self.noes.get(&(*who, purpose)).map(String::as_str)
    }

    /// What is wrong with a write that makes somebody mailable, if anything.
    pub(crate) fn fault(&self, opening: &Opening, twins: &Sandbox) -> Option<Wrong> {
        opening.addresses(twins).into_iter().find_map(|address| {
            let how = self.refusal(&address, opening.purpose)?;
            Some(Wrong { what: format!("{} made {address} mailable: {how}", opening.what), address })
        })
    }

    /// Who is mailed although they said no, if anybody is.
    pub(crate) fn mailed_after_a_no<'m>(&self, mut mailed: impl Iterator<Item = &'m Mailed>) -> Option<Wrong> {
        mailed.find_map(|mailed| {
            let how = self.refusal(&mailed.address, mailed.purpose)?;
            let what = format!("{} mails {}: {how}", mailed.place, mailed.address);
            Some(Wrong { address: mailed.address.clone(), what })
        })
    }
}

/// Who is mailed although the ledger's decision denies it because of a no, if anybody is.
pub(crate) async fn disagreement(store: &dyn Store, twins: &Sandbox) -> Option<Wrong> {
    let standings = store.standings(None, SUBJECTS_MAX).await.expect("the store works");
    let known: Vec<_> = standings.into_iter().flat_map(|(_, decisions)| decisions).collect();
    mailed(twins).into_iter().find_map(|mailed| {
        let address = Address::email(&mailed.address)?;
        let denied = known.iter().find(|known| {
            known.key.channel == Channel::Email
                && known.key.purpose.as_str() == mailed.purpose.as_str()
                && known.key.address.grant_eq(&address)
                && is_negative(known.decision.reason)
        })?;
        let reason = denied.decision.reason.as_str();
        let what = format!("{} mails {}, and the decision is {reason}", mailed.place, mailed.address);
        Some(Wrong { address: mailed.address, what })
    })
}

/// Everybody who gets mail somewhere, as the twins hold it.
pub(crate) fn mailed(twins: &Sandbox) -> BTreeSet<Mailed> {
    let mut found = BTreeSet::new();
    let mut note = |address: &str, purpose, place: String| {
        found.insert(Mailed { address: address.to_lowercase(), purpose, place });
    };
    let mail = twins.mailchimp();
    for (audience, purpose) in [(Audience::Letter, Purpose::Newsletter), (Audience::Events, Purpose::Promotions)] {
        for address in mail.addresses(audience, Status::Subscribed) {
            note(&address, purpose, format!("mailchimp {audience:?}"));
            let member = mail.member(audience, &address).unwrap_or_default();
            // A box says more only where the member takes mail at all.
            for (id, of) in BOXES {
                let permissions = member["marketing_permissions"].as_array().map(Vec::as_slice).unwrap_or_default();
                let allowed = |one: &&serde_json::Value| one["marketing_permission_id"] == id && one["enabled"] == true;
                if member["interests"][id] == true || permissions.iter().any(|one| allowed(&one)) {
                    note(&address, of, format!("mailchimp {audience:?} {id}"));
                }
            }
        }
    }
    let crm = twins.hubspot();
    for address in crm.addresses() {
        for (topic, purpose) in topics() {
            if crm.choice(&address, topic) == Some("SUBSCRIBED") && !crm.is_out_of_all(&address) {
                note(&address, purpose, format!("hubspot {topic}"));
            }
        }
    }
    let campaigns = twins.brevo();
    for address in campaigns.addresses() {
        let contact = campaigns.contact(&address).unwrap_or_default();
        let holds = |key: &str, list: u64| {
            contact[key].as_array().is_some_and(|lists| lists.iter().any(|one| one.as_u64() == Some(list)))
        };
        for (list, purpose) in LISTS {
            if contact["emailBlacklisted"] == false && holds("listIds", list) && !holds("listUnsubscribed", list) {
                note(&address, purpose, format!("brevo {list}"));
            }
        }
    }
    found
}

/// The boxes of the mail platform that are about mail.
pub(crate) const BOXES: [(&str, Purpose); 5] = [
    ("9143cf3bd1", Purpose::Newsletter),
    ("3a2a927344", Purpose::Promotions),
    ("4b1e7a90c2", Purpose::Newsletter),
    ("c6a1d9e042", Purpose::Promotions),
    ("0d47b83e5a", Purpose::Promotions),
];

/// The lists of the campaign platform.
pub(crate) const LISTS: [(u64, Purpose); 3] =
    [(4, Purpose::Newsletter), (5, Purpose::Promotions), (7, Purpose::Promotions)];

/// The subscription types of the CRM.
pub(crate) fn topics() -> [(u64, Purpose); 3] {
    let [newsletter, offers, events] = SUBSCRIPTION_IDS;
    [(newsletter, Purpose::Newsletter), (offers, Purpose::Promotions), (events, Purpose::Promotions)]
}
