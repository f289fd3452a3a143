//! `demo`: the whole story on this machine: the commands a company would type, in a folder that disappears.

mod erasure;

use std::path::Path;

use jiff::Timestamp;
use unisson_consent::Address;
use unisson_sandbox::{Options, Sandbox};
use unisson_store_sqlite::Access;

use crate::cli;
use crate::command::{Desk, approve, check, explain, ledger, sandbox, status, suppressions, sync};
use crate::compose::Site;
use crate::decisions;
use crate::exit::{Ending, Failure, Outcome};
use crate::screen::{BOLD, FAINT, Screen, number, paint};

pub(crate) async fn run(args: &cli::Demo, desk: Desk<'_>) -> Outcome {
    let screen = Screen { json: false, ..desk.screen };
    let contacts =
        u32::try_from(args.contacts).map_err(|_| Failure::new("so many people are more than a twin can hold"))?;
    let folder = tempfile::Builder::new().prefix("unisson-demo-").tempdir()?;
    title(screen, "A company with two mail platforms, a CRM and a shop")?;
    let options = Options { contacts, epoch: Timestamp::now(), ..Options::default() }.without_limits();
    let twins = Sandbox::start(options).await.map_err(|error| Failure::of(&error))?;
    let settings = sandbox::write_site(folder.path(), &twins)?;
    screen.data(format!(
        "{} people, spread over twins of Mailchimp, Brevo and HubSpot and a CSV export, with opt-ins that contradict each other.",
        number(contacts.into())
    ))?;
    let desk = Desk { config: Some(&settings), screen };
    Box::pin(tell(desk, &twins, folder.path())).await?;
    twins.shutdown().await;
    if args.keep {
        let kept = folder.keep();
        screen.data(format!("\nkept in {}", kept.display()))?;
    }
    screen.data(format!(
        "\nTry next: {} in a terminal of its own, then {}, {}, or your own accounts with {}.",
        paint(BOLD, "unisson sandbox --folder company"),
        paint(BOLD, "unisson --config company/unisson.toml sync"),
        paint(BOLD, "… explain WHO"),
        paint(BOLD, "unisson init")
    ))?;
    Ok(Ending::Done)
}

/// Types one command after the other.
async fn tell(desk: Desk<'_>, twins: &Sandbox, folder: &Path) -> Result<(), Failure> {
    let screen = desk.screen;
    title(screen, "1. Can everything be reached, and is every list mapped to a purpose?")?;
    typed(screen, "unisson check")?;
    check::run(&cli::Check { instances: Vec::new() }, desk).await?;

    title(screen, "2. What would happen? Nothing is written to any platform yet")?;
    typed(screen, "unisson sync --dry-run")?;
    sync::run(&cli::Sync { instances: Vec::new(), dry_run: true, full: false }, desk).await?;
    typed(screen, "unisson status")?;
    status::run(desk).await?;
    proofs(desk).await?;

    title(screen, "3. Do it")?;
    typed(screen, "unisson sync")?;
    let order = cli::Sync { instances: Vec::new(), dry_run: false, full: false };
    if sync::run(&order, desk).await? == Ending::Held {
        let run = held_run(desk).await?;
        screen.data("So many changes at once look like a mistake: the guard holds them until somebody looked.")?;
        typed(screen, &format!("unisson approve {run}"))?;
        approve::run(&cli::Approve { run }, desk).await?;
    }

    title(screen, "4. Again: the plan after apply is empty")?;
    typed(screen, "unisson sync")?;
    sync::run(&order, desk).await?;

    title(screen, "5. Why may this person not be mailed?")?;
    if let Some(figure) = twins.population().story().into_iter().next() {
        let who = figure.sayings.iter().map(|saying| saying.address.as_str()).find(|address| !address.is_empty());
        let who = who.unwrap_or_default().to_owned();
        screen.data(figure.title)?;
        typed(screen, &format!("unisson explain {}", canonical(&who)))?;
        explain::run(&cli::Explain { who }, desk).await?;
    }

    title(screen, "6. The suppression list, for whoever else sends mail")?;
    let out = folder.join("suppressions.md5.txt");
    typed(
        screen,
        "unisson suppressions export --channel email --shape md5 --out suppressions.md5.txt --to \"the print shop\"",
    )?;
    let selection = cli::Selection { reason: None, purpose: None, channel: Some("email".to_owned()), since: None };
    let export = cli::Export {
        selection,
        shape: cli::Shape::Md5,
        out: Some(out.clone()),
        to: Some("the print shop".to_owned()),
    };
    suppressions::run(&cli::Suppressions::Export(export), desk).await?;
    let text = std::fs::read_to_string(&out)?;
    for line in text.lines().take(3) {
        screen.data(paint(FAINT, line))?;
    }
    typed(screen, "unisson ledger verify")?;
    ledger::run(&cli::Ledger::Verify(cli::VerifyLedger { file: None }), desk).await?;
    Box::pin(erasure::tell(desk, twins, folder)).await
}

/// How many opt-ins there are, and how many of them can be proven.
async fn proofs(desk: Desk<'_>) -> Result<(), Failure> {
    let site = Site::load(desk.config)?;
    let store = site.open(Access::ReadOnly)?;
    let mut levels = [0_u64; 6];
    let mut conflicts = 0_u64;
    decisions::each(store.as_ref(), &site.law, |known| {
        if let Some(count) = levels.get_mut(usize::from(known.decision.level.number())) {
            *count += 1;
        }
        conflicts += u64::from(known.decision.negative && known.decision.level > unisson_consent::Level::Nothing);
    })
    .await?;
    let claims: u64 = levels.iter().skip(1).sum();
    let proven: u64 = levels.iter().skip(3).sum();
    desk.screen.data(format!(
        "\n{} opt-ins are claimed; {} can be proven (L3 and above), {} can be traced (L2), {} are only said (L1).\n{} of them stand beside a no.",
        number(claims),
        number(proven),
        number(levels[2]),
        number(levels[1]),
        number(conflicts)
    ))
}

async fn held_run(desk: Desk<'_>) -> Result<String, Failure> {
    let store = Site::load(desk.config)?.open(Access::ReadOnly)?;
    let held = store.outbox().await?.into_iter().find_map(|count| count.run.filter(|_| count.state == "held"));
    held.map(|run| run.0).ok_or_else(|| Failure::new("nothing is held"))
}

fn canonical(who: &str) -> String {
    Address::email(who).map_or_else(|| who.to_owned(), |address| address.canonical().to_owned())
}

fn title(screen: Screen, words: &str) -> Result<(), Failure> {
    screen.data(format!("\n{}", paint(BOLD.underline(), words)))
}

fn typed(screen: Screen, command: &str) -> Result<(), Failure> {
    screen.data(format!("\n{} {}", paint(FAINT, "$"), paint(BOLD, command)))
}
