//! The account, its lists, and who is put on them or taken off them, many at once.

use serde::Deserialize;
use serde_json::{Value, json};

use super::change::OWNER;
use super::contacts::known_list;
use super::paging::{Limit, descending, window};
use super::refuse::Trouble;
use super::state::{Kind, State};
use crate::message::{Answer, Ask, Reply};
use crate::population::List;

const LISTS: Limit = Limit { usual: 10, most: 50 };
/// How many contacts one call puts on a list or takes off it.
const ROWS_MAX: usize = 150;

#[expect(clippy::unnecessary_wraps, reason = "every handler has this form")]
pub(super) fn account(_: &State, _: &Ask) -> Answer {
    let body = json!({
        "organization_id": "6512bd43d9caa6e02c990b0a", "user_id": 4_200, "enterprise": false,
        "email": OWNER, "firstName": "Sandbox", "lastName": "Owner", "companyName": "Sandbox",
        "address": {"street": "1 Example Street", "city": "Paris", "zipCode": "75001", "country": "France"},
        "plan": [{"type": "payAsYouGo", "creditsType": "sendLimit", "credits": 5_000}],
        "relay": {"enabled": true, "data": {"userName": OWNER, "relay": "smtp-relay.example.com", "port": 587}},
        "marketingAutomation": {"enabled": false},
    });
    Ok(Reply::json(200, &body))
}

pub(super) fn lists(state: &State, ask: &Ask) -> Answer {
    let window = window(ask, LISTS)?;
    let mut all = List::ALL;
    if descending(ask)? {
        all.reverse();
    }
    let shown: Vec<Value> = window.cut(&all).iter().map(|list| show(state, *list)).collect();
    Ok(Reply::json(200, &json!({"lists": shown, "count": window.total(all.len())})))
}

pub(super) fn list(state: &State, ask: &Ask) -> Answer {
    let list = known_list(ask.param(0)).map_err(|_| Trouble::not_found("List ID"))?;
    let mut body = show(state, list);
    body["createdAt"] = json!("2018-03-01T09:00:00Z");
    body["dynamicList"] = json!(false);
    Ok(Reply::json(200, &body))
}

/// The platform no longer fills in the two totals.
fn show(state: &State, list: List) -> Value {
    json!({
        "id": list.id(), "name": list.title(), "folderId": 1, "uniqueSubscribers": state.count_on(list),
        "totalBlacklisted": 0, "totalSubscribers": 0,
    })
}

/// Whom a call is about: addresses, ids, or ids of the customer's.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Rows {
    emails: Option<Vec<String>>,
    ids: Option<Vec<u64>>,
    ext_ids: Option<Vec<String>>,
}

pub(super) fn add(state: &mut State, ask: &Ask) -> Answer {
    let list = known_list(ask.param(0)).map_err(|_| Trouble::not_found("List ID"))?;
    each((state, ask), "on the list already", |state, at| {
        let mut contact = state.contact(at)?.clone();
        if contact.lists & list.bit() != 0 {
            return None;
        }
        contact.join(list.bit());
        contact.modified_ms = state.clock.now_ms();
        state.put(at, Some(contact));
        Some(())
    })
}

pub(super) fn remove(state: &mut State, ask: &Ask) -> Answer {
    let list = known_list(ask.param(0)).map_err(|_| Trouble::not_found("List ID"))?;
    each((state, ask), "not on the list", |state, at| {
        let mut contact = state.contact(at)?.clone();
        if contact.lists & list.bit() == 0 {
            return None;
        }
        contact.lists &= !list.bit();
        contact.modified_ms = state.clock.now_ms();
        state.put(at, Some(contact));
        Some(())
    })
}

/// Does this to every contact of the call and tells for whom it worked. Where it worked for nobody the call is refused.
fn each((state, ask): (&mut State, &Ask), why_not: &str, one: impl Fn(&mut State, u32) -> Option<()>) -> Answer {
    let rows: Rows = ask.json().map_err(|error| Trouble::invalid(error.to_string()))?;
    let named: Vec<(Value, Option<u32>)> = if let Some(emails) = &rows.emails {
        emails.iter().map(|email| (json!(email), state.find(Kind::Email, email))).collect()
    } else if let Some(ids) = &rows.ids {
        ids.iter().map(|id| (json!(id), state.position(*id))).collect()
    } else if let Some(ids) = &rows.ext_ids {
        ids.iter().map(|id| (json!(id), state.find(Kind::External, id))).collect()
    } else {
        return Err(Trouble::missing("one of emails, ids and extIds is required").into());
    };
    if named.len() > ROWS_MAX {
        return Err(Trouble::out_of_range("a call takes at most 150 contacts").into());
    }
    let (mut success, mut failure) = (Vec::new(), Vec::new());
    for (row, (name, at)) in named.into_iter().enumerate() {
        let refused = ask.bend.refused_rows.contains(&row);
        let done = at.filter(|_| !refused).and_then(|at| one(state, at));
        if done.is_some() { success.push(name) } else { failure.push(name) }
    }
    if success.is_empty() {
        let message = format!("no contact was changed: each is {why_not} or does not exist");
        return Err(Trouble::invalid(message).into());
    }
    Ok(Reply::json(201, &json!({"contacts": {"success": success, "failure": failure}})))
}
