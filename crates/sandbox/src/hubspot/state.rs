//! The memory of the CRM: contacts, and apart from them what each address chose.
//!
//! Choices belong to addresses. They exist without a contact and outlive one, as in the portal.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

use super::contact::{Contact, FIRST_ID};
use super::oauth::Sessions;
use crate::clock::Watch;
use crate::hash::key;
use crate::options::HubSpotOptions;
use crate::population::{ContactSeed, Population, Preferences};
use crate::view::Views;

/// How many states of one contact the search index may lag behind by; the oldest gives way.
const LAGGING_MAX: usize = 16;

/// The portal.
pub(crate) struct State {
    pub(super) options: HubSpotOptions,
    pub(super) population: Arc<Population>,
    pub(super) clock: Watch,
    pub(super) sessions: Mutex<Sessions>,
    /// By id; a contact that was erased leaves a gap.
    contacts: Vec<Option<Contact>>,
    /// Every address of every contact that is not archived.
    by_key: HashMap<u64, u32>,
    preferences: HashMap<u64, Preferences>,
    /// Keys of addresses that imports may not bring back.
    blocked: HashSet<u64>,
    /// What the search index still shows, oldest first, each until its time.
    lagging: HashMap<u32, Vec<(i64, Option<Contact>)>>,
    /// Whether nobody is told that a contact was erased.
    pub(super) hides_erased: bool,
    /// Moves on with every change of a contact.
    pub(super) version: u64,
    pub(super) views: Views,
    journal: Option<Vec<Undo>>,
}

/// What a change replaced. What the index lags behind by stays: it is the very state that an undo returns to.
enum Undo {
    Contact(u32, Option<Box<Contact>>),
    Preferences(u64, Option<Box<Preferences>>),
    Blocked(u64),
    Unblocked(u64),
}

impl State {
    pub(crate) fn new(options: HubSpotOptions, population: Arc<Population>, clock: Watch) -> Self {
        let sessions = Mutex::new(Sessions::new(&options));
        let mut state = Self {
            options,
            population,
            clock,
            sessions,
            contacts: Vec::new(),
            by_key: HashMap::new(),
            preferences: HashMap::new(),
            blocked: HashSet::new(),
            lagging: HashMap::new(),
            hides_erased: false,
            version: 0,
            views: Views::default(),
            journal: None,
        };
        state.seed();
        state
    }

    pub(super) fn seed(&mut self) {
        self.contacts.clear();
        self.by_key.clear();
        self.preferences.clear();
        self.blocked.clear();
        self.lagging.clear();
        self.hides_erased = false;
        self.sessions = Mutex::new(Sessions::new(&self.options));
        let population = Arc::clone(&self.population);
        for person in population.people() {
            let Some(seed) = ContactSeed::of(&person) else { continue };
            let at = self.next();
            for email in std::iter::once(&seed.email).chain(&seed.additional) {
                self.by_key.insert(key(email), at);
            }
            if seed.preferences != Preferences::default() {
                self.preferences.insert(key(&seed.email), seed.preferences.clone());
            }
            self.contacts.push(Some(Contact::seeded(person.index(), &seed)));
        }
        self.version += 1;
    }

    fn next(&self) -> u32 {
        u32::try_from(self.contacts.len()).unwrap_or(u32::MAX)
    }

    /// The contact at this position.
    pub(super) fn contact(&self, at: u32) -> Option<&Contact> {
        self.contacts.get(at as usize).and_then(Option::as_ref)
    }

    /// Every contact with its position, from this position on.
    pub(super) fn contacts_from(&self, start: u32) -> impl Iterator<Item = (u32, &Contact)> {
        let rest = self.contacts.get(start as usize..).unwrap_or_default();
        (start..).zip(rest).filter_map(|(at, contact)| contact.as_ref().map(|contact| (at, contact)))
    }

    /// The contact at this position as the search index shows it now.
    pub(super) fn indexed(&self, at: u32, now_ms: i64) -> Option<&Contact> {
        let old = self.lagging.get(&at).and_then(|states| states.iter().find(|(until, _)| *until > now_ms));
        match old {
            Some((_, shown)) => shown.as_ref(),
            None => self.contact(at),
        }
    }

    /// How many positions there are.
    pub(super) fn positions(&self) -> u32 {
        self.next()
    }

