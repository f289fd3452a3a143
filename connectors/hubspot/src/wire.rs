//! HubSpot's own words, spelt as its interface spells them. Fields that nobody needs are not named, every closed list of
//! words has an arm for the ones nobody knows yet, and nothing is judged here: that is `translate`'s to do.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use unisson_connector::{Error, ErrorKind, Result};
use unisson_sdk::{Table, exact};

/// A page of `GET /crm/v3/objects/contacts` or of a search.
#[derive(Deserialize)]
pub(crate) struct ContactPage {
    /// Only there where a failure was sent as a success.
    status: Option<String>,
    /// The rows, each read on its own so that one bad row costs one row.
    pub(crate) results: Vec<Box<RawValue>>,
    /// How many match; only searches say.
    pub(crate) total: Option<u64>,
    paging: Option<Paging>,
}

#[derive(Deserialize)]
struct Paging {
    next: Option<NextPage>,
}

#[derive(Deserialize)]
struct NextPage {
    after: String,
}

impl ContactPage {
    /// The page, unless the answer is an error under the status of a success.
    pub(crate) fn checked(self, during: &'static str) -> Result<Self> {
        match &self.status {
            Some(status) if status == "error" => Err(Error::new(ErrorKind::Contract, during).with("status", "error")),
            _ => Ok(self),
        }
    }

    /// Where the next page starts; `None` is the documented end.
    pub(crate) fn after(&self) -> Option<&str> {
        Some(self.paging.as_ref()?.next.as_ref()?.after.as_str())
    }
}

/// One contact. Not `Debug`: its properties are a person's data.
#[derive(Deserialize)]
pub(crate) struct Contact {
    /// `hs_object_id`.
    pub(crate) id: String,
    #[serde(default)]
    properties: Table<Value>,
}

impl Contact {
    /// A property as text; `None` where it is absent, null or blank. Values are documented as text, but a retyped
    /// property must not cost the row.
    pub(crate) fn text(&self, property: &str) -> Option<String> {
        let text = match self.properties.get(property)? {
            Value::String(text) => text.trim().to_owned(),
            Value::Bool(flag) => flag.to_string(),
            Value::Number(number) => number.to_string(),
            Value::Null | Value::Array(_) | Value::Object(_) => return None,
        };
        (!text.is_empty()).then_some(text)
    }

    /// The same for what tells people apart: a number that may be another by now names nobody.
    pub(crate) fn identifier(&self, property: &str) -> Option<String> {
        match self.properties.get(property)? {
            Value::Number(number) => exact(number),
            _ => self.text(property),
        }
    }

    /// Whether a boolean property says yes. Anything but a plain no counts: what looks like an opt-out is one.
    pub(crate) fn flag(&self, property: &str) -> bool {
        self.text(property).is_some_and(|text| !matches!(text.to_ascii_lowercase().as_str(), "false" | "no" | "0"))
    }
}

/// `GET /crm/v3/properties/contacts`.
#[derive(Deserialize)]
pub(crate) struct PropertyPage {
    results: Vec<PropertyName>,
}

#[derive(Deserialize)]
struct PropertyName {
    name: String,
}

impl PropertyPage {
    /// The internal names.
    pub(crate) fn names(self) -> Vec<String> {
        self.results.into_iter().map(|property| property.name).collect()
    }
}

/// The envelope around every answer of `/communication-preferences/v4`.
#[derive(Deserialize)]
pub(crate) struct Envelope<T> {
    status: Option<ActionState>,
    pub(crate) results: Vec<T>,
    #[serde(default)]
    pub(crate) errors: Vec<ItemError>,
}

impl<T> Envelope<T> {
    /// The envelope, unless it says that its work was not finished.
    pub(crate) fn finished(self, during: &'static str) -> Result<Self> {
        match self.status {
            None | Some(ActionState::Complete) => Ok(self),
            Some(state) => Err(Error::new(ErrorKind::Contract, during).with("status", format!("{state:?}"))),
        }
    }
}

/// How far the work behind an envelope is.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum ActionState {
    Complete,
    Pending,
    Processing,
    Canceled,
    #[serde(other)]
    Unknown,
}

/// What went wrong, with a whole call or with one item of a 207.
#[derive(Deserialize)]
pub(crate) struct ItemError {
    #[serde(default)]
    pub(crate) category: Category,
    #[serde(default)]
    context: Value,
}

impl ItemError {
    /// Whether the error is about this address. The name of the context field is not documented, its values are.
    pub(crate) fn is_about(&self, address: &str) -> bool {
        let same = |value: &Value| value.as_str().is_some_and(|text| text.eq_ignore_ascii_case(address));
        let fields = self.context.as_object().into_iter().flat_map(|fields| fields.values());
        fields.into_iter().any(|field| same(field) || field.as_array().is_some_and(|texts| texts.iter().any(same)))
    }
}

