//! Writing one member: add, change, add or change, archive, delete for good.

use super::change::{Merge, Wish};
use super::fields::Pick;
use super::lists::audience;
use super::problem::{EXISTS, INVALID, Trouble};
use super::state::State;
use crate::hash::hex;
use crate::message::{Answer, Ask, ErasureBend, Reply};
use crate::population::{Audience, Status};

pub(super) fn wish(ask: &Ask) -> Result<Wish, Reply> {
    ask.json().map_err(|error| Trouble::new(INVALID, &error.to_string()).into())
}

pub(super) fn merge(ask: &Ask) -> Merge {
    if ask.query("skip_merge_validation") == Some("true") { Merge::Skipped } else { Merge::Checked }
}

/// PATCH: changes a member that is there.
pub(super) fn patch(state: &mut State, ask: &Ask) -> Answer {
    let audience = audience(ask)?;
    let wish = wish(ask)?;
    let at = state.find_named(audience, ask.param(1)).ok_or_else(Trouble::not_found)?;
    state.update((audience, at), &wish, merge(ask))?;
    shown(state, (audience, at))
}

/// PUT: changes a member or adds it.
pub(super) fn put(state: &mut State, ask: &Ask) -> Answer {
    let audience = audience(ask)?;
    let wish = wish(ask)?;
    let name = ask.param(1);
    if let Some(at) = state.find_named(audience, name) {
        state.update((audience, at), &wish, merge(ask))?;
        return shown(state, (audience, at));
    }
    let email = wish.email_address.as_deref().unwrap_or_default();
    if !name.contains('@') && hex(email) != name.to_ascii_lowercase() {
        return Err(Trouble::invalid("email_address", "is not the address that the path names").into());
    }
    let status = wish.status_if_new.clone();
    let status = status.ok_or_else(|| Trouble::invalid("status_if_new", "is required for a new member"))?;
    let at = state.create(audience, (&wish, &status), merge(ask))?;
    shown(state, (audience, at))
}

/// POST: adds a member that is not there. One that is archived comes back.
pub(super) fn post(state: &mut State, ask: &Ask) -> Answer {
    let audience = audience(ask)?;
    let wish = wish(ask)?;
    let email = wish.email_address.as_deref().unwrap_or_default();
    let at = match state.find(audience, email) {
        Some(at) if state.roll(audience).member(at).is_some_and(|member| member.status == Status::Archived) => {
            state.update((audience, at), &wish, merge(ask))?;
            at
        }
        Some(_) => return Err(Trouble::new(EXISTS, "the address is a member already; use PUT to change it").into()),
        None => state.create(audience, (&wish, wish.status.as_deref().unwrap_or_default()), merge(ask))?,
    };
    shown(state, (audience, at))
}

/// DELETE: archives a member.
pub(super) fn archive(state: &mut State, ask: &Ask) -> Answer {
    let audience = audience(ask)?;
    let at = state.find_named(audience, ask.param(1)).ok_or_else(Trouble::not_found)?;
    state.archive(audience, at);
    Ok(Reply::no_content())
}

/// Deletes a member for good. The path must name it by its hash.
pub(super) fn delete_permanent(state: &mut State, ask: &Ask) -> Answer {
    let audience = audience(ask)?;
    let at = state.find_hashed(audience, ask.param(1)).ok_or_else(Trouble::not_found)?;
    match ask.bend.erasure {
        ErasureBend::Archive => {
            state.archive(audience, at);
            return Ok(Reply::no_content());
        }
        ErasureBend::Hide => state.hides_erased = true,
        ErasureBend::Straight => {}
    }
    state.forget(audience, at);
    Ok(Reply::no_content())
}

fn shown(state: &State, place: (Audience, u32)) -> Answer {
    let shown = state.show(place, Pick::ALL).ok_or_else(Trouble::not_found)?;
    Ok(Reply::json(200, &shown))
}

impl State {
    pub(super) fn archive(&mut self, audience: Audience, at: u32) {
        let member = self.roll(audience).member(at).filter(|member| member.status != Status::Archived).cloned();
        if let Some(mut member) = member {
            member.status = Status::Archived;
            member.changed = self.clock.now_s();
            self.put(audience, at, Some(member));
        }
    }
}
