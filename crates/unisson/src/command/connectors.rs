//! `connectors`: the platforms this program can talk to, and what each can do.

use serde::Serialize;
use unisson_bundle::Bundled;
use unisson_connector::Allowance;
use unisson_consent::{Channel, Channels, Resubscribe};

use crate::cli::Connectors;
use crate::command::Desk;
use crate::exit::{Ending, Failure, Outcome};
use crate::screen::{BOLD, paint, table};

/// A connector in a list.
#[derive(Serialize)]
struct Line {
    name: &'static str,
    title: &'static str,
    channels: Vec<&'static str>,
    sends_marketing: bool,
    evidence_level_max: u8,
    resubscribe: &'static str,
    limits: Vec<String>,
    docs: &'static str,
}

pub(crate) fn run(command: &Connectors, desk: Desk<'_>) -> Outcome {
    match command {
        Connectors::List => {
            let lines: Vec<Line> = unisson_bundle::all().iter().map(line).collect();
            if desk.screen.json {
                desk.screen.object(&lines)?;
                return Ok(Ending::Done);
            }
            let mut rows = table(&["connector", "platform", "channels", "proof up to", "opted out people come back"]);
            for line in &lines {
                let level = format!("L{}", line.evidence_level_max);
                rows.add_row([line.name, line.title, &line.channels.join(" + "), &level, line.resubscribe]);
            }
            desk.screen.data(rows)?;
        }
        Connectors::Describe { name } => {
            let bundled = unisson_bundle::find(name).ok_or_else(|| {
                Failure::new(format!("there is no connector `{name}`")).next("list them with `unisson connectors list`")
            })?;
            let line = line(&bundled);
            if desk.screen.json {
                desk.screen.object(&line)?;
                return Ok(Ending::Done);
            }
            desk.screen.data(format!("{} — {}", paint(BOLD, line.name), line.title))?;
            desk.screen.data(format!("documented at {}", line.docs))?;
            for limit in &line.limits {
                desk.screen.data(format!("keeps to {limit}"))?;
            }
            desk.screen.data(format!("\n{}", bundled.example))?;
        }
    }
    Ok(Ending::Done)
}

fn line(bundled: &Bundled) -> Line {
    let info = (bundled.kind.info)();
    Line {
        name: bundled.kind.name,
        title: info.title,
        channels: match info.channels {
            Channels::ALL => vec!["all"],
            some => some.iter().map(Channel::as_str).collect(),
        },
        sends_marketing: bundled.trust.marketing,
        evidence_level_max: bundled.trust.level_max.number(),
        resubscribe: match (bundled.trust.marketing, bundled.trust.resubscribe) {
            (false, _) => "nothing is sent from it",
            (true, Resubscribe::Allowed) => "whenever the host says so",
            (true, Resubscribe::VendorDoi) => "when the platform asked them itself",
            (true, Resubscribe::Forbidden) => "never",
        },
        limits: info
            .limits
            .iter()
            .map(|limit| match limit.allowance {
                Allowance::Rate { calls, per } => format!("{calls} calls per {} s ({})", per.as_secs_f64(), limit.name),
                Allowance::Concurrent(calls) => format!("{calls} calls at once ({})", limit.name),
            })
            .collect(),
        docs: info.docs,
    }
}
