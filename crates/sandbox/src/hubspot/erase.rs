//! Erasing a contact for good. What its address chose stays: the portal has no call that deletes it.

use serde::Deserialize;

use super::contacts::looks_like_address;
use super::refuse::Trouble;
use super::state::State;
use crate::message::{Answer, Ask, ErasureBend, Reply};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Erasure {
    object_id: String,
    id_property: Option<String>,
}

/// POST: erases one contact, archived or not. An unknown address is only blocked, with the same answer.
pub(super) fn gdpr_delete(state: &mut State, ask: &Ask) -> Answer {
    let wish: Erasure = ask.json().map_err(|error| Trouble::invalid(error.to_string()))?;
    let bend = ask.bend.erasure;
    match wish.id_property.as_deref() {
        None | Some("hs_object_id") => {
            let at = State::position(&wish.object_id).ok_or_else(Trouble::not_found)?;
            if !state.erase(at, bend) {
                return Err(Trouble::not_found().into());
            }
        }
        Some("email") if looks_like_address(&wish.object_id) => match state.find(&wish.object_id) {
            Some(at) => {
                state.erase(at, bend);
            }
            None => state.block(&wish.object_id),
        },
        Some("email") => return Err(Trouble::invalid("the e-mail address is invalid").into()),
        Some(_) => return Err(Trouble::invalid("idProperty must be a unique property: email or hs_object_id").into()),
    }
    Ok(Reply::no_content())
}

impl State {
    /// Removes the contact at this position and blocks its addresses; `false` where there is none.
    pub(super) fn erase(&mut self, at: u32, bend: ErasureBend) -> bool {
        let Some(emails) = self.contact(at).map(|contact| self.emails(contact)) else { return false };
        match bend {
            ErasureBend::Archive => {
                self.archive(at);
                return true;
            }
            ErasureBend::Hide => self.hides_erased = true,
            ErasureBend::Straight => {}
        }
        self.put(at, None);
        for email in emails {
            self.block(&email);
        }
        true
    }
}
