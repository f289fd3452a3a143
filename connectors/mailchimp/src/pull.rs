//! Reading members, archived members and spam reports, page by page.
//!
//! Only what consent needs is fetched. An answer that is empty or shorter than the platform's own count is asked for once
//! more; then the pass goes on where that is safe, and fails where it is not.

use async_trait::async_trait;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::Value;
use unisson_connector::{
    Cursor, Cx, Deletions, Error, ErrorKind, Next, Observation, Page, Proof, Pull, PullSpec, Reject, Result, Stream,
    StreamId,
};
use unisson_sdk::segment;

use crate::Mailchimp;
use crate::names::{Feed, StreamName, digest};
use crate::pass::{Ask, Pass, Row, Step};
use crate::translate::Reading;
use crate::wire::{Listed, MEMBER_FIELDS};

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
        let (mut step, mut listed) = self.answer(&name, &pass, ask).await?;
        if step.1 {
            (step, listed) = self.answer(&name, &pass, ask).await?;
        }
        let next = match step.0 {
            Step::Stalled => return Err(pass.incomplete(listed.total_items)),
            Step::More(pass) => Next::More(pass.cursor()?),
            // Reports show no time to start from: every pass reads them all.
            Step::End(_) if name.feed == Feed::Complaints => Next::End { proof: Proof::TotalReached, resume: None },
            Step::End(pass) => Next::End { proof: Proof::TotalReached, resume: Some(pass.cursor()?) },
        };
        Ok(self.shown(&name, &listed, ask, next))
    }
}

impl Mailchimp {
    /// One request of a pass, what its answer proves, and whether that is in doubt.
    async fn answer(&self, name: &StreamName, pass: &Pass, ask: Ask) -> Result<((Step, bool), Listed)> {
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
        let listed: Listed = call.send("read a page of a Mailchimp listing").await?.json()?;
        let rows: Vec<Row> = listed.rows.iter().map(row).collect();
        Ok((pass.clone().take(ask, listed.total_items, &rows)?, listed))
    }

    fn shown(&self, name: &StreamName, listed: &Listed, ask: Ask, next: Next) -> Page {
        let reading = Reading { list: &name.list, forms: &self.forms };
        let mut page = Page { observations: Vec::new(), rejects: Vec::new(), next };
        for (row, place) in listed.rows.iter().zip(ask.offset + 1..) {
            match observe(&reading, name.feed, row) {
                Ok(observation) => page.observations.push(observation),
                Err(reason) => page.rejects.push(Reject { place: format!("row {place} of {}", name.id().0), reason }),
            }
        }
        page
    }
}

/// Which row in which state, without reading more of it than its ids and times.
fn row(row: &Value) -> Row {
    let text = |name: &str| row.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let changed = text("last_changed");
    let id = ["contact_id", "unique_email_id", "id"].into_iter().find_map(text);
    let id = id.map_or_else(|| row.to_string(), str::to_owned);
    Row {
        digest: digest(&[&id, changed.unwrap_or_default()].join("/"))[..16].to_owned(),
        changed: changed.and_then(|text| text.parse::<Timestamp>().ok()).map(Timestamp::as_second),
    }
}

fn observe(reading: &Reading<'_>, feed: Feed, row: &Value) -> std::result::Result<Observation, String> {
    match feed {
        Feed::Complaints => reading.complaint(&read(row)?).map_err(str::to_owned),
        Feed::Members | Feed::Archived => reading.member(&read(row)?).map_err(str::to_owned),
    }
}

/// A row of this kind, or where it differs from the documentation. The value itself may be personal: it is never told.
pub(crate) fn read<T: DeserializeOwned>(row: &Value) -> std::result::Result<T, String> {
    serde_path_to_error::deserialize(row)
        .map_err(|error| format!("`{}` is not as Mailchimp documents it: mend it there or report it", error.path()))
}
