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
    /// Reads a stream id of this connector; `None` for anything else.
    pub(crate) fn parse(id: &StreamId) -> Option<Self> {
        let (list, feed) = match id.0.split_once('/') {
            None => (id.0.as_str(), Feed::Members),
            Some((list, "archived")) => (list, Feed::Archived),
            Some((list, "complaints")) => (list, Feed::Complaints),
            Some(_) => return None,
        };
        (!list.is_empty()).then(|| Self { list: list.to_owned(), feed })
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
pub(crate) struct Place<'a> {
    pub(crate) list: &'a str,
    pub(crate) part: Part<'a>,
}

/// Which part of an audience.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part<'a> {
    /// All of it.
    Audience,
    /// An interest, the vendor's word for a topic.
    Interest(&'a str),
    /// A marketing permission, a line of the vendor's GDPR form.
    Permission(&'a str),
    /// Text messages.
    Sms,
}

impl<'a> Place<'a> {
    /// Reads the scope of a slot of this connector; `None` for anything else.
    pub(crate) fn parse(scope: &'a Scope) -> Option<Self> {
        let Purposes::List(id) = &scope.purposes else { return None };
        let names: Vec<&str> = id.as_str().splitn(4, '/').collect();
        let (list, part) = match names[..] {
            [list] => (list, Part::Audience),
            [list, "sms"] => (list, Part::Sms),
            [list, "interest", id] => (list, Part::Interest(id)),
            [list, "permission", id] => (list, Part::Permission(id)),
            _ => return None,
        };
        (!list.is_empty()).then_some(Self { list, part })
    }

    pub(crate) fn id(self) -> ListId {
        let list = self.list;
        ListId::new(match self.part {
            Part::Audience => list.to_owned(),
            Part::Interest(id) => format!("{list}/interest/{id}"),
            Part::Permission(id) => format!("{list}/permission/{id}"),
            Part::Sms => format!("{list}/sms"),
        })
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
    format!("{:032x}", u128::from_be_bytes(Md5::digest(text.as_bytes()).into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use unisson_consent::{Channel, Channels};

    #[test]
    fn every_place_is_read_back_from_its_name() {
        let parts = [Part::Audience, Part::Interest("9143"), Part::Permission("ab12"), Part::Sms];
        for place in parts.map(|part| Place { list: "a6b5", part }) {
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
