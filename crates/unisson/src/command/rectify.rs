//! `rectify`: a corrected address, carried to every system.

use serde::Serialize;
use unisson_engine::Rectified;

use crate::cli::Rectify;
use crate::command::Desk;
use crate::compose::Site;
use crate::exit::{Ending, Failure, Outcome};
use crate::screen::{CARE, GOOD, paint, table};
use crate::whom::{read_address, resolve};

/// A system's part, as programs read it.
#[derive(Serialize)]
struct Told<'a> {
    system: &'a str,
    records: u64,
    corrected: u64,
    why: &'a [String],
}

pub(crate) async fn run(args: &Rectify, desk: Desk<'_>) -> Outcome {
    let engine = Site::load(desk.config)?.engine(desk.screen.progress)?;
    let home = engine.law.policy.country;
    let (from, to) = (read_address(&args.from, home)?, read_address(&args.to, home)?);
    if from.kind() != to.kind() {
        return Err(
            Failure::new("the two are not of one kind").next("name two e-mail addresses or two telephone numbers")
        );
    }
    if to.defect().is_some() {
        return Err(Failure::new("the new one cannot be written to").next("look at its spelling"));
    }
    // Whoever shares the address with somebody must say whose it is: refused here.
    resolve(engine.store.as_ref(), &engine.law, &args.from).await?;
    let (rectified, _) = engine.rectify(&from, &to, args.verified).await?;
    let whole = rectified.iter().all(|part| part.corrected == part.records);
    if desk.screen.json {
        desk.screen.object(&rectified.iter().map(told).collect::<Vec<_>>())?;
    } else if rectified.is_empty() {
        desk.screen.say("no system shows the old address: refusals on it count for the new one all the same");
    } else {
        let mut rows = table(&["system", "records", "corrected", ""]);
        for part in &rectified {
            let style = if part.corrected == part.records { GOOD } else { CARE };
            let corrected = paint(style, part.corrected);
            rows.add_row([part.system.to_string(), part.records.to_string(), corrected, part.why.join("; ")]);
        }
        desk.screen.data(rows)?;
        desk.screen.say(if args.verified {
            "refusals and consents follow to the new address"
        } else {
            "refusals follow to the new address; consents do not, because the person did not confirm it from there"
        });
    }
    Ok(if whole { Ending::Done } else { Ending::Partly })
}

fn told(part: &Rectified) -> Told<'_> {
    Told { system: part.system.as_str(), records: part.records, corrected: part.corrected, why: &part.why }
}
