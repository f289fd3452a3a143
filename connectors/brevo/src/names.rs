//! The names this connector gives to records and slots, written and read back in one place. A name that was not made here
//! is not guessed at.

use sha2::{Digest as _, Sha256};
use unisson_consent::{Channel, Channels, ListId, Purposes, RecordId, Scope};

use crate::wire::Blocked;

/// A slot of a contact.
///
/// The blocklists are lists by name, so that they are places to write beside the account's own lists. As nobody maps them
/// to a purpose, an opt-out there counts for all marketing of its channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// `emailBlacklisted`: out of all marketing by e-mail.
    Blocklist,
    /// `smsBlacklisted`: out of all marketing by text message.
    SmsBlocklist,
    /// One list.
    List(u64),
}

impl Place {
    /// Reads the scope of a slot of this connector; `None` for anything else.
    pub(crate) fn parse(scope: &Scope) -> Option<Self> {
        let Purposes::List(id) = &scope.purposes else { return None };
        let number = id.as_str().parse().ok().map(Self::List);
        [Some(Self::Blocklist), Some(Self::SmsBlocklist), number].into_iter().flatten().find(|it| it.scope() == *scope)
    }

    pub(crate) fn id(self) -> ListId {
        match self {
            Self::Blocklist => ListId::new("blocklist"),
            Self::SmsBlocklist => ListId::new("sms-blocklist"),
            Self::List(number) => ListId::new(number.to_string()),
        }
    }

    pub(crate) fn scope(self) -> Scope {
        let channel = if self == Self::SmsBlocklist { Channel::Sms } else { Channel::Email };
        Scope { purposes: Purposes::List(self.id()), channels: Channels::one(channel) }
    }
}

/// What a block for transactional messages is about: all marketing by e-mail, unless it is mapped to something narrower.
pub(crate) fn transactional() -> Scope {
    Scope { purposes: Purposes::List(ListId::new("transactional")), channels: Channels::one(Channel::Email) }
}

/// The id of a contact, which stays when its address changes; `None` for a blocked address, which is no contact.
pub(crate) fn contact_id(record: &RecordId) -> Option<u64> {
    record.as_str().parse().ok()
}

/// What the record of a blocked address begins with.
const BLOCKED: &str = "blocked/";

/// Whether a record is that of a blocked address.
pub(crate) fn is_blocked(record: &RecordId) -> bool {
    record.as_str().starts_with(BLOCKED)
}

/// The record of a blocked address. The vendor gives no id, and an address may be blocked for several senders, reasons
/// and times: each is a record of its own, known by a digest of all of them.
pub(crate) fn blocked_record(blocked: &Blocked) -> RecordId {
    let email = blocked.email.as_deref().unwrap_or_default();
    let parts = [email, &blocked.sender_email, blocked.code(), &blocked.since];
    let digest = Sha256::digest(parts.join("\n"));
    let half = digest.iter().take(16).fold(0, |half: u128, byte| half << 8 | u128::from(*byte));
    RecordId::new(format!("{BLOCKED}{half:032x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_is_read_back_from_its_scope() {
        for place in [Place::Blocklist, Place::SmsBlocklist, Place::List(40)] {
            assert_eq!(Place::parse(&place.scope()), Some(place));
        }
    }

    #[test]
    fn a_foreign_name_is_not_guessed_at() {
        for id in ["", "transactional", "-4", "+40", "040", "40/1", "Blocklist"] {
            let scope = Scope { purposes: Purposes::List(ListId::new(id)), channels: Channels::one(Channel::Email) };
            assert_eq!(Place::parse(&scope), None, "{id}");
        }
        assert_eq!(Place::parse(&Scope::default()), None);
        let other_channel = Scope { channels: Channels::one(Channel::Sms), ..Place::List(40).scope() };
        assert_eq!(Place::parse(&other_channel), None);
        assert_eq!(contact_id(&RecordId::new("blocked/00ff")), None);
    }
}
