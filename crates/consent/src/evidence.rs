//! Evidence: what makes an opt-in a consent (GDPR art. 7(1), EDPB 05/2020 §108).
//!
//! An opt-in flag is a claim. The level of a claim follows from hard predicates, never from a score.

use crate::lack::{Lack, Lacks};
use crate::text::NoticeId;

/// How much of a consent can be demonstrated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Level {
    /// L0: no claim.
    #[default]
    Nothing,
    /// L1: someone says they opted in.
    Claim,
    /// L2: we know when and where.
    Traceable,
    /// L3: demonstrable under art. 7(1).
    Qualified,
    /// L4: control of the address proven.
    Confirmed,
    /// L5: signed or recorded, with the document.
    Signed,
}

impl Level {
    /// Every level, lowest first: the index is the number in "L3".
    pub const ALL: [Self; 6] =
        [Self::Nothing, Self::Claim, Self::Traceable, Self::Qualified, Self::Confirmed, Self::Signed];

    /// The level of this number, or `None` above five.
    ///
    /// ```
    /// use unisson_consent::Level;
    /// assert_eq!(Level::from_number(3), Some(Level::Qualified));
    /// assert_eq!(Level::from_number(6), None);
    /// ```
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }

    /// The number in "L3".
    pub fn number(self) -> u8 {
        self as u8
    }
}

/// What came with an opt-in. Every field is what the source could show; what it did not say is `false` or `None`.
#[expect(clippy::struct_excessive_bools, reason = "the predicates of the law, each on its own")]
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Evidence {
    /// A form, page, document or call reference: where it happened.
    pub capture: bool,
    /// The stored text that was shown.
    pub notice: Option<NoticeId>,
    /// That text named the controller (rec. 42).
    pub controller_named: bool,
    /// That text named this purpose and nothing wider.
    pub purpose_specific: bool,
    /// The person did something to say yes.
    pub affirmative: bool,
    /// The box was ticked beforehand; `None` where nobody knows, which is as bad as unproven.
    pub pre_ticked: Option<bool>,
    /// Tied to terms or to a sale (art. 7(2), 7(4)).
    pub bundled: bool,
    /// Read out of silence or behaviour (rec. 32).
    pub inferred: bool,
    /// The link in a message to the address was clicked.
    pub doi: bool,
    /// Given inside an authenticated session.
    pub authenticated: bool,
    /// Signed by hand or electronically.
    pub signed: bool,
    /// The signed form or the recording is stored.
    pub document: bool,
}

impl Evidence {
    /// The level these predicates reach by themselves. Source, time, actor and age cap it further when facts are folded.
    ///
    /// ```
    /// use unisson_consent::{Evidence, Level};
    /// let form = Evidence {
    ///     capture: true,
    ///     notice: Some("N3".into()),
    ///     controller_named: true,
    ///     purpose_specific: true,
    ///     affirmative: true,
    ///     pre_ticked: Some(false),
    ///     ..Evidence::default()
    /// };
    /// assert_eq!(form.level(), Level::Qualified);
    /// assert_eq!(Evidence { doi: true, ..form.clone() }.level(), Level::Confirmed);
    /// assert_eq!(Evidence { pre_ticked: Some(true), ..form }.level(), Level::Claim);
    /// ```
    pub fn level(&self) -> Level {
        if self.pre_ticked == Some(true) || self.bundled || self.inferred || !self.capture {
            return Level::Claim;
        }
        if !self.lacks().is_empty() {
            return Level::Traceable;
        }
        if self.document {
            Level::Signed
        } else if self.doi || self.authenticated {
            Level::Confirmed
        } else {
            Level::Qualified
        }
    }

    /// What keeps this evidence below L3; empty where nothing does (consent model 3.5).
    ///
    /// ```
    /// use unisson_consent::{Evidence, Lack};
    /// let flag = Evidence { capture: true, ..Evidence::default() };
    /// assert!(flag.lacks().contains(Lack::Notice) && !flag.lacks().contains(Lack::Capture));
    /// ```
    pub fn lacks(&self) -> Lacks {
        Lacks::default()
            .with_if(self.pre_ticked == Some(true), Lack::PreTicked)
            .with_if(self.bundled, Lack::Bundled)
            .with_if(self.inferred, Lack::Inferred)
            .with_if(!self.capture, Lack::Capture)
            .with_if(self.notice.is_none(), Lack::Notice)
            .with_if(!self.controller_named, Lack::Controller)
            .with_if(!self.purpose_specific, Lack::Purpose)
            .with_if(!self.affirmative, Lack::Affirmative)
            .with_if(self.pre_ticked.is_none(), Lack::PreTickedUnknown)
    }

    /// What keeps this evidence below L3, in the words of a report; empty where nothing does.
    pub fn missing(&self) -> Vec<&'static str> {
        self.lacks().iter().map(Lack::words).collect()
    }
}
