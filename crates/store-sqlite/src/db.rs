//! The open database: its connection, its lock, and what is remembered beside it.

use std::fs::File;

use foldhash::HashMap;
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior};
use unisson_connector::StreamId;
use unisson_consent::{Keyring, SystemId};
use unisson_store::lent::Lent;
use unisson_store::{Result, StoreError, StoreErrorKind};

use crate::error::During as _;
use crate::open::Access;

/// Everything the thread owns. Fields are dropped in order: the lock goes when the connection is closed.
#[derive(Debug)]
pub(crate) struct Db {
    pub(crate) connection: Connection,
    pub(crate) access: Access,
    pub(crate) names: NameCache,
    pub(crate) lent: Lent,
    /// The keys that people were erased under.
    pub(crate) keyring: Keyring,
    /// Held for as long as this process may write.
    pub(crate) _lock: Option<File>,
}

/// The numbers of instances and streams, of which there are few.
#[derive(Debug, Default)]
pub(crate) struct NameCache {
    instances: HashMap<SystemId, i64>,
    streams: HashMap<SystemId, HashMap<StreamId, i64>>,
}

impl Db {
    /// Reads within one state of the database.
    pub(crate) fn read<T>(&mut self, during: &'static str, read: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let transaction = self.connection.transaction().during(during)?;
        read(&transaction)
    }

    /// Refuses what only who may write can do.
    pub(crate) fn refuse_to_read_only(&self, during: &'static str) -> Result<()> {
        if self.access == Access::ReadWrite {
            return Ok(());
        }
        let what = "the store is open for reading only: open it for writing";
        Err(StoreError::new(StoreErrorKind::Unavailable, during, what))
    }

    /// Writes everything, or nothing.
    pub(crate) fn write<T>(
        &mut self,
        during: &'static str,
        write: impl FnOnce(&Connection, &mut NameCache, &Lent) -> Result<T>,
    ) -> Result<T> {
        self.refuse_to_read_only(during)?;
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate).during(during)?;
        let written = write(&transaction, &mut self.names, &self.lent)
            .and_then(|answer| transaction.commit().during(during).map(|()| answer));
        if written.is_err() {
            // What was numbered in vain is not there.
            self.names = NameCache::default();
        }
        written
    }
}

impl NameCache {
    /// The number of an instance, if it has one.
    pub(crate) fn instance(&mut self, db: &Connection, name: &SystemId) -> Result<Option<i64>> {
        if let Some(number) = self.instances.get(name) {
            return Ok(Some(*number));
        }
        let number = instance(db, name)?;
        if let Some(number) = number {
            self.instances.insert(name.clone(), number);
        }
        Ok(number)
    }

    /// The number of an instance, given now if it has none.
    pub(crate) fn give_instance(&mut self, db: &Connection, name: &SystemId) -> Result<i64> {
        const SQL: &str = "INSERT INTO instance (name) VALUES (?1) RETURNING no";
        if let Some(number) = self.instance(db, name)? {
            return Ok(number);
        }
        let mut insert = db.prepare_cached(SQL).during("write an instance")?;
        let number = insert.query_row([name.as_str()], |row| row.get(0)).during("write an instance")?;
        self.instances.insert(name.clone(), number);
        Ok(number)
    }

    /// The number of a stream of an instance, given now if it has none.
    pub(crate) fn give_stream(&mut self, db: &Connection, system: &SystemId, name: &StreamId) -> Result<i64> {
        const SQL: &str = "INSERT INTO stream (instance, name) VALUES (?1, ?2) RETURNING no";
        if let Some(number) = self.streams.get(system).and_then(|streams| streams.get(name)) {
            return Ok(*number);
        }
        let instance = self.give_instance(db, system)?;
        let number = match stream(db, instance, name)? {
            Some(number) => number,
            None => db
                .prepare_cached(SQL)
                .during("write a stream")?
                .query_row((instance, &name.0), |row| row.get(0))
                .during("write a stream")?,
        };
        self.streams.entry(system.clone()).or_default().insert(name.clone(), number);
        Ok(number)
    }
}

/// The number of an instance, if it has one.
pub(crate) fn instance(db: &Connection, name: &SystemId) -> Result<Option<i64>> {
    const SQL: &str = "SELECT no FROM instance WHERE name = ?1";
    let mut select = db.prepare_cached(SQL).during("read an instance")?;
    select.query_row([name.as_str()], |row| row.get(0)).optional().during("read an instance")
}

/// The number of a stream, if it has one.
pub(crate) fn stream(db: &Connection, instance: i64, name: &StreamId) -> Result<Option<i64>> {
    const SQL: &str = "SELECT no FROM stream WHERE instance = ?1 AND name = ?2";
    let mut select = db.prepare_cached(SQL).during("read a stream")?;
    select.query_row((instance, &name.0), |row| row.get(0)).optional().during("read a stream")
}

/// A number as SQLite keeps it.
pub(crate) fn int(number: u64) -> i64 {
    number.cast_signed()
}

/// A number as it is used.
pub(crate) fn number(int: i64) -> u64 {
    int.cast_unsigned()
}

/// A limit as SQLite takes it.
pub(crate) fn limit(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX)
}
