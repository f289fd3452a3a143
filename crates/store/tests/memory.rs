//! The store in memory passes the suite.

use unisson_store::MemoryStore;

fn store() -> Box<MemoryStore> {
    Box::new(MemoryStore::with_keyring(unisson_store::suite::fixture::keyring()))
}

unisson_store::store_suite!(store);
