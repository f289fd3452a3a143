//! Channels: how a person can be reached, and which kind of address each one needs.

use crate::address::AddressKind;

/// A way to reach a person. Consent is given per purpose *and* channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Channel {
    /// Electronic mail (ePrivacy 2002/58 art. 13(1)).
    Email,
    /// Individual measurement of opens: a consent of its own (CNIL draft 2025, Garante 284/2026).
    EmailTracking,
    /// Text messages.
    Sms,
    /// Calls made by people (C. conso L223-1 in France).
    PhoneLive,
    /// Automated calls.
    PhoneAuto,
    /// Letters: opt-out in most of the Union.
    Postal,
    /// Notifications to a device.
    Push,
    /// Messengers addressed by phone number.
    Messaging,
    /// Advertising audiences matched by address.
    Ads,
}

impl Channel {
    /// Every channel, in the order in which they are shown.
    pub const ALL: [Self; 9] = [
        Self::Email,
        Self::EmailTracking,
        Self::Sms,
        Self::PhoneLive,
        Self::PhoneAuto,
        Self::Postal,
        Self::Push,
        Self::Messaging,
        Self::Ads,
    ];

    /// The name used in policies, scenarios and output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::EmailTracking => "email_tracking",
            Self::Sms => "sms",
            Self::PhoneLive => "phone_live",
            Self::PhoneAuto => "phone_auto",
            Self::Postal => "postal",
            Self::Push => "push",
            Self::Messaging => "messaging",
            Self::Ads => "ads",
        }
    }

    /// Reads the name of a channel; `None` for anything else.
    ///
    /// ```
    /// use unisson_consent::Channel;
    /// assert_eq!(Channel::parse("sms"), Some(Channel::Sms));
    /// assert_eq!(Channel::parse("fax"), None);
    /// ```
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.as_str() == name)
    }

    /// The kind of address this channel is keyed by.
    pub fn address_kind(self) -> AddressKind {
        match self {
            Self::Email | Self::EmailTracking | Self::Ads | Self::Push => AddressKind::Email,
            Self::Sms | Self::PhoneLive | Self::PhoneAuto | Self::Messaging => AddressKind::Phone,
            Self::Postal => AddressKind::Postal,
        }
    }
}

/// A set of channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Channels(u16);

impl Channels {
    /// No channel at all.
    pub const NONE: Self = Self(0);
    /// Every channel there is.
    pub const ALL: Self = Self((1 << Channel::ALL.len()) - 1);

    /// The set that holds just this channel.
    pub const fn one(channel: Channel) -> Self {
        Self(1 << channel as u16)
    }

    /// This set with one channel more.
    #[must_use]
    pub const fn with(self, channel: Channel) -> Self {
        Self(self.0 | 1 << channel as u16)
    }

    /// Whether the channel is in the set.
    pub const fn contains(self, channel: Channel) -> bool {
        self.0 & (1 << channel as u16) != 0
    }

    /// Whether the set is empty.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The channels of the set, in the order in which they are shown.
    pub fn iter(self) -> impl Iterator<Item = Channel> {
        Channel::ALL.into_iter().filter(move |channel| self.contains(*channel))
    }

    /// The set as a number, for a store: bit *n* is the *n*-th of [`Channel::ALL`].
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// The set from its number; bits that name no channel are dropped.
    pub const fn from_bits(bits: u16) -> Self {
        Self(bits & Self::ALL.0)
    }
}

impl FromIterator<Channel> for Channels {
    fn from_iter<I: IntoIterator<Item = Channel>>(channels: I) -> Self {
        channels.into_iter().fold(Self::NONE, Self::with)
    }
}
