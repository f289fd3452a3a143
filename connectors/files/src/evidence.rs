//! What a row can show for an opt-in. What it does not say counts as missing, and doubt counts against it.

use unisson_consent::{Evidence, NoticeId};
use unisson_sdk::BuildError;

use crate::mapping::{Column, Columns};
use crate::settings::{EvidenceSettings, Origin};
use crate::truth::truth;

/// Where yes or no comes from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Flag {
    /// From nowhere.
    #[default]
    Absent,
    /// From settings.
    Always(bool),
    /// From a column.
    Column(Column),
}

/// Where a text comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Word {
    /// From nowhere.
    #[default]
    Absent,
    /// From settings.
    Always(String),
    /// From a column.
    Column(Column),
}

/// Where each predicate of evidence comes from.
#[derive(Debug, Default)]
pub(crate) struct EvidenceRule {
    capture: Flag,
    notice: Word,
    controller_named: Flag,
    purpose_specific: Flag,
    affirmative: Flag,
    pre_ticked: Flag,
    bundled: Flag,
    inferred: Flag,
    doi: Flag,
    authenticated: Flag,
    signed: Flag,
    document: Flag,
}

impl EvidenceRule {
    pub(crate) fn of(settings: Option<&EvidenceSettings>, columns: &mut Columns, at: &str) -> Result<Self, BuildError> {
        let Some(settings) = settings else { return Ok(Self::default()) };
        let mut flag =
            |origin: &Option<Origin>, name: &str| Flag::of(origin.as_ref(), columns, &format!("{at}.evidence.{name}"));
        Ok(Self {
            capture: flag(&settings.capture, "capture")?,
            controller_named: flag(&settings.controller_named, "controller_named")?,
            purpose_specific: flag(&settings.purpose_specific, "purpose_specific")?,
            affirmative: flag(&settings.affirmative, "affirmative")?,
            pre_ticked: flag(&settings.pre_ticked, "pre_ticked")?,
            bundled: flag(&settings.bundled, "bundled")?,
            inferred: flag(&settings.inferred, "inferred")?,
            doi: flag(&settings.doi, "doi")?,
            authenticated: flag(&settings.authenticated, "authenticated")?,
            signed: flag(&settings.signed, "signed")?,
            document: flag(&settings.document, "document")?,
            notice: Word::of(settings.notice.as_ref(), columns, &format!("{at}.evidence.notice"))?,
        })
    }

    /// The column that names the notice, whose cells must not be cut.
    pub(crate) fn notice_column(&self) -> Option<Column> {
        match self.notice {
            Word::Column(column) => Some(column),
            Word::Absent | Word::Always(_) => None,
        }
    }

    /// The evidence of a row, whose cells `cell` gives.
    pub(crate) fn read<'c>(&self, cell: impl Fn(Column) -> &'c str) -> Evidence {
        Evidence {
            capture: self.capture.refers(&cell),
            notice: self.notice.read(&cell).map(NoticeId::new),
            controller_named: self.controller_named.holds(&cell),
            purpose_specific: self.purpose_specific.holds(&cell),
            affirmative: self.affirmative.holds(&cell),
            pre_ticked: self.pre_ticked.read(&cell),
            bundled: self.bundled.looms(&cell),
            inferred: self.inferred.looms(&cell),
            doi: self.doi.holds(&cell),
            authenticated: self.authenticated.holds(&cell),
            signed: self.signed.refers(&cell),
            document: self.document.refers(&cell),
        }
    }
}

impl Flag {
    pub(crate) fn of(origin: Option<&Origin>, columns: &mut Columns, at: &str) -> Result<Self, BuildError> {
        match origin {
            None => Ok(Self::Absent),
            Some(Origin::Flag(flag)) => Ok(Self::Always(*flag)),
            Some(Origin::Column(name)) => Ok(Self::Column(columns.take(name))),
            Some(Origin::Text(_)) => {
                Err(BuildError::new(at, "a text where yes or no belongs: write true, false or a column"))
            }
        }
    }

    /// Yes, no, or nothing known.
    pub(crate) fn read<'c>(self, cell: &impl Fn(Column) -> &'c str) -> Option<bool> {
        match self {
            Self::Absent => None,
            Self::Always(flag) => Some(flag),
            Self::Column(column) => truth(cell(column)),
        }
    }

    /// Whether it is certainly so.
    pub(crate) fn holds<'c>(self, cell: &impl Fn(Column) -> &'c str) -> bool {
        self.read(cell) == Some(true)
    }

    /// Whether there is a reference, such as the id of a form: anything that is no "no".
    fn refers<'c>(self, cell: &impl Fn(Column) -> &'c str) -> bool {
        match self {
            Self::Column(column) => !cell(column).is_empty() && truth(cell(column)) != Some(false),
            Self::Absent | Self::Always(_) => self.holds(cell),
        }
    }

    /// Whether something that spoils a consent may be so: anything that is neither blank nor "no".
    fn looms<'c>(self, cell: &impl Fn(Column) -> &'c str) -> bool {
        self.refers(cell)
    }
}

impl Word {
    pub(crate) fn of(origin: Option<&Origin>, columns: &mut Columns, at: &str) -> Result<Self, BuildError> {
        match origin {
            None => Ok(Self::Absent),
            Some(Origin::Text(text)) if !text.trim().is_empty() => Ok(Self::Always(text.trim().to_owned())),
            Some(Origin::Column(name)) => Ok(Self::Column(columns.take(name))),
            Some(Origin::Text(_) | Origin::Flag(_)) => {
                Err(BuildError::new(at, "no text: write { value = \"…\" } or { column = \"…\" }"))
            }
        }
    }

    /// The text; `None` where there is none.
    pub(crate) fn read<'a, 'c: 'a>(&'a self, cell: &impl Fn(Column) -> &'c str) -> Option<&'a str> {
        match self {
            Self::Absent => None,
            Self::Always(text) => Some(text),
            Self::Column(column) => Some(cell(*column)).filter(|text| !text.is_empty()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(settings: &EvidenceSettings, cell: &'static str) -> Evidence {
        EvidenceRule::of(Some(settings), &mut Columns::default(), "claims.a").unwrap().read(|_| cell)
    }

    #[test]
    fn doubt_never_makes_a_proof() {
        let column = || Some(Origin::Column("c".to_owned()));
        let settings = EvidenceSettings {
            capture: column(),
            affirmative: column(),
            pre_ticked: column(),
            bundled: column(),
            document: column(),
            ..EvidenceSettings::default()
        };
        let odd = read(&settings, "form 7");
        assert!(odd.capture && odd.document && odd.bundled && !odd.affirmative);
        assert_eq!(odd.pre_ticked, None);
        let no = read(&settings, "no");
        assert!(!no.capture && !no.document && !no.bundled && !no.affirmative);
        assert_eq!(no.pre_ticked, Some(false));
        assert_eq!(read(&settings, ""), Evidence::default());
    }

    #[test]
    fn texts_and_flags_do_not_stand_for_each_other() {
        let text = EvidenceSettings { doi: Some(Origin::Text("yes".into())), ..EvidenceSettings::default() };
        let flag = EvidenceSettings { notice: Some(Origin::Flag(true)), ..EvidenceSettings::default() };
        for settings in [text, flag] {
            let error = EvidenceRule::of(Some(&settings), &mut Columns::default(), "claims.a").unwrap_err();
            assert!(error.path().starts_with("claims.a.evidence."), "{}", error.path());
        }
    }
}
