//! What is told without a record: entries of lists, known before, held by somebody, found by whoever comes later.

use unisson_consent::{Address, Algorithm, Fact, FactId, HashedAddress, Kind, Normalisation, Who};

use unisson_plan::SubjectNo;

use super::fixture::{at, commit, contact, dossier, email, fact, judge_all, judged, mailed, stale, subject_of, write};
use crate::store::{Met, Store};

/// An entry of a list of refusals.
fn entry(who: Who) -> Fact {
    let id =
        FactId::of(&["list", &format!("{:?}", who.addresses.iter().map(Address::raw).collect::<Vec<_>>()), &hex(&who)]);
    Fact { id, who, ..fact("list", None, Kind::Withdraw) }
}

fn hex(who: &Who) -> String {
    who.hashes.iter().map(HashedAddress::hex).collect()
}

fn plain(address: &str) -> Fact {
    entry(Who { addresses: vec![email(address)], ..Who::default() })
}

fn hashed(address: &str) -> Fact {
    let digest = HashedAddress::of(&email(address), &Algorithm::Sha256(Normalisation::TrimLower)).unwrap();
    entry(Who { hashes: vec![digest], ..Who::default() })
}

async fn tell(store: &dyn Store, facts: Vec<Fact>) -> u64 {
    let mut draft = commit("list").build();
    draft.told = facts;
    store.commit(draft).await.unwrap().facts
}

pub async fn an_entry_of_a_list_stands_with_whoever_it_names_now_or_later(store: &dyn Store) {
    write(store, commit("r").learn(contact("news", "now"))).await;
    judge_all(store).await;
    for told in
        [plain("Now@example.org"), hashed("NOW@example.org"), plain("later@example.org"), hashed("Later@example.org")]
    {
        assert_eq!(tell(store, vec![told]).await, 1);
    }
    write(store, commit("r").learn(mailed("crm", "later", "later@example.org"))).await;
    for native in ["now", "later"] {
        let subject = subject_of(store, native).await;
        assert!(stale(store, at(0)).await.contains(&subject), "{native}");
        assert_eq!(dossier(store, subject).await.facts.len(), 3, "{native}");
    }
}

pub async fn a_list_that_is_told_twice_adds_nothing(store: &dyn Store) {
    let list = || vec![plain("a@example.org"), hashed("b@example.org"), plain("a@example.org")];
    assert_eq!(tell(store, list()).await, 2);
    judge_all(store).await;
    let before = (store.counts(at(0)).await.unwrap(), store.verify().await.unwrap());
    assert_eq!(tell(store, list()).await, 0);
    assert_eq!((store.counts(at(0)).await.unwrap(), store.verify().await.unwrap()), before);
}

pub async fn an_entry_is_met_with_what_is_known_of_it(store: &dyn Store) {
    let list = [plain("a@example.org"), hashed("a@example.org"), plain("b@example.org"), hashed("c@example.org")];
    let met = |known, held| Met { known, held };
    assert_eq!(store.met(&list).await.unwrap(), vec![Met::default(); 4]);
    tell(store, vec![list[0].clone(), list[3].clone()]).await;
    let told = [met(true, false), met(false, false), met(false, false), met(true, false)];
    assert_eq!(store.met(&list).await.unwrap(), told, "an entry of a list is nobody's record");
    write(store, commit("r").learn(mailed("news", "1", "A@example.org"))).await;
    write(store, commit("r").learn(mailed("news", "2", "c@example.org"))).await;
    let held = [met(true, true), met(false, true), met(false, false), met(true, true)];
    assert_eq!(store.met(&list).await.unwrap(), held);
}

pub async fn looking_at_a_list_tells_nothing(store: &dyn Store) {
    write(store, commit("r").learn(contact("news", "a"))).await;
    judge_all(store).await;
    let before = (store.counts(at(0)).await.unwrap(), store.verify().await.unwrap());
    store.met(&[hashed("a@example.org"), plain("x@example.org")]).await.unwrap();
    assert_eq!((store.counts(at(0)).await.unwrap(), store.verify().await.unwrap()), before);
}

pub async fn whom_a_list_names_is_no_newcomer(store: &dyn Store) {
    tell(store, vec![hashed("one@example.org"), plain("two@example.org")]).await;
    let draft = commit("r")
        .learn(mailed("news", "1", "One@example.org"))
        .learn(mailed("news", "2", "Two@example.org"))
        .learn(mailed("news", "3", "three@example.org"));
    let draft = (0..3).fold(draft, |draft, place| draft.newcomer(place, judged(SubjectNo(0))));
    assert_eq!(write(store, draft).await.newcomers, vec![2], "what was judged without the list says nothing");
    let mut draft =
        commit("r").learn(mailed("news", "4", "four@example.org")).newcomer(0, judged(SubjectNo(0))).build();
    draft.told = vec![hashed("four@example.org")];
    assert_eq!(store.commit(draft).await.unwrap().newcomers, Vec::<usize>::new(), "it is told in the same commit");
}
