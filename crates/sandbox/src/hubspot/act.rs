//! What people do in the CRM without the API: they leave, come back, bounce; colleagues import, archive and erase.

use serde::Deserialize;

use super::contact::Contact;
use super::state::State;
use crate::message::ErasureBend;
use crate::population::{Choice, Origin, Preference, Topic};
use crate::twin::ActError;

/// Something that happens in the CRM by another hand than the API's.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HubSpotAct {
    /// Whose address.
    pub email: String,
    /// What happens.
    pub what: HubSpotDeed,
}

/// What happens.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HubSpotDeed {
    /// The person opts out of everything on the preference page.
    UnsubscribeAll,
    /// The person opts out of one subscription type, given by its id.
    Unsubscribe(
        /// Its id.
        u64,
    ),
    /// The person fills in a form and opts in to one subscription type, given by its id. It makes a contact where there is
    /// none, lifts an opt-out of everything and works for erased addresses.
    SignUp(
        /// Its id.
        u64,
    ),
    /// The address bounces for good.
    Bounce,
    /// A colleague imports the address from a file as subscribed to the newsletter. Erased addresses stay out; what the
    /// address chose before stays chosen.
    Import,
    /// A colleague deletes the contact; it can be restored.
    Archive,
    /// A colleague restores a deleted contact, given by the address it had.
    Restore,
    /// A colleague erases the contact for good.
    Erase,
    /// The contact gets another primary address; the old one stays as an additional one.
    ChangeAddress(
        /// The new one.
        String,
    ),
}

impl State {
    pub(super) fn act_on(&mut self, act: &HubSpotAct) -> Result<(), ActError> {
        let email = act.email.as_str();
        let now = self.clock.now_ms();
        match &act.what {
            HubSpotDeed::UnsubscribeAll => {
                self.leave_all(email);
                Ok(())
            }
            HubSpotDeed::Unsubscribe(id) => {
                self.set_choice(email, *id, (Preference::Unsubscribed, Origin::PreferencePage))
            }
            HubSpotDeed::SignUp(id) => {
                let mut preferences = self.preferences(email);
                preferences.all_out_ms = None;
                self.set_preferences(email, preferences);
                self.set_choice(email, *id, (Preference::Subscribed, Origin::Form))?;
                self.unblock(email);
                self.add_or_touch(email, now);
                Ok(())
            }
            HubSpotDeed::Import => self.import(email, now),
            HubSpotDeed::Restore => self.restore(email, now),
            HubSpotDeed::Bounce => self.edit(email, |contact| contact.bounced = true),
            HubSpotDeed::Archive => self.edit(email, |contact| contact.archived_ms = now),
            HubSpotDeed::Erase => {
                let at = self.find(email).ok_or(ActError::NotFound)?;
                self.erase(at, ErasureBend::Straight);
                Ok(())
            }
            HubSpotDeed::ChangeAddress(new) => self.readdress(email, new),
        }
    }

    fn edit(&mut self, email: &str, change: impl FnOnce(&mut Contact)) -> Result<(), ActError> {
        let at = self.find(email).ok_or(ActError::NotFound)?;
        let mut contact = self.contact(at).cloned().ok_or(ActError::NotFound)?;
        change(&mut contact);
        contact.modified_ms = self.clock.now_ms();
        self.put(at, Some(contact));
        Ok(())
    }

    fn set_choice(&mut self, email: &str, id: u64, (state, origin): (Preference, Origin)) -> Result<(), ActError> {
        let topic = Topic::of_id(id).ok_or(ActError::Forbidden("the portal has no subscription type of this id"))?;
        let mut preferences = self.preferences(email);
        let at_ms = self.clock.now_ms();
        preferences.topics[topic as usize] = Choice { state, origin, at_ms, ..Choice::default() };
        self.set_preferences(email, preferences);
        Ok(())
    }

    fn add_or_touch(&mut self, email: &str, now_ms: i64) {
        if self.find(email).is_some() {
            self.touch(email, now_ms);
        } else {
            self.add(Contact::fresh(email, now_ms));
        }
    }

    fn import(&mut self, email: &str, now_ms: i64) -> Result<(), ActError> {
        if self.is_blocked(email) {
            return Err(ActError::Forbidden("the address was erased and an import may not bring it back"));
        }
        self.add_or_touch(email, now_ms);
        let before = self.preferences(email);
        let unsaid = before.topics[Topic::Newsletter as usize].state == Preference::NotSpecified;
        if unsaid && before.all_out_ms.is_none() {
            let id = u64::from(Topic::Newsletter.id());
            self.set_choice(email, id, (Preference::Subscribed, Origin::Import))?;
        }
        Ok(())
    }

    fn restore(&mut self, email: &str, now_ms: i64) -> Result<(), ActError> {
        if self.find(email).is_some() {
            return Err(ActError::Forbidden("another contact has the address by now"));
        }
        let deleted = self.contacts_from(0).filter(|(_, contact)| contact.archived_ms != 0).find(|(_, contact)| {
            self.emails(contact).first().is_some_and(|primary| primary.eq_ignore_ascii_case(email))
        });
        let (at, mut contact) = deleted.map(|(at, contact)| (at, contact.clone())).ok_or(ActError::NotFound)?;
        (contact.archived_ms, contact.modified_ms) = (0, now_ms);
        self.put(at, Some(contact));
        Ok(())
    }

    fn readdress(&mut self, email: &str, new: &str) -> Result<(), ActError> {
        if self.find(new).is_some() {
            return Err(ActError::Forbidden("another contact has the new address"));
        }
        let at = self.find(email).ok_or(ActError::NotFound)?;
        let mut emails = self.contact(at).map(|contact| self.emails(contact)).unwrap_or_default();
        emails.insert(0, new.to_lowercase());
        self.edit(email, |contact| contact.extra_mut().emails = Some(emails))
    }
}
