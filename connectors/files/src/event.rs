//! What a row says has happened: a sale, an opt-out, a call.

use std::collections::BTreeSet;

use unisson_consent::{Activity, Actor, Bounce, Kind, Relation, Scope};
use unisson_sdk::BuildError;

use crate::evidence::{EvidenceRule, Flag, Word};
use crate::mapping::{Column, Columns, actor, listed, lower, scope};
use crate::settings::EventSettings;

/// What settings say that a row can say has happened.
#[derive(Debug)]
pub(crate) struct EventRule {
    pub(crate) scope: Scope,
    pub(crate) at: Option<Column>,
    pub(crate) when: When,
    pub(crate) actor: Actor,
    pub(crate) evidence: EvidenceRule,
    what: What,
}

/// When a row says that it has happened.
#[derive(Debug)]
pub(crate) enum When {
    /// When this cell says anything.
    Filled(Column),
    /// When this cell holds one of these texts, in lower case.
    Equals(Column, BTreeSet<String>),
    /// When this cell holds a date.
    Dated(Column),
}

/// What happened, with where its particulars come from.
#[derive(Debug)]
enum What {
    Plain(Plain),
    Grant,
    EraseRequest {
        verified: Flag,
    },
    Bounce {
        code: Word,
    },
    Relation {
        what: Relation,
        opt_out_offered: Flag,
        similar: Flag,
    },
    Activity(Activity),
    /// What the words of a vendor say.
    Told(Column, fn(&str) -> Kind),
}

/// What needs no particulars.
#[derive(Debug, Clone, Copy)]
enum Plain {
    Request,
    Refuse,
    Withdraw,
    Object,
    Complaint,
    Delivered,
    OperatorBlock,
    Restrict,
}

impl Plain {
    const ALL: [(Self, &'static str); 8] = [
        (Self::Request, "request"),
        (Self::Refuse, "refuse"),
        (Self::Withdraw, "withdraw"),
        (Self::Object, "object"),
        (Self::Complaint, "complaint"),
        (Self::Delivered, "delivered"),
        (Self::OperatorBlock, "operator_block"),
        (Self::Restrict, "restrict"),
    ];
}

impl EventRule {
    pub(crate) fn of(settings: &EventSettings, columns: &mut Columns, at: &str) -> Result<Self, BuildError> {
        let what = What::of(settings, columns, at)?;
        if settings.evidence.is_some() && !matches!(what, What::Grant) {
            return Err(BuildError::new(format!("{at}.evidence"), "only a grant carries evidence: take it out"));
        }
        let when = match (&settings.when, &settings.at) {
            (Some(when), _) => match &when.equals {
                Some(texts) if texts.is_empty() => {
                    return Err(BuildError::new(
                        format!("{at}.when.equals"),
                        "holds no text: name one, or leave it out",
                    ));
                }
                Some(texts) => When::Equals(columns.take(&when.column), lower(texts)),
                None => When::Filled(columns.take(&when.column)),
            },
            (None, Some(column)) => When::Dated(columns.take(column)),
            (None, None) => {
                return Err(BuildError::new(at, "nothing says when it happened: set `at`, or `when` with a column"));
            }
        };
        Ok(Self {
            scope: scope(settings.purposes.as_deref(), settings.list.as_deref(), settings.channels.as_deref(), at)?,
            at: columns.take_some(settings.at.as_ref()),
            when,
            actor: actor(settings.actor.as_deref(), at)?,
            evidence: EvidenceRule::of(settings.evidence.as_ref(), columns, at)?,
            what,
        })
    }

    /// What a vendor says in its own words of one address, wherever the cell that says so is filled like this.
    pub(crate) fn told(when: When, words: Column, read: fn(&str) -> Kind) -> Self {
        Self {
            scope: Scope::default(),
            at: None,
            when,
            actor: Actor::Machine,
            evidence: EvidenceRule::default(),
            what: What::Told(words, read),
        }
    }

    /// Who did it: a complaint that a vendor tells of came from a mailbox provider.
    pub(crate) fn actor_of(&self, kind: &Kind) -> Actor {
        match (&self.what, kind) {
            (What::Told(..), Kind::Complaint) => Actor::MailboxProvider,
            _ => self.actor,
        }
    }

