//! The stored twins of the domain's plain enumerations. The order of their variants is part of the format: add at the end.

use serde::{Deserialize, Serialize};
use unisson_consent::{
    Activity, Actor, Audience, Basis, Bounce, ConsentStatus, HoldBasis, Level, Relation, Status, Verdict, Via,
};

/// Declares the stored twin of an enumeration, with both conversions.
macro_rules! mirror {
    ($body:ident is $domain:ident: $($variant:ident),+ $(,)?) => {
        #[doc = concat!("The stored form of [`", stringify!($domain), "`].")]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        pub(super) enum $body {
            $($variant),+
        }

        impl From<$domain> for $body {
            fn from(value: $domain) -> Self {
                match value {
                    $($domain::$variant => Self::$variant),+
                }
            }
        }

        impl From<$body> for $domain {
            fn from(value: $body) -> Self {
                match value {
                    $($body::$variant => Self::$variant),+
                }
            }
        }
    };
}

mirror!(ActorBody is Actor: DataSubject, Guardian, Operator, Import, Machine, MailboxProvider);
mirror!(ViaBody is Via: Message, Account);
mirror!(AudienceBody is Audience: B2c, B2b);
mirror!(StatusBody is Status: Subscribed, Pending, Unsubscribed, Complained, Invalid, Blocked, Never, Deleted, Unknown, Off);
mirror!(RelationBody is Relation: Sale, Inquiry, Contract, ContractEnd);
mirror!(ActivityBody is Activity: Click, Login, Purchase, Reply, Open);
mirror!(BounceBody is Bounce: Hard, Soft, Reassigned, Sender);
mirror!(HoldBasisBody is HoldBasis: LegalObligation, LegalClaims, Contract);
mirror!(LevelBody is Level: Nothing, Claim, Traceable, Qualified, Confirmed, Signed);
mirror!(VerdictBody is Verdict: Deny, Ask, Allow);
mirror!(ConsentStatusBody is ConsentStatus:
    Unknown, Requested, Unqualified, Granted, NotRequired, Expired, Lapsed, Invalidated, Refused, Withdrawn, Objected, Erased);
mirror!(BasisBody is Basis:
    SoftOptIn, LegitimateInterest, Contract, ContractInProgress, LegalObligation, ImpliedConsent, OptOutRegime);
