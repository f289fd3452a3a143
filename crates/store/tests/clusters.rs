//! Law: subjects are exactly the groups of records that a naive reading of everything told so far connects.
#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::vec;
use proptest::prelude::*;
use unisson_consent::RecordRef;
use unisson_store::suite::arbitrary::{ADDRESSES, NATIVES, SCHEMES, Sighting, Step, digest, named, sighting, take};
use unisson_store::{MemoryStore, Store};

/// The groups that everything told connects, by going over all pairs until nothing changes.
fn connected(told: &[Sighting]) -> BTreeSet<BTreeSet<RecordRef>> {
    let mut marks: BTreeMap<RecordRef, BTreeSet<String>> = BTreeMap::new();
    let mut groups: Vec<BTreeSet<RecordRef>> = Vec::new();
    for sighting in told {
        let record = named(sighting.system, sighting.native);
        let held = marks.entry(record.clone()).or_default();
        let addresses =
            sighting.addresses.iter().copied().chain(sighting.moved.iter().flat_map(|(from, to)| [*from, *to]));
        for place in addresses {
            held.insert(format!("address {}", ADDRESSES[place].1));
            held.extend((0..SCHEMES.len()).map(|scheme| format!("{scheme} {}", digest(place, scheme).hex())));
        }
        held.extend(sighting.digest.map(|(place, scheme)| format!("{scheme} {}", digest(place, scheme).hex())));
        held.extend(sighting.customer.map(|number| format!("customer {number}")));
        held.extend(sighting.person.map(|number| format!("person {number}")));
        if let Some((system, native)) = sighting.link {
            let other = named(system, native);
            marks.entry(other.clone()).or_default();
            groups.push(BTreeSet::from([record, other]));
        }
    }
    groups.extend(marks.keys().map(|record| BTreeSet::from([record.clone()])));
    let shares = |a: &BTreeSet<RecordRef>, b: &BTreeSet<RecordRef>| {
        let marks_of = |group: &BTreeSet<RecordRef>| {
            group.iter().flat_map(|record| marks[record].clone()).collect::<BTreeSet<_>>()
        };
        !a.is_disjoint(b) || !marks_of(a).is_disjoint(&marks_of(b))
    };
    loop {
        let pairs = (0..groups.len()).flat_map(|a| (a + 1..groups.len()).map(move |b| (a, b)));
        let Some((a, b)) = pairs.into_iter().find(|(a, b)| shares(&groups[*a], &groups[*b])) else {
            return groups.into_iter().collect();
        };
        let joined = groups.remove(b);
        groups[a].extend(joined);
    }
}

/// The groups of the store, by the subject it gives each record.
async fn grouped(store: &MemoryStore) -> BTreeSet<BTreeSet<RecordRef>> {
    let mut subjects = BTreeMap::new();
    for native in NATIVES {
        for subject in store.find(&unisson_store::Wanted::Record(native.into())).await.unwrap() {
            subjects.insert(subject, BTreeSet::new());
        }
    }
    let numbers: Vec<_> = subjects.keys().copied().collect();
    for dossier in store.dossiers(&numbers).await.unwrap() {
        let group: &mut BTreeSet<RecordRef> = subjects.get_mut(&dossier.subject).unwrap();
        group.extend(dossier.replicas.into_iter().map(|replica| replica.record));
        let named = dossier.facts.into_iter().filter_map(|fact| match fact.kind {
            unisson_consent::Kind::Link { records } => Some(records),
            _ => None,
        });
        group.extend(named.flatten());
    }
    subjects.into_values().collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn subjects_are_what_a_naive_reading_connects(pages in vec(vec(sighting(), 1..5), 1..5)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let store = MemoryStore::new();
            for page in &pages {
                take(&store, 0, &Step::Learn(page.clone())).await;
            }
            prop_assert_eq!(grouped(&store).await, connected(&pages.concat()));
            Ok(())
        })?;
    }
}
