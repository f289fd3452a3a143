//! What people do to an audience without the API: they leave, bounce, complain, confirm, sign up, import.

use serde::Deserialize;

use super::member::{Extra, Member, interests, permissions};
use super::state::State;
use crate::population::{Audience, Lock, Reason, Status};
use crate::twin::ActError;

/// Something that happens on the mail platform by another hand than the API's.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailchimpAct {
    /// In which audience.
    pub audience: Audience,
    /// Whose address.
    pub email: String,
    /// What happens.
    pub what: MailchimpDeed,
}

/// What happens.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailchimpDeed {
    /// The person uses the link in a message: from then on only they can come back.
    Unsubscribe,
    /// The person reports a message as spam.
    Complain,
    /// The address bounces for good.
    Bounce,
    /// The person confirms a pending opt-in.
    Confirm,
    /// The person fills in the form. The letter asks for a confirmation first. It works for everybody, deleted or not.
    SignUp,
    /// An administrator imports the address from a file. Nobody who left comes back that way.
    Import,
    /// An administrator unsubscribes the member.
    RemoveByAdmin,
    /// An administrator archives the member.
    Archive,
    /// An administrator deletes the member for good.
    Delete,
    /// The person changes their address.
    ChangeAddress(
        /// The new one.
        String,
    ),
    /// The person leaves one interest, given by its id.
    LeaveInterest(
        /// Its id.
        String,
    ),
    /// The person withdraws one marketing permission, given by its id.
    WithdrawPermission(
        /// Its id.
        String,
    ),
}

impl State {
    pub(super) fn act_on(&mut self, act: MailchimpAct) -> Result<(), ActError> {
        let MailchimpAct { audience, email, what } = act;
        match (&what, self.find(audience, &email)) {
            (MailchimpDeed::SignUp, found) => {
                self.sign_up(audience, &email, found);
                Ok(())
            }
            (MailchimpDeed::Import, found) => self.import(audience, &email, found),
            (_, None) => Err(ActError::NotFound),
            (MailchimpDeed::Archive, Some(at)) => {
                self.archive(audience, at);
                Ok(())
            }
            (MailchimpDeed::Delete, Some(at)) => {
                self.forget(audience, at);
                Ok(())
            }
            (_, Some(at)) => self.touch((audience, at), &what),
        }
    }

    fn touch(&mut self, (audience, at): (Audience, u32), what: &MailchimpDeed) -> Result<(), ActError> {
        let mut member = self.roll(audience).member(at).cloned().ok_or(ActError::NotFound)?;
        let now = self.clock.now_s();
        let leave = |member: &mut Member, status, reason| {
            (member.status, member.lock, member.reason) = (status, Lock::Compliance, reason);
        };
        match what {
            MailchimpDeed::Unsubscribe => leave(&mut member, Status::Unsubscribed, Reason::NoLonger),
            MailchimpDeed::Bounce => leave(&mut member, Status::Cleaned, Reason::Bounce),
            MailchimpDeed::Complain => {
                leave(&mut member, Status::Cleaned, Reason::Abuse);
                member.complained = now;
            }
            MailchimpDeed::RemoveByAdmin => {
                (member.status, member.reason) = (Status::Unsubscribed, Reason::Admin);
                if member.lock == Lock::Open {
                    member.lock = Lock::Admin;
                }
            }
            MailchimpDeed::Confirm if member.status == Status::Pending => {
                (member.status, member.lock, member.reason) = (Status::Subscribed, Lock::Open, Reason::None);
                let extra = member.extra_mut();
                (extra.opted_in, extra.ip_opt) = (Some(now), Some("203.0.113.250".to_owned()));
            }
            MailchimpDeed::Confirm => return Err(ActError::Forbidden("nothing waits for a confirmation")),
            MailchimpDeed::ChangeAddress(new) if self.find(audience, new).is_some() => {
                return Err(ActError::Forbidden("another member has the new address"));
            }
            MailchimpDeed::ChangeAddress(new) => member.extra_mut().email = Some(new.clone()),
            MailchimpDeed::LeaveInterest(id) => member.topics &= !mask(interests(audience), id)?,
            MailchimpDeed::WithdrawPermission(id) => member.permissions &= !mask(permissions(audience), id)?,
            MailchimpDeed::SignUp | MailchimpDeed::Import | MailchimpDeed::Archive | MailchimpDeed::Delete => {}
        }
        member.changed = now;
        self.put(audience, at, Some(member));
        Ok(())
    }

    fn sign_up(&mut self, audience: Audience, email: &str, found: Option<u32>) {
        let now = self.clock.now_s();
        self.remember(audience, email);
        let confirmed = audience == Audience::Events;
        let status = if confirmed { Status::Subscribed } else { Status::Pending };
        let form = Extra {
            email: Some(email.to_owned()),
            source: Some("Hosted Signup Form".to_owned()),
            signed_up: Some(now),
            ip_signup: Some("203.0.113.250".to_owned()),
            opted_in: confirmed.then_some(now),
            ip_opt: confirmed.then(|| "203.0.113.250".to_owned()),
            ..Extra::default()
        };
        let Some((at, mut member)) = found.and_then(|at| Some((at, self.roll(audience).member(at)?.clone()))) else {
            let member = Member { changed: now, topics: 1, permissions: 1, ..Member::fresh(status, form) };
            self.add(audience, member);
            return;
        };
        if member.status == Status::Subscribed {
            return;
        }
        (member.status, member.changed) = (status, now);
        if confirmed {
            (member.lock, member.reason) = (Lock::Open, Reason::None);
        }
        let extra = member.extra_mut();
        (extra.signed_up, extra.ip_signup, extra.source) = (form.signed_up, form.ip_signup, form.source);
        (extra.opted_in, extra.ip_opt) = (form.opted_in.or(extra.opted_in), form.ip_opt.or(extra.ip_opt.take()));
        self.put(audience, at, Some(member));
    }

    fn import(&mut self, audience: Audience, email: &str, found: Option<u32>) -> Result<(), ActError> {
        if self.is_forgotten(audience, email) {
            return Err(ActError::Forbidden("the address was deleted for good and must sign up itself"));
        }
        let now = self.clock.now_s();
        let Some(at) = found else {
            let list = Extra {
                email: Some(email.to_owned()),
                source: Some("Import".to_owned()),
                opted_in: Some(now),
                ..Extra::default()
            };
            self.add(audience, Member { changed: now, ..Member::fresh(Status::Subscribed, list) });
            return Ok(());
        };
        let mut member = self.roll(audience).member(at).cloned().ok_or(ActError::NotFound)?;
        match (member.status, member.lock) {
            (Status::Subscribed, _) => return Ok(()),
            (_, Lock::Compliance) | (Status::Unsubscribed, _) => {
                return Err(ActError::Forbidden("an import does not bring back who left, bounced or complained"));
            }
            _ => {}
        }
        (member.status, member.changed) = (Status::Subscribed, now);
        self.put(audience, at, Some(member));
        Ok(())
    }
}

fn mask(named: &[(&str, &str)], id: &str) -> Result<u8, ActError> {
    let bit = named.iter().position(|(known, _)| *known == id);
    bit.map(|bit| 1 << bit).ok_or(ActError::Forbidden("the audience has no such interest or permission"))
}
