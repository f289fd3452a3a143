//! What settings mean: which columns are in use, and what each row says of a person.
//!
//! Everything an operator can get wrong is found here, before any file is opened.

use std::collections::{BTreeMap, BTreeSet};

use unisson_consent::{Actor, Channel, Channels, ListId, PurposeId, Purposes, Scope, Status};
use unisson_sdk::BuildError;

use crate::event::EventRule;
use crate::evidence::EvidenceRule;
use crate::moment::DateFormat;
use crate::settings::{ClaimSettings, ColumnSettings, Settings, Texts};

/// The most columns of a file that can be in use.
const COLUMNS_MAX: usize = 256;
/// The most claims and the most events that a row can bring.
const RULES_MAX: usize = 64;

/// A column in use, by its place among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Column(pub(crate) usize);

/// The columns in use, each named once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Columns {
    names: Vec<String>,
}

/// What settings say that rows mean.
#[derive(Debug)]
pub(crate) struct Mapping {
    /// The columns in use.
    pub(crate) columns: Columns,
    /// Texts that mean an empty cell, in lower case.
    pub(crate) blank: BTreeSet<String>,
    /// The forms of dates, beside the standard ones.
    pub(crate) formats: Vec<DateFormat>,
    /// Who and what kind of person a row is about.
    pub(crate) person: PersonRule,
    /// What a row shows.
    pub(crate) claims: Vec<Claim>,
    /// What a row says has happened.
    pub(crate) events: Vec<EventRule>,
}

/// Where identifiers and attributes are.
#[derive(Debug)]
pub(crate) struct PersonRule {
    pub(crate) emails: Vec<Column>,
    pub(crate) phones: Vec<Column>,
    /// The parts of one postal address.
    pub(crate) postal: Vec<Column>,
    pub(crate) customer: Option<Column>,
    pub(crate) person: Option<Column>,
    /// What together tells records apart; empty where their identifiers do.
    pub(crate) record: Vec<Column>,
    pub(crate) country: Option<Column>,
    pub(crate) audience: Option<Column>,
    pub(crate) professional: Option<Column>,
    pub(crate) birth: Option<Column>,
}

/// What a row shows of one list or purpose.
#[derive(Debug)]
pub(crate) struct Claim {
    pub(crate) scope: Scope,
    pub(crate) status: StatusRule,
    pub(crate) since: Option<Column>,
    pub(crate) actor: Actor,
    pub(crate) evidence: EvidenceRule,
}

/// Where a status comes from.
#[derive(Debug)]
pub(crate) enum StatusRule {
    /// Every row has this one.
    Assumed(Status),
    /// A column says it in these words, in lower case.
    Mapped(Column, BTreeMap<String, Status>),
}

impl Columns {
    /// The column of this name, which is in use from now on.
    pub(crate) fn take(&mut self, name: &str) -> Column {
        let known = self.names.iter().position(|known| known == name);
        Column(known.unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.names.len() - 1
        }))
    }

    /// The names of the columns in use, in their order.
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// The name of one of them.
    pub(crate) fn name(&self, column: Column) -> &str {
        self.names.get(column.0).map_or("", String::as_str)
    }

    fn take_all(&mut self, names: &Texts) -> Vec<Column> {
        names.0.iter().map(|name| self.take(name)).collect()
    }

    pub(crate) fn take_some(&mut self, name: Option<&String>) -> Option<Column> {
        name.map(|name| self.take(name))
    }
}

