//! What a write that reached a twin opens, read from its bytes as the vendors document them.

use serde_json::Value;
use unisson_sandbox::{Audience, Sandbox, Status};
use unisson_tests::{Kind, Passage};

use crate::oracle::{BOXES, LISTS, Purpose, topics};

/// Mail that a write lets through.
#[derive(Debug, Clone)]
pub(crate) struct Opening {
    pub(crate) purpose: Purpose,
    /// The write in words, without what names anybody.
    pub(crate) what: String,
    whose: Whose,
}

/// How a platform names whom it is about.
#[derive(Debug, Clone)]
enum Whose {
    Address(String),
    Member(Audience, String),
    Contact(u64),
}

impl Opening {
    /// The addresses it is about, as the twins hold them now.
    pub(crate) fn addresses(&self, twins: &Sandbox) -> Vec<String> {
        match &self.whose {
            Whose::Address(address) => vec![address.clone()],
            Whose::Member(audience, key) => {
                let mail = twins.mailchimp();
                let all = Status::ALL.into_iter().flat_map(|status| mail.addresses(*audience, status));
                let is = |address: &String| mail.member(*audience, address).is_some_and(|one| one["id"] == *key);
                all.filter(is).collect()
            }
            Whose::Contact(id) => {
                let campaigns = twins.brevo();
                let is = |address: &String| campaigns.contact(address).is_some_and(|one| one["id"] == *id);
                campaigns.addresses().into_iter().filter(is).collect()
            }
        }
    }
}

/// What a call opens.
///
/// A write that this reader does not know is a failure: then nothing could be said of it.
pub(crate) fn openings(passage: &Passage) -> Vec<Opening> {
    if passage.kind != Kind::Write || !passage.carried_out {
        return Vec::new();
    }
    let path = passage.path.split('?').next().unwrap_or_default();
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let body: Value = serde_json::from_slice(&passage.body).unwrap_or_default();
    match parts.as_slice() {
        ["oauth", "v1", "token"] => Vec::new(),
        ["3.0", "lists", list, "members", member] => member_openings(list, member, &body),
        ["communication-preferences", "v4", "statuses", rest @ ..] => topic_openings(rest, &body),
        ["v3", "contacts", id] => contact_openings(id, &body),
        _ => panic!("{} {path} is a write that nobody can judge", passage.method),
    }
}

fn member_openings(list: &str, member: &str, body: &Value) -> Vec<Opening> {
    let audience = if list == "a1f0c3d9e7" { Audience::Letter } else { Audience::Events };
    let own = if audience == Audience::Letter { Purpose::Newsletter } else { Purpose::Promotions };
    let opening = |purpose, what: &str| Opening {
        purpose,
        what: format!("mailchimp {audience:?} {what}"),
        whose: Whose::Member(audience, member.to_owned()),
    };
    let mut found = Vec::new();
    // Whoever is pending is written to: that is mail as well.
    if matches!(body["status"].as_str(), Some("subscribed" | "pending")) {
        found.push(opening(own, "status"));
    }
    for (id, purpose) in BOXES {
        let permissions = body["marketing_permissions"].as_array().map(Vec::as_slice).unwrap_or_default();
        let enabled = |one: &Value| one["marketing_permission_id"] == id && one["enabled"] == true;
        if body["interests"][id] == true || permissions.iter().any(enabled) {
            found.push(opening(purpose, id));
        }
    }
    found
}

fn topic_openings(path: &[&str], body: &Value) -> Vec<Opening> {
    let one = |address: &str, wish: &Value| {
        let topic = wish["subscriptionId"].as_u64();
        let known = topics().into_iter().find(|(id, _)| Some(*id) == topic && wish["statusState"] == "SUBSCRIBED");
        known.map(|(id, purpose)| Opening {
            purpose,
            what: format!("hubspot {id}"),
            whose: Whose::Address(address.replace("%40", "@").replace("%2B", "+").to_lowercase()),
        })
    };
    let inputs = body["inputs"].as_array().map(Vec::as_slice).unwrap_or_default();
    match path {
        ["batch", "write"] => inputs
            .iter()
            .filter_map(|wish| one(wish["subscriberIdString"].as_str().unwrap_or_default(), wish))
            .collect(),
        ["batch", "unsubscribe-all", "read"] | [_, "unsubscribe-all"] => Vec::new(),
        [address] => one(address, body).into_iter().collect(),
        _ => panic!("{} is a write that nobody can judge", path.join("/")),
    }
}

fn contact_openings(id: &str, body: &Value) -> Vec<Opening> {
    let id = id.parse().expect("a contact is named by its number");
    let opening = |purpose, what: &str| Opening { purpose, what: format!("brevo {what}"), whose: Whose::Contact(id) };
    let mut found = Vec::new();
    if body["emailBlacklisted"] == false {
        found.extend(Purpose::ALL.map(|purpose| opening(purpose, "blocklist")));
    }
    for list in body["listIds"].as_array().into_iter().flatten() {
        let known = LISTS.into_iter().find(|(known, _)| list.as_u64() == Some(*known));
        let (list, purpose) = known.unwrap_or_else(|| panic!("{list} is a list that nobody knows"));
        found.push(opening(purpose, &list.to_string()));
    }
    found
}
