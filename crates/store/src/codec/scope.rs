//! Scopes: which purposes, over which channels.

use serde::{Deserialize, Serialize};
use unisson_consent::{Channels, ListId, PurposeId, Purposes, Scope};

use super::envelope;
use crate::error::Result;

/// The bytes of a scope. Equal scopes have equal bytes, so they can be compared and sorted by them.
pub fn encode_scope(scope: &Scope) -> Result<Vec<u8>> {
    envelope::seal(&ScopeBody::from(scope))
}

/// The scope of some bytes.
pub fn decode_scope(bytes: &[u8]) -> Result<Scope> {
    envelope::open::<ScopeBody>(bytes, "decode a scope").map(Into::into)
}

/// The stored form of a scope: the channels as bits, then the purposes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ScopeBody(u16, PurposesBody);

/// The stored form of the purposes of a scope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum PurposesBody {
    AllMarketing,
    Named(Vec<String>),
    List(String),
}

impl From<&Scope> for ScopeBody {
    fn from(scope: &Scope) -> Self {
        let purposes = match &scope.purposes {
            Purposes::AllMarketing => PurposesBody::AllMarketing,
            Purposes::Named(named) => {
                PurposesBody::Named(named.iter().map(|purpose| purpose.as_str().to_owned()).collect())
            }
            Purposes::List(list) => PurposesBody::List(list.as_str().to_owned()),
        };
        Self(scope.channels.bits(), purposes)
    }
}

impl From<ScopeBody> for Scope {
    fn from(body: ScopeBody) -> Self {
        let purposes = match body.1 {
            PurposesBody::AllMarketing => Purposes::AllMarketing,
            PurposesBody::Named(named) => Purposes::Named(named.into_iter().map(PurposeId::new).collect()),
            PurposesBody::List(list) => Purposes::List(ListId::new(list)),
        };
        Self { purposes, channels: Channels::from_bits(body.0) }
    }
}
