//! The shell: sync, deliver, erase, report.
//!
//! It activates the seven nouns in their one direction: a page is learnt, facts are judged, changes pass the guard, and
//! only what was committed to the outbox is sent. It refuses to decide anything itself, and it knows no HTTP.

mod ahead;
mod apply;
mod clock;
mod deliver;
mod erase;
mod host;
mod journal;
mod judge;
mod list;
mod outlook;
mod pass;
mod plan_file;
mod pull;
mod report;
mod watch;

pub use apply::{ApplyError, Approval, Moved, PLAN_AGE_MAX};
pub use clock::{Clock, SystemClock};
pub use erase::{
    Erasures, Gathering, Look, Place, Received, Rectified, Refusal, Request, Undecided, Unseen, find_cases,
};
pub use host::{Engine, Instance, Options, Order, Progress, Silent};
pub use journal::{Journal, JournalHead, JournalLine};
pub use list::{ListReport, Teller};
pub use outlook::{
    EffortOutlook, GuardOutlook, InstanceOutlook, Outlook, OutlookFact, OutlookGroup, OutlookSample, OutlookSource,
    OutlookVerdict, WritePlanError,
};
pub use plan_file::{PLAN_FORMAT, PlanFileError, PlanHeader, PlanInstance};
pub use report::{AppliedPlan, ApprovedRun, ErasureReport, InstanceReport, RunReport};