    /// What happened, of a row whose cells `cell` gives.
    pub(crate) fn kind<'c>(&self, cell: impl Fn(Column) -> &'c str) -> Kind {
        match &self.what {
            What::Plain(plain) => match plain {
                Plain::Request => Kind::Request,
                Plain::Refuse => Kind::Refuse,
                Plain::Withdraw => Kind::Withdraw,
                Plain::Object => Kind::Object,
                Plain::Complaint => Kind::Complaint,
                Plain::Delivered => Kind::Delivered,
                Plain::OperatorBlock => Kind::OperatorBlock,
                Plain::Restrict => Kind::Restrict,
            },
            What::Grant => Kind::Grant { evidence: self.evidence.read(cell), valid_until: None },
            What::EraseRequest { verified } => Kind::EraseRequest { verified: verified.holds(&cell) },
            What::Bounce { code } => Kind::Bounce(bounce(code.read(&cell).unwrap_or_default())),
            What::Relation { what, opt_out_offered, similar } => Kind::Relationship {
                what: *what,
                opt_out_offered: opt_out_offered.holds(&cell),
                similar: similar.holds(&cell),
            },
            What::Activity(activity) => Kind::Activity(*activity),
            What::Told(words, read) => read(cell(*words)),
        }
    }
}

impl What {
    fn of(settings: &EventSettings, columns: &mut Columns, at: &str) -> Result<Self, BuildError> {
        let name = settings.kind.as_str();
        let what = match name {
            "grant" => Self::Grant,
            "erase_request" => Self::EraseRequest {
                verified: Flag::of(settings.verified.as_ref(), columns, &format!("{at}.verified"))?,
            },
            "bounce" => Self::bounce(settings, columns, at)?,
            _ => {
                let plain =
                    Plain::ALL.into_iter().find(|(_, known)| *known == name).map(|(plain, _)| Self::Plain(plain));
                let activity = || Activity::parse(name).map(Self::Activity);
                match (plain.or_else(activity), Relation::parse(name)) {
                    (Some(what), _) => what,
                    (None, Some(what)) => Self::relation(what, settings, columns, at)?,
                    (None, None) => return Err(unknown(at)),
                }
            }
        };
        let strangers = [
            ("verified", settings.verified.is_some() && !matches!(what, Self::EraseRequest { .. })),
            ("code", settings.code.is_some() && !matches!(what, Self::Bounce { .. })),
            ("opt_out_offered", settings.opt_out_offered.is_some() && !matches!(what, Self::Relation { .. })),
            ("similar", settings.similar.is_some() && !matches!(what, Self::Relation { .. })),
        ];
        match strangers.into_iter().find(|(_, strange)| *strange) {
            Some((key, _)) => {
                Err(BuildError::new(format!("{at}.{key}"), "means nothing for this kind of event: take it out"))
            }
            None => Ok(what),
        }
    }

    fn bounce(settings: &EventSettings, columns: &mut Columns, at: &str) -> Result<Self, BuildError> {
        let at = format!("{at}.code");
        match Word::of(settings.code.as_ref(), columns, &at)? {
            Word::Absent => Err(BuildError::new(
                at,
                "a bounce needs its enhanced status code (RFC 3463): name the column or the value",
            )),
            code => Ok(Self::Bounce { code }),
        }
    }

    fn relation(what: Relation, settings: &EventSettings, columns: &mut Columns, at: &str) -> Result<Self, BuildError> {
        Ok(Self::Relation {
            what,
            opt_out_offered: Flag::of(settings.opt_out_offered.as_ref(), columns, &format!("{at}.opt_out_offered"))?,
            similar: Flag::of(settings.similar.as_ref(), columns, &format!("{at}.similar"))?,
        })
    }
}

/// What a code means: an enhanced status code, or the words that platforms put in its place.
fn bounce(code: &str) -> Bounce {
    match code.to_lowercase().as_str() {
        "hard" => Bounce::Hard,
        "soft" => Bounce::Soft,
        code => Bounce::from_code(code),
    }
}

fn unknown(at: &str) -> BuildError {
    let plain = Plain::ALL.into_iter().map(|(_, name)| name);
    let relations = Relation::ALL.into_iter().map(|(_, name)| name);
    let activities = Activity::ALL.into_iter().map(|(_, name)| name);
    let known = ["grant", "erase_request", "bounce"].into_iter().chain(plain).chain(relations).chain(activities);
    BuildError::new(format!("{at}.kind"), format!("no kind of event: there are {}", listed(known)))
}
