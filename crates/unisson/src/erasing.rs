//! What erasing needs, put together from settings and policy: keys, the journal, holds and deadlines.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret as _;
use unisson_consent::{AddressKind, Algorithm, FactId, HashedAddress, KeyId, Keyring, SystemId};
use unisson_engine::{Erasures, JournalHead, JournalLine};
use unisson_plan::erasure::{Calendar, HoldRule};
use unisson_proof::{Agreement, Digest32, Entry, Head, Journal, JournalError, Record, Seal, SigningKey, TombstoneKey};
use unisson_settings::{HoldSetting, SecretSource, Settings};
use unisson_store::{StoreError, StoreErrorKind};

use crate::exit::Failure;

const DURING: &str = "work with the journal of erasures";

/// The keys of tombstones.
pub(crate) fn keyring(settings: &Settings) -> Result<Keyring, Failure> {
    let mut keyring = Keyring::default();
    let secrets = SecretSource::of_process(&settings.folder);
    for named in &settings.erasure.tombstone_keys {
        let at = |error: &dyn std::error::Error| {
            Failure::of(error).next(format!(
                "put the file of tombstone key {} back: without it nobody erased under it would be recognised",
                named.id.0
            ))
        };
        let text = secrets.resolve(&named.key).map_err(|error| at(&error))?;
        let key = TombstoneKey::parse(text.value.expose_secret()).map_err(|error| at(&error))?;
        keyring.insert(named.id, key.bytes().to_vec());
    }
    Ok(keyring)
}

/// The key that certificates are signed with.
pub(crate) fn signing_key(settings: &Settings) -> Result<SigningKey, Failure> {
    let lacks = "write one with `unisson init` in an empty folder, and name it as erasure.signing_key";
    let named = settings.erasure.signing_key.as_ref();
    let named = named.ok_or_else(|| Failure::new("no key to sign certificates with is named").next(lacks))?;
    let text = SecretSource::of_process(&settings.folder)
        .resolve(named)
        .map_err(|error| Failure::of(&error).next("put the signing key back, or name another"))?;
    SigningKey::parse(text.value.expose_secret()).map_err(|error| Failure::of(&error).next(lacks))
}

/// A hold of the policy as the planner takes it.
pub(crate) fn hold(setting: &HoldSetting) -> HoldRule {
    HoldRule {
        name: setting.name.clone(),
        system: setting.system.clone(),
        fields: setting.fields.clone(),
        ground: setting.ground,
        provision: setting.provision.clone(),
        keeps_for: setting.keeps_for,
        always: setting.always,
    }
}

/// How erasures are carried out. Without a key for tombstones there is no journal, and nothing is erased.
pub(crate) fn erasures(settings: &Settings, holds: Vec<HoldRule>) -> Result<Erasures, Failure> {
    let settles_in: BTreeMap<SystemId, SignedDuration> = settings
        .instances
        .iter()
        .filter_map(|(name, instance)| Some((SystemId::new(name), instance.verify_after?)))
        .collect();
    let calendar = Calendar { zone: settings.erasure.zone.clone(), holidays: settings.erasure.holidays.clone() };
    let journal: Option<Arc<dyn unisson_engine::Journal>> = if settings.erasure.tombstone_keys.is_empty() {
        None
    } else {
        Some(Arc::new(Book::open(&settings.erasure.journal)?))
    };
    Ok(Erasures { calendar, holds, settles_in, journal })
}

/// The journal as the engine takes it.
#[derive(Debug)]
struct Book(Mutex<Journal>);

