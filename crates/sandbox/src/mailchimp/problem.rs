//! Refusals of the mail platform: problem documents told apart by their title.

use serde_json::{Value, json};

use crate::message::Reply;

/// The titles that clients branch on.
pub(super) const COMPLIANCE: &str = "Member In Compliance State";
pub(super) const FORGOTTEN: &str = "Forgotten Email Not Subscribed";
pub(super) const EXISTS: &str = "Member Exists";
pub(super) const INVALID: &str = "Invalid Resource";
pub(super) const NOT_FOUND: &str = "Resource Not Found";

/// Why a write is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trouble {
    pub(super) title: &'static str,
    pub(super) detail: String,
    /// The field that is wrong, with what is wrong with it.
    pub(super) field: Option<(&'static str, String)>,
}

impl Trouble {
    pub(super) fn new(title: &'static str, detail: &str) -> Self {
        Self { title, detail: detail.to_owned(), field: None }
    }

    /// A field that does not hold what it should.
    pub(super) fn invalid(field: &'static str, message: &str) -> Self {
        let detail = "the resource submitted could not be validated; see the errors for the field".to_owned();
        Self { title: INVALID, detail, field: Some((field, message.to_owned())) }
    }

    pub(super) fn not_found() -> Self {
        Self::new(NOT_FOUND, "the requested resource could not be found")
    }
}

impl From<Trouble> for Reply {
    fn from(trouble: Trouble) -> Self {
        let status = if trouble.title == NOT_FOUND { 404 } else { 400 };
        let errors = trouble.field.map(|(field, message)| json!([{"field": field, "message": message}]));
        problem(status, trouble.title, (&trouble.detail, errors))
    }
}

/// A problem document. `instance` is what the vendor's support asks for.
pub(super) fn problem(status: u16, title: &str, (detail, errors): (&str, Option<Value>)) -> Reply {
    let mut body = json!({
        "type": "https://mailchimp.com/developer/marketing/docs/errors/",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": "5a7e3c10-0000-4000-8000-000000000000",
    });
    if let Some(errors) = errors {
        body["errors"] = errors;
    }
    Reply::typed(status, "application/problem+json; charset=utf-8", body.to_string())
}
