//! The memory of the mail platform: two rolls of members, small enough for a million of them.
//!
//! A member that the population begot keeps its index and what changed; the rest is computed when it is shown.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::member::Member;
use crate::clock::Watch;
use crate::hash::{hex, key};
use crate::options::MailchimpOptions;
use crate::population::{Audience, MemberSeed, Population, Status};
use crate::view::Views;

/// The account.
pub(crate) struct State {
    pub(super) options: MailchimpOptions,
    pub(super) population: Arc<Population>,
    pub(super) clock: Watch,
    rolls: [Roll; 2],
    /// Whether nobody is told that a member was erased.
    pub(super) hides_erased: bool,
    journal: Option<Vec<Undo>>,
}

/// One audience.
#[derive(Default)]
pub(super) struct Roll {
    /// In the order of joining; a deleted member leaves a gap, so that positions stay.
    members: Vec<Option<Member>>,
    by_key: HashMap<u64, u32>,
    /// Keys of addresses that were deleted for good.
    forgotten: HashSet<u64>,
    counts: [u64; Status::ALL.len()],
    /// Moves on with every change.
    pub(super) version: u64,
    pub(super) views: Views,
}

/// What a change replaced.
enum Undo {
    Member(Audience, u32, Option<Box<Member>>),
    Forgot(Audience, u64),
}

impl State {
    pub(crate) fn new(options: MailchimpOptions, population: Arc<Population>, clock: Watch) -> Self {
        let rolls = [Roll::default(), Roll::default()];
        let mut state = Self { options, population, clock, rolls, hides_erased: false, journal: None };
        state.seed();
        state
    }

    pub(super) fn seed(&mut self) {
        self.hides_erased = false;
        for audience in Audience::ALL {
            self.rolls[audience as usize] = Roll::default();
        }
        let population = Arc::clone(&self.population);
        for person in population.people() {
            for audience in Audience::ALL {
                if let Some(seed) = MemberSeed::of(audience, &person) {
                    let key = key(&person.spelling(audience.system()));
                    self.rolls[audience as usize].push(Member::seeded(person.index(), &seed), key);
                }
            }
        }
    }

    pub(super) fn roll(&self, audience: Audience) -> &Roll {
        &self.rolls[audience as usize]
    }

    /// The position of the member with this address.
    pub(super) fn find(&self, audience: Audience, email: &str) -> Option<u32> {
        self.roll(audience).by_key.get(&key(email)).copied()
    }

    /// The position of the member that a path names by hash, address or contact id.
    pub(super) fn find_named(&self, audience: Audience, name: &str) -> Option<u32> {
        if name.contains('@') {
            return self.find(audience, name);
        }
        self.find_hashed(audience, name).or_else(|| {
            let at = super::member::position_of(audience, name)?;
            self.roll(audience).member(at).map(|_| at)
        })
    }

    /// The position of the member whose address has this hash.
    pub(super) fn find_hashed(&self, audience: Audience, hash: &str) -> Option<u32> {
        let key = u64::from_str_radix(hash.get(..16)?, 16).ok()?;
        let at = *self.roll(audience).by_key.get(&key)?;
        let email = self.email(audience, self.roll(audience).member(at)?);
        (hex(&email) == hash.to_ascii_lowercase()).then_some(at)
    }

    /// Whether a path names a member that was deleted for good, by hash or contact id.
    pub(super) fn was_erased(&self, audience: Audience, name: &str) -> bool {
        let roll = self.roll(audience);
        let key = name.get(..16).and_then(|start| u64::from_str_radix(start, 16).ok());
        let gap = super::member::position_of(audience, name).and_then(|at| roll.members.get(at as usize));
        key.is_some_and(|key| roll.forgotten.contains(&key)) || gap.is_some_and(Option::is_none)
    }

    /// Whether this address was deleted for good.
    pub(super) fn is_forgotten(&self, audience: Audience, email: &str) -> bool {
        self.roll(audience).forgotten.contains(&key(email))
    }

    /// The address of a member.
    pub(super) fn email(&self, audience: Audience, member: &Member) -> String {
        member.own_email().map_or_else(|| self.population.person(member.who).spelling(audience.system()), str::to_owned)
    }

    /// Adds a member and returns its position.
    pub(super) fn add(&mut self, audience: Audience, member: Member) -> u32 {
        let key = key(&self.email(audience, &member));
        let at = self.rolls[audience as usize].push(member, key);
        self.note(Undo::Member(audience, at, None));
        at
    }

    /// Replaces the member at this position, or removes it.
    pub(super) fn put(&mut self, audience: Audience, at: u32, member: Option<Member>) {
        let old = self.roll(audience).member(at).cloned();
        let old_key = old.as_ref().map(|old| key(&self.email(audience, old)));
        let new_key = member.as_ref().map(|new| key(&self.email(audience, new)));
        let roll = &mut self.rolls[audience as usize];
        if let Some(old) = &old {
            roll.counts[old.status as usize] -= 1;
        }
        if let Some(new) = &member {
            roll.counts[new.status as usize] += 1;
        }
        if old_key != new_key {
            old_key.and_then(|key| roll.by_key.remove(&key));
            new_key.and_then(|key| roll.by_key.insert(key, at));
        }
        roll.members[at as usize] = member;
        roll.version += 1;
        self.note(Undo::Member(audience, at, old.map(Box::new)));
    }

    /// Removes the member at this position for good: its address cannot be added again by the API.
    pub(super) fn forget(&mut self, audience: Audience, at: u32) {
        let Some(key) = self.roll(audience).member(at).map(|member| key(&self.email(audience, member))) else { return };
        self.put(audience, at, None);
        if self.rolls[audience as usize].forgotten.insert(key) {
            self.note(Undo::Forgot(audience, key));
        }
    }

    /// Lets an address in again that was deleted for good: its owner filled in a form.
    pub(super) fn remember(&mut self, audience: Audience, email: &str) {
        self.rolls[audience as usize].forgotten.remove(&key(email));
    }

    pub(super) fn open_journal(&mut self) {
        self.journal = Some(Vec::new());
    }

    pub(super) fn unwind_journal(&mut self) {
        for undo in self.journal.take().unwrap_or_default().into_iter().rev() {
            match undo {
                Undo::Member(audience, at, Some(old)) => self.put(audience, at, Some(*old)),
                Undo::Member(audience, at, None) => {
                    // Only an addition replaced nothing, and it was the last: its position is free again.
                    self.put(audience, at, None);
                    self.rolls[audience as usize].members.pop();
                }
                Undo::Forgot(audience, key) => {
                    self.rolls[audience as usize].forgotten.remove(&key);
                }
            }
        }
    }

    fn note(&mut self, undo: Undo) {
        if let Some(journal) = &mut self.journal {
            journal.push(undo);
        }
    }
}

impl Roll {
    fn push(&mut self, member: Member, key: u64) -> u32 {
        let at = u32::try_from(self.members.len()).unwrap_or(u32::MAX);
        self.counts[member.status as usize] += 1;
        self.by_key.insert(key, at);
        self.members.push(Some(member));
        self.version += 1;
        at
    }

    pub(super) fn member(&self, at: u32) -> Option<&Member> {
        self.members.get(at as usize).and_then(Option::as_ref)
    }

    /// Every member with its position, in the order of joining.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &Member)> {
        (0u32..).zip(&self.members).filter_map(|(at, member)| member.as_ref().map(|member| (at, member)))
    }

    pub(super) fn count(&self, status: Status) -> u64 {
        self.counts[status as usize]
    }
}
