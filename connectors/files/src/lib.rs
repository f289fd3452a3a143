//! Files: CSV and JSON lines in, suppression lists out.
//!
//! What a company exports from anything it has: its shop, its call centre, a platform it left. A connector of this kind
//! reads one file, or every `*.csv`, `*.tsv`, `*.txt`, `*.jsonl` and `*.ndjson` of one folder; each file is a stream. A file
//! that was read and has not changed is not read again, except by a full sweep. [`export`] writes lists of addresses, and
//! [`import`] reads lists of refusals.
//!
//! | setting | meaning |
//! |---|---|
//! | `path` | the file or folder |
//! | `preset` | `"auto"`, `"mailchimp"`, `"hubspot"` or `"brevo"`: exports that are read by their headers, see below |
//! | `format` | `"csv"` or `"jsonl"`; otherwise the extension says it |
//! | `encoding` | such as `"windows-1252"`; otherwise found out and shown by a check |
//! | `separator` | one character or `"tab"`; otherwise found out among `,` `;` tab and `\|`, and shown by a check |
//! | `quote` | one character, `"` where nothing is said, or `"none"` |
//! | `header` | `false` where the first row is data; columns are then called `"1"`, `"2"` and so on |
//! | `blank` | texts that mean an empty cell; `["NULL", "\\N"]` where nothing is said |
//! | `date_format` | one form of dates or several, such as `"%d/%m/%Y"`; RFC 3339 and its parts are always read |
//! | `page_rows` | how many rows are read at once, 1 to 10,000; 1000 where nothing is said |
//! | `columns` | where identifiers are: `email`, `phone`, `postal`, `customer`, `person`, `record`, `country`, `audience`, `professional`, `birth` |
//! | `claims.<name>` | what each row shows now: `purposes` or `list`, `channels`, `status` with `status_map`, or `assume`; `since`, `actor`, `evidence` |
//! | `events.<name>` | what each row says has happened: `kind`, `at`, `when`, `purposes` or `list`, `channels`, `actor`, `evidence`; for some kinds `opt_out_offered`, `similar`, `verified`, `code` |
//!
//! Where a key always names a column, it takes the name. Where it may be a column or the same for every row, it takes
//! `{ column = "…" }`, `{ value = … }`, or plain `true` and `false`. Kinds of events are `grant`, `request`, `refuse`, `withdraw`,
//! `object`, `complaint`, `erase_request`, `restrict`, `operator_block`, `bounce`, `delivered`, `sale`, `inquiry`, `contract`,
//! `contract_end`, `click`, `login`, `purchase`, `reply` and `open`. Without `when`, an event has happened where its `at` is filled.
//!
//! A row without a `record` of its own gets an id made of the file's name, its identifiers and the dates of its claims. A
//! record that several rows are about needs `record` to name what tells them apart; a check says where it is missing.
//!
//! # A shop
//!
//! ```toml
#![doc = include_str!("../examples/shop.toml")]
//! ```
//!
//! # A call centre
//!
//! ```toml
#![doc = include_str!("../examples/calls.toml")]
//! ```
//!
//! # A list of addresses
//!
//! ```toml
#![doc = include_str!("../examples/unsubscribed.toml")]
//! ```
//!
//! # Exports of platforms
//!
//! With a `preset`, delimited text needs no mapping: its header says what it is. What `columns` name goes before what the
//! header says, `claims` replace all its claims and `events` all its events. A header that fits in part or twice is an error
//! that says what is missing. Nothing but Mailchimp's file of the subscribed opts anybody in.
//!
//! | export | recognised by | what its rows show |
//! |---|---|---|
//! | Mailchimp, subscribed | `LAST_CHANGED`, and `subscribed_…` as its name | opted in to `audience` since `CONFIRM_TIME`, else `OPTIN_TIME` |
//! | Mailchimp, unsubscribed | `UNSUB_TIME` | opted out of `audience`; a complaint where `UNSUB_REASON` says so |
//! | Mailchimp, cleaned | `CLEAN_TIME` | a dead address |
//! | Mailchimp, non-subscribed | `LAST_CHANGED`, and `nonsubscribed_…` as its name | nothing said |
//! | `HubSpot`, contacts | `Unsubscribed from all email` | opt-outs of everything and of each type, bounces |
//! | Brevo, contacts | `_BLOCKLISTED` or `EMAIL_BLACKLISTED` | out of `blocklist` and `sms-blocklist`, or nothing said |
//!
//! ```toml
#![doc = include_str!("../examples/left.toml")]
//! ```
//!
//! It refuses to judge and to mend: addresses stay as they are written, unmapped words are unknown, rows that cannot be
//! read are set aside with their line, and a file that was cut off or changed under its reader is never called complete.
//! Digests of addresses are not read: no row of a file that is synced can show one.

