//! Facts, as the ledger keeps them.

use serde::{Deserialize, Serialize};
use unisson_consent::{Fact, FactId, PushId, RecordRef, SystemId};

use super::envelope::{self, corrupt};
use super::kind::KindBody;
use super::mirror::{ActorBody, ViaBody};
use super::scope::ScopeBody;
use super::time::{InstantBody, OccurredBody};
use super::who::WhoBody;
use super::{Names, Needs, Numbers};
use crate::error::Result;

/// What a fact says of its record beside the row it is kept in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// It is told on the record whose row it is kept with.
    Row,
    /// It names no record.
    Nothing,
    /// It is told on the record of this number and kept elsewhere, because it reaches beyond that record.
    Record(u64),
}

/// Where a fact is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// What it says of its record.
    pub about: About,
    /// The record that shows a day of birth, if the fact names one.
    pub owner: u64,
}

/// A fact as it is kept, before its numbers are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFact(FactBody);

/// The stored form of [`Fact`]. Its id is the row's key and stands apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FactBody {
    about: AboutBody,
    pub(super) who: WhoBody,
    pub(super) observed_at: InstantBody,
    pub(super) occurred: OccurredBody,
    pub(super) seq: Option<u64>,
    pub(super) actor: ActorBody,
    pub(super) via: ViaBody,
    pub(super) scope: ScopeBody,
    pub(super) kind: KindBody,
    pub(super) echo_of: Option<String>,
}

/// The stored form of [`About`]; what names no record names its system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum AboutBody {
    Row,
    System(String),
    Record(u64),
}

/// The bytes of a fact.
pub fn encode_fact(fact: &Fact, place: Place, numbers: &Numbers) -> Result<Vec<u8>> {
    let about = match place.about {
        About::Row => AboutBody::Row,
        About::Nothing => AboutBody::System(fact.system.as_str().to_owned()),
        About::Record(number) => AboutBody::Record(number),
    };
    envelope::seal(&FactBody {
        about,
        who: WhoBody::of(&fact.who, place.owner, numbers)?,
        observed_at: fact.observed_at.into(),
        occurred: fact.occurred.into(),
        seq: fact.seq,
        actor: fact.actor.into(),
        via: fact.via.into(),
        scope: (&fact.scope).into(),
        kind: KindBody::of(&fact.kind, numbers)?,
        echo_of: fact.echo_of.as_ref().map(|push| push.as_str().to_owned()),
    })
}

impl StoredFact {
    /// Reads the bytes of a fact.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        envelope::open(bytes, "decode a fact").map(Self)
    }

    /// What it says of its record.
    pub fn about(&self) -> About {
        match &self.0.about {
            AboutBody::Row => About::Row,
            AboutBody::System(_) => About::Nothing,
            AboutBody::Record(number) => About::Record(*number),
        }
    }

    /// The system that told it, where it names no record; otherwise the record says so.
    pub fn system(&self) -> Option<&str> {
        match &self.0.about {
            AboutBody::System(system) => Some(system),
            AboutBody::Row | AboutBody::Record(_) => None,
        }
    }

    /// Whether it asks for an erasure.
    pub fn is_request(&self) -> bool {
        matches!(self.0.kind, KindBody::EraseRequest { .. })
    }

    pub(super) fn body(&self) -> &FactBody {
        &self.0
    }

    /// Adds the numbers it speaks of.
    pub fn needs(&self, needs: &mut Needs) {
        self.0.who.needs(needs);
        self.0.kind.needs(needs);
        if let AboutBody::Record(number) = self.0.about {
            needs.records.insert(number);
        }
    }

    /// The fact, given what its numbers stand for and whose row it was kept with.
    pub fn build(self, id: FactId, row: Option<&RecordRef>, names: &Names) -> Result<Fact> {
        let body = self.0;
        let (system, record) = match body.about {
            AboutBody::System(system) => (SystemId::new(system), None),
            AboutBody::Row => {
                let row = row.ok_or_else(|| corrupt("decode a fact", "it stands apart from its record"))?;
                (row.system.clone(), Some(row.record.clone()))
            }
            AboutBody::Record(number) => {
                let record = names.record(number)?;
                (record.system.clone(), Some(record.record.clone()))
            }
        };
        Ok(Fact {
            id,
            system,
            record,
            who: body.who.build(names)?,
            observed_at: body.observed_at.build()?,
            occurred: body.occurred.build()?,
            seq: body.seq,
            actor: body.actor.into(),
            via: body.via.into(),
            scope: body.scope.into(),
            kind: body.kind.build(names)?,
            echo_of: body.echo_of.map(PushId::new),
        })
    }
}
