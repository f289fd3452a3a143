//! Profiles: what holds in a country unless a policy says otherwise. They are data, in `config/`.

use crate::word::Vocabulary;

/// The built-in policy. It is the profile `eu-fr` in full, and every other profile says what differs from it.
pub const DEFAULT_POLICY: &str = include_str!("../../../../config/policy.toml");

/// Where a policy starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// France.
    EuFr,
    /// Germany.
    EuDe,
    /// Italy.
    EuIt,
    /// The United Kingdom.
    Uk,
    /// The United States.
    Us,
    /// Canada.
    Ca,
}

impl Profile {
    /// Every profile with the name used in policies.
    pub const ALL: [(Self, &'static str); 6] = [
        (Self::EuFr, "eu-fr"),
        (Self::EuDe, "eu-de"),
        (Self::EuIt, "eu-it"),
        (Self::Uk, "uk"),
        (Self::Us, "us"),
        (Self::Ca, "ca"),
    ];

    /// The name used in policies.
    pub fn as_str(self) -> &'static str {
        Self::ALL[self as usize].1
    }

    /// What the profile says beyond the built-in policy; `None` for the profile that the built-in policy is.
    pub(crate) fn text(self) -> Option<&'static str> {
        match self {
            Self::EuFr => None,
            Self::EuDe => Some(include_str!("../../../../config/profiles/eu-de.toml")),
            Self::EuIt => Some(include_str!("../../../../config/profiles/eu-it.toml")),
            Self::Uk => Some(include_str!("../../../../config/profiles/uk.toml")),
            Self::Us => Some(include_str!("../../../../config/profiles/us.toml")),
            Self::Ca => Some(include_str!("../../../../config/profiles/ca.toml")),
        }
    }
}

impl Vocabulary for Profile {
    const NAMES: &'static str = "a profile";

    fn words() -> Vec<&'static str> {
        Self::ALL.iter().map(|(_, word)| *word).collect()
    }

    fn meaning(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, known)| *known == word).map(|(profile, _)| profile)
    }
}
