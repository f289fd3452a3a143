//! Erasing a contact for good, and seeing that it is gone.
//!
//! By its id only: an address may have moved to another contact since. What Brevo keeps beside the contact stays: the
//! logs of transactional messages for as long as it keeps them, and the transactional blocklist, where taking an address
//! off would let messages through again. Brevo forgets the blocklisting with the contact and keeps no digest of whom it
//! erased, so the host's own tombstone is what keeps a re-import out.

use std::time::Duration;

use async_trait::async_trait;
use unisson_connector::{
    Cx, Erase, EraseSpec, Erasing, Error, ErrorKind, KEPT_SUPPRESSION, Result, Sighting, Target, Ticket,
};
use unisson_consent::AddressKind;
use unisson_sdk::segment;

use crate::names::{contact_id, is_blocked};
use crate::wire::{code, is_unknown_contact};
use crate::{Brevo, CONTACTS};

/// Immediate, and nothing is kept that would block a re-import.
const SPEC: EraseSpec =
    EraseSpec { asynchronous: false, settles_in: Duration::ZERO, residual_max: Duration::ZERO, keeps_tombstone: false };
/// How many addresses of one person are looked for.
const ADDRESSES_MAX: usize = 100;

#[async_trait]
impl Erase for Brevo {
    fn spec(&self) -> &EraseSpec {
        &SPEC
    }

    async fn erase(&self, _: &Cx<'_>, who: &Target) -> Result<Erasing> {
        const DURING: &str = "erase a Brevo contact";
        let refused = |code: &str| Ok(Erasing::Refused(code.to_owned()));
        if is_blocked(&who.record) {
            return refused(KEPT_SUPPRESSION);
        }
        let Some(id) = contact_id(&who.record) else { return refused("no_contact") };
        let call = self.client.delete(&format!("{CONTACTS}/{id}")).query("identifierType", "contact_id");
        let reply = self.send(call, &[400, 404, 405, 425, 429], DURING).await?;
        match reply.status() {
            204 => Ok(Erasing::Done),
            404 if is_unknown_contact(&reply) => Ok(Erasing::AlreadyAbsent),
            405 => refused("address_of_the_account_itself"),
            400 => refused(code(&reply).unwrap_or("bad_request")),
            // The vendor is still working on the contact.
            425 => Err(Error::new(ErrorKind::RateLimited(None), DURING).with("status", 425)),
            status => Err(Error::new(ErrorKind::Contract, DURING).with("status", status)),
        }
    }

    /// Looks under the id and under every address: an import may have brought the person back as another contact.
    async fn verify(&self, _: &Cx<'_>, who: &Target, _: Option<&Ticket>) -> Result<Sighting> {
        let Some(id) = contact_id(&who.record) else { return Ok(Sighting::Unverified) };
        let emails = who.addresses.iter().filter(|address| address.kind() == AddressKind::Email);
        let mut keys = vec![(id.to_string(), "contact_id")];
        keys.extend(emails.map(|address| (segment(address.raw().trim()), "email_id")));
        if keys.len() > ADDRESSES_MAX {
            let error = Error::new(ErrorKind::Bounds, "look for the addresses of an erased Brevo contact");
            return Err(error.with("addresses", keys.len()));
        }
        for (identifier, kind) in keys {
            match self.contact(&identifier, kind).await {
                Ok(None) => {}
                Ok(Some(_)) => return Ok(Sighting::Present),
                Err(error) if error.kind() == ErrorKind::Scope => return Ok(Sighting::Unverified),
                Err(error) => return Err(error),
            }
        }
        Ok(Sighting::Absent)
    }
}
