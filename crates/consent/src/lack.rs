//! What keeps an opt-in from being a consent, one element at a time (consent model 3.5).

use std::fmt;

/// One thing that an opt-in would have to show and does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lack {
    /// The box was ticked beforehand (rec. 32).
    PreTicked,
    /// Tied to terms or to a sale (art. 7(2), 7(4)).
    Bundled,
    /// Read out of silence or behaviour (rec. 32).
    Inferred,
    /// No form, page, document or call it happened on.
    Capture,
    /// The text that was shown is not stored (EDPB 05/2020 §108).
    Notice,
    /// That text does not name the controller (rec. 42).
    Controller,
    /// That text does not name this purpose alone (rec. 43).
    Purpose,
    /// Nothing that the person did to say yes (art. 4(11)).
    Affirmative,
    /// Nobody knows whether the box was ticked beforehand.
    PreTickedUnknown,
    /// No time, an impossible one, or a source whose clock says nothing.
    Date,
    /// Somebody else did it, and no document shows the person's own act.
    Actor,
    /// The source cannot vouch for so much without a document.
    Source,
    /// A child's yes without a guardian's (art. 8).
    Guardian,
    /// Control of the address was not proven, where that is needed.
    Confirmation,
    /// No signed form or recording, where that is needed.
    Document,
}

impl Lack {
    /// Every element with its code in output and its words in reports; what disqualifies comes first.
    pub const ALL: [(Self, &'static str, &'static str); 15] = [
        (Self::PreTicked, "pre_ticked", "the box was pre-ticked"),
        (Self::Bundled, "bundled", "bundled with other terms"),
        (Self::Inferred, "inferred", "inferred from silence"),
        (Self::Capture, "capture", "no capture reference"),
        (Self::Notice, "notice", "no stored notice text"),
        (Self::Controller, "controller", "controller not named"),
        (Self::Purpose, "purpose", "purpose not specific"),
        (Self::Affirmative, "affirmative", "no affirmative act"),
        (Self::PreTickedUnknown, "pre_ticked_unknown", "unknown whether the box was pre-ticked"),
        (Self::Date, "date", "no date to rely on"),
        (Self::Actor, "actor", "not by the person, and no document"),
        (Self::Source, "source", "the source cannot prove so much without a document"),
        (Self::Guardian, "guardian", "a child without a guardian"),
        (Self::Confirmation, "confirmation", "control of the address not confirmed"),
        (Self::Document, "document", "no signed or recorded document"),
    ];

    /// The code used in output.
    pub fn as_str(self) -> &'static str {
        Self::ALL[self as usize].1
    }

    /// The element in the words of a report.
    pub fn words(self) -> &'static str {
        Self::ALL[self as usize].2
    }
}

/// Everything that one opt-in lacks.
///
/// ```
/// use unisson_consent::{Lack, Lacks};
/// let lacks = Lacks::default().with(Lack::Date).with(Lack::Notice);
/// assert_eq!(lacks.to_string(), "notice date");
/// assert!(lacks.contains(Lack::Date) && lacks.len() == 2);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Lacks(u16);

impl Lacks {
    /// The same with one element more.
    #[must_use]
    pub const fn with(self, lack: Lack) -> Self {
        Self(self.0 | 1 << lack as u16)
    }

    /// The same with one element more where the condition holds.
    #[must_use]
    pub(crate) const fn with_if(self, lacking: bool, lack: Lack) -> Self {
        if lacking { self.with(lack) } else { self }
    }

    /// Whether the element is among them.
    pub const fn contains(self, lack: Lack) -> bool {
        self.0 & (1 << lack as u16) != 0
    }

    /// Whether nothing is lacking.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many elements are lacking.
    pub const fn len(self) -> u32 {
        self.0.count_ones()
    }

    /// The elements in the order of [`Lack::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Lack> {
        Lack::ALL.into_iter().map(|(lack, ..)| lack).filter(move |lack| self.contains(*lack))
    }
}

impl fmt::Display for Lacks {
    /// The codes, with spaces between them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, lack) in self.iter().enumerate() {
            let space = if place == 0 { "" } else { " " };
            write!(f, "{space}{}", lack.as_str())?;
        }
        Ok(())
    }
}
