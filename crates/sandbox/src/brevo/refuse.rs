//! Refusals of the campaign platform: a code to branch on and a message not to.

use serde_json::json;

use crate::message::Reply;

/// Why a call is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trouble {
    pub(super) status: u16,
    pub(super) code: &'static str,
    pub(super) message: String,
    /// Which identifiers another contact has.
    pub(super) duplicates: Vec<&'static str>,
}

impl Trouble {
    pub(super) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), duplicates: Vec::new() }
    }

    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, "invalid_parameter", message)
    }

    pub(super) fn missing(message: impl Into<String>) -> Self {
        Self::new(400, "missing_parameter", message)
    }

    pub(super) fn out_of_range(message: impl Into<String>) -> Self {
        Self::new(400, "out_of_range", message)
    }

    pub(super) fn not_found(what: &str) -> Self {
        Self::new(404, "document_not_found", format!("{what} does not exist"))
    }

    /// Another contact has this identifier.
    pub(super) fn duplicate(identifier: &'static str) -> Self {
        let message = format!("{identifier} belongs to another contact");
        Self { duplicates: vec![identifier], ..Self::new(400, "duplicate_parameter", message) }
    }
}

impl From<Trouble> for Reply {
    fn from(trouble: Trouble) -> Self {
        let mut body = json!({"code": trouble.code, "message": trouble.message});
        if !trouble.duplicates.is_empty() {
            body["metadata"] = json!({"duplicate_identifiers": trouble.duplicates});
        }
        Self::json(trouble.status, &body)
    }
}
