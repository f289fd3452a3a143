//! The names this connector gives to records, streams and slots, written and read back in one place.
//!
//! Mailchimp's own ids hold no slash, so a slash joins them. A name that was not made here is not guessed at.

use md5::{Digest as _, Md5};
use unisson_connector::{StreamId, Target};
use unisson_consent::{AddressKind, ListId, Purposes, RecordId, Scope};

/// What a stream of an audience shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Feed {
    /// Everyone in it who is not archived.
    Members,
    /// Those kept out of use.
    Archived,
    /// Spam reports.
    Complaints,
}

/// A stream: one feed of one audience.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StreamName {
    pub(crate) list: String,
    pub(crate) feed: Feed,
}

impl StreamName {
    pub(crate) fn new(list: &str, feed: Feed) -> Self {
        Self { list: list.to_owned(), feed }
    }

    /// Reads a stream id of this connector; `None` for anything else.
    pub(crate) fn parse(id: &StreamId) -> Option<Self> {
        let (list, feed) = match id.0.split_once('/') {
            None => (id.0.as_str(), Feed::Members),
            Some((list, "archived")) => (list, Feed::Archived),
            Some((list, "complaints")) => (list, Feed::Complaints),
            Some(_) => return None,
        };
        (!list.is_empty()).then(|| Self::new(list, feed))
    }

    pub(crate) fn id(&self) -> StreamId {
        let list = &self.list;
        StreamId(match self.feed {
            Feed::Members => list.clone(),
            Feed::Archived => format!("{list}/archived"),
            Feed::Complaints => format!("{list}/complaints"),
        })
    }
}

/// A slot of a member: what one opt-in of one audience is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place<'a> {
    /// The audience itself.
    Audience { list: &'a str },
    /// An interest, the vendor's word for a topic.
    Interest { list: &'a str, id: &'a str },
    /// A marketing permission, a line of the vendor's GDPR form.
    Permission { list: &'a str, id: &'a str },
    /// Text messages.
    Sms { list: &'a str },
}

impl<'a> Place<'a> {
    /// Reads the scope of a slot of this connector; `None` for anything else.
    pub(crate) fn parse(scope: &'a Scope) -> Option<Self> {
        let Purposes::List(id) = &scope.purposes else { return None };
        let mut parts = id.as_str().split('/');
        let list = parts.next().filter(|list| !list.is_empty())?;
        let place = match (parts.next(), parts.next()) {
            (None, None) => Self::Audience { list },
            (Some("sms"), None) => Self::Sms { list },
            (Some("interest"), Some(id)) => Self::Interest { list, id },
            (Some("permission"), Some(id)) => Self::Permission { list, id },
            _ => return None,
        };
        parts.next().is_none().then_some(place)
    }

    pub(crate) fn list(self) -> &'a str {
        match self {
            Self::Audience { list }
            | Self::Interest { list, .. }
            | Self::Permission { list, .. }
            | Self::Sms { list } => list,
        }
    }

    pub(crate) fn id(self) -> ListId {
        match self {
            Self::Audience { list } => ListId::new(list),
            Self::Interest { list, id } => ListId::new(format!("{list}/interest/{id}")),
            Self::Permission { list, id } => ListId::new(format!("{list}/permission/{id}")),
            Self::Sms { list } => ListId::new(format!("{list}/sms")),
        }
    }
}

/// The record of a member, by an id that stays when the address changes.
pub(crate) fn member_record(list: &str, member: &str) -> RecordId {
    RecordId::new(format!("{list}/{member}"))
}

/// The record of a spam report. A report names an address and the address's digest, but no lasting member id.
pub(crate) fn complaint_record(list: &str, report: &str) -> RecordId {
    RecordId::new(format!("{list}/complaint/{report}"))
}

/// The audience and, unless the record is a spam report, the member id of a record of this connector.
pub(crate) fn parse_record(record: &RecordId) -> Option<(&str, Option<&str>)> {
    let (list, rest) = record.as_str().split_once('/')?;
    if list.is_empty() || rest.is_empty() {
        return None;
    }
    Some((list, (!rest.contains('/')).then_some(rest)))
}

/// The name a member has in a path: the digest of its lower-cased address. `None` without an address.
pub(crate) fn subscriber_hash(target: &Target) -> Option<String> {
    target.address(AddressKind::Email).map(|address| digest(&address.raw().trim().to_lowercase()))
}

/// MD5 in lower-case hexadecimal digits, which is how Mailchimp names addresses. It protects nothing.
pub(crate) fn digest(text: &str) -> String {
    Md5::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use unisson_consent::{Channel, Channels};

    #[test]
    fn every_place_is_read_back_from_its_name() {
        let places = [
            Place::Audience { list: "a6b5" },
            Place::Interest { list: "a6b5", id: "9143" },
            Place::Permission { list: "a6b5", id: "ab12" },
            Place::Sms { list: "a6b5" },
        ];
        for place in places {
            let scope = Scope { purposes: Purposes::List(place.id()), channels: Channels::one(Channel::Email) };
            assert_eq!(Place::parse(&scope), Some(place));
        }
    }

    #[test]
    fn a_foreign_name_is_not_guessed_at() {
        for id in ["", "/sms", "a6b5/tag/1", "a6b5/interest", "a6b5/interest/1/2", "a6b5/sms/1"] {
            let scope = Scope { purposes: Purposes::List(ListId::new(id)), channels: Channels::ALL };
            assert_eq!(Place::parse(&scope), None, "{id}");
        }
        assert_eq!(Place::parse(&Scope::default()), None);
        for id in ["", "/archived", "a6b5/members"] {
            assert_eq!(StreamName::parse(&StreamId(id.to_owned())), None, "{id}");
        }
    }
}
