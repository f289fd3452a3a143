//! Reading contacts: pages of the account and of a list, and one of them.

use std::collections::HashSet;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::json;

use super::change::dialled;
use super::contact::{Zone, statistics};
use super::paging::{Limit, descending, moment, ordered, window};
use super::refuse::Trouble;
use super::state::{Kind, State};
use crate::message::{Answer, Ask, Reply};
use crate::population::List;

const ALL: Limit = Limit { usual: 50, most: 1_000 };
const ON_A_LIST: Limit = Limit { usual: 50, most: 500 };
/// How many ids one call may ask for.
const IDS_MAX: usize = 20;
/// How far statistics reach back where a call does not say: 90 days.
const STATISTICS_MS: i64 = 90 * 86_400_000;

/// Which contacts a listing shows. The bounds are exclusive, as the platform's are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Query {
    modified_since: Option<i64>,
    created_since: Option<i64>,
    /// One bit per list; zero for everybody.
    lists: u8,
    ids: Vec<u64>,
    descending: bool,
}

/// GET: a page of all contacts.
pub(super) fn list(state: &State, ask: &Ask) -> Answer {
    for name in ["segmentId", "filter"] {
        if ask.query(name).is_some() {
            return Err(Trouble::invalid(format!("the sandbox does not know {name}")).into());
        }
    }
    let mut lists = 0;
    for id in ask.queries("listIds") {
        lists |= known_list(id)?.bit();
    }
    let ids: Result<HashSet<u64>, _> = ask.queries("ids").map(str::parse).collect();
    let ids = ids.map_err(|_| Trouble::invalid("ids are not numbers"))?;
    if ids.len() > IDS_MAX {
        return Err(Trouble::out_of_range("ids must be at most 20").into());
    }
    let mut ids: Vec<u64> = ids.into_iter().collect();
    ids.sort_unstable();
    let query = Query { created_since: moment(ask, "createdSince")?, lists, ids, ..Query::of(ask)? };
    page((state, ask), &query, ALL)
}

/// GET: a page of one list. It takes half as many a page as that of the account.
pub(super) fn on_list(state: &State, ask: &Ask) -> Answer {
    let list = known_list(ask.param(0)).map_err(|_| Trouble::not_found("List ID"))?;
    let query = Query { lists: list.bit(), ..Query::of(ask)? };
    page((state, ask), &query, ON_A_LIST)
}

fn page((state, ask): (&State, &Ask), query: &Query, limit: Limit) -> Answer {
    let window = window(ask, limit)?;
    let rows = state.views.get(state.version, &format!("{query:?}"), || query.rows(state));
    let shown = window.cut(&rows).iter().filter_map(|at| Some((*at, state.contact(*at)?)));
    let contacts: Vec<_> = shown.map(|contact| state.show(contact, Zone::Account)).collect();
    Ok(Reply::json(200, &json!({"contacts": contacts, "count": window.total(rows.len())})))
}

/// GET: one contact, with what campaigns did to it lately.
pub(super) fn read(state: &State, ask: &Ask) -> Answer {
    let at = named(state, ask)?;
    let contact = state.contact(at).ok_or_else(|| Trouble::not_found("Contact"))?;
    let now = state.clock.now_ms();
    let from = day(ask, "startDate")?.unwrap_or(now - STATISTICS_MS);
    let until = day(ask, "endDate")?.map_or(now, |at_ms| at_ms + 86_400_000 - 1);
    let mut body = state.show((at, contact), Zone::Utc);
    body["statistics"] = statistics(contact, (from, until));
    Ok(Reply::json(200, &body))
}

/// The list of this id.
pub(super) fn known_list(id: &str) -> Result<List, Trouble> {
    let known = id.parse().ok().and_then(List::of_id);
    known.ok_or_else(|| Trouble::invalid("a list of this id does not exist"))
}

/// The position of the contact that the path names. Without a type it is an id or an address.
pub(super) fn named(state: &State, ask: &Ask) -> Result<u32, Trouble> {
    let name = ask.param(0);
    let found = match ask.query("identifierType") {
        None if name.contains('@') => state.find(Kind::Email, name),
        None if name.parse::<u64>().is_err() => {
            return Err(Trouble::invalid("the identifier is neither an id nor an e-mail address; give its type"));
        }
        None | Some("contact_id") => name.parse().ok().and_then(|id| state.position(id)),
        Some("email_id") => state.find(Kind::Email, name),
        Some("phone_id") => state.find(Kind::Phone, &dialled(name)),
        Some("ext_id") => state.find(Kind::External, name),
        // Nobody has one of these.
        Some("whatsapp_id" | "landline_number_id") => None,
        Some(_) => return Err(Trouble::invalid("identifierType is not a type of identifier")),
    };
    found.ok_or_else(|| match name.parse() {
        Ok(id) if state.hides_erased && state.was_erased(id) => {
            Trouble::new(403, "permission_denied", "the key may not read this contact")
        }
        _ => Trouble::not_found("Contact"),
    })
}

/// The first millisecond of a day in UTC.
pub(super) fn day(ask: &Ask, name: &str) -> Result<Option<i64>, Trouble> {
    let Some(text) = ask.query(name) else { return Ok(None) };
    let day = text.parse::<Date>().ok();
    let start = day.and_then(|day| TimeZone::UTC.to_timestamp(day.at(0, 0, 0, 0)).ok());
    let start = start.ok_or_else(|| Trouble::invalid(format!("{name} is not a date")))?;
    Ok(Some(start.as_millisecond()))
}

impl Query {
    fn of(ask: &Ask) -> Result<Self, Trouble> {
        let modified_since = moment(ask, "modifiedSince")?;
        Ok(Self { modified_since, descending: descending(ask)?, ..Self::default() })
    }

    fn rows(&self, state: &State) -> Vec<u32> {
        let after = |at_ms: i64, bound: Option<i64>| bound.is_none_or(|bound| at_ms > bound);
        let asked: Option<HashSet<u32>> =
            (!self.ids.is_empty()).then(|| self.ids.iter().filter_map(|id| state.position(*id)).collect());
        let shown = state.contacts().filter(|(at, contact)| {
            after(contact.modified_ms, self.modified_since)
                && after(contact.created_ms, self.created_since)
                && (self.lists == 0 || contact.lists & self.lists != 0)
                && asked.as_ref().is_none_or(|asked| asked.contains(at))
        });
        ordered(shown.map(|(at, _)| at).collect(), self.descending)
    }
}
