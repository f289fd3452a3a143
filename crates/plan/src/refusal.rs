//! Refusals that others hand over as a list: each entry becomes one fact, told on no record.
//!
//! What a list says is an act of whoever imported it, not of the person: it is undated, so it stands against every consent
//! that was known before, and two people can annul it. It names no more than an address or a digest of one.

use jiff::Timestamp;
use unisson_consent::{
    Actor, Address, AddressKind, Channel, Channels, Fact, FactId, Kind, Occurred, Purposes, Scope, SystemId, Via, Who,
};

/// What it means to be on a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusalList {
    /// Where it came from: one of our systems, or somebody else.
    pub source: SystemId,
    /// What everybody on it did, or had done.
    pub act: Kind,
    /// For which purposes.
    pub purposes: Purposes,
    /// Over which channels; `None` where each entry is for everything that its kind of address is used for.
    pub channels: Option<Channels>,
}

impl RefusalList {
    /// The fact that somebody is on the list. The same entry of the same list is the same fact, whenever it is read.
    ///
    /// ```
    /// use unisson_consent::{Address, Kind, Purposes, Who};
    /// use unisson_plan::RefusalList;
    /// let list = RefusalList {
    ///     source: "list:partner".into(),
    ///     act: Kind::Withdraw,
    ///     purposes: Purposes::AllMarketing,
    ///     channels: None,
    /// };
    /// let entry = |spelt| Who { addresses: vec![Address::email(spelt).unwrap()], ..Who::default() };
    /// let (then, now) = (jiff::Timestamp::UNIX_EPOCH, jiff::Timestamp::MAX);
    /// assert_eq!(list.entry(entry("Ada@example.org"), then).id, list.entry(entry("ada@example.org"), now).id);
    /// ```
    pub fn entry(&self, who: Who, now: Timestamp) -> Fact {
        let kinds = who.addresses.iter().map(Address::kind);
        let kind = kinds.chain(who.hashes.iter().map(|hashed| hashed.kind)).next().unwrap_or(AddressKind::Email);
        let scope =
            Scope { purposes: self.purposes.clone(), channels: self.channels.unwrap_or_else(|| channels_of(kind)) };
        Fact {
            id: self.id_of(&who, &scope),
            system: self.source.clone(),
            record: None,
            who,
            observed_at: now,
            occurred: Occurred::Unknown,
            seq: None,
            actor: Actor::Import,
            via: Via::Message,
            scope,
            kind: self.act.clone(),
            echo_of: None,
        }
    }

    fn id_of(&self, who: &Who, scope: &Scope) -> FactId {
        let (act, reach) = (format!("{:?}", self.act), format!("{scope:?}"));
        let addresses = who.addresses.iter().map(|one| format!("{} {}", one.kind().as_str(), one.canonical()));
        let digests = who.hashes.iter().map(|one| format!("{} {:?} {}", one.kind.as_str(), one.algorithm, one.hex()));
        let named: Vec<String> = addresses.chain(digests).collect();
        let parts = [self.source.as_str(), "listed", act.as_str(), reach.as_str()];
        FactId::of(&parts.into_iter().chain(named.iter().map(String::as_str)).collect::<Vec<_>>())
    }
}

/// Everything that marketing uses a kind of address for and that an address of the kind opts out of.
fn channels_of(kind: AddressKind) -> Channels {
    match kind {
        AddressKind::Email => Channels::one(Channel::Email),
        AddressKind::Phone => {
            [Channel::Sms, Channel::PhoneLive, Channel::PhoneAuto, Channel::Messaging].into_iter().collect()
        }
        AddressKind::Postal => Channels::one(Channel::Postal),
    }
}

#[cfg(test)]
mod tests {
    use unisson_consent::{Algorithm, HashedAddress, Normalisation};

    use super::*;

    fn list(source: &str) -> RefusalList {
        RefusalList { source: source.into(), act: Kind::Withdraw, purposes: Purposes::AllMarketing, channels: None }
    }

    #[test]
    fn an_entry_is_an_undated_refusal_by_import_with_the_reach_of_its_kind() {
        let phone = Who { addresses: vec![Address::phone("+33612345678", None).unwrap()], ..Who::default() };
        let fact = list("list:partner").entry(phone, Timestamp::UNIX_EPOCH);
        assert_eq!((fact.kind, fact.actor, fact.occurred), (Kind::Withdraw, Actor::Import, Occurred::Unknown));
        assert!(fact.scope.channels.contains(Channel::PhoneLive) && !fact.scope.channels.contains(Channel::Email));
        let zed = Address::email("zed@example.com").unwrap();
        let hashed = HashedAddress::of(&zed, &Algorithm::Md5(Normalisation::TrimLower)).unwrap();
        let fact = list("list:partner").entry(Who { hashes: vec![hashed], ..Who::default() }, Timestamp::UNIX_EPOCH);
        assert_eq!(fact.scope, Scope::default());
    }

    #[test]
    fn entries_that_differ_in_anything_said_are_different_facts() {
        let zed = Address::email("zed@example.com").unwrap();
        let digest = |how: Algorithm| Who { hashes: vec![HashedAddress::of(&zed, &how).unwrap()], ..Who::default() };
        let plain = || Who { addresses: vec![zed.clone()], ..Who::default() };
        let now = Timestamp::UNIX_EPOCH;
        let sms = RefusalList { channels: Some(Channels::one(Channel::Sms)), ..list("a") };
        let ids = [
            list("a").entry(plain(), now).id,
            list("b").entry(plain(), now).id,
            RefusalList { act: Kind::Complaint, ..list("a") }.entry(plain(), now).id,
            sms.entry(plain(), now).id,
            list("a").entry(digest(Algorithm::Md5(Normalisation::TrimLower)), now).id,
            list("a").entry(digest(Algorithm::Md5(Normalisation::Uid2)), now).id,
            list("a").entry(digest(Algorithm::Sha256(Normalisation::TrimLower)), now).id,
        ];
        assert_eq!(ids.iter().collect::<std::collections::BTreeSet<_>>().len(), ids.len());
    }
}