impl Mapping {
    /// Works out what settings mean.
    pub(crate) fn of(settings: &Settings) -> Result<Self, BuildError> {
        let mut columns = Columns::default();
        let person = PersonRule::of(&settings.columns, &mut columns)?;
        let mut scopes = BTreeSet::new();
        let mut claims = Vec::new();
        for (name, claim) in &settings.claims {
            let at = format!("claims.{name}");
            let claim = Claim::of(claim, &mut columns, &at)?;
            if !scopes.insert(claim.scope.clone()) {
                return Err(BuildError::new(
                    at,
                    "another claim has the same purposes or list and channels: keep one of them",
                ));
            }
            claims.push(claim);
        }
        let events: Result<Vec<EventRule>, BuildError> = settings
            .events
            .iter()
            .map(|(name, event)| EventRule::of(event, &mut columns, &format!("events.{name}")))
            .collect();
        let events = events?;
        if claims.len() > RULES_MAX || events.len() > RULES_MAX {
            return Err(BuildError::new("", format!("more than {RULES_MAX} claims or events: split the instance")));
        }
        check_names(&columns, settings.header)?;
        Ok(Self { columns, blank: lower(&settings.blank), formats: formats(settings)?, person, claims, events })
    }

    /// The lists that rows can name.
    pub(crate) fn lists(&self) -> BTreeMap<ListId, Channels> {
        let scopes = self.claims.iter().map(|claim| &claim.scope).chain(self.events.iter().map(|event| &event.scope));
        let mut lists: BTreeMap<ListId, Channels> = BTreeMap::new();
        for scope in scopes {
            if let Purposes::List(list) = &scope.purposes {
                let channels = lists.entry(list.clone()).or_default();
                *channels = channels.iter().chain(scope.channels.iter()).collect();
            }
        }
        lists
    }
}

impl PersonRule {
    fn of(settings: &ColumnSettings, columns: &mut Columns) -> Result<Self, BuildError> {
        let rule = Self {
            emails: columns.take_all(&settings.email),
            phones: columns.take_all(&settings.phone),
            postal: columns.take_all(&settings.postal),
            customer: columns.take_some(settings.customer.as_ref()),
            person: columns.take_some(settings.person.as_ref()),
            record: columns.take_all(&settings.record),
            country: columns.take_some(settings.country.as_ref()),
            audience: columns.take_some(settings.audience.as_ref()),
            professional: columns.take_some(settings.professional.as_ref()),
            birth: columns.take_some(settings.birth.as_ref()),
        };
        let lists = [&rule.emails, &rule.phones, &rule.postal, &rule.record];
        if lists.iter().all(|list| list.is_empty()) && rule.customer.is_none() && rule.person.is_none() {
            let words = "names no column that tells people apart: set email, phone, postal, customer, person or record";
            return Err(BuildError::new("columns", words));
        }
        Ok(rule)
    }
}

impl Claim {
    fn of(settings: &ClaimSettings, columns: &mut Columns, at: &str) -> Result<Self, BuildError> {
        let status = match (&settings.status, &settings.status_map, &settings.assume) {
            (None, None, Some(word)) => StatusRule::Assumed(status(word, &format!("{at}.assume"))?),
            (Some(column), Some(map), None) => {
                StatusRule::Mapped(columns.take(column), status_map(map, &format!("{at}.status_map"))?)
            }
            _ => {
                let words = "set `status` with `status_map`, or `assume` alone where every row has the same status";
                return Err(BuildError::new(at, words));
            }
        };
        Ok(Self {
            scope: scope(settings.purposes.as_deref(), settings.list.as_deref(), settings.channels.as_deref(), at)?,
            status,
            since: columns.take_some(settings.since.as_ref()),
            actor: actor(settings.actor.as_deref(), at)?,
            evidence: EvidenceRule::of(settings.evidence.as_ref(), columns, at)?,
        })
    }
}

