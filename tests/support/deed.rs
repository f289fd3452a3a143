//! What a call asks of a platform, person by person: for counting what was asked twice.

use serde_json::Value;

use crate::gate::{Kind, Passage};

/// One change of one slot of one record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deed {
    /// At which platform: the first part of its interface's paths.
    pub platform: &'static str,
    /// Of whom: the platform's own key, with the list.
    pub record: String,
    /// Which slot.
    pub slot: String,
    /// What it is set to.
    pub value: String,
}

impl Deed {
    /// Whether it lets mail through that was kept back before.
    pub fn opens(&self) -> bool {
        matches!(self.value.as_str(), "subscribed" | "pending" | "true" | "SUBSCRIBED")
    }
}

/// What a call asks for, where it asks for a change.
///
/// # Panics
/// Where it asks for something that this reader does not know: then nothing could be counted.
pub fn deeds(passage: &Passage) -> Vec<Deed> {
    if passage.kind != Kind::Write {
        return Vec::new();
    }
    let path = passage.path.split('?').next().unwrap_or_default();
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let body: Value = serde_json::from_slice(&passage.body).unwrap_or_default();
    match parts.as_slice() {
        ["3.0", "lists", list, "members", member] => member_deeds(&format!("{list}/{member}"), &body),
        ["v3", "contacts", contact] => contact_deeds(contact, &body),
        ["communication-preferences", "v4", "statuses", rest @ ..] => preference_deeds(rest, &body),
        _ => panic!("{} {path} is a change that nobody can count", passage.method),
    }
}

fn member_deeds(record: &str, body: &Value) -> Vec<Deed> {
    let deed = |slot: &str, value: &Value| Deed {
        platform: "mailchimp",
        record: record.to_owned(),
        slot: slot.to_owned(),
        value: value.as_str().map_or_else(|| value.to_string(), str::to_owned),
    };
    let mut found = Vec::new();
    for (name, value) in body.as_object().expect("a member is changed by an object") {
        match value {
            Value::Object(interests) => found.extend(interests.iter().map(|(id, value)| deed(id, value))),
            Value::Array(permissions) => found.extend(permissions.iter().map(|permission| {
                deed(permission["marketing_permission_id"].as_str().unwrap_or(name), &permission["enabled"])
            })),
            value => found.push(deed(name, value)),
        }
    }
    found
}

fn contact_deeds(record: &str, body: &Value) -> Vec<Deed> {
    let deed = |slot: String, value: &str| Deed {
        platform: "brevo",
        record: record.to_owned(),
        slot,
        value: value.to_owned(),
    };
    let mut found = Vec::new();
    for (name, value) in body.as_object().expect("a contact is changed by an object") {
        let lists = value.as_array().map(Vec::as_slice).unwrap_or_default();
        match name.as_str() {
            "listIds" => found.extend(lists.iter().map(|list| deed(list.to_string(), "subscribed"))),
            "unlinkListIds" => found.extend(lists.iter().map(|list| deed(list.to_string(), "unlinked"))),
            _ => found.push(deed(name.clone(), if *value == true { "blocked" } else { "subscribed" })),
        }
    }
    found
}

fn preference_deeds(path: &[&str], body: &Value) -> Vec<Deed> {
    let deed = |address: &str, slot: &str, value: &str| Deed {
        platform: "hubspot",
        record: address.replace("%40", "@").to_lowercase(),
        slot: slot.to_owned(),
        value: value.to_owned(),
    };
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let one = |address: &str, wish: &Value| deed(address, &text(&wish["subscriptionId"]), &text(&wish["statusState"]));
    let inputs = body["inputs"].as_array().map(Vec::as_slice).unwrap_or_default();
    match path {
        ["batch", "write"] => inputs.iter().map(|wish| one(&text(&wish["subscriberIdString"]), wish)).collect(),
        ["batch", "unsubscribe-all"] => {
            inputs.iter().map(|address| deed(&text(address), "all", "UNSUBSCRIBED")).collect()
        }
        [address, "unsubscribe-all"] => vec![deed(address, "all", "UNSUBSCRIBED")],
        [address] => vec![one(address, body)],
        _ => panic!("{} is a change that nobody can count", path.join("/")),
    }
}
