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
    /// Where those are in the header that were found in it before, which may be several of one name.
    places: Vec<Option<usize>>,
}

/// What settings say that rows mean.
#[derive(Debug, Default)]
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

/// What is known of a file's columns before settings are read: nothing, or what its header says.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    pub(crate) columns: Columns,
    pub(crate) person: PersonRule,
    pub(crate) claims: Vec<Claim>,
    pub(crate) events: Vec<EventRule>,
}

/// Where identifiers and attributes are.
#[derive(Debug, Default)]
pub(crate) struct PersonRule {
    pub(crate) emails: Vec<Column>,
    /// Columns that hold several addresses in a cell, between semicolons.
    pub(crate) more_emails: Vec<Column>,
    pub(crate) phones: Vec<Column>,
    /// Columns that hold numbers with their country code and without a sign in front.
    pub(crate) bare_phones: Vec<Column>,
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
    /// Where its date is; the first one that is filled counts.
    pub(crate) since: Vec<Column>,
    pub(crate) actor: Actor,
    pub(crate) evidence: EvidenceRule,
    /// A cell without which nothing is claimed.
    pub(crate) needs: Option<Column>,
}

/// Where a status comes from.
#[derive(Debug)]
pub(crate) enum StatusRule {
    /// Every row has this one.
    Assumed(Status),
    /// A column says it in these words, in lower case.
    Mapped(Column, BTreeMap<String, Status>),
    /// The words of a vendor say it, and who acted.
    Told(Vec<Column>, fn(&[&str]) -> (Status, Actor)),
}

impl Columns {
    /// The column of this name, which is in use from now on.
    pub(crate) fn take(&mut self, name: &str) -> Column {
        let known = self.names.iter().zip(&self.places).position(|(known, place)| known == name && place.is_none());
        known.map_or_else(|| self.push(name, None), Column)
    }

    /// The column at this place of the header, which is in use from now on.
    pub(crate) fn place(&mut self, name: &str, place: usize) -> Column {
        let known = self.places.iter().position(|known| *known == Some(place));
        known.map_or_else(|| self.push(name, Some(place)), Column)
    }

    /// The names of the columns in use, in their order.
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// The names of the columns in use, in their order, each with its place where it is known.
    pub(crate) fn placed(&self) -> impl Iterator<Item = (&String, Option<usize>)> {
        self.names.iter().zip(self.places.iter().copied())
    }

    fn push(&mut self, name: &str, place: Option<usize>) -> Column {
        self.names.push(name.to_owned());
        self.places.push(place);
        Column(self.names.len() - 1)
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
        Self::over(settings, Layout::default())
    }

    /// Works out what settings mean over what a header says. What they say goes before it: a column replaces its column,
    /// claims replace all claims, events all events.
    pub(crate) fn over(settings: &Settings, layout: Layout) -> Result<Self, BuildError> {
        let Layout { mut columns, person, claims, events } = layout;
        let person = PersonRule::of(&settings.columns, &mut columns, person)?;
        let claims = if settings.claims.is_empty() { claims } else { Self::claims(settings, &mut columns)? };
        let told = settings.events.iter();
        let told = told.map(|(name, event)| EventRule::of(event, &mut columns, &format!("events.{name}")));
        let told = told.collect::<Result<Vec<EventRule>, BuildError>>()?;
        let events = if told.is_empty() { events } else { told };
        if claims.len() > RULES_MAX || events.len() > RULES_MAX {
            return Err(BuildError::new("", format!("more than {RULES_MAX} claims or events: split the instance")));
        }
        check_names(&columns, settings.header)?;
        Ok(Self { columns, blank: lower(&settings.blank), formats: formats(settings)?, person, claims, events })
    }

    fn claims(settings: &Settings, columns: &mut Columns) -> Result<Vec<Claim>, BuildError> {
        let mut scopes = BTreeSet::new();
        let mut claims = Vec::new();
        for (name, claim) in &settings.claims {
            let at = format!("claims.{name}");
            let claim = Claim::of(claim, columns, &at)?;
            if !scopes.insert(claim.scope.clone()) {
                return Err(BuildError::new(
                    at,
                    "another claim has the same purposes or list and channels: keep one of them",
                ));
            }
            claims.push(claim);
        }
        Ok(claims)
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
    fn of(settings: &ColumnSettings, columns: &mut Columns, known: Self) -> Result<Self, BuildError> {
        let mut several = |names: &Texts, known| if names.0.is_empty() { known } else { columns.take_all(names) };
        let (emails, phones) = (several(&settings.email, known.emails), several(&settings.phone, known.phones));
        let (postal, record) = (several(&settings.postal, known.postal), several(&settings.record, known.record));
        let mut one = |name: &Option<String>, known| columns.take_some(name.as_ref()).or(known);
        let rule = Self {
            emails,
            phones,
            postal,
            record,
            more_emails: if settings.email.0.is_empty() { known.more_emails } else { Vec::new() },
            bare_phones: if settings.phone.0.is_empty() { known.bare_phones } else { Vec::new() },
            customer: one(&settings.customer, known.customer),
            person: one(&settings.person, known.person),
            country: one(&settings.country, known.country),
            audience: one(&settings.audience, known.audience),
            professional: one(&settings.professional, known.professional),
            birth: one(&settings.birth, known.birth),
        };
        let lists = [&rule.emails, &rule.phones, &rule.postal, &rule.record, &rule.bare_phones];
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
            since: columns.take_some(settings.since.as_ref()).into_iter().collect(),
            actor: actor(settings.actor.as_deref(), at)?,
            evidence: EvidenceRule::of(settings.evidence.as_ref(), columns, at)?,
            needs: None,
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
