//! The shell: sync, deliver, report.
//!
//! It activates the seven nouns in their one direction: a page is learnt, facts are judged, changes pass the guard, and
//! only what was committed to the outbox is sent. It refuses to decide anything itself, and it knows no HTTP.

mod ahead;
mod apply;
mod clock;
mod deliver;
mod host;
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
pub use host::{Engine, Instance, Options, Order, Progress, Silent};
pub use list::{ListReport, Teller};
pub use outlook::{
    EffortOutlook, GuardOutlook, InstanceOutlook, Outlook, OutlookFact, OutlookGroup, OutlookSample, OutlookSource,
    OutlookVerdict, WritePlanError,
};
pub use plan_file::{PLAN_FORMAT, PlanFileError, PlanHeader, PlanInstance};
pub use report::{AppliedPlan, ApprovedRun, InstanceReport, RunReport};
