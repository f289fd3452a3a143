//! Search: filters, sorts, a cursor that is an offset, and no more than ten thousand results in all. The index behind it
//! may lag.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::contact::{Contact, FIRST_ID};
use super::contacts::{bent, limit, page};
use super::refuse::Trouble;
use super::state::State;
use crate::message::{Answer, Ask, PageBend, Reply};

const LIMIT_MAX: usize = 200;
/// How far a query reaches, as the vendor documents.
const RESULTS_MAX: usize = 10_000;
const GROUPS_MAX: usize = 5;
const FILTERS_MAX: usize = 6;
/// The properties that are compared as text. A portal always has `mobilephone`, whether or not anybody fills it in.
const PLAIN: [&str; 3] = ["customer_no", "mobilephone", "phone"];

#[derive(Deserialize, Default, Debug)]
#[serde(default, rename_all = "camelCase")]
struct Search {
    filter_groups: Vec<Group>,
    sorts: Vec<Sorting>,
    properties: Vec<String>,
    limit: Option<u32>,
    after: Value,
}

#[derive(Deserialize, Debug)]
struct Group {
    filters: Vec<Asked>,
}

#[derive(Deserialize, Debug)]
#[serde(rename_all = "camelCase")]
struct Asked {
    property_name: String,
    operator: String,
    #[serde(default)]
    value: Value,
}

#[derive(Deserialize, Debug)]
#[serde(rename_all = "camelCase")]
struct Sorting {
    property_name: String,
    #[serde(default)]
    direction: String,
}

