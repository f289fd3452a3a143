//! Reading ahead: the pages of one stream, asked for by a task of their own while earlier ones are learnt and written.
//!
//! A bounded number of pages waits. Whoever takes them gets all that have arrived, so that a platform that answers faster
//! than the store writes is written in larger commits, and a slow one page by page.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use unisson_connector::{Connector, Cursor, Cx, Error, ErrorKind, Next, Page, Pull, Result, Stream};
use unisson_plan::Digest;

/// How many pages one pass may have: a million pages of a hundred contacts are more than any platform holds.
const PAGES_MAX: u64 = 1_000_000;
/// How often one page is asked for before its stream is given up for this run.
const PAGE_ATTEMPTS_MAX: u32 = 4;
/// The first pause before a page is asked for again; each further one is twice as long.
const PAGE_PAUSE: Duration = Duration::from_millis(500);
/// How many pages wait to be taken.
const PAGES_AHEAD: usize = 4;
/// After how many contacts no further page is taken into the same lot.
const LOT_CONTACTS: usize = 5_000;

/// Whose pages are read.
#[derive(Clone)]
pub(crate) struct Source {
    pub(crate) connector: Arc<dyn Connector>,
    pub(crate) run: String,
    pub(crate) stream: Stream,
}

/// A page, and the digest of each of its observations.
pub(crate) struct Read {
    pub(crate) page: Page,
    pub(crate) digests: Vec<Digest>,
}

/// Pages that were taken together.
pub(crate) struct Lot {
    pub(crate) pages: Vec<Read>,
    /// What comes after them.
    pub(crate) after: After,
}

/// What comes after some pages.
pub(crate) enum After {
    /// More of them.
    More,
    /// Nothing: the stream was read to its proven end.
    End,
    /// A failure.
    Failed(Error),
}

/// The pages of a stream from one place on.
pub(crate) struct Ahead {
    pages: mpsc::Receiver<Result<Read>>,
    task: JoinHandle<()>,
}

impl Ahead {
    /// Begins to read.
    pub(crate) fn start(source: Source, from: Option<Cursor>) -> Self {
        let (send, pages) = mpsc::channel(PAGES_AHEAD);
        Self { pages, task: tokio::spawn(read(source, from, send)) }
    }

    /// What has arrived, if anything has.
    pub(crate) fn arrived(&mut self) -> Option<Lot> {
        let first = self.pages.try_recv().ok()?;
        Some(self.fill(first))
    }

    /// Waits for something to arrive.
    pub(crate) async fn next(&mut self) -> Lot {
        match self.pages.recv().await {
            Some(first) => self.fill(first),
            // The task has ended without an end: it can only have panicked, and what it left undone is not known.
            None => failed(Error::new(ErrorKind::Contract, "read a stream: its connector broke down, report it")),
        }
    }

    fn fill(&mut self, first: Result<Read>) -> Lot {
        let mut pages = Vec::new();
        let (mut contacts, mut next) = (0, Some(first));
        while let Some(read) = next {
            let read = match read {
                Ok(read) => read,
                Err(error) => return Lot { pages, after: After::Failed(error) },
            };
            let is_end = matches!(read.page.next, Next::End { .. });
            contacts += read.digests.len();
            pages.push(read);
            if is_end {
                return Lot { pages, after: After::End };
            }
            next = if contacts < LOT_CONTACTS { self.pages.try_recv().ok() } else { None };
        }
        Lot { pages, after: After::More }
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn failed(error: Error) -> Lot {
    Lot { pages: Vec::new(), after: After::Failed(error) }
}

/// Reads page after page until the end, a failure, or nobody wants them any more.
async fn read(source: Source, mut from: Option<Cursor>, send: mpsc::Sender<Result<Read>>) {
    let Some(pull) = source.connector.pull() else { return };
    for _ in 0..PAGES_MAX {
        let page = match ask(pull, &source, from.as_ref()).await {
            Ok(page) => page,
            // Who no longer listens needs no answer, here and below.
            Err(error) => return drop(send.send(Err(error)).await),
        };
        from = match &page.next {
            Next::More(cursor) => Some(cursor.clone()),
            Next::End { .. } => None,
        };
        let digests = page.observations.iter().map(Digest::of).collect();
        if send.send(Ok(Read { page, digests })).await.is_err() || from.is_none() {
            return;
        }
    }
    let error = Error::new(ErrorKind::Bounds, "read a stream").with("pages", PAGES_MAX);
    drop(send.send(Err(error)).await);
}

/// Asks for one page, again where the failure may pass. A platform that asks for a long pause ends the pass: the cursor
/// stays, and the next run goes on from there. A page that leads to itself is refused before anything of it is kept.
async fn ask(pull: &dyn Pull, source: &Source, from: Option<&Cursor>) -> Result<Page> {
    let cx = Cx { run: &source.run };
    let mut pause = PAGE_PAUSE;
    for attempt in 1.. {
        match pull.page(&cx, &source.stream.id, from).await {
            Ok(page) if matches!((&page.next, from), (Next::More(next), Some(from)) if next == from) => {
                return Err(Error::new(ErrorKind::Contract, "read a stream: a page leads to itself"));
            }
            Err(error)
                if attempt < PAGE_ATTEMPTS_MAX
                    && error.kind().may_pass()
                    && !matches!(error.kind(), ErrorKind::RateLimited(_)) =>
            {
                tracing::info!(stream = %source.stream.title, error = %error, "asking for a page again");
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
            answer => return answer,
        }
    }
    Err(Error::new(ErrorKind::Bounds, "read a page").with("attempts", PAGE_ATTEMPTS_MAX))
}
