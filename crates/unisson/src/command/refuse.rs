//! `object` and `restrict`: what a person told somebody of the company, passed on to every system.

use unisson_engine::Refusal;

use crate::cli::{Object, Restrict};
use crate::command::Desk;
use crate::compose::Site;
use crate::exit::Outcome;
use crate::whom::resolve;

pub(crate) async fn object(args: &Object, desk: Desk<'_>) -> Outcome {
    tell(&args.who, Refusal::Object, "the objection counts from now on, for every purpose and channel", desk).await
}

pub(crate) async fn restrict(args: &Restrict, desk: Desk<'_>) -> Outcome {
    if args.lift {
        return tell(&args.who, Refusal::Unrestrict, "the restriction is lifted", desk).await;
    }
    tell(&args.who, Refusal::Restrict, "the data is kept and used for nothing from now on", desk).await
}

async fn tell(who: &str, refusal: Refusal, words: &str, desk: Desk<'_>) -> Outcome {
    let engine = Site::load(desk.config)?.engine(desk.screen.progress)?;
    let whom = resolve(engine.store.as_ref(), &engine.law, who).await?;
    let (addresses, _) = whom.identifiers();
    let report = engine.refuse(&whom.who, &addresses, refusal).await?;
    if !desk.screen.json {
        desk.screen.say(words);
        if whom.records.is_empty() {
            desk.screen.say("no system shows this person so far: whoever brings them in later meets it");
        }
    }
    let ending = super::sync::ending(&report);
    super::sync::show(&report, desk.screen)?;
    Ok(ending)
}
