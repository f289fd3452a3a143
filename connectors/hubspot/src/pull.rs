//! Reading contacts. A full sweep lists them all; an incremental pass searches for those modified since the last one.
//!
//! Changing a subscription does not move `lastmodifieddate`, so an incremental pass alone misses opt-outs: full sweeps
//! are needed regularly, and the host makes them. Without the preferences interface (`enterprise`, or `statuses =
//! "single"`) an opt-out is seen but not when, by which source and on which legal basis, and a subscription cannot be
//! told from silence.
//!
//! It refuses to page by offset: a contact that is modified while a search is read moves, and with it the one behind it
//! would be skipped. A search goes on after the last id instead, which also never meets the cap of 10,000 results.

use std::collections::HashMap;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_json::value::RawValue;
use unisson_connector::{
    Cursor, Cx, Deletions, Error, ErrorKind, Next, Observation, Page, Presence, Proof, Pull, PullSpec, Reject, Result,
    Stream, StreamId,
};
use unisson_sdk::{Call, Reply, read_row, segment};

use crate::translate::Translation;
use crate::wire::{Contact, ContactPage, Envelope, SubscriberStatuses, SubscriptionStatus, filter};
use crate::{CONTACTS, HubSpot, SEARCH, STATUSES};

/// Sweeps show every contact, so what a sweep no longer shows is gone. They are needed often: see above.
const SPEC: PullSpec =
    PullSpec { incremental: true, incremental_shows_opt_outs: false, deletions: Deletions::InferBySweep };
/// The version of a cursor's text.
const VERSION: u8 = 1;
const LIVE: &str = "contacts";
const ARCHIVED: &str = "archived";

/// Rows of a listing and of a search: the most the vendor allows.
const LISTING_ROWS: u32 = 100;
const SEARCH_ROWS: u32 = 200;
/// Addresses of one batch of statuses: the most the vendor allows.
const BATCH_ADDRESSES: usize = 100;
/// How far an incremental pass reaches back: the search index may lag by moments, and clocks differ.
const OVERLAP_MS: i64 = 5 * 60 * 1000;
/// How many marks of recent pages a cursor keeps to see a loop at once.
const TRAIL_MARKS: usize = 32;
/// How many pages one pass may have: far above the largest portal, and an end to any loop.
const PAGES: u32 = 10_000_000;

/// Where a pass is, as the text of its cursor.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pass {
    v: u8,
    stream: String,
    /// How many pages were read; none yet means that the pass has still to begin.
    pages: u32,
    /// When the platform served the first page, in milliseconds: the next incremental pass starts there.
    began: Option<i64>,
    /// The subscription types that the pass reads, so that all its pages show the same slots.
    lists: Vec<String>,
    place: Place,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Place {
    /// In a listing, before the row that `after` names; `trail` holds the marks of recent pages.
    Listing { after: Option<String>, trail: Vec<String> },
    /// In a search for what was modified since `from` (milliseconds), behind the id `above`.
    Search { from: i64, above: u64 },
}

#[async_trait]
impl Pull for HubSpot {
    fn spec(&self) -> &PullSpec {
        &SPEC
    }

    async fn streams(&self, _cx: &Cx<'_>) -> Result<Vec<Stream>> {
        let stream = |id: &str, title: &str| Stream { id: StreamId(id.to_owned()), title: title.to_owned() };
        Ok(vec![stream(LIVE, "Contacts"), stream(ARCHIVED, "Archived contacts (the recycle bin)")])
    }

    async fn page(&self, _cx: &Cx<'_>, stream: &StreamId, from: Option<&Cursor>) -> Result<Page> {
        if ![LIVE, ARCHIVED].contains(&stream.0.as_str()) {
            return Err(Error::new(ErrorKind::NotFound, "open a stream: there are contacts and archived"));
        }
        let mut pass = match from {
            Some(cursor) => Pass::read(cursor, stream)?,
            None => Pass::new(&stream.0, Place::Listing { after: None, trail: Vec::new() }),
        };
        if pass.pages == 0 {
            pass.lists = self.definitions().await?.into_iter().map(|definition| definition.id).collect();
        }
        pass.pages += 1;
        if pass.pages > PAGES {
            return Err(Error::new(ErrorKind::Contract, "reach the end of the contacts").with("pages", PAGES));
        }
        match pass.place.clone() {
            Place::Listing { after, trail } => self.listing(pass, after, trail).await,
            Place::Search { from, above } => self.search(pass, from, above).await,
        }
    }
}