impl Book {
    fn open(path: &Path) -> Result<Self, Failure> {
        let journal = Journal::open(path).map_err(|error| {
            Failure::of(&error).next("put the journal of erasures back, or make its folder writable")
        })?;
        Ok(Self(Mutex::new(journal)))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Journal> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl unisson_engine::Journal for Book {
    fn head(&self) -> JournalHead {
        let Head { lines, hash } = self.lock().head();
        (lines, hash.0)
    }

    fn knows(&self, head: JournalHead) -> Result<bool, StoreError> {
        let known = Head { lines: head.0, hash: Digest32(head.1) };
        let agreement = self.lock().agrees(known).map_err(failed)?;
        Ok(matches!(agreement, Agreement::Same | Agreement::Ahead(_)))
    }

    fn after(&self, line: u64) -> Result<Vec<JournalLine>, StoreError> {
        let entries = self.lock().entries_after(line).map_err(failed)?;
        let mut lines: Vec<JournalLine> = Vec::new();
        for entry in entries {
            let entry = entry.map_err(failed)?;
            if !add_digest(lines.last_mut(), &entry) {
                lines.push(line_of(entry));
            }
        }
        Ok(lines)
    }

    fn append(&self, lines: &[JournalLine]) -> Result<JournalHead, StoreError> {
        let records: Vec<Record> = lines.iter().flat_map(records_of).collect();
        let Head { lines, hash } = self.lock().append(Timestamp::now(), &records).map_err(failed)?;
        Ok((lines, hash.0))
    }
}

/// The lines of the file: one for each digest.
fn records_of(line: &JournalLine) -> Vec<Record> {
    match line {
        JournalLine::Tombstone { case, fact, hashes, at } => seals(hashes)
            .map(|seal| Record::Tombstone { case: case.clone(), fact: *fact, seal, erased_at: *at })
            .collect(),
        JournalLine::Refusal { restricts: true, fact, hashes, at } => {
            seals(hashes).map(|seal| Record::Restriction { fact: *fact, seal, since: *at }).collect()
        }
        JournalLine::Refusal { restricts: false, fact, hashes, at } => {
            seals(hashes).map(|seal| Record::Objection { fact: *fact, seal, since: *at }).collect()
        }
        JournalLine::Case { case, state, .. } => vec![Record::Case { case: case.clone(), state: *state }],
        JournalLine::Ledger { commits, head, .. } => {
            vec![Record::Ledger { commits: *commits, head: Digest32(*head) }]
        }
    }
}

fn seals(hashes: &[HashedAddress]) -> impl Iterator<Item = Seal> {
    hashes.iter().filter_map(|hash| match hash.algorithm {
        Algorithm::Keyed(key) => {
            let class = <[u8; 32]>::try_from(hash.digest.as_slice()).ok()?;
            Some(Seal { address: hash.kind, key, class: Digest32(class) })
        }
        _ => None,
    })
}

/// Adds a further digest of the same fact to the line before; whether it was one.
fn add_digest(last: Option<&mut JournalLine>, entry: &Entry) -> bool {
    let (Some(digest), Some(last)) = (digest_of(&entry.record), last) else { return false };
    let (JournalLine::Tombstone { fact, hashes, .. } | JournalLine::Refusal { fact, hashes, .. }) = last else {
        return false;
    };
    let same = *fact == digest.0;
    if same {
        hashes.push(digest.1);
    }
    same
}

fn digest_of(record: &Record) -> Option<(FactId, HashedAddress)> {
    match record {
        Record::Tombstone { fact, seal, .. }
        | Record::Objection { fact, seal, .. }
        | Record::Restriction { fact, seal, .. } => Some((*fact, hashed(seal.address, seal.key, seal.class))),
        Record::Case { .. } | Record::Ledger { .. } => None,
    }
}

fn hashed(kind: AddressKind, key: KeyId, class: Digest32) -> HashedAddress {
    HashedAddress { kind, algorithm: Algorithm::Keyed(key), digest: class.0.to_vec() }
}

fn line_of(entry: Entry) -> JournalLine {
    let sealed = |seal: Seal| vec![hashed(seal.address, seal.key, seal.class)];
    match entry.record {
        Record::Tombstone { case, fact, seal, erased_at } => {
            JournalLine::Tombstone { case, fact, hashes: sealed(seal), at: erased_at }
        }
        Record::Objection { fact, seal, since } => {
            JournalLine::Refusal { restricts: false, fact, hashes: sealed(seal), at: since }
        }
        Record::Restriction { fact, seal, since } => {
            JournalLine::Refusal { restricts: true, fact, hashes: sealed(seal), at: since }
        }
        Record::Case { case, state } => JournalLine::Case { case, state, at: entry.at },
        Record::Ledger { commits, head } => JournalLine::Ledger { commits, head: head.0, at: entry.at },
    }
}

fn failed(error: JournalError) -> StoreError {
    let what = "its journal cannot be read or written: see the cause; nothing was sent without it";
    StoreError::new(StoreErrorKind::Unavailable, DURING, what).because(error)
}
