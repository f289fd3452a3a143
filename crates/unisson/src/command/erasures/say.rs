//! What an operator says about a case: who asked, that it is refused, extended, or done by hand.

use sha2::{Digest as _, Sha256};
use unisson_consent::SystemId;
use unisson_engine::{Engine, Order, Undecided};
use unisson_plan::erasure::{Case, CaseId, Step};

use super::{one, show};
use crate::cli::DoneErasure;
use crate::command::Desk;
use crate::compose::Site;
use crate::exit::{Ending, Failure, Outcome};

/// The largest file that is taken as evidence, in bytes.
const EVIDENCE_BYTES_MAX: u64 = 256 * 1024 * 1024;

pub(super) async fn go_on(desk: Desk<'_>) -> Outcome {
    let engine = Site::load(desk.config)?.engine(desk.screen.progress)?;
    let report = engine.pursue(&Order::default()).await?;
    let ending = report.outcome().into();
    crate::command::sync::show(&report, desk.screen)?;
    Ok(ending)
}

pub(super) async fn accept(name: &str, verified_by: &str, desk: Desk<'_>) -> Outcome {
    let by = verified_by.to_owned();
    decide(name, desk, |_, _| Ok(Step::Verified { by })).await
}

pub(super) async fn reject(name: &str, reason: &str, desk: Desk<'_>) -> Outcome {
    let reason = reason.to_owned();
    decide(name, desk, |_, _| Ok(Step::Rejected { reason })).await
}

pub(super) async fn withdraw(name: &str, desk: Desk<'_>) -> Outcome {
    decide(name, desk, |_, _| Ok(Step::Withdrawn)).await
}

pub(super) async fn extend(name: &str, reason: &str, desk: Desk<'_>) -> Outcome {
    let reason = reason.to_owned();
    decide(name, desk, |engine, case| {
        let due_at = engine.erasures.calendar.due_extended(case.received_at);
        Ok(Step::Extended { due_at, reason })
    })
    .await
}

pub(super) async fn done(args: &DoneErasure, desk: Desk<'_>) -> Outcome {
    let engine = Site::load(desk.config)?.engine(desk.screen.progress)?;
    let case = one(engine.store.as_ref(), &args.case).await?;
    let system = SystemId::new(&args.system);
    if !case.parts.contains_key(&system) {
        let known: Vec<&str> = case.parts.keys().map(SystemId::as_str).collect();
        return Err(Failure::new(format!("`{system}` has no part in this case"))
            .next(format!("name one of: {}", known.join(", "))));
    }
    let step = match (&args.evidence, &args.impossible) {
        (_, Some(reason)) => Step::Impossible { system, reason: reason.clone() },
        (Some(evidence), None) => {
            let receipt = digest(evidence)?;
            // Whoever can look, looks: a row that is still there is not done.
            let verified = match engine.look_again(&case, &system).await {
                Ok(seen) if seen.holds > 0 => {
                    return Err(Failure::new(format!("{system} still shows {} of this person", records(seen.holds)))
                        .next("erase them there, then run the same command again"));
                }
                Ok(seen) => seen.looked,
                Err(error) => {
                    return Err(Failure::of(&error).next(format!("run the same command when {system} answers")));
                }
            };
            Step::ByHand { system, receipt, verified }
        }
        (None, None) => return Err(Failure::new("nothing shows that it was done").next("name a file with --evidence")),
    };
    carry(&engine, &case.id, step, desk).await
}

async fn decide(name: &str, desk: Desk<'_>, step: impl FnOnce(&Engine, &Case) -> Result<Step, Failure>) -> Outcome {
    let engine = Site::load(desk.config)?.engine(desk.screen.progress)?;
    let case = one(engine.store.as_ref(), name).await?;
    let step = step(&engine, &case)?;
    carry(&engine, &case.id, step, desk).await
}

/// Tells the step, goes on with what it made possible, and shows the case.
async fn carry(engine: &Engine, id: &CaseId, step: Step, desk: Desk<'_>) -> Outcome {
    engine.decide(id, step).await.map_err(|error| match error {
        Undecided::Store(error) => error.into(),
        other => Failure::of(&other).next("`unisson erasures show` tells how it stands"),
    })?;
    engine.pursue(&Order::default()).await?;
    if let Some(case) = engine.store.case(id).await? {
        show::case(&case, desk.screen)?;
    }
    Ok(Ending::Done)
}

/// The digest of a file.
fn digest(path: &std::path::Path) -> Result<[u8; 32], Failure> {
    let failed = |error: &std::io::Error| Failure::of(error).next("name a file that can be read");
    let mut file = std::fs::File::open(path).map_err(|error| failed(&error))?;
    let bytes = file.metadata().map_err(|error| failed(&error))?.len();
    if bytes == 0 {
        return Err(Failure::new("the evidence is an empty file").next("name a file that shows that it was done"));
    }
    if bytes > EVIDENCE_BYTES_MAX {
        return Err(Failure::new("the evidence has more than 256 MB").next("name a smaller file"));
    }
    let mut hash = Sha256::new();
    std::io::copy(&mut file, &mut Writer(&mut hash)).map_err(|error| failed(&error))?;
    Ok(hash.finalize().into())
}

/// Lets a digest be written to.
struct Writer<'h>(&'h mut Sha256);

impl std::io::Write for Writer<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn records(count: usize) -> String {
    if count == 1 { "one record".to_owned() } else { format!("{count} records") }
}
