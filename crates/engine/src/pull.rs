//! Pulling: every stream of every instance, each from where it stands.

use futures::future::join_all;
use jiff::SignedDuration;
use unisson_connector::{Cx, Deletions, Error, ErrorKind, Pull, Stream};
use unisson_plan::Position;
use unisson_store::StoreError;

use crate::host::{Instance, Run, blank};
use crate::pass::Pass;
use crate::report::{InstanceReport, RunReport};

/// How old a sweep may be where only a sweep shows opt-outs: the alarm limit for a refusal that has not reached every
/// system (consent model 1.4).
const OPT_OUT_SWEEP: SignedDuration = SignedDuration::from_hours(4);

/// What stops a pass: the platform, or the memory.
pub(crate) enum Stop {
    Platform(Error),
    Memory(StoreError),
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Memory(error)
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Platform(error)
    }
}

impl Run<'_> {
    /// Pulls every instance of the order at once. What failed is in the report; an error means the store failed.
    pub(crate) async fn pull(&self, report: &mut RunReport) -> Result<(), StoreError> {
        let pulls = self.engine.instances.iter().map(|instance| self.pull_instance(instance));
        for (instance, pulled) in self.engine.instances.iter().zip(join_all(pulls).await) {
            let pulled = pulled?;
            report.judged += pulled.newcomers;
            report.instances.insert(instance.id.as_str().to_owned(), pulled);
        }
        Ok(())
    }

    async fn pull_instance(&self, instance: &Instance) -> Result<InstanceReport, StoreError> {
        let mut report = blank(instance);
        if !instance.enabled {
            report.errors.push("not reached: the instance is disabled".to_owned());
            return Ok(report);
        }
        if !self.includes(instance) {
            report.complete = true;
            report.notes.push("left out by the order of this run".to_owned());
            return Ok(report);
        }
        let Some(pull) = instance.connector.pull() else {
            report.errors.push("not reached: the connector cannot read contacts".to_owned());
            return Ok(report);
        };
        let cx = Cx { run: &self.id.0 };
        let streams = match pull.streams(&cx).await {
            Ok(streams) => streams,
            Err(error) => {
                report.fail(&error);
                return Ok(report);
            }
        };
        report.complete = true;
        for stream in &streams {
            match self.pull_stream(instance, pull, stream, &mut report).await {
                Ok(()) => {}
                Err(Stop::Platform(error)) => {
                    tracing::warn!(instance.name = %instance.id, error = %error, "a stream was not read to its end");
                    report.complete = false;
                    report.fail(&error);
                }
                Err(Stop::Memory(error)) => return Err(error),
            }
        }
        Ok(report)
    }

    async fn pull_stream(
        &self,
        instance: &Instance,
        pull: &dyn Pull,
        stream: &Stream,
        report: &mut InstanceReport,
    ) -> Result<(), Stop> {
        let position = self.engine.store.position(&instance.id, &stream.id).await?;
        let start = self.start(pull, position);
        let mut pass = Pass::new((self, instance), stream, &start);
        report.swept |= pass.sweeping;
        let (pages, rejects) = (report.pages, report.rejects);
        match pass.run_through(start.cursor, report).await {
            Err(Stop::Platform(error)) if is_dead_end(&error, report.pages == pages) && !pass.whole => {
                pass.start_anew(report).await?;
                return Err(error.into());
            }
            done => done?,
        }
        // A row that could not be read may be the record that seems to be missing.
        let all_read = report.rejects == rejects;
        if pass.sweeping && pass.whole && all_read && pull.spec().deletions == Deletions::InferBySweep {
            pass.infer_deletions(report).await?;
        }
        Ok(())
    }

    /// Where a pass begins: in the middle of the last one, from its end, or with a full sweep.
    fn start(&self, pull: &dyn Pull, position: Option<Position>) -> Position {
        let fresh = Position { cursor: None, in_pass: true, sweeping: true, swept_at: None };
        let Some(position) = position else { return fresh };
        let swept_at = position.swept_at;
        let every = self.engine.options.sweep_every;
        let every = if pull.spec().incremental_shows_opt_outs { every } else { every.min(OPT_OUT_SWEEP) };
        // A sweep in the future was told by a clock that has been set back since.
        let due = swept_at.is_none_or(|at| at > self.now() || self.now().duration_since(at) >= every);
        if self.order.sweep || self.restored {
            return Position { swept_at, ..fresh };
        }
        if position.in_pass && position.cursor.is_some() {
            return position;
        }
        if due || position.cursor.is_none() || !pull.spec().incremental {
            return Position { swept_at, ..fresh };
        }
        Position { in_pass: true, sweeping: false, ..position }
    }
}

/// Whether a pass that went on from an earlier place will fail there again: its cursor is not understood any more, or
/// what was missing then cannot turn up now.
fn is_dead_end(error: &Error, at_first_page: bool) -> bool {
    match error.kind() {
        ErrorKind::Incomplete => true,
        ErrorKind::Contract | ErrorKind::Refused | ErrorKind::NotFound => at_first_page,
        _ => false,
    }
}
