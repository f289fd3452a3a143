//! The thread that owns the database. Callers hand it one job at a time and wait for the answer without blocking.

use std::fmt;
use std::thread::JoinHandle;

use tokio::sync::{mpsc, oneshot};
use unisson_store::{Result, StoreError, StoreErrorKind};

use crate::db::Db;

/// The most jobs that wait; beyond it, callers wait to be let in.
const JOBS_MAX: usize = 64;

type Job = Box<dyn FnOnce(&mut Db) + Send>;

/// A handle to the thread. Dropping it lets the jobs that wait be done, closes the database and gives up the lock.
pub(crate) struct Worker {
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    /// Moves the database to a thread of its own.
    pub(crate) fn start(mut db: Db) -> Result<Self> {
        let (jobs, mut waiting) = mpsc::channel::<Job>(JOBS_MAX);
        let work = move || {
            while let Some(job) = waiting.blocking_recv() {
                job(&mut db);
            }
        };
        let thread = std::thread::Builder::new().name("store".to_owned()).spawn(work).map_err(|error| {
            let what = "no thread can be started: see the cause";
            StoreError::new(StoreErrorKind::Unavailable, "open the store", what).because(error)
        })?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread) })
    }

    /// Does a job on the thread. Once it is handed over it is done to its end, whether or not the caller still waits.
    pub(crate) async fn call<T, F>(&self, job: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Db) -> Result<T> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |db| {
            // Who no longer waits needs no answer.
            let _ = answer.send(job(db));
        });
        let Some(jobs) = &self.jobs else { return Err(ended()) };
        jobs.send(job).await.map_err(|_| ended())?;
        answered.await.map_err(|_| ended())?
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // A panic of the thread was reported to whoever waited for the job.
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Worker")
    }
}

fn ended() -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable, "work with the store", "its thread has ended: start the program anew")
}
