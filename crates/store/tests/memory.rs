//! The store in memory passes the suite.

use unisson_store::MemoryStore;

fn store() -> Box<MemoryStore> {
    Box::new(MemoryStore::new())
}

unisson_store::store_suite!(store);
