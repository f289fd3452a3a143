//! The chapter of the demo that erases somebody: everywhere, proven, and again when an old export brings them back.

use std::path::Path;

use unisson_consent::CustomerNo;
use unisson_sandbox::{Sandbox, System};
use unisson_store_sqlite::Access;

use super::{canonical, title, typed};
use crate::cli;
use crate::command::{Desk, erase, erasures, explain, sync};
use crate::compose::Site;
use crate::exit::Failure;
use crate::screen::{FAINT, paint};
use crate::whom::{Whom, resolve};

/// How many people are looked at for one whom every system holds.
const LOOKED_AT_MAX: usize = 500;
/// In how many systems the person is.
const SYSTEMS: usize = 4;

/// Tells it.
pub(super) async fn tell(desk: Desk<'_>, twins: &Sandbox, folder: &Path) -> Result<(), Failure> {
    let screen = desk.screen;
    let Some((who, whom)) = somebody(desk, twins).await? else { return Ok(()) };
    title(screen, "7. Somebody asks to be erased")?;
    let request = |who: &str| cli::Erase {
        who: vec![who.to_owned()],
        file: None,
        verified_by: Some("a link sent to the address".to_owned()),
        holds: Vec::new(),
        received: None,
        dry_run: false,
    };
    typed(screen, &format!("unisson erase {who} --verified-by \"a link sent to the address\""))?;
    Box::pin(erase::run(&request(&who), desk)).await?;

    screen.data("The shop's export is a file: somebody takes the rows out, and shows it.")?;
    let export = folder.join("exports/shop.csv");
    let whole = std::fs::read_to_string(&export)?;
    std::fs::write(&export, without(&whole, &who, &whom))?;
    let evidence = folder.join("deleted-rows.txt");
    std::fs::write(&evidence, "the rows of the person were taken out of shop.csv\n")?;
    let case = case(desk).await?;
    typed(screen, &format!("unisson erasures done {case} shop --evidence deleted-rows.txt"))?;
    let done =
        cli::DoneErasure { case: case.clone(), system: "shop".to_owned(), evidence: Some(evidence), impossible: None };
    Box::pin(erasures::run(&cli::Erasures::Done(done), desk)).await?;
    let certificate = folder.join("certificate.json");
    typed(screen, &format!("unisson erasures certificate {case} --out certificate.json"))?;
    let written = cli::Certificate { case, out: Some(certificate.clone()), for_person: false };
    erasures::run(&cli::Erasures::Certificate(written), desk).await?;
    typed(screen, "unisson erasures verify certificate.json")?;
    let verified = cli::VerifyCertificate { file: certificate, key: None, address: None };
    erasures::run(&cli::Erasures::Verify(verified), desk).await?;
    typed(screen, &format!("unisson explain {who}"))?;
    explain::run(&cli::Explain { who: who.clone() }, desk).await?;

    title(screen, "8. An old export brings the person back")?;
    std::fs::write(&export, whole)?;
    typed(screen, "unisson sync")?;
    sync::run(&cli::Sync { instances: Vec::new(), dry_run: false, full: false }, desk).await?;
    typed(screen, "unisson erasures list")?;
    erasures::run(&cli::Erasures::List(cli::ListErasures { due: false, all: false }), desk).await?;
    screen.data(paint(FAINT, "until the file is mended, nobody is written to: the address is known as erased for good"))
}

/// Somebody whom every system holds, by an address.
async fn somebody(desk: Desk<'_>, twins: &Sandbox) -> Result<Option<(String, Whom)>, Failure> {
    let site = Site::load(desk.config)?;
    let store = site.open(Access::ReadOnly)?;
    for person in twins.population().people().take(LOOKED_AT_MAX) {
        let spelt = person.spelling(System::Letter);
        if spelt.is_empty() {
            continue;
        }
        // Whoever shares an address with somebody is not taken.
        let Ok(whom) = resolve(store.as_ref(), &site.law, &spelt).await else { continue };
        let mut systems: Vec<&str> = whom.records.iter().map(|record| record.system.as_str()).collect();
        systems.sort_unstable();
        systems.dedup();
        if systems.len() >= SYSTEMS {
            return Ok(Some((canonical(&spelt), whom)));
        }
    }
    Ok(None)
}

/// An export without the rows of one person.
fn without(export: &str, who: &str, whom: &Whom) -> String {
    let (local, _) = who.split_once('@').unwrap_or((who, ""));
    let replicas = whom.dossiers.iter().flat_map(|dossier| &dossier.replicas);
    let customers: Vec<&str> =
        replicas.filter_map(|replica| replica.who.customer.as_ref()).map(CustomerNo::as_str).collect();
    let theirs =
        |line: &str| line.to_lowercase().contains(local) || customers.iter().any(|customer| line.contains(customer));
    export.lines().filter(|line| !theirs(line)).fold(String::new(), |text, line| text + line + "\n")
}

/// The case that is open.
async fn case(desk: Desk<'_>) -> Result<String, Failure> {
    let store = Site::load(desk.config)?.open(Access::ReadOnly)?;
    let open = erasures::list::all(store.as_ref(), unisson_store::Cases::Open).await?;
    open.first().map(|case| case.id.0.clone()).ok_or_else(|| Failure::new("no case is open"))
}
