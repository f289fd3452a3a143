//! `erasures …`: the cases, what an operator says about them, and their certificates.

mod certificate;
pub(crate) mod list;
mod say;
pub(crate) mod show;

use unisson_plan::erasure::{Case, CaseState};
use unisson_store::Store;

use crate::cli::Erasures;
use crate::command::Desk;
use crate::exit::{Failure, Outcome};

pub(crate) async fn run(command: &Erasures, desk: Desk<'_>) -> Outcome {
    match command {
        Erasures::List(args) => list::run(args, desk).await,
        Erasures::Show { case } => show::run(case, desk).await,
        Erasures::Run => say::go_on(desk).await,
        Erasures::Accept { case, verified_by } => say::accept(case, verified_by, desk).await,
        Erasures::Reject { case, reason } => say::reject(case, reason, desk).await,
        Erasures::Withdraw { case } => say::withdraw(case, desk).await,
        Erasures::Extend { case, reason } => say::extend(case, reason, desk).await,
        Erasures::Done(args) => say::done(args, desk).await,
        Erasures::Certificate(args) => certificate::write(args, desk).await,
        Erasures::Verify(args) => certificate::verify(args, desk),
    }
}

/// The one case whose id begins like this.
pub(crate) async fn one(store: &dyn Store, beginning: &str) -> Result<Case, Failure> {
    let mut found = unisson_engine::find_cases(store, beginning).await?;
    match (found.pop(), found.len()) {
        (Some(case), 0) => Ok(case),
        (None, _) => Err(Failure::new(format!("no erasure case is named `{beginning}`"))
            .next("`unisson erasures list --all` names them")),
        (Some(_), others) => {
            Err(Failure::new(format!("{} cases begin with `{beginning}`", others + 1)).next("write more of the name"))
        }
    }
}

/// A state in words.
pub(crate) fn words(state: CaseState) -> &'static str {
    match state {
        CaseState::Received => "received",
        CaseState::AwaitingIdentity => "waits until it is certain who asks",
        CaseState::Accepted => "accepted, systems are being searched",
        CaseState::Frozen => "frozen, about to be erased",
        CaseState::Dispatched => "being erased",
        CaseState::CompletedWithHolds => "completed, except what a legal hold keeps",
        CaseState::Completed => "completed",
        CaseState::Rejected => "rejected",
        CaseState::WithdrawnByPerson => "taken back by the person",
    }
}
