//! What people, colleagues and shops do between two syncs, and what of it the oracle has to remember.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use unisson_engine::{Clock as _, RunReport};
use unisson_sandbox::{ActError, Audience, BrevoDeed, HubSpotDeed, MailchimpDeed, Plot, Status};

use crate::company::Company;
use crate::dice::Dice;
use crate::oracle::{BOXES, LISTS, Oracle, Purpose, Who, topics};

/// The head of every export.
const HEAD: &str = "customer_no,name,email,phone,country,newsletter_opt_in,newsletter_opt_out,source,sale_date,\
                    opt_out_offered,may_call,last_call\n";

/// Where somebody is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    Letter,
    Events,
    Crm,
    Campaigns,
}

impl Place {
    pub(crate) const ALL: [Self; 4] = [Self::Letter, Self::Events, Self::Crm, Self::Campaigns];

    /// The instance that reads it, and whether only a sweep shows what happened there.
    fn instance(self) -> (&'static str, bool) {
        match self {
            Self::Letter | Self::Events => ("news", false),
            Self::Crm => ("crm", true),
            Self::Campaigns => ("campaigns", true),
        }
    }
}

/// The people of a month whose every act is known.
#[derive(Debug)]
pub(crate) struct People {
    pub(crate) oracle: Oracle,
    addresses: BTreeMap<(Who, Place), String>,
    all: Vec<Who>,
    /// Where something happened that no complete run has read yet: nothing else happens there until one has, or nobody
    /// could know of it.
    unread: BTreeSet<(Who, Place)>,
    /// Who filled in the form of the letter and has not clicked yet.
    waiting: BTreeSet<Who>,
    moves: u32,
    files: u32,
    /// Everything that happened, for the message of a failure.
    pub(crate) diary: Vec<String>,
}

impl People {
    /// Those whose address is spelt alike everywhere.
    pub(crate) fn of(company: &Company) -> Self {
        const PLAIN: [Plot; 12] = [
            Plot::Proven,
            Plot::Single,
            Plot::Unproven,
            Plot::LeftInCrm,
            Plot::LeftAllInCrm,
            Plot::LeftLetter,
            Plot::Waiting,
            Plot::Archived,
            Plot::WithoutOffers,
            Plot::LeftEvents,
            Plot::CrmOnly,
            Plot::RemovedByAdmin,
        ];
        let mut people = Self {
            oracle: Oracle::default(),
            addresses: BTreeMap::new(),
            all: Vec::new(),
            unread: BTreeSet::new(),
            waiting: BTreeSet::new(),
            moves: 0,
            files: 0,
            diary: Vec::new(),
        };
        for person in company.twins.population().people().filter(|person| PLAIN.contains(&person.plot())) {
            people.all.push(person.index());
            people.oracle.has(person.index(), &person.email());
            for place in Place::ALL {
                people.addresses.insert((person.index(), place), person.email());
            }
        }
        people
    }

    /// What was read completely is known from now on.
    pub(crate) fn was_read(&mut self, report: &RunReport) {
        self.unread.retain(|(_, place)| {
            let (instance, sweep) = place.instance();
            !report.instances.get(instance).is_some_and(|part| part.complete && (part.swept || !sweep))
        });
    }

    /// Something happens to somebody.
    pub(crate) fn act(&mut self, company: &Company, dice: &mut Dice) {
        let who = dice.pick(&self.all);
        let place = dice.pick(&Place::ALL);
        if dice.chance(12) {
            self.shop(who, company, dice);
            return;
        }
        if self.unread.contains(&(who, place)) {
            return;
        }
        match place {
            Place::Letter => self.at_mail((who, place, Audience::Letter), company, dice),
            Place::Events => self.at_mail((who, place, Audience::Events), company, dice),
            Place::Crm => self.at_crm(who, company, dice),
            Place::Campaigns => self.at_campaigns(who, company, dice),
        }
    }

    /// Those who filled in the form click the link.
    pub(crate) fn confirm(&mut self, company: &Company) {
        for who in std::mem::take(&mut self.waiting) {
            let address = self.address(who, Place::Letter);
            if company.twins.mailchimp().act(Audience::Letter, &address, MailchimpDeed::Confirm).is_ok() {
                self.note(company, &format!("{who} confirms the letter"));
                self.oracle.back(who, Purpose::Newsletter);
            }
        }
    }

