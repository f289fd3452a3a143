//! Brevo's words, exactly: bodies as the vendor spells them.
//!
//! Unknown fields are ignored and unknown words are kept as such. Nothing is interpreted here, and nothing here can be
//! printed: bodies hold addresses.

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;
use unisson_sdk::{Document, Reply, exact, read_row};

/// The codes of refusals that may be told on; anything else a body says goes no further.
const CODES: &str = "invalid_parameter missing_parameter out_of_range duplicate_parameter duplicate_request \
    document_not_found permission_denied unauthorized reseller_permission_denied account_under_validation \
    not_enough_credits method_not_allowed not_acceptable unprocessable_entity campaign_processing campaign_sent";

/// A page of contacts, lists or blocked contacts. Its rows are read one by one, so that a bad one spoils no page; an
/// answer without rows and count is no listing at all.
#[derive(Deserialize)]
pub(crate) struct Listed {
    #[serde(rename = "contacts", alias = "lists", deserialize_with = "nullable")]
    pub(crate) rows: Vec<Box<RawValue>>,
    /// How many there are for the same question, whatever the page.
    #[serde(deserialize_with = "nullable")]
    pub(crate) count: u64,
}

/// A contact. Its dates say when anything changed, not when somebody opted in or out, so they are not read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Contact {
    pub(crate) id: u64,
    /// Absent where only a telephone number is known.
    #[serde(default, deserialize_with = "text")]
    pub(crate) email: Option<String>,
    pub(crate) email_blacklisted: Option<bool>,
    pub(crate) sms_blacklisted: Option<bool>,
    #[serde(default, deserialize_with = "nullable")]
    pub(crate) list_ids: BTreeSet<u64>,
    #[serde(default, deserialize_with = "nullable")]
    pub(crate) list_unsubscribed: BTreeSet<u64>,
    #[serde(default)]
    attributes: Document,
}

impl Contact {
    /// An attribute as text; `None` where it is absent, blank or a number that may be another by now. Values keep the type
    /// the customer chose.
    pub(crate) fn attribute(&self, name: &str) -> Option<String> {
        let text = match self.attributes.value().get(name)? {
            Value::String(text) => text.trim().to_owned(),
            Value::Bool(flag) => flag.to_string(),
            Value::Number(number) => exact(number)?,
            Value::Null | Value::Array(_) | Value::Object(_) => return None,
        };
        (!text.is_empty()).then_some(text)
    }
}

/// A row of `GET /smtp/blockedContacts`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Blocked {
    #[serde(default, deserialize_with = "text")]
    pub(crate) email: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    pub(crate) sender_email: String,
    /// A code, and beside it a message for people, which may change and is not read.
    #[serde(default)]
    reason: Value,
    #[serde(default, rename = "blockedAt", deserialize_with = "nullable")]
    pub(crate) since: String,
}

impl Blocked {
    /// Why the address is blocked; empty where that is not said.
    pub(crate) fn code(&self) -> &str {
        self.reason["code"].as_str().unwrap_or_default()
    }
}

/// A row of `GET /contacts/lists`. Of its figures only the one for unique subscribers is kept up by the vendor.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct List {
    pub(crate) id: u64,
    #[serde(default, deserialize_with = "text")]
    pub(crate) name: Option<String>,
    pub(crate) unique_subscribers: Option<u64>,
}

/// The vendor's code of a refusal, if it is one of those it documents.
pub(crate) fn code(reply: &Reply) -> Option<&'static str> {
    let problem: Value = reply.json().ok()?;
    CODES.split(' ').find(|code| problem["code"] == **code)
}

/// Whether a 404 is Brevo's own word that it holds no such contact.
pub(crate) fn is_unknown_contact(reply: &Reply) -> bool {
    code(reply) == Some("document_not_found")
}

/// A row of this kind, or where it differs from the documentation. The value itself may be personal: it is never told.
pub(crate) fn read<T: DeserializeOwned>(row: &RawValue) -> Result<T, String> {
    read_row(row.get()).map_err(|place| format!("`{place}` is not as Brevo documents it: mend it there or report it"))
}

/// A value for which the vendor writes `null` when there is none.
fn nullable<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(from: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

/// Text for which the vendor writes `null` or an empty string when there is none.
fn text<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Ok(Option::<String>::deserialize(from)?.filter(|text| !text.trim().is_empty()))
}
