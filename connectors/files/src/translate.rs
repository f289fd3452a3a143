//! Rows into observations, in one place. It judges nothing: an odd address is kept as it is, an unmapped word is unknown.

use std::collections::BTreeMap;

use unisson_connector::{Event, Identity, Observation, Presence, Slot};
use unisson_consent::{
    Actor, Address, Audience, Country, CustomerNo, Evidence, Occurred, PersonId, RecordId, Status, Via,
};

use crate::digest;
use crate::event::{EventRule, When};
use crate::flaw::{Flaw, Flaws};
use crate::mapping::{Claim, Column, Mapping, StatusRule};
use crate::moment;
use crate::row::{Row, is_cut};
use crate::truth::truth;

/// The longest text that can stand for an empty cell, in bytes.
const BLANK_BYTES_MAX: usize = 64;

/// Turns the rows of one file into observations.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Translator<'m> {
    /// What rows mean.
    pub(crate) mapping: &'m Mapping,
    /// The file's name without its extension: part of the ids of records that have none of their own.
    pub(crate) stem: &'m str,
}

/// One row under translation.
struct Reading<'r> {
    mapping: &'r Mapping,
    stem: &'r str,
    row: &'r Row,
    flaws: &'r Flaws,
}

impl Translator<'_> {
    /// What a row says, or why it says nothing of anybody. Cells that could not be read are counted among `flaws`.
    pub(crate) fn observe(&self, row: &Row, flaws: &Flaws) -> Result<Observation, String> {
        let reading = Reading { mapping: self.mapping, stem: self.stem, row, flaws };
        reading.refuse_long_names()?;
        let who = reading.identity();
        let keys = reading.keys(&who);
        if keys.is_empty() {
            return Err(format!("names nobody: {} are empty", reading.identifying()));
        }
        if row.short && !has_sound_address(&who) {
            return Err("has fewer cells than the header and shows no well-formed address".to_owned());
        }
        let events = self.mapping.events.iter().filter_map(|rule| reading.event(rule, &keys)).collect();
        let record = reading.native_record().unwrap_or_else(|| reading.derived_record(&keys));
        let slots = self.mapping.claims.iter().filter_map(|claim| reading.slot(claim)).collect();
        Ok(Observation { record, who, presence: Presence::Present, slots, events })
    }
}

