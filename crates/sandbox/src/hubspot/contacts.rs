//! Contacts: pages in the order of their ids, one, many by id or address, created, changed, archived.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::contact::{Contact, FIRST_ID, OPT_OUT_OF, READ_ONLY, WRITABLE, time};
use super::refuse::{Trouble, missing_scopes};
use super::state::State;
use crate::message::{Answer, Ask, PageBend, Reply};

const LIMIT_DEFAULT: usize = 10;
const LIMIT_MAX: usize = 100;
pub(super) const INPUTS_MAX: usize = 100;

/// Where in a listing a call wants to be; the start is `0`.
pub(super) fn place(ask: &Ask) -> String {
    ask.query("after").unwrap_or("0").to_owned()
}

/// GET: a page. The cursor is the id of the last contact shown.
pub(super) fn list(state: &State, ask: &Ask) -> Answer {
    let limit = limit(ask.query("limit"), LIMIT_MAX)?;
    let here = place(ask);
    let after: u64 = here.parse().map_err(|_| Trouble::invalid("after is not a cursor that this endpoint gave out"))?;
    let archived = ask.query("archived") == Some("true");
    let properties = properties(ask);
    let fits = match ask.bend.page {
        PageBend::Empty | PageBend::Last => 0,
        PageBend::Short(rows) => limit.saturating_sub(rows),
        PageBend::Straight | PageBend::Loop { .. } => limit,
    };
    let start = u32::try_from((after + 1).saturating_sub(FIRST_ID)).unwrap_or(u32::MAX);
    let mut rows = state.contacts_from(start).filter(|(_, contact)| (contact.archived_ms != 0) == archived).peekable();
    let mut results = Vec::new();
    let mut last = None;
    while results.len() < fits
        && let Some((at, contact)) = rows.next()
    {
        results.push(state.show((at, contact), &properties));
        last = Some((FIRST_ID + u64::from(at)).to_string());
    }
    let more = rows.peek().is_some() && ask.bend.page != PageBend::Last;
    // With nothing shown the next cursor means the same place, but is another text: a fresh token, not a loop.
    let next = more.then(|| last.unwrap_or_else(|| format!("0{here}")));
    Ok(Reply::json(200, &page(results, bent(&ask.bend.page, &here, next))))
}

/// The next cursor, or the one that a loop puts in its place.
pub(super) fn bent(bend: &PageBend, here: &str, next: Option<String>) -> Option<String> {
    match bend {
        PageBend::Loop { places, length, .. }
            if places.len() == *length && places.last().is_some_and(|p| p == here) =>
        {
            places.first().cloned()
        }
        _ => next,
    }
}

pub(super) fn page(results: Vec<Value>, next: Option<String>) -> Value {
    let mut body = Map::new();
    body.insert("results".into(), Value::Array(results));
    if let Some(after) = next {
        body.insert("paging".into(), json!({"next": {"after": after}}));
    }
    Value::Object(body)
}

/// GET: one contact, by id or by address.
pub(super) fn read(state: &State, ask: &Ask) -> Answer {
    let archived = ask.query("archived") == Some("true");
    let (name, property) = (ask.param(0), ask.query("idProperty"));
    let at = match property {
        Some("email") if archived => state.find_archived(name).ok_or_else(Trouble::not_found)?,
        property => named(state, name, property)?,
    };
    if state.hides_erased && state.contact(at).is_none() && at < state.positions() {
        return Err(missing_scopes("crm.objects.contacts.read"));
    }
    let contact = state.contact(at).filter(|contact| (contact.archived_ms != 0) == archived);
    let contact = contact.ok_or_else(Trouble::not_found)?;
    Ok(Reply::json(200, &state.show((at, contact), &properties(ask))))
}

/// The position that an id or an address names.
pub(super) fn named(state: &State, id: &str, property: Option<&str>) -> Result<u32, Trouble> {
    match property {
        None | Some("hs_object_id") => State::position(id).ok_or_else(Trouble::not_found),
        Some("email") => state.find(id).ok_or_else(Trouble::not_found),
        Some(_) => Err(Trouble::invalid("idProperty must be a unique property: email or hs_object_id")),
    }
}

