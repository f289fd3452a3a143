//! The traits a connector implements. An ability is a facet: it cannot be declared without being there.

use std::fmt::Debug;

use async_trait::async_trait;
use unisson_consent::Address;

use crate::access::{Gathered, Seek};
use crate::change::{Action, Batch, Erasing, Outcome, Outcomes, Sighting, Target, Ticket};
use crate::error::Result;
use crate::info::{Calls, EraseSpec, Info, PullSpec, PushSpec};
use crate::page::{Account, Cursor, Page, Stream, StreamId};

/// What the host hands to every call.
#[derive(Debug, Clone, Copy)]
pub struct Cx<'a> {
    /// The run that the call belongs to, for traces.
    pub run: &'a str,
}

/// One configured account of one platform.
#[async_trait]
pub trait Connector: Send + Sync + Debug {
    /// What it is.
    fn info(&self) -> &Info;

    /// Tries credentials and permissions and lists what there is. Writes nothing.
    async fn probe(&self, cx: &Cx<'_>) -> Result<Account>;

    /// Reading contacts.
    fn pull(&self) -> Option<&dyn Pull> {
        None
    }

    /// Writing suppressions and, where allowed, consents.
    fn push(&self) -> Option<&dyn Push> {
        None
    }

    /// Erasing people.
    fn erase(&self) -> Option<&dyn Erase> {
        None
    }

    /// Telling everything held about one person.
    fn access(&self) -> Option<&dyn Access> {
        None
    }

    /// Carrying a corrected address.
    fn rectify(&self) -> Option<&dyn Rectify> {
        None
    }
}

/// Reading contacts, page by page.
#[async_trait]
pub trait Pull: Send + Sync {
    /// How it behaves.
    fn spec(&self) -> &PullSpec;

    /// The streams there are now.
    async fn streams(&self, cx: &Cx<'_>) -> Result<Vec<Stream>>;

    /// One page. Without a cursor a full sweep starts; with one, its pass goes on where the cursor says.
    async fn page(&self, cx: &Cx<'_>, stream: &StreamId, from: Option<&Cursor>) -> Result<Page>;
}

/// Writing changes.
#[async_trait]
pub trait Push: Send + Sync {
    /// How it behaves.
    fn spec(&self) -> &PushSpec;

    /// The calls that this many changes of one action and scope take, at most as many as a batch holds, retries left out.
    /// People are told by it how long a plan takes. One call, unless the connector says otherwise.
    fn calls(&self, _: Action, changes: usize) -> Calls {
        Calls { path: "", count: u64::from(changes > 0) }
    }

    /// Makes the changes of one batch and answers each exactly once. An error means that nothing is known to be done.
    async fn push(&self, cx: &Cx<'_>, batch: Batch) -> Result<Outcomes>;
}

/// Erasing people and seeing that they are gone.
#[async_trait]
pub trait Erase: Send + Sync {
    /// How it behaves.
    fn spec(&self) -> &EraseSpec;

    /// Asks the platform to erase one record for good.
    async fn erase(&self, cx: &Cx<'_>, who: &Target) -> Result<Erasing>;

    /// Asks the platform to erase one record for good, except these groups of fields, which a legal hold keeps. A platform
    /// that cannot tell them apart refuses with [`INSEPARABLE`], and nothing is erased.
    async fn erase_except(&self, _cx: &Cx<'_>, _who: &Target, _keep: &[String]) -> Result<Erasing> {
        Ok(Erasing::Refused(INSEPARABLE.to_owned()))
    }

    /// Reads back whether anything of the person is there.
    async fn verify(&self, cx: &Cx<'_>, who: &Target, ticket: Option<&Ticket>) -> Result<Sighting>;
}

/// The code of a refusal to take somebody off a blocklist of the platform's own: it keeps the address so that nobody writes
/// to it, and taking it off would let messages through.
pub const KEPT_SUPPRESSION: &str = "kept_suppression";

/// The code of a refusal to erase part of a record.
pub const INSEPARABLE: &str = "hold_not_separable";

/// Telling everything that a platform holds about one person, live (art. 15, 20).
///
/// An erasure begins with it: what is not found here is not erased.
#[async_trait]
pub trait Access: Send + Sync {
    /// Looks in every audience and kind of object, archived ones included, under every address, number and record id. No
    /// holdings mean that nothing is held; a place that could not be looked at is an error, or is named in
    /// [`Gathered::unseen`]. Writes nothing.
    async fn gather(&self, cx: &Cx<'_>, who: &Seek) -> Result<Gathered>;
}

/// Carrying a corrected address to a platform (art. 16, 19).
#[async_trait]
pub trait Rectify: Send + Sync {
    /// Puts the new address where a record holds the old one, and leaves every consent and every refusal as it is: where
    /// the platform would forget a refusal with the change, the connector sets it again in the same call or refuses.
    async fn rectify(&self, cx: &Cx<'_>, who: &Target, from: &Address, to: &Address) -> Result<Outcome>;
}
