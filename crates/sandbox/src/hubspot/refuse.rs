//! Refusals of the CRM: one error body, told apart by its category.

use serde_json::{Value, json};

use crate::message::Reply;

/// Why a call or a row of a batch is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trouble {
    pub(super) status: u16,
    pub(super) category: &'static str,
    pub(super) message: String,
}

impl Trouble {
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self { status: 400, category: "VALIDATION_ERROR", message: message.into() }
    }

    pub(super) fn not_found() -> Self {
        Self { status: 404, category: "OBJECT_NOT_FOUND", message: "resource not found".to_owned() }
    }

    /// The error body; within a batch it also names the inputs it is about.
    pub(super) fn body(&self, context: Option<Value>) -> Value {
        let mut body = json!({
            "status": "error",
            "message": self.message,
            "correlationId": CORRELATION,
            "category": self.category,
        });
        if let Some(context) = context {
            body["context"] = context;
        }
        body
    }
}

impl From<Trouble> for Reply {
    fn from(trouble: Trouble) -> Self {
        Self::json(trouble.status, &trouble.body(None))
    }
}

/// What the vendor's support asks for. It is the same for every call, so that answers can be compared.
pub(super) const CORRELATION: &str = "7c1f0a52-0000-4000-8000-000000000000";

/// The portal has not paid for this call, or the token lacks its scope.
pub(super) fn missing_scopes(scope: &str) -> Reply {
    let message = "This app hasn't been granted all required scopes to make this call.".to_owned();
    let mut body = Trouble { status: 403, category: "MISSING_SCOPES", message }.body(None);
    body["errors"] = json!([{
        "message": "One or more of the following scopes are required.",
        "context": {"requiredGranularScopes": [scope]},
    }]);
    Reply::json(403, &body)
}

/// An allowance is used up.
pub(super) fn rate_limited(policy: &str) -> Reply {
    let message = match policy {
        "DAILY" => "You have reached your daily limit.",
        "SECONDLY" => "You have reached your secondly limit.",
        _ => "You have reached your ten_secondly_rolling limit.",
    };
    Reply::json(
        429,
        &json!({
            "status": "error", "message": message, "errorType": "RATE_LIMIT", "correlationId": CORRELATION,
            "policyName": policy, "requestId": CORRELATION,
        }),
    )
}
