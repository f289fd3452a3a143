//! What happens on the campaign platform without the API: people leave, come back, bounce; colleagues import and delete.

use serde::Deserialize;
use serde_json::json;

use super::contact::{Contact, Why, Zone, block_of, time};
use super::state::{Kind, ORDERS, State};
use crate::population::{BlockReason, List};
use crate::twin::ActError;

/// Something that happens on the campaign platform by another hand than the API's.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BrevoAct {
    /// Whose address.
    pub email: String,
    /// What happens.
    pub what: BrevoDeed,
}

/// What happens.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BrevoDeed {
    /// The person uses the link in a campaign: blocklisted for all campaigns.
    Unsubscribe,
    /// The person leaves one list, given by its id, and stays on the others.
    LeaveList(
        /// Its id.
        u64,
    ),
    /// The person wants no more messages about orders; campaigns go on.
    LeaveOrders,
    /// The person stops text messages.
    StopTexts,
    /// The address bounces for good.
    Bounce,
    /// The person reports a message as spam.
    Complain,
    /// The person fills in the form of one list, given by its id, and clicks the confirmation. It makes a contact where
    /// there is none, and lifts the blocklisting.
    SignUp(
        /// Its id.
        u64,
    ),
    /// A colleague imports the address from a file onto one list, given by its id. Who is blocklisted stays it; who was
    /// deleted, or had left only the list, is back as subscribed.
    Import(
        /// Its id.
        u64,
    ),
    /// A colleague blocklists the contact.
    Block,
    /// A colleague resubscribes the contact, which the platform lets happen.
    Resubscribe,
    /// A colleague deletes the contact, and its blocklisting with it.
    Delete,
    /// A colleague changes the address, which lifts the blocklisting.
    ChangeAddress(
        /// The new one.
        String,
    ),
}

impl State {
    pub(super) fn act_on(&mut self, act: &BrevoAct) -> Result<(), ActError> {
        let email = act.email.as_str();
        match &act.what {
            BrevoDeed::Unsubscribe => self.stop(email, Why::Person),
            BrevoDeed::Bounce => self.stop(email, Why::Bounce),
            BrevoDeed::Complain => self.stop(email, Why::Spam),
            BrevoDeed::Block => self.stop(email, Why::Admin),
            BrevoDeed::LeaveList(id) => {
                let list = known(*id)?;
                self.edit(email, |contact| {
                    let was = contact.lists & list.bit();
                    (contact.lists, contact.left) = (contact.lists & !list.bit(), contact.left | was);
                })
            }
            BrevoDeed::LeaveOrders => {
                self.block(&email.to_lowercase(), ORDERS, BlockReason::ByMail);
                Ok(())
            }
            BrevoDeed::StopTexts => self.edit(email, |contact| contact.no_texts = true),
            BrevoDeed::SignUp(id) => self.sign_up(email, known(*id)?),
            BrevoDeed::Import(id) => {
                let list = known(*id)?;
                self.add_or_edit(email, |contact| contact.join(list.bit()));
                Ok(())
            }
            BrevoDeed::Resubscribe => {
                let now = self.clock.now_ms();
                self.edit(email, |contact| contact.block(false, (Why::Unsaid, now)))
            }
            BrevoDeed::Delete => {
                let at = self.find(Kind::Email, email).ok_or(ActError::NotFound)?;
                self.put(at, None);
                Ok(())
            }
            BrevoDeed::ChangeAddress(new) => {
                if self.find(Kind::Email, new).is_some() {
                    return Err(ActError::Forbidden("another contact has the new address"));
                }
                let at = self.find(Kind::Email, email).ok_or(ActError::NotFound)?;
                let mut contact = self.contact(at).cloned().ok_or(ActError::NotFound)?;
                self.readdress(&mut contact, new);
                contact.modified_ms = self.clock.now_ms();
                self.put(at, Some(contact));
                Ok(())
            }
        }
    }

    /// Blocklists a contact for campaigns; a dead address, a complaint or a colleague blocks it for the rest as well.
    fn stop(&mut self, email: &str, why: Why) -> Result<(), ActError> {
        let now = self.clock.now_ms();
        self.edit(email, |contact| contact.block(true, (why, now)))?;
        if let Some(reason) = block_of(why) {
            self.block(&email.to_lowercase(), ORDERS, reason);
        }
        Ok(())
    }

    fn sign_up(&mut self, email: &str, list: List) -> Result<(), ActError> {
        if !email.contains('@') {
            return Err(ActError::Forbidden("the form takes an e-mail address only"));
        }
        let now = self.clock.now_ms();
        self.add_or_edit(email, |contact| {
            contact.block(false, (Why::Unsaid, now));
            contact.join(list.bit());
            let attributes = &mut contact.extra_mut().attributes;
            attributes.insert("DOUBLE_OPT-IN".to_owned(), json!("1"));
            attributes.insert("OPTIN_TIME".to_owned(), json!(time(now, Zone::Utc)));
        });
        Ok(())
    }

    fn edit(&mut self, email: &str, change: impl FnOnce(&mut Contact)) -> Result<(), ActError> {
        let at = self.find(Kind::Email, email).ok_or(ActError::NotFound)?;
        let old = self.contact(at).cloned().ok_or(ActError::NotFound)?;
        let mut contact = old.clone();
        change(&mut contact);
        if contact != old {
            contact.modified_ms = self.clock.now_ms();
            self.put(at, Some(contact));
        }
        Ok(())
    }

    fn add_or_edit(&mut self, email: &str, change: impl Fn(&mut Contact)) {
        if self.edit(email, &change).is_err() {
            let mut contact = Contact::fresh(Some(email.to_lowercase()), self.clock.now_ms());
            change(&mut contact);
            self.add(contact);
        }
    }
}

fn known(id: u64) -> Result<List, ActError> {
    List::of_id(id).ok_or(ActError::Forbidden("the account has no list of this id"))
}