    fn at_mail(&mut self, (who, place, audience): (Who, Place, Audience), company: &Company, dice: &mut Dice) {
        use MailchimpDeed as Deed;
        let own = if audience == Audience::Letter { Purpose::Newsletter } else { Purpose::Promotions };
        let address = self.address(who, place);
        let mail = company.twins.mailchimp();
        let act = |what: Deed| mail.act(audience, &address, what);
        let subscribed = mail.status(audience, &address) == Some(Status::Subscribed);
        match dice.below(12) {
            0 | 1 if subscribed => self.say_no((who, place, act(Deed::Unsubscribe)), &[own], company),
            2 => self.say_no((who, place, act(Deed::Complain)), &Purpose::ALL, company),
            3 if subscribed => {
                let member = mail.member(audience, &address).unwrap_or_default();
                let ticked: Vec<_> = BOXES.into_iter().filter(|(id, _)| member["interests"][*id] == true).collect();
                if !ticked.is_empty() {
                    let (id, purpose) = dice.pick(&ticked);
                    self.say_no((who, place, act(Deed::LeaveInterest(id.to_owned()))), &[purpose], company);
                }
            }
            4..=6 if !subscribed => {
                self.happens((who, place, act(Deed::SignUp)), "signs up", company);
                match audience {
                    Audience::Letter => drop(self.waiting.insert(who)),
                    Audience::Events => self.oracle.back(who, own),
                }
                if dice.chance(60) {
                    self.confirm(company);
                }
            }
            7 | 8 => self.happens((who, place, act(Deed::Import)), "imported", company),
            9 => {
                let deed = dice.pick(&[Deed::Archive, Deed::Archive, Deed::RemoveByAdmin, Deed::Delete]);
                let word = format!("{deed:?}");
                self.happens((who, place, act(deed)), &word, company);
            }
            10 => {
                let new = self.new_address(&address);
                let moved = act(Deed::ChangeAddress(new.clone()));
                self.moves_to((who, place, moved), new, company);
            }
            11 if dice.chance(30) => self.happens((who, place, act(Deed::Bounce)), "bounces", company),
            _ => {}
        }
    }

    fn at_crm(&mut self, who: Who, company: &Company, dice: &mut Dice) {
        use HubSpotDeed as Deed;
        let place = Place::Crm;
        let address = self.address(who, place);
        let crm = company.twins.hubspot();
        let act = |what: Deed| crm.act(&address, what);
        let is_there = crm.contact(&address).is_some();
        let (topic, purpose) = dice.pick(&topics());
        // Who is out already has nothing left to say on the preference page, and nobody could tell.
        let may_leave_all = is_there && !crm.is_out_of_all(&address);
        let may_leave = may_leave_all && crm.choice(&address, topic) != Some("UNSUBSCRIBED");
        match dice.below(10) {
            0 if may_leave_all => self.say_no((who, place, act(Deed::UnsubscribeAll)), &Purpose::ALL, company),
            1 | 2 if may_leave => self.say_no((who, place, act(Deed::Unsubscribe(topic))), &[purpose], company),
            // A form without a confirmation brings nobody back.
            3 => self.happens((who, place, act(Deed::SignUp(topic))), "signs up without confirming", company),
            4 | 5 => self.happens((who, place, act(Deed::Import)), "imported", company),
            6 => {
                let deed = dice.pick(&[Deed::Archive, Deed::Archive, Deed::Erase]);
                let word = format!("{deed:?}");
                self.happens((who, place, act(deed)), &word, company);
            }
            7 => self.happens((who, place, act(Deed::Restore)), "restored", company),
            8 if is_there => {
                let new = self.new_address(&address);
                let moved = act(Deed::ChangeAddress(new.clone()));
                self.moves_to((who, place, moved), new, company);
            }
            9 if dice.chance(30) => self.happens((who, place, act(Deed::Bounce)), "bounces", company),
            _ => {}
        }
    }

