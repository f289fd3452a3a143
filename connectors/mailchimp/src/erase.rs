//! Erasing a member for good, and seeing that it is gone.
//!
//! An audience at a time: each membership is a record of its own. Archiving is no erasure and is never used for one. The
//! digest in the path follows the address, so a member that is not there under the address last seen is looked for under
//! its lasting id before it counts as absent.

use std::time::Duration;

use async_trait::async_trait;
use unisson_connector::{Cx, Erase, EraseSpec, Erasing, Error, ErrorKind, Outcome, Result, Sighting, Target, Ticket};
use unisson_sdk::segment;

use crate::Mailchimp;
use crate::names::{parse_record, subscriber_hash};
use crate::push::refusal;
use crate::wire::{Member, MemberStatus};

/// Immediate; what stays is a digest that blocks a re-import.
pub(crate) const SPEC: EraseSpec =
    EraseSpec { asynchronous: false, settles_in: Duration::ZERO, residual_max: Duration::ZERO, keeps_tombstone: true };

#[async_trait]
impl Erase for Mailchimp {
    fn spec(&self) -> &EraseSpec {
        &SPEC
    }

    async fn erase(&self, _: &Cx<'_>, who: &Target) -> Result<Erasing> {
        let Some((list, member)) = parse_record(&who.record) else {
            return Ok(Erasing::Refused("not_a_record_of_mailchimp".to_owned()));
        };
        let hash = subscriber_hash(who);
        if let Some(hash) = &hash
            && let Some(done) = self.delete(list, hash).await?
        {
            return Ok(done);
        }
        match member {
            None if hash.is_none() => Ok(Erasing::Refused("no_address".to_owned())),
            None => Ok(Erasing::AlreadyAbsent),
            Some(member) => match self.member(list, member).await?.as_ref().and_then(|found| found.id.get()) {
                Some(hash) => Ok(self.delete(list, hash).await?.unwrap_or(Erasing::AlreadyAbsent)),
                None => Ok(Erasing::AlreadyAbsent),
            },
        }
    }

    async fn verify(&self, _: &Cx<'_>, who: &Target, _: Option<&Ticket>) -> Result<Sighting> {
        let Some((list, member)) = parse_record(&who.record) else { return Ok(Sighting::Unverified) };
        let hash = subscriber_hash(who);
        let keys: Vec<&str> = hash.as_deref().into_iter().chain(member).collect();
        if keys.is_empty() {
            return Ok(Sighting::Unverified);
        }
        for key in keys {
            match self.member(list, key).await {
                Ok(None) => {}
                Ok(Some(found)) if found.status == Some(MemberStatus::Archived) => return Ok(Sighting::Archived),
                Ok(Some(_)) => return Ok(Sighting::Present),
                Err(error) if error.kind() == ErrorKind::Scope => return Ok(Sighting::Unverified),
                Err(error) => return Err(error),
            }
        }
        Ok(Sighting::Absent)
    }
}

impl Mailchimp {
    /// Deletes for good; `None` where there is no such member.
    async fn delete(&self, list: &str, hash: &str) -> Result<Option<Erasing>> {
        const DURING: &str = "erase a Mailchimp member";
        let path = format!("/lists/{}/members/{}/actions/delete-permanent", segment(list), segment(hash));
        let reply = self.client.post(&path).repeatable().accept(&[400, 404]).send(DURING).await?;
        match reply.status() {
            204 => Ok(Some(Erasing::Done)),
            404 => Ok(None),
            400 => match refusal(&reply.json()?) {
                Outcome::Refused(code) => Ok(Some(Erasing::Refused(code))),
                _ => Err(Error::new(ErrorKind::RateLimited(None), DURING)),
            },
            status => Err(Error::new(ErrorKind::Contract, DURING).with("status", status)),
        }
    }

    /// A member by the digest of its address or by its lasting id; `None` where there is none.
    async fn member(&self, list: &str, key: &str) -> Result<Option<Member>> {
        let call = self.client.get(&format!("/lists/{}/members/{}", segment(list), segment(key)));
        let reply = call.query("fields", "id,status").accept(&[404]).send("look for a Mailchimp member").await?;
        if reply.status() == 404 { Ok(None) } else { reply.json().map(Some) }
    }
}
