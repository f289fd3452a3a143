//! Mailchimp's words, exactly: bodies as the vendor spells them.
//!
//! Unknown fields are ignored and unknown words are kept as such, because the contract grows under one version number.
//! Nothing is interpreted here, and nothing here can be printed: bodies hold addresses.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use unisson_sdk::Table;

/// The fields that consent needs of a member. Names, merge fields, tags and ratings are never fetched.
pub(crate) const MEMBER_FIELDS: &str = "total_items,members.id,members.email_address,members.unique_email_id,\
    members.contact_id,members.status,members.unsubscribe_reason,members.sms_phone_number,\
    members.sms_subscription_status,members.sms_subscription_last_updated,members.interests,members.ip_signup,\
    members.timestamp_signup,members.ip_opt,members.timestamp_opt,members.last_changed,members.source,\
    members.location.country_code,members.marketing_permissions";

/// Declares a closed list of the vendor's words that stays open for a new one.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$word_doc:meta])* $word:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Deserialize)]
        #[serde(from = "String")]
        pub(crate) enum $name {
            $($(#[$word_doc])* $word,)+
            /// A word the vendor added since.
            Other(String),
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                match text.as_str() {
                    $($text => Self::$word,)+
                    _ => Self::Other(text),
                }
            }
        }
    };
}

words! {
    /// `status` of a member.
    MemberStatus {
        Subscribed = "subscribed",
        Unsubscribed = "unsubscribed",
        /// Bounced hard or complained.
        Cleaned = "cleaned",
        /// Double opt-in not confirmed.
        Pending = "pending",
        /// Known from a purchase only.
        Transactional = "transactional",
        Archived = "archived",
    }
}

words! {
    /// `sms_subscription_status` of a member.
    SmsStatus {
        Subscribed = "subscribed",
        Unsubscribed = "unsubscribed",
        Nonsubscribed = "nonsubscribed",
        Pending = "pending",
    }
}

words! {
    /// `title` of a problem: the only thing that tells the refusals of one status code apart.
    Title {
        InComplianceState = "Member In Compliance State",
        Forgotten = "Forgotten Email Not Subscribed",
        Exists = "Member Exists",
        InvalidResource = "Invalid Resource",
    }
}

/// Text for which the vendor writes `null`, nothing or an empty string when there is none.
#[derive(Clone, Default, Deserialize)]
#[serde(from = "Option<String>")]
pub(crate) struct Text(Option<String>);

impl From<Option<String>> for Text {
    fn from(text: Option<String>) -> Self {
        Self(text.filter(|text| !text.trim().is_empty()))
    }
}

impl Text {
    pub(crate) fn get(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

/// A page of any listing. Its rows are read one by one, so that a bad one spoils no page; an answer without them is no
/// listing at all.
#[derive(Deserialize)]
pub(crate) struct Listed {
    /// Named after what is listed.
    #[serde(rename = "members", alias = "abuse_reports", alias = "lists", alias = "categories", alias = "interests")]
    pub(crate) rows: Vec<Box<RawValue>>,
    /// How many there are for the same question, whatever the page.
    pub(crate) total_items: u64,
}

/// A member, as far as its fields are fetched.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Member {
    /// The MD5 digest of the lower-cased address; it changes with the address.
    pub(crate) id: Text,
    pub(crate) email_address: Text,
    pub(crate) unique_email_id: Text,
    pub(crate) contact_id: Text,
    pub(crate) status: Option<MemberStatus>,
    pub(crate) unsubscribe_reason: Text,
    pub(crate) sms_phone_number: Text,
    pub(crate) sms_subscription_status: Option<SmsStatus>,
    pub(crate) sms_subscription_last_updated: Text,
    pub(crate) interests: Option<Table<bool>>,
    pub(crate) ip_signup: Text,
    pub(crate) timestamp_signup: Text,
    pub(crate) ip_opt: Text,
    pub(crate) timestamp_opt: Text,
    pub(crate) last_changed: Text,
    pub(crate) source: Text,
    pub(crate) location: Option<Location>,
    pub(crate) marketing_permissions: Option<Vec<Permission>>,
}

/// Where the vendor places a member.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Location {
    pub(crate) country_code: Text,
}

/// A line of the vendor's GDPR form.
#[derive(Deserialize)]
pub(crate) struct Permission {
    pub(crate) marketing_permission_id: String,
    #[serde(default)]
    pub(crate) text: Text,
    pub(crate) enabled: bool,
}

/// A row of `GET /lists/{list_id}/abuse-reports`.
#[derive(Deserialize)]
pub(crate) struct AbuseReport {
    /// A number in the specification, read as text too.
    pub(crate) id: Value,
    #[serde(default)]
    pub(crate) email_address: Text,
    #[serde(default)]
    pub(crate) date: Text,
}

/// A row of `GET /lists` (an audience), of its `interest-categories` or of their `interests`: an id and a name.
#[derive(Deserialize)]
pub(crate) struct Named {
    pub(crate) id: String,
    #[serde(default, alias = "title")]
    pub(crate) name: Text,
    /// Of an audience: whether its GDPR fields are on.
    #[serde(default)]
    pub(crate) marketing_permissions: Option<bool>,
    /// Of an audience: its figures.
    #[serde(default)]
    pub(crate) stats: Option<Stats>,
}

/// Figures of an audience.
#[derive(Deserialize)]
pub(crate) struct Stats {
    #[serde(default)]
    pub(crate) member_count: Option<u64>,
}

/// `GET /`, as far as its fields are fetched.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Root {
    pub(crate) account_name: Text,
    pub(crate) account_id: Text,
}

/// `application/problem+json`, the body of a refusal.
#[derive(Deserialize)]
pub(crate) struct Problem {
    #[serde(default)]
    pub(crate) title: Option<Title>,
    #[serde(default)]
    pub(crate) detail: Text,
    #[serde(default)]
    pub(crate) errors: Vec<FieldError>,
}

/// What is wrong with one field.
#[derive(Deserialize)]
pub(crate) struct FieldError {
    #[serde(default)]
    pub(crate) message: Text,
}