    fn at_campaigns(&mut self, who: Who, company: &Company, dice: &mut Dice) {
        use BrevoDeed as Deed;
        let place = Place::Campaigns;
        let address = self.address(who, place);
        let campaigns = company.twins.brevo();
        let act = |what: Deed| campaigns.act(&address, what);
        let (list, purpose) = dice.pick(&LISTS);
        let open = campaigns.is_blacklisted(&address) == Some(false);
        let contact = campaigns.contact(&address).unwrap_or_default();
        let is_on = contact["listIds"].as_array().is_some_and(|lists| lists.iter().any(|id| id.as_u64() == Some(list)));
        match dice.below(11) {
            0 if open => self.say_no((who, place, act(Deed::Unsubscribe)), &Purpose::ALL, company),
            1 if open => self.say_no((who, place, act(Deed::Complain)), &Purpose::ALL, company),
            2 if open && is_on => self.say_no((who, place, act(Deed::LeaveList(list))), &[purpose], company),
            3 => {
                self.happens((who, place, act(Deed::SignUp(list))), "signs up and confirms", company);
                self.oracle.back(who, purpose);
            }
            4 | 5 => self.happens((who, place, act(Deed::Import(list))), "imported", company),
            6 => self.happens((who, place, act(Deed::Delete)), "deleted", company),
            7 => self.happens((who, place, act(Deed::Resubscribe)), "resubscribed by a colleague", company),
            8 => self.happens((who, place, act(Deed::Block)), "blocked by a colleague", company),
            9 => {
                let new = self.new_address(&address);
                let moved = act(Deed::ChangeAddress(new.clone()));
                self.moves_to((who, place, moved), new, company);
            }
            10 if dice.chance(30) => self.happens((who, place, act(Deed::Bounce)), "bounces", company),
            _ => {}
        }
    }

    /// A file of the shop's: somebody opted out at the till, or an old list says that many are in.
    fn shop(&mut self, who: Who, company: &Company, dice: &mut Dice) {
        let now = company.clock.true_now().strftime("%Y-%m-%d %H:%M").to_string();
        let mut rows = HEAD.to_owned();
        if dice.chance(40) {
            let address = self.address(who, Place::Letter);
            let _ = writeln!(rows, ",,{address},,FR,,{now},till,,,,");
            self.oracle.no(who, &[Purpose::Newsletter], "opted out at the till");
            self.note(company, &format!("{who} opts out at the till"));
        } else {
            for who in &self.all {
                if dice.chance(50) {
                    let _ = writeln!(rows, ",,{},,FR,{now},,old list,,,,", self.address(*who, Place::Letter));
                }
            }
            self.note(company, "an old list is imported by the shop");
        }
        self.files += 1;
        let path = company.exports().join(format!("more-{}.csv", self.files));
        std::fs::write(path, rows).expect("the export is written");
    }

    fn say_no(&mut self, (who, place, acted): (Who, Place, Result<(), ActError>), to: &[Purpose], company: &Company) {
        if acted.is_ok() {
            let how = format!("{who} said no to {to:?} at {place:?} at {}", company.clock.true_now());
            self.oracle.no(who, to, &how);
            self.unread.insert((who, place));
            self.note(company, &how);
        }
    }

    fn happens(&mut self, (who, place, acted): (Who, Place, Result<(), ActError>), what: &str, company: &Company) {
        if acted.is_ok() {
            self.unread.insert((who, place));
            let noes: Vec<_> = Purpose::ALL.into_iter().filter(|of| self.oracle.is_out(who, *of)).collect();
            self.note(company, &format!("{who} {what} at {place:?}, out of {noes:?}"));
        }
    }

    fn moves_to(&mut self, (who, place, acted): (Who, Place, Result<(), ActError>), new: String, company: &Company) {
        if acted.is_ok() {
            self.note(company, &format!("{who} has another address at {place:?}: {new}"));
            self.oracle.has(who, &new);
            self.addresses.insert((who, place), new);
            self.unread.insert((who, place));
        }
    }

    fn new_address(&mut self, old: &str) -> String {
        self.moves += 1;
        format!("moved{}.{}@example.org", self.moves, old.split('@').next().unwrap_or_default())
    }

    fn address(&self, who: Who, place: Place) -> String {
        self.addresses[&(who, place)].clone()
    }

    pub(crate) fn note(&mut self, company: &Company, what: &str) {
        self.diary.push(format!("{} (host {}): {what}", company.clock.true_now(), company.clock.now()));
    }
}
