//! Reading members, archived members and spam reports, page by page.
//!
//! Only what consent needs is fetched. An answer that is empty or shorter than the platform's own count is asked for once
//! more; then the pass goes on where that is safe, and fails where it is not.

use async_trait::async_trait;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;
use unisson_connector::{
    Cursor, Cx, Deletions, Error, ErrorKind, Next, Observation, Page, Proof, Pull, PullSpec, Reject, Result, Stream,
    StreamId,
};
use unisson_sdk::{read_row, segment};

use crate::Mailchimp;
use crate::names::{Feed, StreamName, digest};
use crate::pass::{Ask, Pass, Row, Step};
use crate::translate::Reading;
use crate::wire::{AbuseReport, Listed, MEMBER_FIELDS, Member};

const REPORT_FIELDS: &str = "total_items,abuse_reports.id,abuse_reports.email_address,abuse_reports.date";
/// Each member is in one of two streams, and whom a sweep of its own stream no longer shows is gone.
const SPEC: PullSpec =
    PullSpec { incremental: true, incremental_shows_opt_outs: true, deletions: Deletions::InferBySweep };
/// The archive comes first: whoever moved there is known to be there before the members are found to lack them.
const FEEDS: [(Feed, &str); 3] =
    [(Feed::Archived, ", archived"), (Feed::Members, ""), (Feed::Complaints, ", spam reports")];

#[async_trait]
impl Pull for Mailchimp {
    fn spec(&self) -> &PullSpec {
        &SPEC
    }

    async fn streams(&self, _: &Cx<'_>) -> Result<Vec<Stream>> {
        let mut streams = Vec::new();
        for (list, audience) in self.audiences().await? {
            let name = audience.as_ref().and_then(|audience| audience.name.get()).unwrap_or(&list);
            streams.extend(FEEDS.map(|(feed, suffix)| {
                let id = StreamName { list: list.clone(), feed }.id();
                Stream { id, title: format!("{name}{suffix}") }
            }));
        }
        Ok(streams)
    }

    async fn page(&self, _: &Cx<'_>, stream: &StreamId, from: Option<&Cursor>) -> Result<Page> {
        let Some(name) = StreamName::parse(stream) else {
            return Err(Error::new(ErrorKind::NotFound, "find a Mailchimp stream of this name, list the streams"));
        };
        let pass = from.map_or_else(|| Ok(Pass::full(&stream.0)), |cursor| Pass::resume(&stream.0, cursor))?;
        let ask = pass.ask(self.page_size);
        let (mut step, mut answer) = self.answer(&name, &pass, ask).await?;
        if step.1 {
            (step, answer) = self.answer(&name, &pass, ask).await?;
        }
        let next = match step.0 {
            Step::Stalled => return Err(pass.incomplete(answer.total)),
            Step::More(pass) => Next::More(pass.cursor()?),
            // Reports show no time to start from: every pass reads them all.
            Step::End(_) if name.feed == Feed::Complaints => Next::End { proof: Proof::TotalReached, resume: None },
            Step::End(pass) => Next::End { proof: Proof::TotalReached, resume: Some(pass.cursor()?) },
        };
        Ok(answer.page(&name, ask, next))
    }
}

impl Mailchimp {
    /// One request of a pass, what its answer proves, and whether that is in doubt.
    async fn answer(&self, name: &StreamName, pass: &Pass, ask: Ask) -> Result<((Step, bool), Answer)> {
        let list = segment(&name.list);
        let call = match name.feed {
            Feed::Complaints => self.client.get(&format!("/lists/{list}/abuse-reports")).query("fields", REPORT_FIELDS),
            Feed::Members | Feed::Archived => {
                let call = self.client.get(&format!("/lists/{list}/members")).query("fields", MEMBER_FIELDS);
                let call = call.query("sort_field", "last_changed").query("sort_dir", "ASC");
                let call = if name.feed == Feed::Archived { call.query("status", "archived") } else { call };
                match ask.since {
                    Some(since) => call.query("since_last_changed", since.strftime("%Y-%m-%dT%H:%M:%S+00:00")),
                    None => call,
                }
            }
        };
        let call = call.query("count", ask.count).query("offset", ask.offset);
        let reply = call.send("read a page of a Mailchimp listing").await?;
        let served = reply.header("date").and_then(|date| jiff::fmt::rfc2822::parse(date).ok());
        let listed: Listed = reply.json()?;
        let reading = Reading { list: &name.list, forms: &self.forms };
        let (rows, told): (Vec<Row>, Vec<Told>) =
            listed.rows.iter().map(|row| understand(&reading, name.feed, row)).unzip();
        let pass = pass.clone().at(served.map(|served| served.timestamp().as_second()));
        let step = pass.take(ask, listed.total_items, &rows)?;
        Ok((step, Answer { total: listed.total_items, told }))
    }
}

/// What the rows of an answer say.
struct Answer {
    /// How many rows the platform counts for the question.
    total: u64,
    told: Vec<Told>,
}

/// What a row says, or why it cannot be read.
type Told = std::result::Result<Observation, String>;

impl Answer {
    fn page(self, name: &StreamName, ask: Ask, next: Next) -> Page {
        let mut page = Page { observations: Vec::with_capacity(self.told.len()), rejects: Vec::new(), next };
        for (told, place) in self.told.into_iter().zip(ask.offset + 1..) {
            match told {
                Ok(observation) => page.observations.push(observation),
                Err(reason) => page.rejects.push(Reject { place: format!("row {place} of {}", name.id().0), reason }),
            }
        }
        page
    }
}

/// Which row in which state, and what it says.
fn understand(reading: &Reading<'_>, feed: Feed, row: &RawValue) -> (Row, Told) {
    match feed {
        Feed::Complaints => {
            (mark(row), read::<AbuseReport>(row).and_then(|report| reading.complaint(&report).map_err(str::to_owned)))
        }
        Feed::Members | Feed::Archived => match read::<Member>(row) {
            Ok(member) => {
                let id = member.contact_id.get().or(member.unique_email_id.get()).or(member.id.get());
                let marked = marked(id.unwrap_or_else(|| row.get()), member.last_changed.get());
                (marked, reading.member(&member).map_err(str::to_owned))
            }
            Err(reason) => (mark(row), Err(reason)),
        },
    }
}

/// Which row in which state, without reading more of it than its ids and times.
fn mark(row: &RawValue) -> Row {
    let fields: Value = serde_json::from_str(row.get()).unwrap_or_default();
    let text = |name: &str| fields.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let id = ["contact_id", "unique_email_id", "id"].into_iter().find_map(text);
    marked(id.unwrap_or_else(|| row.get()), text("last_changed"))
}

fn marked(id: &str, changed: Option<&str>) -> Row {
    Row {
        digest: digest(&[id, changed.unwrap_or_default()].join("/"))[..16].to_owned(),
        changed: changed.and_then(|text| text.parse::<Timestamp>().ok()).map(Timestamp::as_second),
    }
}

/// A row of this kind, or where it differs from the documentation. The value itself may be personal: it is never told.
pub(crate) fn read<T: DeserializeOwned>(row: &RawValue) -> std::result::Result<T, String> {
    read_row(row.get())
        .map_err(|place| format!("`{place}` is not as Mailchimp documents it: mend it there or report it"))
}
