//! Carrying a corrected address to a member: one `PATCH` of the address and of nothing else.
//!
//! A member keeps its status, its interests and its permissions with its new address; that is read from the answer and not
//! taken on trust. An audience at a time, as each membership is a record of its own.

use async_trait::async_trait;
use serde_json::json;
use unisson_connector::{Cx, Error, ErrorKind, Outcome, Rectify, Result, Target};
use unisson_consent::{Address, AddressKind};
use unisson_sdk::segment;

use crate::Mailchimp;
use crate::names::{digest, parse_record};
use crate::push::refusal;
use crate::wire::{Member, Problem};

const DURING: &str = "give a Mailchimp member another address";

#[async_trait]
impl Rectify for Mailchimp {
    async fn rectify(&self, _: &Cx<'_>, who: &Target, from: &Address, to: &Address) -> Result<Outcome> {
        let refused = |code: &str| Ok(Outcome::Refused(code.to_owned()));
        if [from, to].iter().any(|address| address.kind() != AddressKind::Email) {
            return refused("no_such_field");
        }
        let Some((list, Some(member))) = parse_record(&who.record) else { return refused("not_a_member") };
        let [raw, canonical] = [from.raw().trim().to_lowercase(), from.canonical().to_lowercase()];
        let mut held = None;
        for name in [member.to_owned(), digest(&raw), digest(&canonical)] {
            held = self.held(list, &name).await?;
            if held.is_some() {
                break;
            }
        }
        let Some(held) = held else { return Ok(Outcome::NotFound) };
        if shows(&held, to) {
            return Ok(Outcome::AlreadySo);
        }
        let Some(hash) = held.id.get().filter(|_| shows(&held, from)) else { return refused("address_changed") };
        let call = self.client.patch(&format!("/lists/{}/members/{}", segment(list), segment(hash)));
        let call = call.query("skip_merge_validation", true).json(&json!({ "email_address": to.raw().trim() }));
        let reply = match call.accept(&[400, 404]).send(DURING).await {
            Err(error) if matches!(error.kind(), ErrorKind::Lost | ErrorKind::Contract) => return Ok(Outcome::Unknown),
            reply => reply?,
        };
        match reply.status() {
            404 if reply.json::<Problem>()?.title.is_some() => return Ok(Outcome::NotFound),
            404 => return Err(Error::new(ErrorKind::Contract, DURING).with("status", 404)),
            400 => return Ok(refusal(&reply.json()?)),
            _ => {}
        }
        let now: Member = reply.json()?;
        if !shows(&now, to) {
            return refused("accepted_but_not_done");
        }
        // A status that came with another address would be nobody's doing.
        if now.status == held.status { Ok(Outcome::Applied) } else { refused("status_changed_with_the_address") }
    }
}

impl Mailchimp {
    /// A member as far as a correction needs it; `None` where Mailchimp says itself that there is none.
    async fn held(&self, list: &str, name: &str) -> Result<Option<Member>> {
        let call = self.client.get(&format!("/lists/{}/members/{}", segment(list), segment(name)));
        let reply = call.query("fields", "id,email_address,status").accept(&[404]).send(DURING).await?;
        match reply.status() {
            404 if reply.json::<Problem>()?.title.is_some() => Ok(None),
            404 => Err(Error::new(ErrorKind::Contract, DURING).with("status", 404)),
            _ => reply.json().map(Some),
        }
    }
}

/// Whether a member has this address, in whatever spelling.
fn shows(member: &Member, wanted: &Address) -> bool {
    let held = member.email_address.get().and_then(Address::email);
    held.is_some_and(|held| held.suppress_key() == wanted.suppress_key())
}