    /// Whether the search index lags behind anywhere.
    pub(super) fn lags(&self, now_ms: i64) -> bool {
        self.lagging.values().flatten().any(|(until, _)| *until > now_ms)
    }

    /// The position of the contact that holds this address and is not archived.
    pub(super) fn find(&self, email: &str) -> Option<u32> {
        self.by_key.get(&key(email)).copied()
    }

    /// The position of the archived contact that holds this address.
    pub(super) fn find_archived(&self, email: &str) -> Option<u32> {
        let holds = |contact: &Contact| self.emails(contact).iter().any(|held| held.eq_ignore_ascii_case(email));
        let mut archived = self.contacts_from(0).filter(|(_, contact)| contact.archived_ms != 0);
        archived.find(|(_, contact)| holds(contact)).map(|(at, _)| at)
    }

    /// The position that an id names, whether or not a contact is there.
    pub(super) fn position(id: &str) -> Option<u32> {
        id.parse::<u64>().ok()?.checked_sub(FIRST_ID)?.try_into().ok()
    }

    /// Adds a contact and returns its position.
    pub(super) fn add(&mut self, contact: Contact) -> u32 {
        let at = self.next();
        self.contacts.push(None);
        self.put(at, Some(contact));
        at
    }

    /// Replaces the contact at this position, or removes it. The search index follows after its lag.
    pub(super) fn put(&mut self, at: u32, contact: Option<Contact>) {
        if !self.options.index_lag.is_zero() {
            let now = self.clock.now_ms();
            let until = now + i64::try_from(self.options.index_lag.as_millis()).unwrap_or(i64::MAX / 2);
            let old = self.contact(at).cloned();
            let states = self.lagging.entry(at).or_default();
            states.retain(|(until, _)| *until > now);
            if states.len() == LAGGING_MAX {
                states.remove(0);
            }
            states.push((until, old));
        }
        let old = self.replace(at, contact);
        self.note(Undo::Contact(at, old.map(Box::new)));
    }

    fn replace(&mut self, at: u32, contact: Option<Contact>) -> Option<Contact> {
        let keys = |state: &Self, contact: Option<&Contact>| match contact {
            Some(contact) if contact.archived_ms == 0 => state.emails(contact).iter().map(|email| key(email)).collect(),
            _ => Vec::new(),
        };
        let old_keys = keys(self, self.contact(at));
        let new_keys = keys(self, contact.as_ref());
        for key in old_keys {
            self.by_key.remove(&key);
        }
        for key in new_keys {
            self.by_key.insert(key, at);
        }
        self.version += 1;
        std::mem::replace(&mut self.contacts[at as usize], contact)
    }

    /// What an address chose.
    pub(super) fn preferences(&self, email: &str) -> Preferences {
        self.preferences.get(&key(email)).cloned().unwrap_or_default()
    }

    pub(super) fn set_preferences(&mut self, email: &str, preferences: Preferences) {
        let key = key(email);
        let old = self.preferences.insert(key, preferences);
        self.note(Undo::Preferences(key, old.map(Box::new)));
    }

    pub(super) fn is_blocked(&self, email: &str) -> bool {
        self.blocked.contains(&key(email))
    }

    pub(super) fn block(&mut self, email: &str) {
        if self.blocked.insert(key(email)) {
            self.note(Undo::Blocked(key(email)));
        }
    }

    pub(super) fn unblock(&mut self, email: &str) {
        if self.blocked.remove(&key(email)) {
            self.note(Undo::Unblocked(key(email)));
        }
    }

    pub(super) fn open_journal(&mut self) {
        self.journal = Some(Vec::new());
    }

    pub(super) fn unwind_journal(&mut self) {
        for undo in self.journal.take().unwrap_or_default().into_iter().rev() {
            match undo {
                Undo::Contact(at, Some(old)) => {
                    self.replace(at, Some(*old));
                }
                Undo::Contact(at, None) => {
                    // Only an addition replaced nothing, and it was the last: its position is free again.
                    self.replace(at, None);
                    self.contacts.pop();
                }
                Undo::Preferences(key, Some(old)) => {
                    self.preferences.insert(key, *old);
                }
                Undo::Preferences(key, None) => {
                    self.preferences.remove(&key);
                }
                Undo::Blocked(key) => {
                    self.blocked.remove(&key);
                }
                Undo::Unblocked(key) => {
                    self.blocked.insert(key);
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
