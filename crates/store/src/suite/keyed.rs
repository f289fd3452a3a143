//! Digests under a key of our own: a tombstone is met by every spelling of its class, whichever comes first.

use unisson_consent::{Aliases, Fact, HashedAddress, KeyId, Keyring, Who};

use super::fixture::{commit, dossier, email, mailed, subject_of, tombstone, write};
use crate::error::StoreErrorKind;
use crate::store::Store;

const PLUS: Aliases = Aliases { plus: true, gmail_dots: false };
const DOTS: Aliases = Aliases { plus: false, gmail_dots: true };

/// Each widening with an erased address, a spelling of its class, and one of another class.
const CLASSES: [(Aliases, &str, &str, &str); 4] = [
    (Aliases { plus: false, gmail_dots: false }, "ada@example.org", " ADA@Example.ORG", "ade@example.org"),
    (PLUS, "ada@example.org", "Ada+shop@example.org", "adam@example.org"),
    (DOTS, "j.doe@gmail.com", "JDoe@googlemail.com", "jdo@gmail.com"),
    (Aliases::WIDEST, "j.doe+a@gmail.com", "jd.oe+b@googlemail.com", "jdo+a@gmail.com"),
];

/// The tombstone of one class alone.
fn narrow(address: &str, aliases: Aliases) -> Fact {
    let mut fact = tombstone(&email(address), aliases);
    fact.who.hashes.drain(..fact.who.hashes.len() - 1);
    fact
}

pub async fn a_tombstone_is_met_by_every_later_spelling_of_its_class(store: &dyn Store) {
    for (place, (aliases, erased, spelling, other)) in CLASSES.into_iter().enumerate() {
        let buried = narrow(erased, aliases);
        write(store, commit("r").tell(buried.clone())).await;
        let (native, stranger) = (format!("s{place}"), format!("o{place}"));
        let draft = commit("r").learn(mailed("news", &native, spelling)).learn(mailed("news", &stranger, other));
        write(store, draft).await;
        let subject = subject_of(store, &native).await;
        assert_eq!(store.subjects_of(&[buried.id]).await.unwrap(), [Some(subject)], "{aliases:?}");
        let known = dossier(store, subject_of(store, &stranger).await).await;
        assert!(known.facts.iter().all(|fact| fact.id != buried.id), "{aliases:?} takes in a stranger");
    }
}

pub async fn a_tombstone_joins_whoever_a_restored_backup_still_holds(store: &dyn Store) {
    for (place, (aliases, erased, spelling, other)) in CLASSES.into_iter().enumerate() {
        let (native, stranger) = (format!("s{place}"), format!("o{place}"));
        let draft = commit("r").learn(mailed("news", &native, spelling)).learn(mailed("news", &stranger, other));
        write(store, draft).await;
        let buried = narrow(erased, aliases);
        write(store, commit("r").tell(buried.clone())).await;
        let subject = subject_of(store, &native).await;
        assert_eq!(store.subjects_of(&[buried.id]).await.unwrap(), [Some(subject)], "{aliases:?}");
        let known = dossier(store, subject).await;
        assert!(known.facts.iter().any(|fact| fact.id == buried.id), "{aliases:?}");
    }
}

pub async fn a_digest_under_a_key_that_is_not_at_hand_is_refused(store: &dyn Store) {
    let mut ring = Keyring::default();
    ring.insert(KeyId(2), vec![8; 32]);
    let hashes: Vec<HashedAddress> = ring.tombstone(&email("ada@example.org"), Aliases::default());
    let buried = Fact { who: Who { hashes, ..Who::default() }, ..narrow("ada@example.org", Aliases::default()) };
    let error = store.commit(commit("r").tell(buried).build()).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(error.to_string().contains("key 2"), "{error}");
    write(store, commit("r").learn(mailed("news", "a", "ada@example.org"))).await;
}
