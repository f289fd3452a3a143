//! Law: the embedded store and the store in memory answer the same to the same history, and reopening changes nothing.
#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

use proptest::prelude::*;
use tempfile::TempDir;
use unisson_store::MemoryStore;
use unisson_store::suite::arbitrary::{Step, history, observe, take};
use unisson_store::suite::fixture::keyring;
use unisson_store_sqlite::{Access, Examination, SqliteStore};

async fn compare(steps: &[Step]) -> Result<(), TestCaseError> {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("unisson.db");
    let memory = MemoryStore::with_keyring(keyring());
    let disk = SqliteStore::open_with(&path, Access::ReadWrite, keyring()).unwrap();
    let mut number = 0;
    for step in steps {
        number += 1;
        let (kept, stored) = (take(&memory, number, step).await, take(&disk, number, step).await);
        prop_assert_eq!(kept, stored, "{:?}", step);
    }
    let kept = observe(&memory, number).await;
    prop_assert_eq!(&kept, &observe(&disk, number).await);
    drop(disk);
    let reopened = SqliteStore::open_with(&path, Access::ReadOnly, keyring()).unwrap();
    prop_assert_eq!(&kept, &observe(&reopened, number).await);
    prop_assert_eq!(reopened.examine().await.unwrap(), Examination::default());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_same_history_gives_the_same_answers(steps in history()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(compare(&steps))?;
    }
}
