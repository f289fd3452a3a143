//! `check`: settings, credentials, permissions and mappings, without writing anything anywhere.

use serde::Serialize;
use unisson_connector::{Account, Cx};
use unisson_engine::Instance;

use crate::cli::Check;
use crate::command::Desk;
use crate::compose::Site;
use crate::exit::{Ending, Failure, Outcome};
use crate::screen::{BAD, BOLD, CARE, FAINT, GOOD, Screen, number, paint, table};

/// What was found of one instance.
#[derive(Serialize)]
struct Found {
    instance: String,
    connector: &'static str,
    account: String,
    lists: Vec<List>,
    gaps: Vec<String>,
    notes: Vec<String>,
    error: Option<String>,
}

/// A list with what it is mapped to.
#[derive(Serialize)]
struct List {
    id: String,
    title: String,
    channels: Vec<&'static str>,
    members: Option<u64>,
    purpose: Option<String>,
}

pub(crate) async fn run(args: &Check, desk: Desk<'_>) -> Outcome {
    let site = Site::load(desk.config)?;
    let instances = site.instances(&args.instances)?;
    let mut found = Vec::new();
    for instance in instances.iter().filter(|instance| instance.enabled) {
        let account = instance.connector.probe(&Cx { run: "check" }).await;
        found.push(describe(&site, instance, account));
    }
    let whole = found.iter().all(|one| one.error.is_none() && one.gaps.is_empty());
    if desk.screen.json {
        desk.screen.object(&found)?;
    } else {
        desk.screen.data(format!(
            "policy {} ({}), store {}",
            paint(BOLD, &site.policy.version),
            site.policy.profile.as_str(),
            site.settings.store.url
        ))?;
        found.iter().try_for_each(|one| show(one, desk.screen))?;
        instances.iter().filter(|instance| !instance.enabled).try_for_each(|instance| {
            desk.screen.data(format!("{}: disabled, left alone", paint(BOLD, &instance.id)))
        })?;
    }
    Ok(if whole { Ending::Done } else { Ending::Partly })
}

fn describe(site: &Site, instance: &Instance, account: Result<Account, unisson_connector::Error>) -> Found {
    let (account, error) = match account {
        Ok(account) => (account, None),
        Err(error) => (Account::default(), Some(Failure::of(&error).to_string())),
    };
    let lists = account
        .lists
        .iter()
        .map(|list| List {
            id: list.id.to_string(),
            title: list.title.clone(),
            channels: list.channels.iter().map(unisson_consent::Channel::as_str).collect(),
            members: list.members,
            purpose: site.law.policy.list_purpose(&instance.id, &list.id).map(ToString::to_string),
        })
        .collect();
    Found {
        instance: instance.id.to_string(),
        connector: instance.connector.info().kind,
        account: account.name,
        lists,
        gaps: account.gaps,
        notes: account.notes,
        error,
    }
}

fn show(found: &Found, screen: Screen) -> Result<(), Failure> {
    let state = if found.error.is_some() { paint(BAD, "failed") } else { paint(GOOD, "reached") };
    screen.data(format!("\n{} ({}): {state} {}", paint(BOLD, &found.instance), found.connector, found.account))?;
    if let Some(error) = &found.error {
        screen.data(format!("  {}", paint(BAD, error)))?;
    }
    if !found.lists.is_empty() {
        let mut rows = table(&["list", "title", "channel", "members", "purpose"]);
        for list in &found.lists {
            rows.add_row([
                list.id.clone(),
                list.title.clone(),
                list.channels.join(" + "),
                list.members.map_or(String::new(), number),
                list.purpose.clone().unwrap_or_else(|| paint(CARE, "not mapped")),
            ]);
        }
        screen.data(rows)?;
        if found.lists.iter().any(|list| list.purpose.is_none()) {
            screen.data(format!(
                "  opt-outs of lists that are not mapped count for their whole channel, opt-ins not at all; map them in [instances.{}.lists]",
                found.instance
            ))?;
        }
    }
    found.gaps.iter().try_for_each(|gap| screen.data(format!("  {}", paint(CARE, gap))))?;
    found.notes.iter().try_for_each(|note| screen.data(format!("  {}", paint(FAINT, note))))
}
