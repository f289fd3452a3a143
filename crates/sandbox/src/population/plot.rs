//! Which contradictions there are, and how often each occurs.

/// What a person's systems say of them, in short. Each is a situation that consent engines get wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Plot {
    /// Left the letter, still on the events list, imported into the CRM afterwards, in the file in capitals.
    Torn,
    /// Opted in twice, with times and addresses to show for it.
    Proven,
    /// Opted in once, with a time and an address.
    Single,
    /// Opted in long ago by an import, with nothing to show.
    Unproven,
    /// Opted out of the newsletter in the CRM, subscribed on the mail platform.
    LeftInCrm,
    /// Opted out of everything in the CRM, subscribed on the mail platform.
    LeftAllInCrm,
    /// Unsubscribed on the mail platform, subscribed in the CRM and the file.
    LeftLetter,
    /// Unsubscribed, then brought back by an import of an old list into the CRM.
    Reimported,
    /// The mail platform saw the address bounce; the CRM did not.
    Bounced,
    /// The CRM saw the address bounce; the mail platform did not.
    BouncedInCrm,
    /// Reported a message as spam on the mail platform; the CRM knows nothing of it.
    Complained,
    /// Never confirmed the opt-in.
    Waiting,
    /// Archived on the mail platform, subscribed in the CRM.
    Archived,
    /// A customer who never subscribed and was offered an opt-out at the sale.
    CustomerOnly,
    /// One address in three letter cases; opted out under one of them.
    Cased,
    /// With a plus tag on the mail platform, without one in the CRM, which holds the opt-out.
    Tagged,
    /// An internationalised domain in both spellings; unsubscribed under one of them.
    Idn,
    /// A role address such as `info@`.
    Role,
    /// The file spells the address so that nothing can be sent to it.
    Malformed,
    /// Two addresses in the CRM, of which the mail platform has the other one unsubscribed.
    TwoAddresses,
    /// Subscribed, but not to offers.
    WithoutOffers,
    /// Left the events list, stayed on the letter.
    LeftEvents,
    /// Only the call centre knows them, and it may not call.
    CallOnly,
    /// Only in the file.
    FileOnly,
    /// Only in the CRM.
    CrmOnly,
    /// Unsubscribed on the mail platform by an administrator, subscribed in the CRM.
    RemovedByAdmin,
}

/// How many of a thousand people have each story. The sum is a thousand.
const PER_MILLE: [(Plot, u32); 26] = [
    (Plot::Torn, 10),
    (Plot::Proven, 250),
    (Plot::Single, 190),
    (Plot::Unproven, 110),
    (Plot::LeftInCrm, 30),
    (Plot::LeftAllInCrm, 25),
    (Plot::LeftLetter, 60),
    (Plot::Reimported, 20),
    (Plot::Bounced, 30),
    (Plot::BouncedInCrm, 20),
    (Plot::Complained, 10),
    (Plot::Waiting, 20),
    (Plot::Archived, 15),
    (Plot::CustomerOnly, 40),
    (Plot::Cased, 15),
    (Plot::Tagged, 10),
    (Plot::Idn, 10),
    (Plot::Role, 10),
    (Plot::Malformed, 10),
    (Plot::TwoAddresses, 10),
    (Plot::WithoutOffers, 25),
    (Plot::LeftEvents, 15),
    (Plot::CallOnly, 15),
    (Plot::FileOnly, 25),
    (Plot::CrmOnly, 15),
    (Plot::RemovedByAdmin, 10),
];

impl Plot {
    /// Every story. The first people of a population have these, in this order.
    pub const ALL: [Self; 26] = {
        let mut all = [Self::Torn; 26];
        let mut at = 0;
        while at < all.len() {
            all[at] = PER_MILLE[at].0;
            at += 1;
        }
        all
    };

    /// The story of the person of this index, where `draw` is below a thousand.
    pub(super) fn of(index: u32, draw: u32) -> Self {
        if let Some(plot) = usize::try_from(index).ok().and_then(|index| Self::ALL.get(index)) {
            return *plot;
        }
        let mut left = draw;
        for (plot, share) in PER_MILLE {
            match left.checked_sub(share) {
                Some(rest) => left = rest,
                None => return plot,
            }
        }
        Self::Proven
    }

    /// The story in a sentence, for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::Torn => "every system says something else",
            Self::Proven => "a confirmed opt-in with its proof",
            Self::Single => "an opt-in without confirmation",
            Self::Unproven => "an old opt-in with nothing to show for it",
            Self::LeftInCrm => "opted out of the newsletter in the CRM only",
            Self::LeftAllInCrm => "opted out of everything in the CRM only",
            Self::LeftLetter => "unsubscribed on the mail platform only",
            Self::Reimported => "brought back by an import after withdrawing",
            Self::Bounced => "a dead address that only the mail platform noticed",
            Self::BouncedInCrm => "a dead address that only the CRM noticed",
            Self::Complained => "a spam complaint that only the mail platform heard",
            Self::Waiting => "an opt-in that was never confirmed",
            Self::Archived => "archived here, subscribed there",
            Self::CustomerOnly => "a customer who never subscribed",
            Self::Cased => "one address in three letter cases",
            Self::Tagged => "one address with and without a plus tag",
            Self::Idn => "one domain in two spellings",
            Self::Role => "a role address",
            Self::Malformed => "an address that cannot be written to",
            Self::TwoAddresses => "one person with two addresses",
            Self::WithoutOffers => "subscribed, but not to offers",
            Self::LeftEvents => "left one list and stayed on the other",
            Self::CallOnly => "known to the call centre only",
            Self::FileOnly => "known to the file only",
            Self::CrmOnly => "known to the CRM only",
            Self::RemovedByAdmin => "unsubscribed by an administrator",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shares_add_up_to_a_thousand() {
        assert_eq!(PER_MILLE.iter().map(|(_, share)| share).sum::<u32>(), 1000);
    }

    #[test]
    fn no_story_is_listed_twice() {
        let distinct: std::collections::BTreeSet<_> = Plot::ALL.into_iter().collect();
        assert_eq!(distinct.len(), Plot::ALL.len());
    }
}