mod access;
mod charset;
mod cursor;
mod digest;
mod event;
mod evidence;
pub mod export;
mod fingerprint;
mod flaw;
mod folder;
mod header;
pub mod import;
mod line;
mod mapping;
mod moment;
mod objects;
mod preset;
mod probe;
mod pull;
mod row;
mod rows;
mod separator;
mod settings;
mod shape;
mod splitter;
mod table;
mod translate;
mod truth;

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;
use unisson_connector::{
    Access, Account, Connector, Cursor, Cx, Deletions, Error, ErrorKind, Info, Page, Pull, PullSpec, Result, Stream,
    StreamId,
};
use unisson_consent::Channels;
use unisson_sdk::{BuildError, Host, Kind};

use crate::pull::Reader;

/// What the host needs to make connectors of this kind.
pub const KIND: Kind = Kind { name: "files", info, build };

/// One file, or the files of one folder.
#[derive(Debug)]
pub struct Files {
    info: Info,
    spec: PullSpec,
    reader: Arc<Reader>,
}

impl Files {
    /// Files as these settings describe them. Nothing is opened yet.
    pub fn new(settings: Value) -> std::result::Result<Self, BuildError> {
        let spec = PullSpec { incremental: true, incremental_shows_opt_outs: true, deletions: Deletions::Unknown };
        Ok(Self { info: info(), spec, reader: Arc::new(Reader::new(settings)?) })
    }

    /// Reads on a thread where reading may block.
    async fn read<T: Send + 'static>(&self, read: impl FnOnce(&Reader) -> Result<T> + Send + 'static) -> Result<T> {
        let reader = Arc::clone(&self.reader);
        let done = tokio::task::spawn_blocking(move || read(&reader)).await;
        // The words of a panic may repeat what a row holds.
        done.unwrap_or_else(|_| Err(Error::new(ErrorKind::Contract, "read files: the reader stopped unexpectedly")))
    }
}

#[async_trait]
impl Connector for Files {
    fn info(&self) -> &Info {
        &self.info
    }

    async fn probe(&self, _: &Cx<'_>) -> Result<Account> {
        self.read(Reader::probe).await
    }

    fn pull(&self) -> Option<&dyn Pull> {
        Some(self)
    }

    fn access(&self) -> Option<&dyn Access> {
        Some(self)
    }
}

#[async_trait]
impl Pull for Files {
    fn spec(&self) -> &PullSpec {
        &self.spec
    }

    async fn streams(&self, _: &Cx<'_>) -> Result<Vec<Stream>> {
        self.read(Reader::streams).await
    }

    async fn page(&self, cx: &Cx<'_>, stream: &StreamId, from: Option<&Cursor>) -> Result<Page> {
        let (stream, from, run) = (stream.clone(), from.cloned(), cx.run.to_owned());
        self.read(move |reader| reader.page(&stream, from.as_ref(), &run)).await
    }
}

fn build(settings: Value, _: &Host<'_>) -> std::result::Result<Arc<dyn Connector>, BuildError> {
    Ok(Arc::new(Files::new(settings)?))
}

fn info() -> Info {
    Info {
        kind: "files",
        title: "Files",
        channels: Channels::ALL,
        limits: Vec::new(),
        docs: "https://www.rfc-editor.org/rfc/rfc4180",
    }
}
