//! Tries again what may pass: a bounded number of times, after waits that grow and differ.
//!
//! A wait longer than the named maximum is not waited for here: the answer goes up, and the host can park the job.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::sleep;
use unisson_connector::{ErrorKind, Result};

use crate::transport::{Repeat, Request, Response, Transport};
use crate::verdict::{Limited, Verdict};
use crate::wait::{Chance, WAIT_MAX};

#[derive(Debug)]
pub(crate) struct Retry {
    attempts_max: u32,
    chance: Chance,
    limited: Limited,
    inner: Arc<dyn Transport>,
}

impl Retry {
    pub(crate) fn new(attempts_max: u32, chance: Chance, limited: Limited, inner: Arc<dyn Transport>) -> Self {
        Self { attempts_max, chance, limited, inner }
    }

    /// How long to wait before the next attempt after this many; `None` where none helps or the wait is the host's.
    fn wait(&self, attempt: u32, result: &Result<Response>, repeat: Repeat) -> Option<Duration> {
        let asked = match result {
            Ok(response) => match Verdict::of(response, self.limited) {
                Verdict::Later(asked) => asked,
                Verdict::MayPass(asked) if repeat == Repeat::Safe => asked,
                Verdict::MayPass(_) | Verdict::Good | Verdict::Final(_) => return None,
            },
            Err(error) => match error.kind() {
                ErrorKind::Transient => None,
                ErrorKind::RateLimited(asked) => asked,
                ErrorKind::Config
                | ErrorKind::Scope
                | ErrorKind::Contract
                | ErrorKind::NotFound
                | ErrorKind::Refused
                | ErrorKind::Lost
                | ErrorKind::Incomplete
                | ErrorKind::Bounds => return None,
            },
        };
        (asked <= Some(WAIT_MAX)).then(|| self.chance.wait(attempt, asked))
    }
}

#[async_trait]
impl Transport for Retry {
    async fn send(&self, request: Request) -> Result<Response> {
        for attempt in 1..self.attempts_max {
            let result = self.inner.send(request.clone()).await;
            let Some(wait) = self.wait(attempt, &result, request.repeat) else { return result };
            let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
            tracing::debug!(attempt, attempts_max = self.attempts_max, wait_ms, "the call will be tried again");
            sleep(wait).await;
        }
        self.inner.send(request).await
    }
}
