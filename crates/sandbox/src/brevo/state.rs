//! The memory of the campaign platform: contacts, and apart from them the addresses that get no transactional mail.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use super::contact::{Contact, EXT_ID, FIRST_ID, NOBODY, SMS};
use crate::clock::Watch;
use crate::hash::key;
use crate::options::BrevoOptions;
use crate::population::{BlockReason, CampaignSeed, List, Person, Population, System};
use crate::view::Views;

/// The sender of the messages about orders.
pub(super) const ORDERS: &str = "orders@shop.example";

/// The account.
pub(crate) struct State {
    pub(super) options: BrevoOptions,
    pub(super) population: Arc<Population>,
    pub(super) clock: Watch,
    /// By id; a contact that was deleted leaves a gap.
    contacts: Vec<Option<Contact>>,
    /// Every identifier of every contact.
    named: HashMap<(Kind, u64), u32>,
    /// In the order of blocking; one that was lifted leaves a gap.
    blocks: Vec<Option<Block>>,
    /// Whether nobody is told that a contact was deleted.
    pub(super) hides_erased: bool,
    /// Moves on with every change.
    pub(super) version: u64,
    pub(super) views: Views,
    journal: Option<Vec<Undo>>,
}

/// What names a contact beside its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Email,
    Phone,
    External,
}

/// An address that gets no transactional mail from a sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Block {
    /// The person's index, or [`NOBODY`].
    who: u32,
    key: u64,
    /// The address, where it is not the population's.
    email: Option<Box<str>>,
    pub(super) sender: Cow<'static, str>,
    pub(super) reason: BlockReason,
    pub(super) at_ms: i64,
}

/// What a change replaced.
enum Undo {
    Contact(u32, Option<Box<Contact>>),
    Block(u32, Option<Box<Block>>),
}