impl HubSpot {
    async fn listing(&self, mut pass: Pass, after: Option<String>, mut trail: Vec<String>) -> Result<Page> {
        let archived = pass.stream == ARCHIVED;
        let call = || {
            let call = self.client.get(CONTACTS).query("limit", LISTING_ROWS).query("archived", archived);
            let call = call.query("properties", self.fields.properties(&pass.lists).join(","));
            match &after {
                Some(after) => call.query("after", after),
                None => call,
            }
        };
        let (page, served) = self.contacts(call, "read a page of contacts").await?;
        pass.began = pass.began.or(served);
        let (rows, rejects) = rows(&page.results);
        let after = page.after().map(str::to_owned);
        let first = rows.first().map(|row| format!("row {}", row.id));
        for mark in after.iter().map(|after| format!("after {after}")).chain(first) {
            leave_mark(&mut trail, mark, pass.pages)?;
        }
        let presence = if archived { Presence::Archived } else { Presence::Present };
        let observations = self.observe(&rows, &pass.lists, presence).await?;
        let next = match after {
            Some(after) => Next::More(pass.at(Place::Listing { after: Some(after), trail })),
            None => Next::End { proof: Proof::NoNextLink, resume: if archived { None } else { pass.resume(None) } },
        };
        Ok(Page { observations, rejects, next })
    }

