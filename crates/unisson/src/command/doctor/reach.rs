//! The platforms: is each reached with the credentials at hand. Asked only where somebody wants it.

use unisson_connector::Cx;

use super::{Chart, Finding};
use crate::compose::Site;
use crate::exit::Failure;

const AREA: &str = "platforms";

pub(super) async fn look(site: &Site, chart: &mut Chart) {
    let mut reached = 0;
    let enabled: Vec<&String> =
        site.settings.instances.iter().filter(|(_, instance)| instance.enabled).map(|(name, _)| name).collect();
    for name in &enabled {
        match ask(site, name).await {
            Ok(gaps) => {
                reached += 1;
                chart.add(gaps.into_iter().map(|gap| lacking(name, &gap)));
            }
            Err(finding) => chart.add([finding]),
        }
    }
    chart.examined(AREA, format!("{reached} of {} reached", enabled.len()));
}

/// What an instance lacks, or why it could not be asked.
async fn ask(site: &Site, name: &str) -> Result<Vec<String>, Finding> {
    let instances = site.instances(&[name.to_owned()]).map_err(|failure| unbuilt(name, &failure))?;
    let mut gaps = Vec::new();
    for instance in instances {
        match instance.connector.probe(&Cx { run: "doctor" }).await {
            Ok(account) => gaps.extend(account.gaps),
            Err(error) => return Err(unreached(name, &error)),
        }
    }
    Ok(gaps)
}

fn unbuilt(name: &str, failure: &Failure) -> Finding {
    let what = format!("instance `{name}` cannot be asked: {}", failure.what());
    Finding::problem(AREA, what)
        .because("no run starts until its settings can be read")
        .next(format!("correct [instances.{name}] and try it with `unisson check --instance {name}`"))
}

fn unreached(name: &str, error: &unisson_connector::Error) -> Finding {
    Finding::problem(AREA, format!("instance `{name}` is not reached: {}", Failure::of(error)))
        .because("what people say there is not seen, and refusals do not get there; a run names it as not reached")
        .next(format!("unisson check --instance {name}"))
}

fn lacking(name: &str, gap: &str) -> Finding {
    Finding::care(AREA, format!("instance `{name}`: {gap}"))
        .because("what is not allowed or not switched on there is left out of every run")
        .next(format!("unisson check --instance {name}"))
}
