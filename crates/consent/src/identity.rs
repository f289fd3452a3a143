//! Who is who: records join into people, and merging can only lose permission.
//!
//! Records join by customer number, explicit link or equal address, unless they carry different person ids: one mailbox,
//! two people. The result is a function of the set of facts.

use std::collections::{BTreeMap, BTreeSet};

use crate::address::Address;
use crate::fact::{Audience, Country, Fact, FactId, Kind, RecordRef};
use crate::system::Systems;
use crate::text::{CustomerNo, PersonId};
use crate::time::Interval;

/// One record of one system, or one fact that names no record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Node {
    Record(RecordRef),
    Loose(FactId),
}

impl Node {
    pub(crate) fn of(fact: &Fact) -> Self {
        match &fact.record {
            Some(record) => Self::Record(RecordRef { system: fact.system.clone(), record: record.clone() }),
            None => Self::Loose(fact.id),
        }
    }
}

/// The people that the records make up.
#[derive(Debug, Default)]
pub(crate) struct People {
    nodes: BTreeMap<Node, usize>,
    /// The person of each node, after splits.
    person_of: Vec<usize>,
    /// The person of each node as if nothing had been split.
    joined_of: Vec<usize>,
    traits: Vec<NodeTraits>,
}

/// What is known of one node.
#[derive(Debug, Default, Clone)]
struct NodeTraits {
    addresses: Vec<Address>,
    customers: BTreeSet<CustomerNo>,
    persons: BTreeSet<PersonId>,
    countries: BTreeSet<Country>,
    audiences: BTreeSet<Audience>,
    births: BTreeSet<jiff::civil::Date>,
}

/// What is known of one person, over all their records, where one of their addresses is asked about.
#[derive(Debug, Default)]
pub(crate) struct Person {
    pub(crate) persons: BTreeSet<PersonId>,
    /// Every country of theirs; the policy's own where no record that holds the address names one. What is known of
    /// another address of theirs can add a country, never replace the default (I12).
    pub(crate) countries: BTreeSet<Country>,
    pub(crate) audiences: BTreeSet<Audience>,
    /// Whether a record that holds the address names an audience.
    pub(crate) audience_stated: bool,
    /// The youngest age stated.
    pub(crate) birth: Option<jiff::civil::Date>,
}

