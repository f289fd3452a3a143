//! The tombstone before the first delete: from here on nobody comes back while records are erased.

use sha2::Digest as _;
use unisson_consent::{
    Actor, Address, Fact, FactId, HashedAddress, Kind, Occurred, Scope, SystemId, Via, Who, is_tombstone,
};
use unisson_plan::Commit;
use unisson_plan::erasure::{Case, Origin, Step};
use unisson_store::{StoreError, StoreErrorKind};

use super::receive::HOST;
use super::take;
use crate::host::Run;
use crate::journal::{JournalHead, JournalLine};

const DURING: &str = "erase a person";

impl Run<'_> {
    /// Writes a tombstone for every address of the person, each a fact of its own: nothing ties one to the other but the
    /// case.
    pub(super) async fn freeze(&self, case: &mut Case) -> Result<(), StoreError> {
        let law = &self.engine.law;
        if law.keyring.newest().is_none() {
            let what =
                "there is no key for tombstones: name one under [erasure] in the settings, as `unisson init` does";
            return Err(StoreError::new(StoreErrorKind::Unavailable, DURING, what));
        }
        let person = self.person(case).await?;
        let addresses = person.map(|person| person.erased.addresses).unwrap_or_default();
        let again = matches!(case.origin, Origin::Reappearance { .. });
        let sealed = if again { self.tombstones(case).await? } else { Vec::new() };
        let salt: [u8; 32] = rand::random();
        let mut commitments: Vec<[u8; 32]> = addresses.iter().map(|address| commitment(&salt, address)).collect();
        commitments.sort_unstable();
        commitments.dedup();
        let mut commit = Commit::new(self.id.clone(), self.heard_at());
        for address in &addresses {
            // A tombstone that was brought back needs no second one; whoever returned since then stays welcome.
            let matches = |hash: &HashedAddress| hash.matches(address, &law.keyring, law.policy.aliases);
            if sealed.iter().flat_map(|fact| &fact.who.hashes).any(matches) {
                continue;
            }
            let hashes = law.keyring.tombstone(address, law.policy.aliases);
            let fact = self.tombstone(case, hashes);
            if !commit.told.iter().any(|told| told.id == fact.id) {
                commit.told.push(fact);
            }
        }
        let tombstones = commit.told.iter().map(|fact| fact.id).collect();
        take(case, Step::Frozen { tombstones, commitments, salt }, self.now())?;
        commit.cases.push(case.clone());
        self.engine.store.commit(commit).await.map(|_| ())
    }

    fn tombstone(&self, case: &Case, hashes: Vec<HashedAddress>) -> Fact {
        let names: Vec<String> = hashes.iter().map(|hash| format!("{:?} {}", hash.algorithm, hash.hex())).collect();
        let parts = [HOST, "tombstone", case.id.0.as_str()];
        let id = FactId::of(&parts.into_iter().chain(names.iter().map(String::as_str)).collect::<Vec<_>>());
        tombstone(id, hashes, self.heard_at())
    }

    /// Puts the tombstones into the journal, and only then lets anything be deleted.
    pub(super) async fn dispatch(&self, case: &mut Case) -> Result<(), StoreError> {
        let tombstones = self.tombstones(case).await?.into_iter().filter(|fact| case.facts.contains(&fact.id));
        let lines: Vec<JournalLine> = tombstones
            .map(|fact| JournalLine::Tombstone {
                case: case.id.clone(),
                fact: fact.id,
                hashes: fact.who.hashes,
                at: fact.observed_at,
            })
            .collect();
        self.record(&lines).await?;
        take(case, Step::Dispatched, self.now())
    }

    /// The tombstones of the person of a case, of earlier cases too.
    async fn tombstones(&self, case: &Case) -> Result<Vec<Fact>, StoreError> {
        let subjects = self.engine.store.subjects_of(&case.facts).await?;
        let mut subjects: Vec<_> = subjects.into_iter().flatten().collect();
        subjects.sort_unstable();
        subjects.dedup();
        let dossiers = self.engine.store.dossiers(&subjects).await?;
        Ok(dossiers.into_iter().flat_map(|dossier| dossier.facts).filter(is_tombstone).collect())
    }

    /// Adds lines to the journal and tells the store how far it has come.
    pub(crate) async fn record(&self, lines: &[JournalLine]) -> Result<JournalHead, StoreError> {
        let Some(journal) = &self.engine.erasures.journal else {
            let what = "there is no journal of erasures: name one under [erasure] in the settings";
            return Err(StoreError::new(StoreErrorKind::Unavailable, DURING, what));
        };
        // One after the other: the store must not hear of an earlier end last.
        let _turn = self.journal.lock().await;
        let (journal, lines) = (std::sync::Arc::clone(journal), lines.to_vec());
        let head = crate::host::off_thread(move || journal.append(&lines)).await?;
        self.engine.store.set_journal_head(head.0, head.1).await?;
        Ok(head)
    }
}

/// The fact that an address was erased, of which only digests remain.
pub(super) fn tombstone(id: FactId, hashes: Vec<HashedAddress>, at: jiff::Timestamp) -> Fact {
    Fact {
        id,
        system: SystemId::new(HOST),
        record: None,
        who: Who { hashes, ..Who::default() },
        observed_at: at,
        occurred: Occurred::Unknown,
        seq: None,
        actor: Actor::DataSubject,
        via: Via::Message,
        scope: Scope::default(),
        kind: Kind::EraseRequest { verified: true },
        echo_of: None,
    }
}

/// What lets the person prove later that a certificate is theirs.
fn commitment(salt: &[u8; 32], address: &Address) -> [u8; 32] {
    let mut hash = sha2::Sha256::new();
    hash.update(salt);
    hash.update(address.canonical().as_bytes());
    hash.finalize().into()
}