/// What an act covers: all direct marketing by e-mail where settings say nothing.
pub(crate) fn scope(
    purposes: Option<&[String]>,
    list: Option<&str>,
    channels: Option<&[String]>,
    at: &str,
) -> Result<Scope, BuildError> {
    let purposes = match (purposes, list) {
        (Some(_), Some(_)) => return Err(BuildError::new(at, "set `purposes` or `list`, not both")),
        (Some(names), None) if names.is_empty() || names.iter().any(|name| name.trim().is_empty()) => {
            return Err(BuildError::new(
                format!("{at}.purposes"),
                "names no purpose: name one, or leave it out for all",
            ));
        }
        (Some(names), None) => {
            let names: BTreeSet<PurposeId> = names.iter().map(PurposeId::new).collect();
            Purposes::Named(names.into_iter().collect())
        }
        (None, Some(list)) if list.trim().is_empty() => {
            return Err(BuildError::new(format!("{at}.list"), "names no list: name one, or leave it out for all"));
        }
        (None, Some(list)) => Purposes::List(ListId::new(list)),
        (None, None) => Purposes::AllMarketing,
    };
    let Some(names) = channels else { return Ok(Scope { purposes, ..Scope::default() }) };
    let channels: Option<Channels> = names.iter().map(|name| Channel::parse(name)).collect();
    let channels = channels.filter(|channels| !channels.is_empty()).ok_or_else(|| {
        let known = listed(Channel::ALL.into_iter().map(Channel::as_str));
        BuildError::new(format!("{at}.channels"), format!("no list of channels: there are {known}"))
    })?;
    Ok(Scope { purposes, channels })
}

/// Who performed an act: the import itself where settings say nothing.
pub(crate) fn actor(name: Option<&str>, at: &str) -> Result<Actor, BuildError> {
    let Some(name) = name else { return Ok(Actor::Import) };
    Actor::parse(name).ok_or_else(|| {
        let known = listed(Actor::ALL.into_iter().map(|(_, name)| name));
        BuildError::new(format!("{at}.actor"), format!("nobody who can act: there are {known}"))
    })
}

/// Words in a message.
pub(crate) fn listed(words: impl Iterator<Item = &'static str>) -> String {
    words.collect::<Vec<_>>().join(", ")
}

/// Texts as they are compared with cells.
pub(crate) fn lower(texts: &[String]) -> BTreeSet<String> {
    texts.iter().map(|text| text.trim().to_lowercase()).collect()
}

fn status(word: &str, at: &str) -> Result<Status, BuildError> {
    Status::parse(word).ok_or_else(|| {
        let known = listed(Status::ALL.into_iter().map(|(_, name)| name));
        BuildError::new(at, format!("no status: there are {known}"))
    })
}

fn status_map(map: &BTreeMap<String, String>, at: &str) -> Result<BTreeMap<String, Status>, BuildError> {
    let mut statuses = BTreeMap::new();
    for (word, name) in map {
        let status = status(name, at)?;
        if statuses.insert(word.trim().to_lowercase(), status).is_some_and(|before| before != status) {
            return Err(BuildError::new(at, "two words that differ only in case or spaces mean different statuses"));
        }
    }
    if statuses.is_empty() {
        return Err(BuildError::new(at, "maps no word: map every word that the status column holds"));
    }
    Ok(statuses)
}

fn formats(settings: &Settings) -> Result<Vec<DateFormat>, BuildError> {
    let read = |format: &String| {
        DateFormat::new(format).ok_or_else(|| {
            BuildError::new(
                "date_format",
                "no form of dates: write it with %d, %m, %Y, %H, %M, %S, such as \"%d/%m/%Y\"",
            )
        })
    };
    settings.date_format.0.iter().map(read).collect()
}

fn check_names(columns: &Columns, header: bool) -> Result<(), BuildError> {
    let names = columns.names();
    if names.len() > COLUMNS_MAX {
        return Err(BuildError::new("columns", format!("more than {COLUMNS_MAX} columns are in use")));
    }
    if names.iter().any(|name| name.trim().is_empty()) {
        return Err(BuildError::new("columns", "a column without a name: write it as the header of the file does"));
    }
    let numbered = |name: &String| name.parse::<usize>().is_ok_and(|number| number > 0);
    if !header && !names.iter().all(numbered) {
        return Err(BuildError::new("header", "columns of a file without header are called \"1\", \"2\" and so on"));
    }
    Ok(())
}