/// HubSpot's classes of errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Category {
    ValidationError,
    InvalidEmail,
    ObjectNotFound,
    MissingScopes,
    Conflict,
    RateLimits,
    #[default]
    #[serde(other)]
    Unknown,
}

impl Category {
    /// The vendor's word, as the code that is told of a refusal.
    pub(crate) fn code(self) -> String {
        json!(self).as_str().unwrap_or("UNKNOWN").to_owned()
    }

    /// Whether the same item may succeed later.
    pub(crate) fn may_pass(self) -> bool {
        matches!(self, Self::Conflict | Self::RateLimits)
    }
}

/// Which allowance a 429 says is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum RatePolicy {
    Daily,
    TenSecondlyRolling,
    Secondly,
    #[default]
    #[serde(other)]
    Unknown,
}

/// The body of a 429.
#[derive(Deserialize)]
pub(crate) struct RateLimit {
    #[serde(default, rename = "policyName")]
    pub(crate) policy: RatePolicy,
}

/// A subscription type.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Definition {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) name: String,
    #[serde(default)]
    is_active: bool,
    communication_method: Option<String>,
}

impl Definition {
    /// Whether it is in use and about e-mail, the only channel that the interface can set.
    pub(crate) fn is_live_email(&self) -> bool {
        self.is_active && self.communication_method.as_deref().is_none_or(|method| method.eq_ignore_ascii_case("email"))
    }
}

/// What one address is set to for one subscription type.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SubscriptionStatus {
    pub(crate) subscriber_id_string: String,
    pub(crate) subscription_id: u64,
    pub(crate) status: SubscriptionState,
    /// Free text; the wide ones start with `PORTAL_WIDE`, `BRAND_WIDE` or `BUSINESS_UNIT_WIDE`.
    source: Option<String>,
    wide_status_type: Option<String>,
    pub(crate) timestamp: Option<String>,
    pub(crate) legal_basis: Option<LegalBasis>,
    pub(crate) set_status_success_reason: Option<ChangeReason>,
}

impl SubscriptionStatus {
    /// Whether the status comes from an opt-out of everything rather than of one type.
    pub(crate) fn is_wide(&self) -> bool {
        let wide =
            |text: &String| ["PORTAL_WIDE", "BRAND_WIDE", "BUSINESS_UNIT_WIDE"].iter().any(|w| text.starts_with(w));
        self.source.as_ref().is_some_and(wide) || self.wide_status_type.as_ref().is_some_and(wide)
    }
}

/// All statuses of one address, as the batch calls group them.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SubscriberStatuses {
    pub(crate) subscriber_id_string: String,
    pub(crate) statuses: Vec<SubscriptionStatus>,
}

/// The states of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum SubscriptionState {
    Subscribed,
    Unsubscribed,
    NotSpecified,
    #[serde(other)]
    Unknown,
}

/// The legal bases that HubSpot lets staff choose from: labels, not evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum LegalBasis {
    ConsentWithNotice,
    PerformanceOfContract,
    LegitimateInterestPql,
    LegitimateInterestClient,
    LegitimateInterestOther,
    ProcessAndStore,
    NonGdpr,
    #[serde(other)]
    Unknown,
}

/// What setting a status did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum ChangeReason {
    NoStatusChange,
    RequestedChangeOccurred,
    ResubscribeOccurred,
    UnsubscribeFromAllOccurred,
    #[serde(other)]
    Unknown,
}

/// `GET /account-info/v3/details`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AccountDetails {
    pub(crate) portal_id: u64,
    pub(crate) time_zone: Option<String>,
    pub(crate) data_hosting_location: Option<String>,
}

/// The body of `POST …/statuses/{email}`; with the address, an item of `POST …/statuses/batch/write`.
pub(crate) fn status_change(address: Option<&str>, subscription: u64, state: SubscriptionState) -> Value {
    let mut body = json!({"subscriptionId": subscription, "statusState": state, "channel": "EMAIL"});
    if let Some(address) = address {
        body["subscriberIdString"] = address.into();
    }
    if state == SubscriptionState::Subscribed {
        body["legalBasis"] = json!(LegalBasis::ConsentWithNotice);
        body["legalBasisExplanation"] = EXPLANATION.into();
    }
    body
}

/// What HubSpot shows beside a subscription made here. It names nobody.
const EXPLANATION: &str = "Consent given to the controller and kept in its register of consents";

/// One condition of a search.
pub(crate) fn filter(property: &str, operator: &str, value: &str) -> Value {
    json!({"propertyName": property, "operator": operator, "value": value})
}