/// A filter that makes sense.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Filter {
    Number(Figure, Comparison, i64),
    Email(String),
    /// One of the additional addresses.
    AdditionalEmail(String),
    /// A property, and the text that it has letter by letter.
    Property(String, String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Figure {
    Modified,
    Created,
    Id,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Above,
    AtLeast,
    Below,
    AtMost,
    Equal,
}

/// Where in its listing a call wants to be; the start is `0`.
pub(super) fn place(ask: &Ask) -> String {
    let body: Search = ask.json().unwrap_or_default();
    text(&body.after).unwrap_or_else(|| "0".to_owned())
}

pub(super) fn search(state: &State, ask: &Ask) -> Answer {
    let asked: Search = ask.json().map_err(|error| Trouble::invalid(error.to_string()))?;
    let limit = limit(asked.limit.map(|limit| limit.to_string()).as_deref(), LIMIT_MAX)?;
    let here = text(&asked.after).filter(|after| !after.is_empty()).unwrap_or_else(|| "0".to_owned());
    let offset: usize = here.parse().map_err(|_| Trouble::invalid("after must be an offset given out by a search"))?;
    if offset.saturating_add(limit) > RESULTS_MAX {
        return Err(Trouble::invalid("a search reaches no further than 10000 results; narrow its filters").into());
    }
    let groups = groups(&asked)?;
    let sort = sort(&asked.sorts)?;
    let now = state.clock.now_ms();
    let build = || state.matches(&groups, sort, now);
    let key = format!("{groups:?} {sort:?}");
    let rows = if state.lags(now) { build().into() } else { state.views.get(state.version, &key, build) };
    let fits = match ask.bend.page {
        PageBend::Empty | PageBend::Last => 0,
        PageBend::Short(fewer) => limit.saturating_sub(fewer),
        PageBend::Straight | PageBend::Loop { .. } => limit,
    };
    let start = offset.min(rows.len());
    let end = (start + fits).min(rows.len());
    let shown = rows[start..end].iter().filter_map(|at| Some((*at, state.indexed(*at, now)?)));
    let results = shown.map(|contact| state.show(contact, &asked.properties)).collect();
    let more = end < rows.len() && ask.bend.page != PageBend::Last;
    let next = more.then(|| if end == start { format!("0{here}") } else { end.to_string() });
    let mut body = page(results, bent(&ask.bend.page, &here, next));
    body["total"] = json!(if ask.bend.page == PageBend::Last { start } else { rows.len() });
    Ok(Reply::json(200, &body))
}

impl State {
    fn matches(&self, groups: &[Vec<Filter>], sort: Option<(Figure, bool)>, now_ms: i64) -> Vec<u32> {
        let found = (0..self.positions()).filter_map(|at| Some((at, self.indexed(at, now_ms)?)));
        let found = found.filter(|(at, contact)| {
            let fits = |filters: &Vec<Filter>| filters.iter().all(|filter| self.fits(filter, (*at, contact)));
            contact.archived_ms == 0 && (groups.is_empty() || groups.iter().any(fits))
        });
        // Without a sort the portal gives the newest contacts last; ties keep the order of the ids.
        let (by, descending) = sort.unwrap_or((Figure::Id, false));
        let mut rows: Vec<(i64, u32)> = found.map(|(at, contact)| (by.of((at, contact)), at)).collect();
        rows.sort_unstable();
        if descending {
            rows.reverse();
        }
        rows.into_iter().map(|(_, at)| at).collect()
    }

    fn fits(&self, filter: &Filter, (at, contact): (u32, &Contact)) -> bool {
        match filter {
            Filter::Number(figure, comparison, value) => comparison.holds(figure.of((at, contact)), *value),
            Filter::Property(name, value) => {
                let shown = self.show((at, contact), std::slice::from_ref(name));
                shown["properties"][name].as_str() == Some(value)
            }
            Filter::AdditionalEmail(email) => {
                let candidate = self.find(email) == Some(at) || self.contact(at) != Some(contact);
                candidate && self.emails(contact).iter().skip(1).any(|held| held.eq_ignore_ascii_case(email))
            }
            // Asking by position first spares computing every contact's address.
            Filter::Email(email) => {
                let candidate = self.find(email) == Some(at) || self.contact(at) != Some(contact);
                candidate && self.emails(contact).first().is_some_and(|primary| primary.eq_ignore_ascii_case(email))
            }
        }
    }
}

impl Figure {
    fn of(self, (at, contact): (u32, &Contact)) -> i64 {
        match self {
            Self::Modified => contact.modified_ms,
            Self::Created => contact.created_ms,
            Self::Id => i64::try_from(FIRST_ID).unwrap_or(i64::MAX) + i64::from(at),
        }
    }

    fn of_name(name: &str) -> Option<Self> {
        match name {
            "lastmodifieddate" => Some(Self::Modified),
            "createdate" => Some(Self::Created),
            "hs_object_id" => Some(Self::Id),
            _ => None,
        }
    }
}

impl Comparison {
    fn of_word(word: &str) -> Option<Self> {
        match word {
            "GT" => Some(Self::Above),
            "GTE" => Some(Self::AtLeast),
            "LT" => Some(Self::Below),
            "LTE" => Some(Self::AtMost),
            "EQ" => Some(Self::Equal),
            _ => None,
        }
    }

    fn holds(self, left: i64, right: i64) -> bool {
        match self {
            Self::Above => left > right,
            Self::AtLeast => left >= right,
            Self::Below => left < right,
            Self::AtMost => left <= right,
            Self::Equal => left == right,
        }
    }
}

fn groups(asked: &Search) -> Result<Vec<Vec<Filter>>, Trouble> {
    let too_many = asked.filter_groups.iter().any(|group| group.filters.len() > FILTERS_MAX);
    if asked.filter_groups.len() > GROUPS_MAX || too_many {
        return Err(Trouble::invalid("a search takes at most 5 filter groups of 6 filters"));
    }
    asked.filter_groups.iter().map(|group| group.filters.iter().map(filter).collect()).collect()
}

fn filter(asked: &Asked) -> Result<Filter, Trouble> {
    let value = text(&asked.value).ok_or_else(|| Trouble::invalid("the filter has no value"))?;
    if asked.property_name == "hs_additional_emails" {
        let is_token = asked.operator == "CONTAINS_TOKEN";
        let refused = || Trouble::invalid("hs_additional_emails can only be searched with CONTAINS_TOKEN");
        return is_token.then_some(Filter::AdditionalEmail(value)).ok_or_else(refused);
    }
    let comparison = Comparison::of_word(&asked.operator)
        .ok_or_else(|| Trouble::invalid("the operator is none of GT, GTE, LT, LTE and EQ"))?;
    if comparison == Comparison::Equal && PLAIN.contains(&asked.property_name.as_str()) {
        return Ok(Filter::Property(asked.property_name.clone(), value));
    }
    if asked.property_name == "email" {
        let equal = comparison == Comparison::Equal;
        return if equal {
            Ok(Filter::Email(value))
        } else {
            Err(Trouble::invalid("email can only be compared with EQ"))
        };
    }
    let figure = Figure::of_name(&asked.property_name)
        .ok_or_else(|| Trouble::invalid("the sandbox searches times, ids, addresses and numbers only"))?;
    let moment = || value.parse::<Timestamp>().ok().map(Timestamp::as_millisecond);
    let number = value.parse().ok().or_else(moment);
    let number = number.ok_or_else(|| Trouble::invalid("the value is neither a number nor a time"))?;
    Ok(Filter::Number(figure, comparison, number))
}

/// The first sort, as the portal takes no second: by what, and whether downwards.
fn sort(sorts: &[Sorting]) -> Result<Option<(Figure, bool)>, Trouble> {
    let Some(sort) = sorts.first() else { return Ok(None) };
    if sorts.len() > 1 {
        return Err(Trouble::invalid("a search takes one sort"));
    }
    let figure = Figure::of_name(&sort.property_name)
        .ok_or_else(|| Trouble::invalid("the sandbox sorts by lastmodifieddate, createdate and hs_object_id"))?;
    match sort.direction.as_str() {
        "" | "ASCENDING" => Ok(Some((figure, false))),
        "DESCENDING" => Ok(Some((figure, true))),
        _ => Err(Trouble::invalid("the direction is neither ASCENDING nor DESCENDING")),
    }
}

/// A scalar as text; the portal takes numbers both ways.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
