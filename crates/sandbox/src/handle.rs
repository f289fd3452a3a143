//! A running twin seen from outside: where it listens, what was asked of it, which faults it has.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::calls::{Call, Tally};
use crate::core::Core;
use crate::fault::{RetryAfter, Rule, RuleError};
use crate::rates::Rates;
use crate::sandbox::StartError;
use crate::server::Server;
use crate::twin::Twin;

/// A running twin. It stops when the handle is dropped.
pub struct Handle {
    address: SocketAddr,
    core: Arc<Core>,
    stop: watch::Sender<bool>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Handle {
    pub(crate) async fn start<T: Twin>(server: Arc<Server<T>>, port: u16) -> Result<Self, StartError> {
        let bind = |source| StartError::Bind { twin: T::NAME, port, source };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(bind)?;
        let address = listener.local_addr().map_err(bind)?;
        let (stop, stopped) = watch::channel(false);
        let core = Arc::clone(&server.core);
        let task = tokio::spawn(server.serve(listener, stopped));
        Ok(Self { address, core, stop, task: Mutex::new(Some(task)) })
    }

    /// The address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its origin, such as `http://127.0.0.1:40001`.
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The calls it answered since the start or the last reset, oldest first.
    pub fn calls(&self) -> Vec<Call> {
        self.core.calls().kept()
    }

    /// How many calls it answered.
    pub fn tally(&self) -> Tally {
        self.core.calls().tally()
    }

    /// The most calls that were in flight at once.
    pub fn peak_in_flight(&self) -> usize {
        self.core.gate.peak()
    }

    /// What the account saw of its callers, all of them together, whatever credentials they used.
    pub fn rates(&self) -> Rates {
        self.core.gate.rates()
    }

    /// Answers 503 to everything from now on, until it is switched off again.
    pub fn set_outage(&self, on: bool) {
        self.core.weather().set_outage(on);
    }

    /// Answers 429 to so many calls from now on; at most [`crate::SPELL_MAX`].
    pub fn storm(&self, calls: u32, after: RetryAfter) {
        self.core.weather().storm(calls, after);
    }

    /// Answers 401 to so many calls from now on, at most [`crate::SPELL_MAX`], or until a token is fetched anew. A twin
    /// that has only keys answers it once.
    pub fn expire(&self, calls: u32) {
        self.core.weather().expire(calls);
    }

    /// Sets a fault.
    pub fn inject(&self, rule: Rule) -> Result<(), RuleError> {
        self.core.faults().set(rule)
    }

    /// Removes all faults.
    pub fn clear_faults(&self) {
        self.core.faults().clear();
    }

    /// Forgets calls, faults, outages, storms, used allowances and writes that do not show yet. What the twin holds stays.
    pub fn forget(&self) {
        self.core.reset();
    }

    /// Stops listening and closes every connection.
    pub async fn shutdown(&self) {
        let _ = self.stop.send(true);
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = task {
            // The task ends at once when told to; a panic in it was logged where it happened.
            let _ = task.await;
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").field("address", &self.address).finish_non_exhaustive()
    }
}
