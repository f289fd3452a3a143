//! Telling everything an account holds about one person: members of every audience, archived ones too, and spam reports.
//!
//! A member is looked for by the digest of every spelling of every address and by its lasting id, one by one: the vendor's
//! search over all audiences lags behind its lists.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use unisson_connector::{Access, Cx, Error, ErrorKind, Gathered, Holding, Result, Seek};
use unisson_consent::{Address, AddressKind};
use unisson_sdk::{flatten, segment};

use crate::Mailchimp;
use crate::names::{digest, parse_record};
use crate::pass::COUNT_MAX;
use crate::pull::read;
use crate::translate::Reading;
use crate::wire::{AbuseReport, Listed, Member, Problem};

const LOOK: &str = "look for a person in a Mailchimp audience";
const REPORTS: &str = "look for a person in the spam reports of Mailchimp";
/// How many names of one person are looked for in one audience.
const NAMES_MAX: usize = 100;
/// The pages of spam reports of one audience: a hundred thousand of them.
const PAGES_MAX: u64 = 100;
/// What the interface shows of a person only through something else, or not at all.
const UNSEEN: [&str; 5] = [
    "members known by a telephone number only",
    "notes on a member, events, activity and the tags beyond the first fifty",
    "reports of campaigns, automations and the shared inbox",
    "e-commerce stores and their orders",
    "files and exports in the account",
];

#[async_trait]
impl Access for Mailchimp {
    async fn gather(&self, _: &Cx<'_>, who: &Seek) -> Result<Gathered> {
        let (audiences, others) = self.audiences_and_others().await?;
        let mut found = Found { unseen: UNSEEN.map(str::to_owned).to_vec(), ..Found::default() };
        if others > 0 {
            found.unseen.push(format!("{others} audiences of the account that `audiences` leaves out"));
        }
        for (list, audience) in &audiences {
            let Some(audience) = audience else { continue };
            let place = Place { list, title: audience.name.get().unwrap_or(list), who };
            if let Err(error) = self.members(&place, &mut found).await {
                found.shut(error, || format!("members of the audience {}: the key may not read them", place.title))?;
            }
            if let Err(error) = self.reports(&place, &mut found).await {
                found.shut(error, || {
                    format!("spam reports of the audience {}: the key may not read them", place.title)
                })?;
            }
        }
        Ok(Gathered { holdings: found.holdings.into_values().collect(), unseen: found.unseen })
    }
}

/// Where is looked for whom.
struct Place<'a> {
    list: &'a str,
    /// The audience's name.
    title: &'a str,
    who: &'a Seek,
}

/// What was found so far, each record once.
#[derive(Default)]
struct Found {
    holdings: BTreeMap<String, Holding>,
    unseen: Vec<String>,
}

impl Found {
    /// Takes a place that may not be looked at as unseen, and anything else as the failure that it is.
    fn shut(&mut self, error: Error, words: impl FnOnce() -> String) -> Result<()> {
        if error.kind() != ErrorKind::Scope {
            return Err(error);
        }
        self.unseen.push(words());
        Ok(())
    }

    fn hold(&mut self, holding: Holding) {
        self.holdings.entry(holding.observation.record.as_str().to_owned()).or_insert(holding);
    }
}

impl Place<'_> {
    /// The names that a member of the person may have in a path of the audience.
    fn names(&self) -> Result<BTreeSet<String>> {
        let records = self.who.records.iter().filter_map(parse_record);
        let lasting =
            records.filter(|(list, _)| *list == self.list).filter_map(|(_, member)| member.map(str::to_owned));
        let names: BTreeSet<String> = spellings(self.who).iter().map(|email| digest(email)).chain(lasting).collect();
        if names.len() > NAMES_MAX {
            return Err(Error::new(ErrorKind::Bounds, LOOK).with("names", names.len()).with("at most", NAMES_MAX));
        }
        Ok(names)
    }

    /// Whether an address is one of the person's.
    fn is_theirs(&self, email: &str) -> bool {
        let Some(email) = Address::email(email) else { return false };
        self.who.addresses.iter().any(|held| held.kind() == email.kind() && held.suppress_key() == email.suppress_key())
    }
}

impl Mailchimp {
    fn reading<'a>(&'a self, place: &Place<'a>) -> Reading<'a> {
        Reading { list: place.list, forms: &self.forms }
    }

    async fn members(&self, place: &Place<'_>, found: &mut Found) -> Result<()> {
        for name in place.names()? {
            let call = self.client.get(&format!("/lists/{}/members/{}", segment(place.list), segment(&name)));
            let reply = call.query("exclude_fields", "_links").accept(&[404]).send(LOOK).await?;
            if reply.status() == 404 {
                // Only Mailchimp's own words say that a member is not there; a moved interface answers 404 as well.
                reply
                    .json::<Problem>()?
                    .title
                    .ok_or_else(|| Error::new(ErrorKind::Contract, LOOK).with("status", 404))?;
                continue;
            }
            let member: Member = reply.json()?;
            let unlike = |reason| Error::new(ErrorKind::Contract, LOOK).with("defect", reason);
            found.hold(Holding {
                observation: self.reading(place).member(&member).map_err(unlike)?,
                kind: format!("member of the audience {}", place.title),
                fields: flatten(&String::from_utf8_lossy(reply.body()), LOOK)?,
            });
        }
        Ok(())
    }

    /// The spam reports that name the person. They can only be listed, so all of them are read.
    async fn reports(&self, place: &Place<'_>, found: &mut Found) -> Result<()> {
        if spellings(place.who).is_empty() {
            return Ok(());
        }
        let mut seen = 0;
        for page in 0..PAGES_MAX {
            let call = self.client.get(&format!("/lists/{}/abuse-reports", segment(place.list)));
            let call = call.query("exclude_fields", "_links,abuse_reports._links").query("count", COUNT_MAX);
            let listed: Listed = call.query("offset", page * COUNT_MAX).send(REPORTS).await?.json()?;
            for row in &listed.rows {
                let unlike = |defect: String| Error::new(ErrorKind::Contract, REPORTS).with("defect", defect);
                let report: AbuseReport = read(row).map_err(unlike)?;
                if !report.email_address.get().is_some_and(|email| place.is_theirs(email)) {
                    continue;
                }
                found.hold(Holding {
                    observation: self.reading(place).complaint(&report).map_err(|defect| unlike(defect.to_owned()))?,
                    kind: format!("spam report in the audience {}", place.title),
                    fields: flatten(row.get(), REPORTS)?,
                });
            }
            seen += listed.rows.len() as u64;
            if seen >= listed.total_items {
                return Ok(());
            }
            if listed.rows.is_empty() {
                break;
            }
        }
        Err(Error::new(ErrorKind::Incomplete, REPORTS).with("seen", seen))
    }
}

/// Every spelling under which an address of the person may be listed, lower-case as the vendor digests it.
fn spellings(who: &Seek) -> BTreeSet<String> {
    let emails = who.addresses.iter().filter(|address| address.kind() == AddressKind::Email);
    emails
        .flat_map(|email| {
            [email.raw().trim().to_lowercase(), email.canonical().to_lowercase(), email.suppress_key().to_lowercase()]
        })
        .collect()
}
