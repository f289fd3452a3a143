//! Presets: exports of platforms that are read without a mapping of columns, because their headers say what they are.
//!
//! What a status means follows the platform's own connector. Headers are compared but for case. A header that fits no
//! layout, two of them, or one only in part is refused with what is missing: it is never read by a guess, for a guess can
//! opt somebody in who is out.

mod brevo;
mod hubspot;
mod mailchimp;

use std::sync::Arc;

use unisson_connector::{Error, ErrorKind, Result};
use unisson_consent::{Channel, Channels, ListId, Purposes, Scope, Status};
use unisson_sdk::BuildError;

use crate::event::EventRule;
use crate::evidence::EvidenceRule;
use crate::mapping::{Claim, Column, Columns, Layout, Mapping, PersonRule, StatusRule};
use crate::row::is_blank;
use crate::settings::{Format, Preset, Settings};

/// What rows mean: the same for every file, or for each what its header says.
#[derive(Debug)]
pub(crate) enum Meaning {
    /// What settings say.
    Fixed(Arc<Mapping>),
    /// What the header says, and settings over it.
    ByHeader(Box<Fitting>),
}

/// How files are fitted to the layouts of platforms.
#[derive(Debug)]
pub(crate) struct Fitting {
    preset: Preset,
    settings: Settings,
    /// Names that occur in layouts, by which the separator of a file is found.
    wanted: Vec<String>,
}

/// What the rows of one file mean.
#[derive(Debug, Clone)]
pub(crate) struct Fitted {
    pub(crate) mapping: Arc<Mapping>,
    /// The layout that was recognised, in words.
    pub(crate) layout: Option<&'static str>,
}

/// A header, compared with a layout.
pub(crate) struct Head<'h> {
    first: &'h [String],
    columns: Columns,
    /// Whether settings name the columns of addresses themselves.
    names_addresses: bool,
    /// Whether settings say themselves what rows claim.
    claims: bool,
}

/// How far a header fits the layout of one platform.
pub(crate) struct Attempt {
    vendor: &'static str,
    /// Whether it bears the marks of that platform.
    bears_marks: bool,
    /// What the layout has and the header lacks.
    lacks: Vec<&'static str>,
    /// Why it does not say for certain what its rows mean.
    doubt: Option<&'static str>,
    /// What is in the file, in words.
    what: &'static str,
    layout: Layout,
}

impl Meaning {
    /// What settings say, if it makes sense.
    pub(crate) fn of(settings: Settings) -> std::result::Result<Self, BuildError> {
        let Some(preset) = settings.preset else { return Ok(Self::Fixed(Arc::new(Mapping::of(&settings)?))) };
        if !settings.header {
            return Err(BuildError::new("preset", "recognises a file by its header: take `header = false` out"));
        }
        if settings.format == Some(Format::Jsonl) {
            return Err(BuildError::new(
                "preset",
                "recognises delimited text only: map the keys of objects in `columns`",
            ));
        }
        // What settings say over a header is tried on one that has everything.
        let mut layout = Layout::default();
        layout.person.emails = vec![layout.columns.place("Email", 0)];
        Mapping::over(&settings, layout)?;
        let names = [mailchimp::NAMES, hubspot::NAMES, brevo::NAMES];
        let wanted = names.into_iter().flatten().map(|name| (*name).to_owned());
        let wanted = wanted.chain(settings.columns.email.0.iter().cloned()).collect();
        Ok(Self::ByHeader(Box::new(Fitting { preset, settings, wanted })))
    }

    /// The names of columns to expect in a header.
    pub(crate) fn wanted(&self) -> &[String] {
        match self {
            Self::Fixed(mapping) => mapping.columns.names(),
            Self::ByHeader(fitting) => &fitting.wanted,
        }
    }

    /// The mapping that every file has, if that is so.
    pub(crate) fn fixed(&self) -> Option<&Arc<Mapping>> {
        match self {
            Self::Fixed(mapping) => Some(mapping),
            Self::ByHeader(_) => None,
        }
    }

    /// What the rows of one file mean, given its first row and its name without extension. An empty file has no rows.
    pub(crate) fn fit(&self, first: impl FnOnce() -> Result<Option<Vec<String>>>, stem: &str) -> Result<Fitted> {
        match self {
            Self::Fixed(mapping) => Ok(Fitted { mapping: Arc::clone(mapping), layout: None }),
            Self::ByHeader(fitting) => match first()? {
                Some(first) => fitting.fit(&first, stem),
                None => Ok(Fitted { mapping: Arc::default(), layout: None }),
            },
        }
    }
}

impl Fitting {
    fn fit(&self, first: &[String], stem: &str) -> Result<Fitted> {
        let head = || Head {
            first,
            columns: Columns::default(),
            names_addresses: !self.settings.columns.email.0.is_empty(),
            claims: !self.settings.claims.is_empty(),
        };
        let attempts = match self.preset {
            Preset::Mailchimp => vec![mailchimp::try_on(head(), stem)],
            Preset::Hubspot => vec![hubspot::try_on(head())],
            Preset::Brevo => vec![brevo::try_on(head())],
            Preset::Auto => {
                let all = [mailchimp::try_on(head(), stem), hubspot::try_on(head()), brevo::try_on(head())];
                all.into_iter().filter(|attempt| attempt.bears_marks).collect()
            }
        };
        let attempt = only(attempts)?;
        let mapping = Mapping::over(&self.settings, attempt.layout);
        let mapping = mapping.map_err(|error| refused().because(error))?;
        Ok(Fitted { mapping: Arc::new(mapping), layout: Some(attempt.what) })
    }
}

