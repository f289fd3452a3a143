//! The documents of the protocol, in its own words. A word that is not known here is read as `Unknown` and never written.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::id::RequestId;

/// The version of the protocol that is spoken.
pub const API_VERSION: &str = "2.0";

/// The largest body that is read, in bytes.
pub const BODY_BYTES_MAX: usize = 1024 * 1024;

/// The elements that only one processor knows, by its domain.
pub(crate) type Extensions = BTreeMap<String, Value>;

/// The regulation that a request rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Regulation {
    /// The General Data Protection Regulation.
    Gdpr,
    /// The California Consumer Privacy Act.
    Ccpa,
    /// One that is not known here.
    #[serde(other, skip_serializing)]
    Unknown,
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestType {
    /// What is held (art. 15).
    Access,
    /// The data to take elsewhere (art. 20).
    Portability,
    /// To be erased (art. 17).
    Erasure,
    /// Something that is not known here.
    #[serde(other, skip_serializing)]
    Unknown,
}

/// What an identity is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdentityType {
    /// The number of a customer at the controller.
    ControllerCustomerId,
    /// An e-mail address.
    Email,
    /// An advertising id of Android.
    AndroidAdvertisingId,
    /// A device id of Android.
    AndroidId,
    /// An advertising id of Fire OS.
    FireAdvertisingId,
    /// An advertising id of iOS.
    IosAdvertisingId,
    /// A vendor id of iOS.
    IosVendorId,
    /// An advertising id of Microsoft.
    MicrosoftAdvertisingId,
    /// A publisher id of Microsoft.
    MicrosoftPublisherId,
    /// A publisher id of Roku.
    RokuPublisherId,
    /// An advertising id of Roku.
    RokuAdvertisingId,
    /// One that is not known here.
    #[serde(other, skip_serializing)]
    Unknown,
}

/// How an identity is spelt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdentityFormat {
    /// As it is.
    Raw,
    /// SHA-1 in hexadecimal.
    Sha1,
    /// MD5 in hexadecimal.
    Md5,
    /// SHA-256 in hexadecimal.
    Sha256,
    /// One that is not known here.
    #[serde(other, skip_serializing)]
    Unknown,
}

/// How far a request has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It was received.
    Pending,
    /// It is worked on.
    InProgress,
    /// It was fulfilled.
    Completed,
    /// It was cancelled.
    Cancelled,
    /// A status that is not known here. It never means that anything was done.
    #[serde(other, skip_serializing)]
    Unknown,
}

/// One identity of the person. `Debug` does not print the value.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// How it is spelt.
    pub identity_format: IdentityFormat,
    /// What it is.
    pub identity_type: IdentityType,
    /// The value. Never log it.
    pub identity_value: String,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({:?}, {:?}, …)", self.identity_type, self.identity_format)
    }
}

/// A request of a person, as a controller sends it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The version of the protocol.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub api_version: Option<String>,
    /// Elements that only one processor knows. They may name the person. Never log them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub extensions: Extensions,
    /// What it rests on.
    pub regulation: Regulation,
    /// Where changes of the status are told.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub status_callback_urls: Vec<String>,
    /// Who asks.
    #[serde(default)]
    pub subject_identities: Vec<Identity>,
    /// Its id.
    pub subject_request_id: RequestId,
    /// What is asked for.
    pub subject_request_type: RequestType,
    /// When the person asked.
    pub submitted_time: Timestamp,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (id, kind, people) = (&self.subject_request_id, self.subject_request_type, self.subject_identities.len());
        write!(f, "Request({id}, {kind:?}, {people} identities)")
    }
}

/// The answer to a request.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Created {
    /// Who the controller is to the processor.
    pub controller_id: String,
    /// The whole request in base64. It names the person: never log or keep it.
    pub encoded_request: String,
    /// Until when the processor expects to be done.
    pub expected_completion_time: Timestamp,
    /// When the processor received it.
    pub received_time: Timestamp,
    /// The id of the request.
    pub subject_request_id: RequestId,
}

impl fmt::Debug for Created {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Created({}, expected {})", self.subject_request_id, self.expected_completion_time)
    }
}

/// How far a request has come, as a processor answers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusReport {
    /// The version of the protocol.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub api_version: Option<String>,
    /// Who the controller is to the processor.
    pub controller_id: String,
    /// Until when the processor expects to be done.
    pub expected_completion_time: Timestamp,
    /// What the protocol has no word for, under the processor's domain.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub extensions: Extensions,
    /// How far it is.
    pub request_status: Status,
    /// How many results there are.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub results_count: Option<u64>,
    /// Where the results are.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub results_url: Option<String>,
    /// The id of the request.
    pub subject_request_id: RequestId,
}

/// A change of the status, as a processor tells it by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Callback {
    /// Who the controller is to the processor.
    pub controller_id: String,
    /// Until when the processor expects to be done.
    pub expected_completion_time: Timestamp,
    /// What the protocol has no word for, under the processor's domain.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub extensions: Extensions,
    /// How far it is.
    pub request_status: Status,
    /// How many results there are.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub results_count: Option<u64>,
    /// Where the results are.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub results_url: Option<String>,
    /// Where this was sent to: it must be one of the controller's own.
    pub status_callback_url: String,
    /// The id of the request.
    pub subject_request_id: RequestId,
}

/// The answer to a cancellation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancelled {
    /// The version of the protocol.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub api_version: Option<String>,
    /// Who the controller is to the processor.
    pub controller_id: String,
    /// When the processor received it.
    pub received_time: Timestamp,
    /// The id of the request.
    pub subject_request_id: RequestId,
}