impl People {
    pub(crate) fn of<'f>(facts: impl Iterator<Item = &'f Fact> + Clone, systems: &Systems) -> Self {
        let mut people = Self::default();
        for fact in facts.clone() {
            people.learn(fact);
        }
        let joints = Joints::of(facts, systems, &people.nodes);
        people.joined_of = people.join(&joints, &[]);
        people.person_of =
            if joints.splits.is_empty() { people.joined_of.clone() } else { people.join(&joints, &joints.splits) };
        people
    }

    fn learn(&mut self, fact: &Fact) {
        if matches!(fact.kind, Kind::Link { .. } | Kind::Split { .. } | Kind::Annul { .. } | Kind::Invalidate { .. }) {
            return;
        }
        let next = self.traits.len();
        let node = *self.nodes.entry(Node::of(fact)).or_insert(next);
        if node == next {
            self.traits.push(NodeTraits::default());
        }
        let traits = &mut self.traits[node];
        for address in &fact.who.addresses {
            traits.hold(address);
        }
        if let Kind::AddressChange { from, to, .. } = &fact.kind {
            traits.hold(from);
            traits.hold(to);
        }
        traits.customers.extend(fact.who.customer.clone());
        traits.persons.extend(fact.who.person.clone());
        traits.countries.extend(fact.who.country);
        traits.audiences.extend(fact.who.audience);
        traits.births.extend(fact.who.birth);
    }

    /// Joins nodes by everything they share, except across splits.
    fn join(&self, joints: &Joints, splits: &[Separation]) -> Vec<usize> {
        let mut sets = Sets::new(self.traits.len());
        let mut shared: BTreeMap<Shared<'_>, Vec<usize>> = BTreeMap::new();
        for (node, traits) in self.traits.iter().enumerate() {
            for address in &traits.addresses {
                shared.entry(Shared::Address(address.kind(), address.suppress_key())).or_default().push(node);
            }
            for customer in &traits.customers {
                shared.entry(Shared::Customer(customer)).or_default().push(node);
            }
            for person in &traits.persons {
                shared.entry(Shared::Person(person)).or_default().push(node);
            }
        }
        for nodes in shared.values() {
            let persons: BTreeSet<&PersonId> = nodes.iter().flat_map(|node| &self.traits[*node].persons).collect();
            // Two people behind one address or number: what they share does not join them. Same person ids do, above.
            if persons.len() <= 1 {
                sets.join_all(nodes, splits);
            }
        }
        for link in &joints.links {
            sets.join_all(link, splits);
        }
        (0..self.traits.len()).map(|node| sets.root(node)).collect()
    }

    /// The person whom a fact is about, after splits; `None` for facts about no record and nobody's address.
    pub(crate) fn person_of(&self, fact: &Fact) -> Option<usize> {
        self.nodes.get(&Node::of(fact)).map(|node| self.person_of[*node])
    }

    /// The person whose record this is.
    pub(crate) fn owner(&self, record: &RecordRef) -> Option<usize> {
        self.nodes.get(&Node::Record(record.clone())).map(|node| self.person_of[*node])
    }

    /// The person whom a fact was about before any split.
    pub(crate) fn joined_of(&self, fact: &Fact) -> Option<usize> {
        self.nodes.get(&Node::of(fact)).map(|node| self.joined_of[*node])
    }

    /// The joined persons that a person was part of before any split.
    pub(crate) fn joined_with(&self, person: usize) -> BTreeSet<usize> {
        (0..self.person_of.len())
            .filter(|node| self.person_of[*node] == person)
            .map(|node| self.joined_of[node])
            .collect()
    }

    /// The people who hold an address, narrowed to one person id where people share it.
    pub(crate) fn holding(&self, address: &Address, person: Option<&PersonId>) -> BTreeSet<usize> {
        let named = |traits: &NodeTraits| person.is_none_or(|person| traits.persons.contains(person));
        let holders = self.traits.iter().enumerate().filter(|(_, traits)| traits.holds(address) && named(traits));
        holders.map(|(node, _)| self.person_of[node]).collect()
    }

    /// The people who hold an address and of whom no person id is known, though others with one share it.
    pub(crate) fn nameless_holding(&self, address: &Address) -> BTreeSet<usize> {
        let holders = self.holding(address, None);
        holders.into_iter().filter(|person| self.person_ids(*person).is_empty()).collect()
    }

    /// The addresses of a person.
    pub(crate) fn addresses_of_person(&self, person: usize) -> impl Iterator<Item = &Address> {
        let own = self.traits.iter().enumerate().filter(move |(node, _)| self.person_of[*node] == person);
        own.flat_map(|(_, traits)| &traits.addresses)
    }

    /// Everybody.
    pub(crate) fn all(&self) -> BTreeSet<usize> {
        self.person_of.iter().copied().collect()
    }

    /// The customer numbers of a person.
    pub(crate) fn customers_of(&self, person: usize) -> BTreeSet<&CustomerNo> {
        let own = self.traits.iter().enumerate().filter(|(node, _)| self.person_of[*node] == person);
        own.flat_map(|(_, traits)| &traits.customers).collect()
    }

    /// The facts of a person that name no record.
    pub(crate) fn loose_of(&self, person: usize) -> impl Iterator<Item = &FactId> {
        self.nodes.iter().filter_map(move |(node, index)| match node {
            Node::Loose(id) if self.person_of[*index] == person => Some(id),
            Node::Loose(_) | Node::Record(_) => None,
        })
    }

    /// What is known of a person over all records, where this address of theirs is asked about.
    pub(crate) fn describe(&self, person: usize, address: &Address, home: Country) -> Person {
        let mut whole = Person::default();
        let mut country_stated = false;
        for (node, traits) in self.traits.iter().enumerate().filter(|(node, _)| self.person_of[*node] == person) {
            if traits.holds(address) {
                country_stated |= !traits.countries.is_empty();
                whole.audience_stated |= !traits.audiences.is_empty();
            }
            whole.persons.extend(self.traits[node].persons.iter().cloned());
            whole.countries.extend(&traits.countries);
            whole.audiences.extend(&traits.audiences);
            whole.birth = whole.birth.max(traits.births.iter().max().copied());
        }
        if !country_stated {
            whole.countries.insert(home);
        }
        whole
    }

    /// The person ids of a person.
    pub(crate) fn person_ids(&self, person: usize) -> BTreeSet<PersonId> {
        let own = self.traits.iter().enumerate().filter(|(node, _)| self.person_of[*node] == person);
        own.flat_map(|(_, traits)| traits.persons.iter().cloned()).collect()
    }

    /// The addresses a fact's record holds.
    pub(crate) fn addresses_of(&self, fact: &Fact) -> &[Address] {
        self.nodes.get(&Node::of(fact)).map_or(&[], |node| &self.traits[*node].addresses)
    }

    /// The records of a person, each with the addresses it holds.
    pub(crate) fn records_of(&self, person: usize) -> impl Iterator<Item = (&RecordRef, &[Address])> {
        self.nodes.iter().filter_map(move |(node, index)| match node {
            Node::Record(record) if self.person_of[*index] == person => {
                Some((record, self.traits[*index].addresses.as_slice()))
            }
            Node::Record(_) | Node::Loose(_) => None,
        })
    }
}