/// The one attempt that fits; otherwise why none does.
fn only(attempts: Vec<Attempt>) -> Result<Attempt> {
    let (mut fit, unfit): (Vec<Attempt>, Vec<Attempt>) = attempts.into_iter().partition(Attempt::fits);
    match (fit.pop(), fit.is_empty()) {
        (Some(attempt), true) => Ok(attempt),
        (Some(other), false) => {
            let words = format!("its header fits {} and {} alike: name one in `preset`", fit[0].what, other.what);
            Err(refused().because(words))
        }
        (None, _) if unfit.is_empty() => {
            let words = "its header is that of no contact export of Mailchimp, HubSpot or Brevo: \
                map it in `columns` and `claims` of an instance of its own";
            Err(refused().because(words))
        }
        (None, _) => {
            let why: Vec<String> = unfit.iter().map(Attempt::words).collect();
            Err(refused().because(why.join("; ")))
        }
    }
}

fn refused() -> Error {
    Error::new(ErrorKind::Config, "recognise an export by its header")
}

impl Attempt {
    fn fits(&self) -> bool {
        self.lacks.is_empty() && self.doubt.is_none()
    }

    fn words(&self) -> String {
        let lacks =
            if self.lacks.is_empty() { String::new() } else { format!("it lacks {}", self.lacks.join(" and ")) };
        let doubt = self.doubt.unwrap_or_default();
        let and = if lacks.is_empty() || doubt.is_empty() { "" } else { ", and " };
        format!("as an export of {} {lacks}{and}{doubt}", self.vendor)
    }
}

impl Head<'_> {
    /// Where the columns of any of these names are.
    fn places(&self, names: &[&str]) -> Vec<usize> {
        let is_one = |cell: &String| names.iter().any(|name| bare(cell).eq_ignore_ascii_case(name));
        self.first.iter().enumerate().filter(|(_, cell)| is_one(cell)).map(|(place, _)| place).collect()
    }

    /// Whether there is a column of any of these names.
    pub(crate) fn has(&self, names: &[&str]) -> bool {
        !self.places(names).is_empty()
    }

    /// The columns of these names, which are in use from now on.
    pub(crate) fn all(&mut self, names: &[&'static str]) -> Vec<Column> {
        let places = self.places(names);
        places.into_iter().map(|place| self.columns.place(bare(&self.first[place]), place)).collect()
    }

    /// The first column of any of these names, which is in use from now on.
    pub(crate) fn one(&mut self, names: &[&'static str]) -> Option<Column> {
        let place = *self.places(names).first()?;
        Some(self.columns.place(bare(&self.first[place]), place))
    }

    /// The columns whose names begin like this and say more, each with the rest of its name.
    pub(crate) fn begun(&mut self, prefix: &str) -> Vec<(String, Column)> {
        let mut begun = Vec::new();
        for (place, cell) in self.first.iter().enumerate() {
            let cell = bare(cell);
            let rest = cell
                .get(..prefix.len())
                .filter(|begin| begin.eq_ignore_ascii_case(prefix))
                .map(|begin| &cell[begin.len()..]);
            if let Some(rest) = rest.filter(|rest| !is_blank(rest)) {
                begun.push((rest.trim().to_owned(), self.columns.place(cell, place)));
            }
        }
        begun
    }

    /// Whether any column's name begins like this.
    pub(crate) fn has_begun(&self, prefix: &str) -> bool {
        self.first
            .iter()
            .any(|cell| bare(cell).get(..prefix.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(prefix)))
    }
}

/// A claim about one list of a platform.
pub(crate) fn claim((list, channel): (&str, Channel), status: StatusRule) -> Claim {
    let scope = Scope { purposes: Purposes::List(ListId::new(list)), channels: Channels::one(channel) };
    over(scope, status)
}

/// A claim with this scope: by the person, without a date and without proof.
pub(crate) fn over(scope: Scope, status: StatusRule) -> Claim {
    Claim {
        scope,
        status,
        since: Vec::new(),
        actor: unisson_consent::Actor::DataSubject,
        evidence: EvidenceRule::default(),
        needs: None,
    }
}

/// A layout of these parts.
pub(crate) fn layout(head: Head<'_>, person: PersonRule, claims: Vec<Claim>, events: Vec<EventRule>) -> Layout {
    Layout { columns: head.columns, person, claims, events }
}

/// What a flag that marks an opt-out says: whatever is neither blank nor a no is one.
pub(crate) fn flagged(cells: &[&str]) -> Status {
    let no = |cell: &&str| cell.is_empty() || crate::truth::truth(cell) == Some(false);
    if cells.iter().all(no) { Status::Never } else { Status::Unsubscribed }
}

fn bare(cell: &str) -> &str {
    cell.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}')
}