impl<'r> Reading<'r> {
    /// The text of a cell as it stands; empty where it stands for nothing.
    fn raw(&self, column: Column) -> &'r str {
        let raw = self.row.cells.get(column.0).map_or("", String::as_str);
        let text = raw.trim();
        let stands_for_nothing = text.len() <= BLANK_BYTES_MAX && self.mapping.blank.contains(&text.to_lowercase());
        if text.is_empty() || stands_for_nothing { "" } else { raw }
    }

    /// The text of a cell without outer spaces; empty where it stands for nothing.
    fn cell(&self, column: Column) -> &'r str {
        self.raw(column).trim()
    }

    fn filled(&self, column: Option<Column>) -> Option<&'r str> {
        column.map(|column| self.cell(column)).filter(|text| !text.is_empty())
    }

    /// A name that was cut would be another name.
    fn refuse_long_names(&self) -> Result<(), String> {
        let person = &self.mapping.person;
        let grants = self.mapping.events.iter().filter_map(|rule| rule.evidence.notice_column());
        let claims = self.mapping.claims.iter().filter_map(|claim| claim.evidence.notice_column());
        let mut names =
            person.record.iter().copied().chain(person.customer).chain(person.person).chain(grants).chain(claims);
        match names.find(|column| is_cut(self.raw(*column))) {
            Some(column) => Err(format!(
                "`{}` is longer than any name: look for a missing quote",
                self.mapping.columns.name(column)
            )),
            None => Ok(()),
        }
    }

    fn identity(&self) -> Identity {
        let person = &self.mapping.person;
        let filled = |columns: &[Column]| -> Vec<String> {
            columns.iter().map(|column| self.raw(*column)).filter(|text| !text.is_empty()).map(str::to_owned).collect()
        };
        let told = [&person.emails, &person.more_emails, &person.phones, &person.bare_phones, &person.postal];
        for column in told.into_iter().flatten() {
            if is_cut(self.raw(*column)) {
                self.flaws.count(Flaw::LongAddress, *column, self.row.line);
            }
        }
        let postal = filled(&person.postal).join(", ");
        let more = person.more_emails.iter().flat_map(|column| self.raw(*column).split(';')).map(str::trim);
        let mut emails = filled(&person.emails);
        emails.extend(more.filter(|email| !email.is_empty()).map(str::to_owned));
        let mut phones = filled(&person.phones);
        phones.extend(person.bare_phones.iter().filter_map(|column| international(self.cell(*column))));
        Identity {
            emails,
            phones,
            postals: if postal.is_empty() { Vec::new() } else { vec![postal] },
            customer: self.filled(person.customer).map(CustomerNo::new),
            person: self.filled(person.person).map(PersonId::new),
            country: self.attribute(person.country, Flaw::Country, Country::parse),
            audience: self.attribute(person.audience, Flaw::Audience, audience),
            professional: self.attribute(person.professional, Flaw::Professional, truth),
            birth: self.attribute(person.birth, Flaw::Birth, |text| {
                moment::read(text, &self.mapping.formats).and_then(moment::day)
            }),
        }
    }

    fn attribute<T>(&self, column: Option<Column>, flaw: Flaw, read: impl Fn(&str) -> Option<T>) -> Option<T> {
        let column = column?;
        let text = self.filled(Some(column)).filter(|text| !moment::is_no_date(text))?;
        let value = read(text);
        if value.is_none() {
            self.flaws.count(flaw, column, self.row.line);
        }
        value
    }

    /// What tells this person from others: the record's own id, else every identifier in the spelling it is compared by.
    fn keys(&self, who: &Identity) -> Vec<String> {
        let record: Vec<&str> = self.mapping.person.record.iter().map(|column| self.cell(*column)).collect();
        if record.iter().any(|part| !part.is_empty()) {
            return [vec!["record"], record].concat().into_iter().map(str::to_owned).collect();
        }
        let country = who.country.as_ref().map(Country::as_str);
        let emails = who.emails.iter().filter_map(|raw| Address::email(raw));
        let phones = who.phones.iter().filter_map(|raw| Address::phone(raw, country));
        let postals = who.postals.iter().filter_map(|raw| Address::postal(raw));
        let addresses = emails.chain(phones).chain(postals);
        let mut keys: Vec<String> = addresses
            .flat_map(|address| [address.kind().as_str().to_owned(), address.canonical().to_owned()])
            .collect();
        let customer = who.customer.iter().flat_map(|customer| ["customer", customer.as_str()]);
        let person = who.person.iter().flat_map(|person| ["person", person.as_str()]);
        keys.extend(customer.chain(person).map(str::to_owned));
        keys
    }

    fn native_record(&self) -> Option<RecordId> {
        let parts: Vec<&str> = self.mapping.person.record.iter().map(|column| self.cell(*column)).collect();
        match parts[..] {
            _ if parts.iter().all(|part| part.is_empty()) => None,
            [only] => Some(RecordId::new(only)),
            _ => Some(RecordId::new(digest::of(parts))),
        }
    }

    /// The id of a record that has none: who it is about, and since when its claims hold, for two claims of one person
    /// with two dates are two records that both stay as they are.
    fn derived_record(&self, keys: &[String]) -> RecordId {
        let dates = self.mapping.claims.iter().flat_map(|claim| &claim.since).map(|column| self.cell(*column));
        RecordId::new(digest::of([self.stem].into_iter().chain(keys.iter().map(String::as_str)).chain(dates)))
    }

    /// The columns that could have named somebody.
    fn identifying(&self) -> String {
        let person = &self.mapping.person;
        let lists =
            [&person.emails, &person.more_emails, &person.phones, &person.bare_phones, &person.postal, &person.record];
        let columns = lists.into_iter().flatten().copied().chain(person.customer).chain(person.person);
        columns.map(|column| format!("`{}`", self.mapping.columns.name(column))).collect::<Vec<_>>().join(", ")
    }

    fn slot(&self, claim: &Claim) -> Option<Slot> {
        if claim.needs.is_some_and(|column| self.cell(column).is_empty()) {
            return None;
        }
        let (status, actor) = match &claim.status {
            StatusRule::Assumed(status) => (*status, claim.actor),
            StatusRule::Mapped(column, map) => (self.status(*column, map), claim.actor),
            StatusRule::Told(columns, read) => self.told(columns, *read),
        };
        let claims_consent = matches!(status, Status::Subscribed | Status::Pending);
        let dated = claim.since.iter().copied().find(|column| !moment::is_no_date(self.cell(*column)));
        Some(Slot {
            scope: claim.scope.clone(),
            status,
            since: self.moment(dated),
            actor,
            evidence: if claims_consent {
                claim.evidence.read(|column| self.cell(column))
            } else {
                Evidence::default()
            },
        })
    }

    /// What the words of a vendor mean; those it is not known to use are counted.
    fn told(&self, columns: &[Column], read: fn(&[&str]) -> (Status, Actor)) -> (Status, Actor) {
        let cells: Vec<&str> = columns.iter().map(|column| self.cell(*column)).collect();
        let told = read(&cells);
        if let (Status::Unknown, Some(column)) = (told.0, columns.first()) {
            self.flaws.count(Flaw::Word, *column, self.row.line);
        }
        told
    }

    fn status(&self, column: Column, map: &BTreeMap<String, Status>) -> Status {
        // A word that stands for an empty cell may still be mapped, as in { "NULL" = "never" }.
        let word = self.row.cells.get(column.0).map_or("", |cell| cell.trim()).to_lowercase();
        match map.get(&word) {
            Some(status) => *status,
            None if self.cell(column).is_empty() => Status::Never,
            None => {
                self.flaws.count(Flaw::Status, column, self.row.line);
                Status::Unknown
            }
        }
    }

    fn moment(&self, column: Option<Column>) -> Occurred {
        let Some(column) = column else { return Occurred::Unknown };
        let text = self.cell(column);
        if moment::is_no_date(text) {
            return Occurred::Unknown;
        }
        moment::read(text, &self.mapping.formats).unwrap_or_else(|| {
            self.flaws.count(Flaw::Date, column, self.row.line);
            Occurred::Unknown
        })
    }

    fn event(&self, rule: &EventRule, keys: &[String]) -> Option<Event> {
        let happened = match &rule.when {
            When::Filled(column) => !self.cell(*column).is_empty(),
            When::Dated(column) => !moment::is_no_date(self.cell(*column)),
            When::Equals(column, texts) => texts.contains(&self.cell(*column).to_lowercase()),
        };
        if !happened {
            return None;
        }
        let kind = rule.kind(|column| self.cell(column));
        let actor = rule.actor_of(&kind);
        let occurred = self.moment(rule.at);
        let what = format!("{kind:?} {occurred:?} {:?} {actor:?}", rule.scope);
        // The same dated act in a later export is the same act. Without a date, being listed again may be a new one.
        let told_by = if occurred == Occurred::Unknown { self.stem } else { "" };
        let id = digest::of([what.as_str(), told_by].into_iter().chain(keys.iter().map(String::as_str)));
        Some(Event {
            native_id: Some(id),
            kind,
            occurred,
            seq: None,
            actor,
            via: Via::Message,
            scope: rule.scope.clone(),
        })
    }
}

/// A number with its country code, which some platforms keep without a sign in front.
fn international(number: &str) -> Option<String> {
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    let digits = digits.strip_prefix("00").unwrap_or(&digits);
    (!digits.is_empty()).then(|| format!("+{digits}"))
}

fn has_sound_address(who: &Identity) -> bool {
    let country = who.country.as_ref().map(Country::as_str);
    let emails = who.emails.iter().filter_map(|raw| Address::email(raw));
    let phones = who.phones.iter().filter_map(|raw| Address::phone(raw, country));
    emails.chain(phones).any(|address| address.defect().is_none())
}

fn audience(text: &str) -> Option<Audience> {
    match text.to_lowercase().as_str() {
        "b2c" | "consumer" | "private" | "individual" => Some(Audience::B2c),
        "b2b" | "business" | "company" | "professional" => Some(Audience::B2b),
        _ => None,
    }
}