    async fn search(&self, mut pass: Pass, from: i64, above: u64) -> Result<Page> {
        let during = "search for modified contacts";
        let mut filters = vec![filter("lastmodifieddate", "GTE", &from.to_string())];
        if above > 0 {
            filters.push(filter("hs_object_id", "GT", &above.to_string()));
        }
        let body = json!({
            "filterGroups": [{"filters": filters}],
            "sorts": [{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
            "properties": self.fields.properties(&pass.lists),
            "limit": SEARCH_ROWS,
        });
        let call = || self.client.post(SEARCH).json(&body).repeatable();
        let (page, served) = self.contacts(call, during).await?;
        pass.began = pass.began.or(served);
        let (rows, rejects) = rows(&page.results);
        let mut last = above;
        for id in rows.iter().map(|row| row.id.parse().unwrap_or(0)) {
            if id <= last {
                return Err(Error::new(ErrorKind::Contract, during).with("rows", "not in the order asked for"));
            }
            last = id;
        }
        let (more, shown, total) = (page.after().is_some(), page.results.len() as u64, page.total);
        if more && last == above {
            return Err(Error::new(ErrorKind::Contract, during).with("rows", "none, and yet more announced"));
        }
        if !more && total.is_some_and(|total| total > shown) {
            return Err(Error::new(ErrorKind::Incomplete, during)
                .with("shown", shown)
                .with("total", total.unwrap_or(0)));
        }
        let observations = self.observe(&rows, &pass.lists, Presence::Present).await?;
        let next = if more {
            Next::More(pass.at(Place::Search { from, above: last }))
        } else {
            Next::End { proof: Proof::NoNextLink, resume: pass.resume(Some(from)) }
        };
        Ok(Page { observations, rejects, next })
    }

    /// One page, and when the platform served it. A page without rows that no other follows is asked for twice: it would
    /// end the pass, and after a fault it would end it too soon.
    async fn contacts(
        &self,
        call: impl Fn() -> Call + Send,
        during: &'static str,
    ) -> Result<(ContactPage, Option<i64>)> {
        let mut asked_again = false;
        loop {
            let reply = self.send(call(), &[429], during).await?;
            let page = reply.json::<ContactPage>()?.checked(during)?;
            if asked_again || !page.results.is_empty() || page.after().is_some() {
                return Ok((page, served(&reply)));
            }
            asked_again = true;
        }
    }

    pub(crate) async fn observe(
        &self,
        rows: &[Contact],
        lists: &[String],
        presence: Presence,
    ) -> Result<Vec<Observation>> {
        // What is in the recycle bin is mailed by nobody: its properties say enough.
        let told = if presence == Presence::Present { self.statuses(rows).await? } else { HashMap::new() };
        let observation = |contact: &Contact| {
            let statuses = contact.text("email").and_then(|email| told.get(&email.to_lowercase()));
            let statuses = statuses.map_or(&[][..], Vec::as_slice);
            Translation { fields: &self.fields, lists, contact, statuses, presence }.observation()
        };
        Ok(rows.iter().map(observation).collect())
    }

    /// What the preferences interface says of each primary address, lower-case. An address it refuses is not there, and
    /// the contact's properties speak for it.
    async fn statuses(&self, rows: &[Contact]) -> Result<HashMap<String, Vec<SubscriptionStatus>>> {
        let mut emails: Vec<String> =
            rows.iter().filter_map(|row| row.text("email")).filter(|email| email.contains('@')).collect();
        emails.sort_unstable();
        emails.dedup();
        if self.batch_reads.allowed()
            && let Some(told) = self.batch_statuses(&emails).await?
        {
            return Ok(told);
        }
        let mut told = HashMap::new();
        if !self.reads_statuses {
            return Ok(told);
        }
        let during = "read the subscriptions of a contact";
        for email in emails {
            let call = self.client.get(&format!("{STATUSES}/{}", segment(&email))).query("channel", "EMAIL");
            let reply = self.send(call, &[400, 404, 429], during).await?;
            if reply.status() == 200 {
                let statuses = reply.json::<Envelope<SubscriptionStatus>>()?.finished(during)?.results;
                told.insert(email.to_lowercase(), statuses);
            }
        }
        Ok(told)
    }

    /// The same in batches; `None` once the account turns out not to have them.
    async fn batch_statuses(&self, emails: &[String]) -> Result<Option<HashMap<String, Vec<SubscriptionStatus>>>> {
        let during = "read the subscriptions of a page of contacts";
        let mut told: HashMap<String, Vec<SubscriptionStatus>> = HashMap::new();
        for inputs in emails.chunks(BATCH_ADDRESSES) {
            let call = self.client.post(&format!("{STATUSES}/batch/read")).query("channel", "EMAIL");
            let call = call.json(&json!({"inputs": inputs})).repeatable();
            let reply = self.send(call, &[403, 429], during).await?;
            if reply.status() == 403 {
                self.batch_reads.deny();
                return Ok(None);
            }
            let envelope = reply.json::<Envelope<SubscriberStatuses>>()?.finished(during)?;
            // The properties would answer for these addresses too, but undated: a passing failure must not look like news.
            if envelope.errors.iter().any(|error| error.category.may_pass()) {
                return Err(Error::new(ErrorKind::Transient, during).with("errors", envelope.errors.len()));
            }
            for subscriber in envelope.results {
                let address = subscriber.subscriber_id_string.to_lowercase();
                told.entry(address).or_default().extend(subscriber.statuses);
            }
        }
        Ok(Some(told))
    }
}

impl Pass {
    fn new(stream: &str, place: Place) -> Self {
        Self { v: VERSION, stream: stream.to_owned(), pages: 0, began: None, lists: Vec::new(), place }
    }

    /// Reads a cursor of this version and stream; anything else is refused, never quietly begun anew.
    fn read(cursor: &Cursor, stream: &StreamId) -> Result<Self> {
        let foreign = || Error::new(ErrorKind::Contract, "go on from the stored cursor: start a full sweep");
        let pass: Self = serde_json::from_str(&cursor.0).map_err(|_| foreign())?;
        let known = pass.v == VERSION && pass.stream == stream.0 && pass.pages <= PAGES;
        let fits = stream.0 == LIVE || matches!(pass.place, Place::Listing { .. });
        if known && fits { Ok(pass) } else { Err(foreign().with("version", pass.v)) }
    }

    fn cursor(&self) -> Cursor {
        Cursor(json!(self).to_string())
    }

    /// The cursor of this pass at another place.
    fn at(self, place: Place) -> Cursor {
        Self { place, ..self }.cursor()
    }

    /// The cursor of the next incremental pass, which never starts before `from`. Without a time from the platform it
    /// starts where this one did; after a sweep without one, only another sweep is safe.
    fn resume(&self, from: Option<i64>) -> Option<Cursor> {
        let began = self.began.map(|began| began.saturating_sub(OVERLAP_MS));
        let start = began.max(from)?;
        Some(Self::new(&self.stream, Place::Search { from: start, above: 0 }).cursor())
    }
}

/// Marks a page by its token or its first row, and refuses a mark that was left before: tokens that turn in a circle, or
/// fresh ones for the same rows. The oldest mark kept is one of a page whose number is a power of two, so that a circle of
/// any length is met.
fn leave_mark(trail: &mut Vec<String>, mark: String, pages: u32) -> Result<()> {
    if trail.contains(&mark) {
        return Err(Error::new(ErrorKind::Contract, "page through the contacts: the pages turn in a circle")
            .with("page", pages));
    }
    if trail.len() >= TRAIL_MARKS {
        trail.remove(usize::from(!pages.is_power_of_two()));
    }
    trail.push(mark);
    Ok(())
}

/// When the platform answered, by its own clock, in milliseconds.
fn served(reply: &Reply) -> Option<i64> {
    let date = jiff::fmt::rfc2822::parse(reply.header("date")?).ok()?;
    Some(date.timestamp().as_millisecond())
}

/// The rows that can be read, and a reject for each that cannot.
fn rows(results: &[Box<RawValue>]) -> (Vec<Contact>, Vec<Reject>) {
    let mut rejects = Vec::new();
    let mut contacts = Vec::new();
    for (place, row) in (1..).zip(results) {
        let reason = match read_row::<Contact>(row.get()) {
            Ok(contact) if contact.id.parse::<u64>().is_ok() => {
                contacts.push(contact);
                continue;
            }
            Ok(_) => "`id` is no number: look at the platform's answer".to_owned(),
            Err(what) => format!("`{what}` is not as HubSpot documents it: look at the platform's answer"),
        };
        rejects.push(Reject { place: format!("row {place} of the page"), reason });
    }
    (contacts, rejects)
}
