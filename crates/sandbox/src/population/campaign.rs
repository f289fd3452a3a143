//! What the campaign platform holds of each person at the start: a contact on some lists, and what blocks its address.

use super::person::Person;
use super::plot::Plot;

/// What became of a person on the campaign platform. It is drawn apart from the [`Plot`], which decides who may be known
/// there at all, so that its opt-outs contradict those of the other systems as well as agree with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fate {
    /// The platform does not know them.
    Absent,
    /// Opted in once, on a form.
    Joined,
    /// Opted in twice.
    Confirmed,
    /// Brought in by a list, with nothing to show.
    Imported,
    /// A customer who gets messages about orders and is on no list of campaigns.
    Customer,
    /// Unsubscribed from campaigns: blocklisted, and the platform does not say why.
    Left,
    /// Unsubscribed in an automated message: blocklisted for campaigns and for messages about orders.
    LeftAll,
    /// Left the list of offers and stayed on the newsletter.
    LeftOffers,
    /// Unsubscribed from messages about orders only: campaigns go on.
    LeftOrders,
    /// The address is dead: blocklisted for campaigns and blocked for everything else.
    Bounced,
    /// Reported a message as spam: likewise.
    Complained,
    /// Blocklisted by a colleague: likewise.
    Removed,
    /// Stopped text messages only.
    NoTexts,
}

/// Why an address gets no transactional mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BlockReason {
    ByAutomation,
    ByMail,
    ByAdmin,
    ByApi,
    Bounce,
    Spam,
}

impl BlockReason {
    /// The code on the wire, and a message that no client should compare.
    pub(crate) fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::ByAutomation => ("unsubscribedViaMA", "Unsubscribed in an automated message"),
            Self::ByMail => ("unsubscribedViaEmail", "Unsubscribed by the link in a message"),
            Self::ByAdmin => ("adminBlocked", "Blocked by an administrator"),
            Self::ByApi => ("unsubscribedViaApi", "Unsubscribed by the API"),
            Self::Bounce => ("hardBounce", "The address bounced"),
            Self::Spam => ("contactFlaggedAsSpam", "Reported as spam"),
        }
    }
}

/// The lists of the account, in the order of their bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum List {
    Newsletter,
    Offers,
    Customers,
}

impl List {
    pub(crate) const ALL: [Self; 3] = [Self::Newsletter, Self::Offers, Self::Customers];

    pub(crate) fn id(self) -> u64 {
        match self {
            Self::Newsletter => 4,
            Self::Offers => 5,
            Self::Customers => 7,
        }
    }

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Newsletter => "Newsletter",
            Self::Offers => "Offers",
            Self::Customers => "Customers",
        }
    }

    pub(crate) fn of_id(id: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|list| list.id() == id)
    }

    pub(crate) fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// A contact as the population begets it. Times are milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CampaignSeed {
    pub(crate) fate: Fate,
    pub(crate) created_ms: i64,
    pub(crate) modified_ms: i64,
    pub(crate) blacklisted: bool,
    pub(crate) no_texts: bool,
    /// One bit per list.
    pub(crate) lists: u8,
    /// One bit per list that the person left.
    pub(crate) left: u8,
    /// What blocks the address for transactional mail, with when.
    pub(crate) block: Option<(BlockReason, i64)>,
}

impl Fate {
    /// The fate of this person, where `draw` is below a thousand.
    pub(super) fn of((plot, index): (Plot, u32), draw: u32) -> Self {
        match plot {
            Plot::Waiting | Plot::CallOnly | Plot::FileOnly | Plot::CrmOnly => return Self::Absent,
            Plot::Torn | Plot::WithoutOffers => return Self::LeftOffers,
            Plot::Reimported => return Self::Imported,
            Plot::CustomerOnly => return Self::Customer,
            _ => {}
        }
        if (index as usize) < Plot::ALL.len() {
            return first(plot);
        }
        let positive = match plot {
            Plot::Proven => Self::Confirmed,
            Plot::Unproven => Self::Imported,
            _ => Self::Joined,
        };
        // Whose story is that one system only noticed something has nothing noticed here.
        let unnoticed = matches!(plot, Plot::Bounced | Plot::BouncedInCrm | Plot::Complained);
        match draw {
            0..500 => Self::Absent,
            _ if unnoticed => positive,
            830..880 => Self::Left,
            880..895 => Self::LeftAll,
            895..920 => Self::LeftOrders,
            920..945 => Self::Bounced,
            945..955 => Self::Complained,
            955..970 => Self::Removed,
            970..1_000 => Self::NoTexts,
            _ => positive,
        }
    }
}

/// The fates of the first people, one of each story, so that a small population holds every fate.
fn first(plot: Plot) -> Fate {
    match plot {
        Plot::Proven => Fate::Confirmed,
        Plot::LeftInCrm => Fate::Left,
        Plot::LeftLetter => Fate::LeftAll,
        Plot::Archived => Fate::LeftOrders,
        Plot::Role => Fate::Bounced,
        Plot::Cased => Fate::Complained,
        Plot::Malformed => Fate::Removed,
        Plot::Tagged => Fate::NoTexts,
        Plot::Unproven => Fate::Imported,
        _ => Fate::Joined,
    }
}

