//! Keeps to an account's allowances: a call leaves when all that match it have room, and takes from all of them at once.
//!
//! Allowances belong to an account, not to a client: all clients of one account in the process share one book of them,
//! and it outlives them for as long as it remembers anything.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, timeout};
use unisson_connector::{Allowance, Error, ErrorKind, Limiter, Result};

use crate::bucket::Bucket;
use crate::transport::{Request, Response, Transport};
use crate::verdict::{Limited, Verdict};
use crate::wait::{RETRY_AFTER_MIN, WAIT_MAX};

/// How many accounts the process keeps in mind.
const ACCOUNTS_MAX: usize = 10_000;
/// How long a call waits for its turn before it goes back to be tried again.
const TURN_MAX: Duration = Duration::from_mins(5);

static ACCOUNTS: LazyLock<Mutex<HashMap<String, Arc<Pace>>>> = LazyLock::new(Mutex::default);

/// The allowances of one account.
#[derive(Debug)]
pub(crate) struct Pace {
    book: Mutex<Book>,
}

#[derive(Debug)]
struct Book {
    buckets: Vec<Bucket>,
    gates: Vec<Gate>,
    /// Until when the platform wants no call at all.
    held_until: Option<Instant>,
    last_call: Instant,
}

/// A cap on calls at the same time.
#[derive(Debug)]
struct Gate {
    limiter: Limiter,
    places: Arc<Semaphore>,
}

impl Pace {
    /// The pace of this account, with these allowances added to those it has.
    pub(crate) fn of(account: &str, limits: &[Limiter]) -> Result<Arc<Self>> {
        let mut accounts = locked(&ACCOUNTS);
        if accounts.len() >= ACCOUNTS_MAX {
            accounts.retain(|_, pace| Arc::strong_count(pace) > 1 || !pace.is_rested());
        }
        if accounts.len() >= ACCOUNTS_MAX && !accounts.contains_key(account) {
            let error = Error::new(ErrorKind::Config, "keep one more account's allowances in mind");
            return Err(error.with("accounts_max", ACCOUNTS_MAX));
        }
        let pace = Arc::clone(accounts.entry(account.to_owned()).or_insert_with(|| Arc::new(Self::new())));
        drop(accounts);
        pace.add(limits)?;
        Ok(pace)
    }

    fn new() -> Self {
        let book = Book { buckets: Vec::new(), gates: Vec::new(), held_until: None, last_call: Instant::now() };
        Self { book: Mutex::new(book) }
    }

    /// Every allowance that anybody declared counts for every call, so that the strictest of two versions holds.
    fn add(&self, limits: &[Limiter]) -> Result<()> {
        let mut book = locked(&self.book);
        for limiter in limits {
            match limiter.allowance {
                Allowance::Rate { calls, per } if !book.buckets.iter().any(|bucket| bucket.limiter == *limiter) => {
                    let bucket = Bucket::new(limiter.clone(), calls, per)?;
                    book.buckets.push(bucket);
                }
                Allowance::Concurrent(calls) if !book.gates.iter().any(|gate| gate.limiter == *limiter) => {
                    let places = Arc::new(Semaphore::new(calls.get().min(Semaphore::MAX_PERMITS)));
                    book.gates.push(Gate { limiter: limiter.clone(), places });
                }
                Allowance::Rate { .. } | Allowance::Concurrent(_) => {}
            }
        }
        Ok(())
    }

    /// Waits until a call to this path may leave. The places among simultaneous calls are given back when what this
    /// returns is dropped.
    async fn admit(&self, path: &str) -> Result<Vec<OwnedSemaphorePermit>> {
        let mut permits = Vec::new();
        for places in self.gates(path) {
            let permit = places.acquire_owned().await;
            permits.push(permit.map_err(|closed| turned_away(ErrorKind::Transient).because(closed))?);
        }
        while let Err(wait) = self.take(path) {
            if wait > WAIT_MAX {
                return Err(turned_away(ErrorKind::RateLimited(Some(wait))));
            }
            sleep(wait).await;
        }
        Ok(permits)
    }

    /// The gates of a path, always in one order, so that no two calls wait for each other.
    fn gates(&self, path: &str) -> Vec<Arc<Semaphore>> {
        let book = locked(&self.book);
        let matching = book.gates.iter().filter(|gate| path.contains(gate.limiter.path_part));
        matching.map(|gate| Arc::clone(&gate.places)).collect()
    }

    /// Takes one call from every bucket that counts it, or from none and says how long to wait.
    fn take(&self, path: &str) -> std::result::Result<(), Duration> {
        let mut book = locked(&self.book);
        let now = Instant::now();
        let mut wait = book.held_until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now));
        let mut taken = Vec::new();
        for bucket in book.buckets.iter().filter(|bucket| bucket.counts(path)) {
            match bucket.take(now) {
                Ok(before) => taken.push((bucket, before)),
                Err(full) => wait = wait.max(full),
            }
        }
        if wait.is_zero() {
            book.last_call = now;
            return Ok(());
        }
        for (bucket, before) in taken {
            bucket.put_back(before);
        }
        Err(wait)
    }

    /// Lets no call leave for this long, so that calls under way at the same time need not each be told: none that the narrowest allowance of this path counts, or none at all where
    /// only allowances for everything match.
    fn hold(&self, path: &str, wait: Duration) {
        let mut book = locked(&self.book);
        let until = Some(Instant::now() + wait);
        let matching =
            book.buckets.iter_mut().filter(|bucket| bucket.counts(path) && !bucket.limiter.path_part.is_empty());
        match matching.max_by_key(|bucket| bucket.limiter.path_part.len()) {
            Some(bucket) => bucket.held_until = bucket.held_until.max(until),
            None => book.held_until = book.held_until.max(until),
        }
    }

    /// Whether forgetting the account would allow nothing that it does not allow now.
    fn is_rested(&self) -> bool {
        let book = locked(&self.book);
        let now = Instant::now();
        let longest = book.buckets.iter().map(Bucket::memory).max().unwrap_or_default();
        let held = book.buckets.iter().map(|bucket| bucket.held_until).chain([book.held_until]).flatten().max();
        now.saturating_duration_since(book.last_call) >= longest && held.is_none_or(|until| until <= now)
    }
}

fn turned_away(kind: ErrorKind) -> Error {
    Error::new(kind, "wait for the account's allowance")
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The layer: every attempt waits for its turn.
#[derive(Debug)]
pub(crate) struct Paced {
    pace: Arc<Pace>,
    limited: Limited,
    inner: Arc<dyn Transport>,
}

impl Paced {
    pub(crate) fn new(pace: Arc<Pace>, limited: Limited, inner: Arc<dyn Transport>) -> Self {
        Self { pace, limited, inner }
    }
}

#[async_trait]
impl Transport for Paced {
    async fn send(&self, request: Request) -> Result<Response> {
        let path = request.url.path().to_owned();
        let too_long = |_| turned_away(ErrorKind::RateLimited(Some(RETRY_AFTER_MIN)));
        let permits = timeout(TURN_MAX, self.pace.admit(&path)).await.map_err(too_long)??;
        let response = self.inner.send(request).await?;
        drop(permits);
        if let Verdict::Later(Some(asked)) | Verdict::MayPass(Some(asked)) = Verdict::of(&response, self.limited) {
            self.pace.hold(&path, asked.min(WAIT_MAX));
        }
        Ok(response)
    }
}
