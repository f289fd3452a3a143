//! `plan`: what a sync would do, so that a person can judge it; and the file that `apply` carries out.

mod file;
mod show;
mod words;

use std::path::PathBuf;

use serde::Serialize;
use unisson_consent::SystemId;
use unisson_engine::{Order, Outlook, OutlookVerdict};

use crate::cli::Plan;
use crate::command::Desk;
use crate::compose::Site;
use crate::exit::{Ending, Outcome};
use crate::screen::{Screen, number};
use file::PlanFile;

/// A plan, for programs.
#[derive(Serialize)]
struct Told<'a> {
    file: Option<&'a PathBuf>,
    #[serde(flatten)]
    outlook: &'a Outlook,
}

pub(crate) async fn run(args: &Plan, desk: Desk<'_>) -> Outcome {
    let site = Site::load(desk.config)?;
    site.known(&args.instances)?;
    // Whether it can be written is known before an hour of reading.
    let file = args.out.as_ref().map(|path| PlanFile::create(path, args.force)).transpose()?;
    let order = Order { only: args.instances.iter().map(SystemId::new).collect(), dry_run: true, sweep: args.full };
    let engine = site.engine(desk.screen.progress)?;
    let outlook = engine.plan(&order, args.samples).await?;
    if let Some(mut file) = file {
        engine.write_plan(&outlook, &mut file).await.map_err(|error| file::failure(&error))?;
        file.keep()?;
    }
    drop(engine);
    if desk.screen.json {
        desk.screen.object(&Told { file: args.out.as_ref(), outlook: &outlook })?;
    } else {
        show::show(&outlook, desk.screen)?;
        advise(&outlook, args, desk.screen);
    }
    Ok(match outlook.verdict {
        OutlookVerdict::Ready => Ending::Done,
        OutlookVerdict::Partial => Ending::Partly,
        OutlookVerdict::Held => Ending::Held,
    })
}

/// What to do next.
fn advise(outlook: &Outlook, args: &Plan, screen: Screen) {
    let approved = if outlook.verdict == OutlookVerdict::Held { " --approved" } else { "" };
    match &args.out {
        Some(path) => {
            screen.say(format!("\nwrote {} changes to {}", number(outlook.changes), path.display()));
            if outlook.changes > 0 {
                screen.say(format!("next, within 24 hours: unisson apply {}{approved}", path.display()));
            }
        }
        None if outlook.changes > 0 => screen.say(
            "\nnext: `unisson plan --out plan.jsonl` keeps it and `unisson apply plan.jsonl` does exactly that, \
             or `unisson sync` does what is right by then",
        ),
        None => {}
    }
}