impl State {
    pub(crate) fn new(options: BrevoOptions, population: Arc<Population>, clock: Watch) -> Self {
        let mut state = Self {
            options,
            population,
            clock,
            contacts: Vec::new(),
            named: HashMap::new(),
            blocks: Vec::new(),
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
        self.hides_erased = false;
        self.named.clear();
        let population = Arc::clone(&self.population);
        let mut blocks = Vec::new();
        for person in population.people() {
            let Some(seed) = CampaignSeed::of(&person) else { continue };
            let at = u32::try_from(self.contacts.len()).unwrap_or(u32::MAX);
            let email = key(&Self::address(&person));
            self.named.insert((Kind::Email, email), at);
            for (kind, name) in [(Kind::Phone, seed.phone(&person)), (Kind::External, person.customer_no())] {
                if let Some(name) = name {
                    self.named.insert((kind, key(&name)), at);
                }
            }
            if let Some((reason, at_ms)) = seed.block {
                let sender = Cow::Borrowed(ORDERS);
                blocks.push(Block { who: person.index(), key: email, email: None, sender, reason, at_ms });
            }
            self.contacts.push(Some(Contact::seeded(person.index(), &seed)));
        }
        blocks.sort_by_key(|block| block.at_ms);
        self.blocks = blocks.into_iter().map(Some).collect();
        self.version += 1;
    }

    /// The address of a person as the platform holds it.
    pub(super) fn address(person: &Person) -> String {
        person.spelling(System::Campaigns)
    }

    /// The contact at this position.
    pub(super) fn contact(&self, at: u32) -> Option<&Contact> {
        self.contacts.get(at as usize).and_then(Option::as_ref)
    }

    /// Every contact with its position, in the order of creation.
    pub(super) fn contacts(&self) -> impl Iterator<Item = (u32, &Contact)> {
        (0u32..).zip(&self.contacts).filter_map(|(at, contact)| contact.as_ref().map(|contact| (at, contact)))
    }

    /// The position of the contact with this identifier.
    pub(super) fn find(&self, kind: Kind, name: &str) -> Option<u32> {
        self.named.get(&(kind, key(name))).copied()
    }

    /// The position of the contact with this id.
    pub(super) fn position(&self, id: u64) -> Option<u32> {
        let at = u32::try_from(id.checked_sub(FIRST_ID)?).ok()?;
        self.contact(at).map(|_| at)
    }

    /// Whether a contact with this id was deleted.
    pub(super) fn was_erased(&self, id: u64) -> bool {
        let at = id.checked_sub(FIRST_ID).and_then(|at| usize::try_from(at).ok());
        at.and_then(|at| self.contacts.get(at)).is_some_and(Option::is_none)
    }

    /// How many contacts are on this list.
    pub(super) fn count_on(&self, list: List) -> usize {
        self.contacts().filter(|(_, contact)| contact.lists & list.bit() != 0).count()
    }

    /// Adds a contact and returns its position.
    pub(super) fn add(&mut self, contact: Contact) -> u32 {
        let at = u32::try_from(self.contacts.len()).unwrap_or(u32::MAX);
        self.contacts.push(None);
        self.put(at, Some(contact));
        at
    }

    /// Replaces the contact at this position, or removes it.
    pub(super) fn put(&mut self, at: u32, contact: Option<Contact>) {
        let old = self.replace(at, contact);
        self.note(Undo::Contact(at, old.map(Box::new)));
    }

    fn replace(&mut self, at: u32, contact: Option<Contact>) -> Option<Contact> {
        for name in self.contact(at).map(|old| self.names(old)).unwrap_or_default() {
            self.named.remove(&name);
        }
        for name in contact.as_ref().map(|new| self.names(new)).unwrap_or_default() {
            self.named.insert(name, at);
        }
        self.version += 1;
        std::mem::replace(&mut self.contacts[at as usize], contact)
    }

    /// Everything that names a contact.
    fn names(&self, contact: &Contact) -> Vec<(Kind, u64)> {
        let attributes = self.attributes(contact);
        let attribute = |name: &str| attributes.get(name).and_then(|value| value.as_str()).map(key);
        let names = [
            (Kind::Email, self.email(contact).as_deref().map(key)),
            (Kind::Phone, attribute(SMS)),
            (Kind::External, attribute(EXT_ID)),
        ];
        names.into_iter().filter_map(|(kind, name)| Some((kind, name?))).collect()
    }

    /// Every block with its position, in the order of blocking.
    pub(super) fn blocks(&self) -> impl Iterator<Item = (u32, &Block)> {
        (0u32..).zip(&self.blocks).filter_map(|(at, block)| block.as_ref().map(|block| (at, block)))
    }

    /// The block at this position.
    pub(super) fn block_at(&self, at: u32) -> Option<&Block> {
        self.blocks.get(at as usize).and_then(Option::as_ref)
    }

    /// The blocks of an address, whoever the sender.
    pub(super) fn blocks_of(&self, email: &str) -> Vec<(u32, &Block)> {
        let key = key(email);
        self.blocks().filter(|(_, block)| block.key == key).collect()
    }

    /// The address that a block is about.
    pub(super) fn blocked_email(&self, block: &Block) -> String {
        let seeded =
            || if block.who == NOBODY { String::new() } else { Self::address(&self.population.person(block.who)) };
        block.email.as_deref().map_or_else(seeded, str::to_owned)
    }

    /// Blocks an address for a sender, unless it is blocked for it already.
    pub(super) fn block(&mut self, email: &str, sender: &str, reason: BlockReason) {
        if self.blocks_of(email).iter().any(|(_, block)| block.sender == sender) {
            return;
        }
        let block = Block {
            who: NOBODY,
            key: key(email),
            email: Some(email.into()),
            sender: Cow::Owned(sender.to_owned()),
            reason,
            at_ms: self.clock.now_ms(),
        };
        let at = u32::try_from(self.blocks.len()).unwrap_or(u32::MAX);
        self.blocks.push(Some(block));
        self.version += 1;
        self.note(Undo::Block(at, None));
    }

    /// Lifts every block of an address; `false` where there is none.
    pub(super) fn unblock(&mut self, email: &str) -> bool {
        let found: Vec<u32> = self.blocks_of(email).into_iter().map(|(at, _)| at).collect();
        for at in &found {
            let old = self.blocks[*at as usize].take();
            self.version += 1;
            self.note(Undo::Block(*at, old.map(Box::new)));
        }
        !found.is_empty()
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
                Undo::Block(at, Some(old)) => self.blocks[at as usize] = Some(*old),
                Undo::Block(_, None) => {
                    self.blocks.pop();
                }
            }
        }
        self.version += 1;
    }

    fn note(&mut self, undo: Undo) {
        if let Some(journal) = &mut self.journal {
            journal.push(undo);
        }
    }
}
