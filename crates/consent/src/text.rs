//! Names as types: two strings of different meaning can never be swapped by mistake.

use std::fmt;
use std::sync::Arc;

/// Declares a cheap-to-clone text name with one meaning.
macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Wraps the text as it stands.
            pub fn new(text: impl AsRef<str>) -> Self {
                Self(Arc::from(text.as_ref()))
            }

            /// The text as it was given.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({:?})", stringify!($name), &*self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self::new(text)
            }
        }
    };
}

/// Declares a text name that may identify a person: `Debug` does not print it.
macro_rules! personal_name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Wraps the text as it stands.
            pub fn new(text: impl AsRef<str>) -> Self {
                Self(Arc::from(text.as_ref()))
            }

            /// The text as it was given. Never log it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}(…)", stringify!($name))
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self::new(text)
            }
        }
    };
}

name! {
    /// One connected account of one vendor: what the configuration calls an instance.
    SystemId
}
name! {
    /// A purpose of processing, as the policy names it (GDPR art. 5(1)(b)).
    PurposeId
}
name! {
    /// A list, topic, audience or subscription type in the words of its own system.
    ListId
}
name! {
    /// A stored version of the text a person was shown (EDPB 05/2020 §108).
    NoticeId
}
name! {
    /// Something the host once wrote to a system; an echo names it.
    PushId
}
personal_name! {
    /// A record's native id in its own system. Some vendors use the address itself: treat it as personal data.
    RecordId
}
personal_name! {
    /// A customer number, shared by the systems of one company.
    CustomerNo
}
personal_name! {
    /// A person's id where a system tells people who share a mailbox apart.
    PersonId
}
