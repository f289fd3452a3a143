//! `policy`: read a policy, and try scenarios on the law before it is in force.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::cli::Policy;
use crate::command::Desk;
use crate::compose::Site;
use crate::exit::{Ending, Failure, Outcome};
use crate::screen::{GOOD, paint};

pub(crate) fn run(command: &Policy, desk: Desk<'_>) -> Outcome {
    match command {
        Policy::Check { file } => check(file.as_deref(), desk),
        Policy::Test { files, orders, seed } => test(files, (*orders, *seed), desk),
    }
}

/// A policy in a few figures.
#[derive(Serialize)]
struct Summary {
    version: String,
    profile: String,
    hash: String,
    purposes: Vec<String>,
    basis_rules: Vec<String>,
    deadline: Option<jiff::Timestamp>,
}

fn check(file: Option<&Path>, desk: Desk<'_>) -> Outcome {
    let loaded = match file {
        Some(file) => unisson_settings::load_policy(Some(file)).map_err(|error| Failure::of(&error))?,
        None => Site::load(desk.config)?.policy,
    };
    let summary = Summary {
        version: loaded.version.clone(),
        profile: loaded.profile.as_str().to_owned(),
        hash: loaded.hash.clone(),
        purposes: loaded.policy.purposes.keys().map(ToString::to_string).collect(),
        basis_rules: loaded.policy.basis_rules.iter().map(|rule| rule.id.clone()).collect(),
        deadline: loaded.policy.deadline,
    };
    if desk.screen.json {
        desk.screen.object(&summary)?;
        return Ok(Ending::Done);
    }
    desk.screen.data(format!(
        "{}: version {}, profile {}, {} purposes ({}), {} rules for other bases, {}",
        paint(GOOD, "the policy holds"),
        summary.version,
        summary.profile,
        summary.purposes.len(),
        summary.purposes.join(", "),
        summary.basis_rules.len(),
        summary.deadline.map_or("no deadline".to_owned(), |deadline| format!("deadline {deadline}")),
    ))?;
    Ok(Ending::Done)
}

fn test(files: &[PathBuf], (orders, seed): (u32, u64), desk: Desk<'_>) -> Outcome {
    let report = unisson_scenario::run_files(files, &unisson_scenario::Options { orders, seed });
    let passed = report.failed() == 0;
    if desk.screen.json {
        desk.screen.object(&report)?;
    } else {
        let mut out = anstream::stdout();
        report.write(&mut out)?;
        out.flush()?;
    }
    if passed { Ok(Ending::Done) } else { Err(Failure::new(format!("{} scenarios failed", report.failed()))) }
}
