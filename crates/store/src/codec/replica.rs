//! Replicas: what a remote record showed last.

use serde::{Deserialize, Serialize};
use unisson_connector::{Presence, StreamId};
use unisson_consent::RecordRef;
use unisson_plan::{Digest, Replica, ReplicaSlot, Wrote};

use super::mirror::StatusBody;
use super::scope::ScopeBody;
use super::time::{InstantBody, OccurredBody};
use super::who::WhoBody;
use super::{Names, Needs, Numbers, envelope};
use crate::error::Result;

/// A replica as it is kept, before its numbers are read. Record, stream, presence and digest are columns of its row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredReplica(ReplicaBody);

/// The stored form of [`Replica`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct ReplicaBody {
    who: WhoBody,
    slots: Vec<SlotBody>,
}

/// The stored form of [`ReplicaSlot`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct SlotBody {
    scope: ScopeBody,
    status: StatusBody,
    since: OccurredBody,
    proof: u64,
    turn: u32,
    wrote: Option<WroteBody>,
}

/// The stored form of [`Wrote`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct WroteBody {
    before: StatusBody,
    status: StatusBody,
    at: InstantBody,
}

/// The bytes of a replica whose record has this number.
pub fn encode_replica(replica: &Replica, record: u64, numbers: &Numbers) -> Result<Vec<u8>> {
    let slots = replica.slots.iter().map(|slot| SlotBody {
        scope: (&slot.scope).into(),
        status: slot.status.into(),
        since: slot.since.into(),
        proof: slot.proof,
        turn: slot.turn,
        wrote: slot.wrote.map(|wrote| WroteBody {
            before: wrote.before.into(),
            status: wrote.status.into(),
            at: wrote.at.into(),
        }),
    });
    envelope::seal(&ReplicaBody { who: WhoBody::of(&replica.who, record, numbers)?, slots: slots.collect() })
}

impl StoredReplica {
    /// Reads the bytes of a replica.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        envelope::open(bytes, "decode a replica").map(Self)
    }

    /// Adds the numbers it speaks of.
    pub fn needs(&self, needs: &mut Needs) {
        self.0.who.needs(needs);
    }

    /// The replica, given the columns of its row and what its numbers stand for.
    pub fn build(self, row: (RecordRef, StreamId), shown: (Presence, Digest), names: &Names) -> Result<Replica> {
        let ((record, stream), (presence, digest)) = (row, shown);
        Ok(Replica {
            record,
            stream,
            presence,
            who: self.0.who.build(names)?,
            slots: self.0.slots.into_iter().map(SlotBody::build).collect::<Result<_>>()?,
            digest,
        })
    }
}

impl SlotBody {
    fn build(self) -> Result<ReplicaSlot> {
        let wrote = self
            .wrote
            .map(|wrote| Ok(Wrote { before: wrote.before.into(), status: wrote.status.into(), at: wrote.at.build()? }));
        Ok(ReplicaSlot {
            scope: self.scope.into(),
            status: self.status.into(),
            since: self.since.build()?,
            proof: self.proof,
            turn: self.turn,
            wrote: wrote.transpose()?,
        })
    }
}