impl NodeTraits {
    fn holds(&self, address: &Address) -> bool {
        self.addresses.iter().any(|held| {
            held.kind() == address.kind() && (held.grant_eq(address) || held.suppress_key() == address.suppress_key())
        })
    }

    fn hold(&mut self, address: &Address) {
        if !self.addresses.iter().any(|held| held == address && held.suppress_key() == address.suppress_key()) {
            self.addresses.push(address.clone());
        }
    }
}

/// What can join two nodes.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Shared<'a> {
    Address(crate::address::AddressKind, &'a str),
    Customer(&'a CustomerNo),
    Person(&'a PersonId),
}

/// Explicit links and the separations that splits ask for.
struct Joints {
    links: Vec<Vec<usize>>,
    splits: Vec<Separation>,
}

/// Two nodes that a split keeps apart.
type Separation = (usize, usize);

impl Joints {
    fn of<'f>(facts: impl Iterator<Item = &'f Fact> + Clone, systems: &Systems, nodes: &BTreeMap<Node, usize>) -> Self {
        let find = |record: &RecordRef| nodes.get(&Node::Record(record.clone())).copied();
        let when = |fact: &Fact| Interval::of(fact.occurred, fact.observed_at, systems.get(&fact.system));
        let links: Vec<(Interval, Vec<usize>)> = facts
            .clone()
            .filter_map(|fact| match &fact.kind {
                Kind::Link { records } => Some((when(fact), records.iter().filter_map(find).collect())),
                _ => None,
            })
            .collect();
        let mut splits = Vec::new();
        for fact in facts {
            let Kind::Split { groups } = &fact.kind else { continue };
            let at = when(fact);
            let groups: Vec<Vec<usize>> = groups.iter().map(|group| group.iter().filter_map(find).collect()).collect();
            for (place, group) in groups.iter().enumerate() {
                for (a, b) in group.iter().flat_map(|a| groups[place + 1..].iter().flatten().map(move |b| (*a, *b))) {
                    // A link that may be the later word keeps them joined: joining can only lose permission.
                    let relinked = links
                        .iter()
                        .any(|(linked, nodes)| nodes.contains(&a) && nodes.contains(&b) && !is_later(&at, linked));
                    if !relinked {
                        splits.push((a.min(b), a.max(b)));
                    }
                }
            }
        }
        Self { links: links.into_iter().map(|(_, nodes)| nodes).collect(), splits }
    }
}

/// Whether a split is the later word than a link. Both are acts of staff on the host: where neither has a time of its
/// own, the order in which the host learnt of them stands for it.
fn is_later(split: &Interval, link: &Interval) -> bool {
    split.is_after(link) || (split.lo.is_none() && split.hi > link.hi)
}

/// A union-find over node numbers whose roots are the smallest members, so that the partition alone decides them.
struct Sets {
    parent: Vec<usize>,
}

impl Sets {
    fn new(count: usize) -> Self {
        Self { parent: (0..count).collect() }
    }

    fn root(&mut self, mut node: usize) -> usize {
        while self.parent[node] != node {
            self.parent[node] = self.parent[self.parent[node]];
            node = self.parent[node];
        }
        node
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.parent[a.max(b)] = a.min(b);
    }

    fn join_all(&mut self, nodes: &[usize], splits: &[Separation]) {
        for (place, a) in nodes.iter().enumerate() {
            for b in &nodes[place + 1..] {
                if !splits.contains(&(*a.min(b), *a.max(b))) {
                    self.join(*a, *b);
                }
                if splits.is_empty() {
                    break;
                }
            }
        }
    }
}
