//! `access`: everything that every system holds about one person, as files for the person (art. 15, 20).

use std::collections::BTreeSet;
use std::path::Path;

use jiff::Timestamp;
use unisson_consent::{Address, RecordRef};
use unisson_engine::{Gathering, Place};
use unisson_plan::explain;
use unisson_portrait::{Controller, FileGiven, Keeping, Known, Look, Portrait, Recipient, SystemPart, ToldPurpose};

use crate::cli::AccessOf;
use crate::command::Desk;
use crate::compose::Site;
use crate::exit::{Ending, Failure, Outcome};
use crate::handed;
use crate::screen::{CARE, number, paint};
use crate::whom::resolve;

pub(crate) async fn run(args: &AccessOf, desk: Desk<'_>) -> Outcome {
    let site = Site::load(desk.config)?;
    let folder = empty(&args.out)?;
    let mut portrait = blank(args, &site)?;
    let engine = site.engine(desk.screen.progress)?;
    let whom = resolve(engine.store.as_ref(), &engine.law, &args.who).await?;
    let (addresses, customers) = whom.identifiers();
    let gathered = engine.gather(&addresses, &customers, &whom.records).await;
    let now = Timestamp::now();
    portrait.recipients = recipients(&whom.records, &gathered);
    let not_covered: Vec<String> = gathered
        .iter()
        .filter_map(|one| match &one.place {
            Place::NotCovered(why) => Some(format!("{}: {why}", one.system)),
            Place::Gathered(_) => None,
        })
        .collect();
    portrait.systems = gathered.into_iter().map(part).collect();
    for dossier in &whom.dossiers {
        for address in addresses.iter().filter(|address| holds(dossier, address)) {
            let explanation = explain(dossier, address, &engine.law, now);
            portrait.known.push(Known { address: address.clone(), explanation, facts: dossier.facts.clone() });
        }
    }
    let documents = portrait.documents().map_err(|error| Failure::of(&error))?;
    for (name, bytes) in &documents {
        unisson_proof::write_private(&folder.join(name), bytes).map_err(|error| Failure::of(&error))?;
    }
    let records: usize = portrait.systems.iter().map(|part| records(&part.look)).sum();
    if desk.screen.json {
        let files: Vec<&str> = documents.iter().map(|(name, _)| *name).collect();
        desk.screen.object(&serde_json::json!({
            "folder": folder, "files": files, "records": records, "not_covered": not_covered,
        }))?;
    } else {
        let word = if records == 1 { "record" } else { "records" };
        desk.screen.data(format!("{} {word} in {} systems", number(records as u64), portrait.systems.len()))?;
        for one in &not_covered {
            desk.screen.data(format!("  {}", paint(CARE, format!("not covered: {one}"))))?;
        }
        desk.screen.say(format!("wrote {}: index.html is for the person", folder.display()));
    }
    Ok(if not_covered.is_empty() { Ending::Done } else { Ending::Partly })
}

/// A portrait of nobody yet.
fn blank(args: &AccessOf, site: &Site) -> Result<Portrait, Failure> {
    let controller = &site.settings.controller;
    let keeping = site.holds().filter(|hold| hold.always).map(|hold| Keeping {
        system: hold.system,
        fields: hold.fields,
        ground: hold.ground,
        provision: hold.provision,
        until: None,
    });
    let files = handed::read(site)?.into_iter();
    Ok(Portrait {
        controller: Controller { name: controller.name.clone(), contact: controller.contact.clone() },
        made_at: Timestamp::now(),
        zone: site.settings.erasure.zone.clone(),
        languages: Vec::new(),
        whom: vec![args.who.clone()],
        systems: Vec::new(),
        known: Vec::new(),
        purposes: ToldPurpose::all_of(&site.law.policy),
        lists: site.law.policy.lists.clone(),
        jurisdiction: site.law.policy.country,
        recipients: Vec::new(),
        files: files.map(|file| FileGiven { at: file.at, to: file.recipient, what: file.what }).collect(),
        keeping: keeping.collect(),
        retention: Vec::new(),
    })
}

fn holds(dossier: &unisson_plan::Dossier, address: &Address) -> bool {
    dossier.facts.iter().flat_map(|fact| &fact.who.addresses).any(|held| held == address)
}

fn part(gathering: Gathering) -> SystemPart {
    SystemPart {
        title: gathering.system.to_string(),
        name: gathering.system,
        connector: gathering.title.to_owned(),
        look: match gathering.place {
            Place::Gathered(gathered) => Look::Gathered(gathered),
            Place::NotCovered(why) => Look::NotCovered { why },
        },
    }
}

fn records(look: &Look) -> usize {
    match look {
        Look::Gathered(gathered) => gathered.holdings.len(),
        Look::NotCovered { .. } => 0,
    }
}

/// Every system that holds the person, or has shown them.
fn recipients(records: &[RecordRef], gathered: &[Gathering]) -> Vec<Recipient> {
    let shown: BTreeSet<&str> = records.iter().map(|record| record.system.as_str()).collect();
    let holding = gathered.iter().filter(|one| {
        shown.contains(one.system.as_str()) || matches!(&one.place, Place::Gathered(held) if !held.holdings.is_empty())
    });
    holding
        .map(|one| Recipient {
            name: format!("{} ({})", one.system, one.title),
            received: "your addresses and what you agreed to or refused".to_owned(),
            last: None,
        })
        .collect()
}

/// The folder, made where it is missing, and private.
fn empty(path: &Path) -> Result<std::path::PathBuf, Failure> {
    let refused = |error: std::io::Error| Failure::of(&error).next("name a folder that you may write to");
    std::fs::create_dir_all(path).map_err(refused)?;
    if std::fs::read_dir(path).map_err(refused)?.next().is_some() {
        return Err(Failure::new(format!("{} is not empty", path.display()))
            .next("name a new folder: one person's data must not lie among another's"));
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700)).map_err(refused)?;
    }
    Ok(path.to_owned())
}