impl CampaignSeed {
    /// What the campaign platform holds of this person; `None` where it does not know them.
    pub(crate) fn of(person: &Person) -> Option<Self> {
        let dates = person.dates;
        let odd_ms = i64::from(person.index() % 1_000);
        let [signed_up, confirmed, bought, left, imported] =
            [dates.signed_up, dates.confirmed, dates.bought, dates.left, dates.imported].map(|at| at * 1_000 + odd_ms);
        let (news, offers, customers) = (List::Newsletter.bit(), List::Offers.bit(), List::Customers.bit());
        let joined = Self {
            fate: person.fate(),
            created_ms: signed_up,
            modified_ms: signed_up,
            blacklisted: false,
            no_texts: false,
            lists: news | offers,
            left: 0,
            block: None,
        };
        // Who leaves stays on the lists: the blocklist counts, not the list.
        let gone = |reason| Self { blacklisted: true, modified_ms: left, block: reason, ..joined };
        let seed = match person.fate() {
            Fate::Absent => return None,
            Fate::Joined => joined,
            Fate::Confirmed => Self { created_ms: confirmed, modified_ms: confirmed, ..joined },
            Fate::Imported => {
                let at = if person.plot() == Plot::Reimported { imported } else { signed_up };
                Self { created_ms: at, modified_ms: at, ..joined }
            }
            Fate::Customer => Self { created_ms: bought, modified_ms: bought, lists: customers, ..joined },
            Fate::Left => gone(None),
            Fate::LeftAll => gone(Some((BlockReason::ByAutomation, left))),
            Fate::LeftOffers => Self { lists: news, left: offers, modified_ms: left, ..joined },
            Fate::LeftOrders => Self { block: Some((BlockReason::ByMail, left)), ..joined },
            Fate::Bounced => gone(Some((BlockReason::Bounce, left))),
            Fate::Complained => gone(Some((BlockReason::Spam, left))),
            Fate::Removed => gone(Some((BlockReason::ByAdmin, left))),
            Fate::NoTexts => Self { no_texts: true, modified_ms: left, ..joined },
        };
        Some(seed)
    }

    /// Whether the platform has the telephone number.
    pub(crate) fn phone(&self, person: &Person) -> Option<String> {
        let wanted = self.fate == Fate::NoTexts || person.draws.sms < 60;
        person.phone().filter(|_| wanted).map(|phone| phone.trim_start_matches('+').to_owned())
    }

    /// What the record says, in words.
    pub(super) fn words(&self, day: impl Fn(i64) -> String) -> String {
        let named = |bits: u8| {
            let lists = List::ALL.into_iter().filter(|list| bits & list.bit() != 0);
            lists.map(|list| list.title().to_lowercase()).collect::<Vec<_>>().join(" and ")
        };
        let mut words = vec![format!("on {} since {}", named(self.lists), day(self.created_ms / 1_000))];
        if self.left != 0 {
            words.push(format!("left {} on {}", named(self.left), day(self.modified_ms / 1_000)));
        }
        if self.blacklisted {
            words.push(format!("blocklisted since {}", day(self.modified_ms / 1_000)));
        }
        if self.no_texts {
            words.push("no text messages".to_owned());
        }
        if let Some((reason, at_ms)) = self.block {
            words.push(format!("no mail about orders since {} ({})", day(at_ms / 1_000), reason.words().0));
        }
        words.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    fn people(count: u32) -> impl Iterator<Item = Person> {
        (0..count).map(|index| Person::new(1, index, 1_793_491_200))
    }

    #[test]
    fn a_small_population_holds_every_fate() {
        let fates: BTreeSet<Fate> = people(26).map(|person| person.fate()).collect();
        assert_eq!(fates.len(), 13);
        let texts = people(26).find(|person| person.fate() == Fate::NoTexts).unwrap();
        assert!(texts.phone().is_some(), "who stopped text messages has a number");
    }

    #[test]
    fn a_large_population_overlaps_with_the_others_and_is_no_copy_of_them() {
        let mut shares: BTreeMap<Fate, u32> = BTreeMap::new();
        for person in people(20_000) {
            *shares.entry(person.fate()).or_default() += 1;
        }
        assert!((8_000..13_000).contains(&shares[&Fate::Absent]), "{}", shares[&Fate::Absent]);
        assert!(shares.values().all(|count| *count > 50), "{shares:?}");
    }

    #[test]
    fn everything_happened_in_order_and_before_the_epoch() {
        for seed in people(5_000).filter_map(|person| CampaignSeed::of(&person)) {
            assert!(seed.created_ms <= seed.modified_ms && seed.modified_ms < 1_793_491_200_000);
            assert!(seed.lists & seed.left == 0, "nobody is on a list that they left");
        }
    }
}
