//! Reading contacts and blocked addresses, page by page.
//!
//! An incremental pass asks for the contacts modified since the last one began. Any change of a contact moves that date,
//! but nobody documents that every way out of a list does, so the host sweeps often as well. The transactional blocklist
//! has no such filter and is read whole each time.

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::value::RawValue;
use unisson_connector::{
    Cursor, Cx, Deletions, Error, ErrorKind, Next, Observation, Page, Proof, Pull, PullSpec, Reject, Result, Stream,
    StreamId,
};

use crate::pass::{Ask, Pass, Step};
use crate::wire::{Blocked, Contact, Listed, read};
use crate::{BLOCKED, Brevo, CONTACTS, translate};

/// Sweeps show everyone there is; only they are sure to show every opt-out.
const SPEC: PullSpec =
    PullSpec { incremental: true, incremental_shows_opt_outs: false, deletions: Deletions::InferBySweep };
/// The most contacts, and the most blocked addresses, that Brevo gives at once.
pub(crate) const CONTACTS_MAX: u64 = 1_000;
const BLOCKED_MAX: u64 = 100;
const STREAMS: [(&str, &str); 2] = [("contacts", "Contacts"), ("blocked", "Blocked for transactional messages")];

/// What a row says, or why it cannot be read.
type Told = std::result::Result<Observation, String>;

#[async_trait]
impl Pull for Brevo {
    fn spec(&self) -> &PullSpec {
        &SPEC
    }

    async fn streams(&self, _: &Cx<'_>) -> Result<Vec<Stream>> {
        let streams = STREAMS.iter().take(if self.transactional { 2 } else { 1 });
        Ok(streams.map(|(id, title)| Stream { id: StreamId((*id).to_owned()), title: (*title).to_owned() }).collect())
    }

    async fn page(&self, _: &Cx<'_>, stream: &StreamId, from: Option<&Cursor>) -> Result<Page> {
        let name = stream.0.as_str();
        if !STREAMS.iter().any(|(id, _)| *id == name) {
            return Err(Error::new(ErrorKind::NotFound, "find a Brevo stream of this name, list the streams"));
        }
        let is_blocked = name == "blocked";
        let pass = from.map_or_else(|| Ok(Pass::full(name)), |cursor| Pass::resume(name, cursor))?;
        let limit_max = if is_blocked { BLOCKED_MAX } else { CONTACTS_MAX };
        let ask = pass.ask(self.page_size.min(limit_max), limit_max);
        let ((mut step, is_doubtful), mut count, mut rows) = self.answer(is_blocked, &pass, ask).await?;
        if is_doubtful {
            ((step, _), count, rows) = self.answer(is_blocked, &pass, ask).await?;
        }
        let next = match step {
            Step::Stalled => return Err(pass.incomplete(count)),
            Step::More(pass) => Next::More(pass.cursor()?),
            Step::End(next) => {
                let next = next.filter(|_| !is_blocked).map(|next| next.cursor()).transpose()?;
                Next::End { proof: Proof::TotalReached, resume: next }
            }
        };
        let mut page = Page { observations: Vec::with_capacity(rows.len()), rejects: Vec::new(), next };
        for (told, place) in rows.into_iter().zip(ask.offset + 1..) {
            match told {
                Ok(observation) => page.observations.push(observation),
                Err(reason) => page.rejects.push(Reject { place: format!("row {place} of {name}"), reason }),
            }
        }
        Ok(page)
    }
}

impl Brevo {
    /// One request of a pass: what its answer proves and whether that is in doubt, the platform's count, and what the rows
    /// say.
    async fn answer(&self, is_blocked: bool, pass: &Pass, ask: Ask) -> Result<((Step, bool), u64, Vec<Told>)> {
        let call = self.client.get(if is_blocked { BLOCKED } else { CONTACTS });
        let call = call.query("limit", ask.limit).query("offset", ask.offset).query("sort", "asc");
        let call = match ask.since {
            Some(since) => call.query("modifiedSince", since.strftime("%Y-%m-%dT%H:%M:%S.%3fZ")),
            None => call,
        };
        let reply = self.send(call, &[429], "read a page of a Brevo listing").await?;
        let served = reply.header("date").and_then(|date| jiff::fmt::rfc2822::parse(date).ok());
        let listed: Listed = reply.json()?;
        let told: Vec<Told> = listed.rows.iter().map(|row| self.understand(is_blocked, row)).collect();
        let name = |told: &Told| told.as_ref().map_or(String::new(), |seen| seen.record.as_str().to_owned());
        let names: Vec<String> = told.iter().map(name).collect();
        let pass = pass.clone().at(served.map(|date| Timestamp::from(&date)));
        Ok((pass.take(ask, listed.count, &names)?, listed.count, told))
    }

    fn understand(&self, is_blocked: bool, row: &RawValue) -> Told {
        if is_blocked {
            return translate::blocked(&read::<Blocked>(row)?).map_err(str::to_owned);
        }
        Ok(self.fields.contact(&read::<Contact>(row)?))
    }
}
