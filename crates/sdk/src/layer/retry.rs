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

    /// Whether the attempt should be repeated, and how long the platform asks to wait before.
    fn again(&self, result: &Result<Response>, repeat: Repeat) -> Option<Option<Duration>> {
        match result {
            Ok(response) => match Verdict::of(response, self.limited) {
                Verdict::Later(asked) => Some(asked),
                Verdict::MayPass(asked) if repeat == Repeat::Safe => Some(asked),
                Verdict::MayPass(_) | Verdict::Good | Verdict::Final(_) => None,
            },
            Err(error) => match error.kind() {
                ErrorKind::Transient => Some(None),
                ErrorKind::RateLimited(asked) => Some(asked),
                ErrorKind::Config
                | ErrorKind::Scope
                | ErrorKind::Contract
                | ErrorKind::NotFound
                | ErrorKind::Refused
                | ErrorKind::Lost
                | ErrorKind::Incomplete
                | ErrorKind::Bounds => None,
            },
        }
    }
}

#[async_trait]
impl Transport for Retry {
    async fn send(&self, request: Request) -> Result<Response> {
        for attempt in 1..self.attempts_max {
            let result = self.inner.send(request.clone()).await;
            let Some(asked) = self.again(&result, request.repeat) else { return result };
            if asked.is_some_and(|asked| asked > WAIT_MAX) {
                return result;
            }
            let wait = self.chance.wait(attempt, asked);
            let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
            tracing::debug!(attempt, attempts_max = self.attempts_max, wait_ms, "the call will be tried again");
            sleep(wait).await;
        }
        self.inner.send(request).await
    }
}