/// GET: the properties that a contact can have.
#[expect(clippy::unnecessary_wraps, reason = "every handler has this form")]
pub(super) fn properties_of_contacts(_: &State, _: &Ask) -> Answer {
    let results: Vec<Value> = State::all_properties()
        .iter()
        .map(|name| json!({"name": name, "label": name, "type": "string", "fieldType": "text", "hidden": false}))
        .collect();
    Ok(Reply::json(200, &json!({"results": results})))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BatchRead {
    #[serde(default)]
    properties: Vec<String>,
    id_property: Option<String>,
    inputs: Vec<Input>,
}

#[derive(Deserialize)]
struct Input {
    id: String,
}

/// POST: many contacts by id or address. Those that are not there are errors inside a 207.
pub(super) fn batch_read(state: &State, ask: &Ask) -> Answer {
    let batch: BatchRead = ask.json().map_err(|error| Trouble::invalid(error.to_string()))?;
    if batch.inputs.len() > INPUTS_MAX {
        return Err(Trouble::invalid("a batch takes at most 100 inputs").into());
    }
    let archived = ask.query("archived") == Some("true");
    let (mut results, mut missing) = (Vec::new(), Vec::new());
    for (row, input) in batch.inputs.iter().enumerate() {
        let at = named(state, &input.id, batch.id_property.as_deref())
            .or_else(|trouble| if trouble.status == 404 { Ok(u32::MAX) } else { Err(trouble) })?;
        match state.contact(at).filter(|contact| (contact.archived_ms != 0) == archived) {
            Some(contact) if !ask.bend.refused_rows.contains(&row) => {
                results.push(state.show((at, contact), &batch.properties));
            }
            _ => missing.push(input.id.clone()),
        }
    }
    let now = time(state.clock.now_ms());
    let mut body = json!({"status": "COMPLETE", "results": results, "startedAt": now, "completedAt": now});
    let status = if missing.is_empty() { 200 } else { 207 };
    if !missing.is_empty() {
        body["numErrors"] = json!(1);
        body["errors"] = json!([Trouble::not_found().body(Some(json!({"ids": missing})))]);
    }
    Ok(Reply::json(status, &body))
}

#[derive(Deserialize)]
struct Write {
    properties: BTreeMap<String, Option<String>>,
}

/// POST: a new contact. An address that was erased comes back this way, as in the portal.
pub(super) fn create(state: &mut State, ask: &Ask) -> Answer {
    let wish: Write = ask.json().map_err(|error| Trouble::invalid(error.to_string()))?;
    let email = wish.properties.get("email").cloned().flatten().unwrap_or_default();
    let now = state.clock.now_ms();
    let mut contact = Contact::fresh("", now);
    state.set_properties((None, &mut contact), &wish.properties)?;
    state.unblock(&email);
    let at = state.add(contact.clone());
    Ok(Reply::json(201, &state.show((at, &contact), &[])))
}

/// PATCH: changes properties.
pub(super) fn patch(state: &mut State, ask: &Ask) -> Answer {
    let wish: Write = ask.json().map_err(|error| Trouble::invalid(error.to_string()))?;
    let at = named(state, ask.param(0), ask.query("idProperty"))?;
    let old = state.contact(at).filter(|contact| contact.archived_ms == 0).cloned().ok_or_else(Trouble::not_found)?;
    let mut contact = old.clone();
    state.set_properties((Some(at), &mut contact), &wish.properties)?;
    if contact != old {
        contact.modified_ms = state.clock.now_ms();
        state.put(at, Some(contact.clone()));
    }
    Ok(Reply::json(200, &state.show((at, &contact), &[])))
}

/// DELETE: archives a contact. It can be restored: this is no erasure.
pub(super) fn archive(state: &mut State, ask: &Ask) -> Answer {
    let at = State::position(ask.param(0)).ok_or_else(Trouble::not_found)?;
    if !state.archive(at) {
        return Err(Trouble::not_found().into());
    }
    Ok(Reply::no_content())
}

impl State {
    /// Archives the contact at this position; `false` where there is none.
    pub(super) fn archive(&mut self, at: u32) -> bool {
        let Some(contact) = self.contact(at).cloned() else { return false };
        if contact.archived_ms == 0 {
            let now = self.clock.now_ms();
            self.put(at, Some(Contact { archived_ms: now, modified_ms: now, ..contact }));
        }
        true
    }

    fn set_properties(
        &self,
        (at, contact): (Option<u32>, &mut Contact),
        properties: &BTreeMap<String, Option<String>>,
    ) -> Result<(), Trouble> {
        for (name, value) in properties {
            let value = value.clone().unwrap_or_default();
            if name == "email" {
                self.set_email((at, contact), &value)?;
            } else if WRITABLE.contains(&name.as_str()) {
                contact.extra_mut().properties.insert(name.clone(), value);
            } else if READ_ONLY.contains(&name.as_str()) || name.starts_with(OPT_OUT_OF) {
                return Err(Trouble::invalid(format!("property {name} is read only")));
            } else {
                return Err(Trouble::invalid("a property of this name does not exist"));
            }
        }
        Ok(())
    }

    fn set_email(&self, (at, contact): (Option<u32>, &mut Contact), email: &str) -> Result<(), Trouble> {
        if !email.is_empty() && !looks_like_address(email) {
            return Err(Trouble::invalid("the e-mail address is invalid"));
        }
        match self.find(email) {
            Some(other) if Some(other) != at => {
                let message = format!("Contact already exists. Existing ID: {}", FIRST_ID + u64::from(other));
                return Err(Trouble { status: 409, category: "CONFLICT", message });
            }
            _ => {}
        }
        let mut emails = self.emails(contact);
        if emails.first().is_some_and(|primary| primary.eq_ignore_ascii_case(email)) {
            return Ok(());
        }
        emails.retain(|known| !known.eq_ignore_ascii_case(email));
        if !emails.is_empty() {
            emails.remove(0);
        }
        if !email.is_empty() {
            emails.insert(0, email.to_lowercase());
        }
        contact.extra_mut().emails = Some(emails);
        Ok(())
    }
}

/// Whether the portal takes this for an address.
pub(super) fn looks_like_address(email: &str) -> bool {
    let Some((local, domain)) = email.split_once('@') else { return false };
    let dotted = domain.split('.').all(|label| !label.is_empty()) && domain.contains('.');
    !local.is_empty() && dotted && !domain.contains('@') && !email.chars().any(|c| c.is_whitespace() || c.is_control())
}

pub(super) fn limit(asked: Option<&str>, most: usize) -> Result<usize, Trouble> {
    let Some(text) = asked else { return Ok(LIMIT_DEFAULT) };
    match text.parse() {
        Ok(limit) if (1..=most).contains(&limit) => Ok(limit),
        _ => Err(Trouble::invalid(format!("limit must be a whole number from 1 to {most}"))),
    }
}

fn properties(ask: &Ask) -> Vec<String> {
    let names = ask.query("properties").unwrap_or_default();
    names.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}
