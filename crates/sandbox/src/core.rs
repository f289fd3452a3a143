//! What every twin has beside the vendor's rules: time, allowances, faults, weather, late writes, the call log.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::calls::CallLog;
use crate::clock::Clock;
use crate::fault::Faults;
use crate::gate::Gate;
use crate::late::Late;
use crate::message::Reply;
use crate::weather::Weather;

/// Of how many listings the last page is kept; no twin has as many.
const LISTINGS_MAX: usize = 64;

/// What every twin has and a handle shows.
pub(crate) struct Core {
    pub(crate) clock: Arc<Clock>,
    pub(crate) gate: Gate,
    faults: Mutex<Faults>,
    weather: Mutex<Weather>,
    late: Mutex<Late>,
    calls: Mutex<CallLog>,
    /// The last page of each listing by its path, for the fault that shows it again.
    pages: Mutex<HashMap<String, Reply>>,
}

impl Core {
    pub(crate) fn new(clock: Arc<Clock>, gate: Gate, (seed, renews): (u64, bool)) -> Self {
        Self {
            clock,
            gate,
            faults: Mutex::new(Faults::new(seed)),
            weather: Mutex::new(Weather::new(renews)),
            late: Mutex::default(),
            calls: Mutex::default(),
            pages: Mutex::default(),
        }
    }

    pub(crate) fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn weather(&self) -> MutexGuard<'_, Weather> {
        self.weather.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The writes that do not show yet. Whoever wants the twin as well takes this first.
    pub(crate) fn late(&self) -> MutexGuard<'_, Late> {
        self.late.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn calls(&self) -> MutexGuard<'_, CallLog> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The page that a listing showed last.
    pub(crate) fn last_page(&self, path: &str) -> Option<Reply> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner).get(path).cloned()
    }

    pub(crate) fn keep_page(&self, path: String, page: Reply) {
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        if pages.len() == LISTINGS_MAX {
            pages.clear();
        }
        pages.insert(path, page);
    }

    /// Forgets faults, weather, late writes, calls and used allowances.
    pub(crate) fn reset(&self) {
        self.faults().clear();
        self.weather().clear();
        self.late().clear();
        self.calls().clear();
        self.pages.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.gate.reset();
    }
}
