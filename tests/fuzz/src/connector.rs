//! What must hold of every page, whichever connector reads it.

use std::cell::OnceCell;
use std::collections::BTreeSet;

use jiff::SignedDuration;
use tokio::runtime::Runtime;
use unisson_connector::{Connector, Cursor, Cx, Error, Next, Page, StreamId};
use unisson_consent::{Scope, SystemId};
use unisson_plan::{Digest, Lesson, learn};

use super::silence::{names_nobody, told};
use super::{folding, policy};

/// The run that all pages here belong to.
const CX: Cx<'static> = Cx { run: "fuzz" };

/// How many observations of a page are learnt: the law is the target of others.
const LEARNT_MAX: usize = 2;

thread_local! {
    static RUNTIME: OnceCell<Runtime> = const { OnceCell::new() };
}

/// Asks a connector for a page. An error it answers names nobody.
///
/// # Panics
/// Where it does, and where the connector cannot be read.
pub fn page(connector: &dyn Connector, stream: &str, from: Option<&Cursor>) -> Result<Page, Error> {
    let pull = connector.pull().expect("it can be read");
    let stream = StreamId(stream.to_owned());
    let page = RUNTIME.with(|cell| {
        let runtime = cell.get_or_init(|| {
            tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts")
        });
        runtime.block_on(pull.page(&CX, &stream, from))
    });
    if let Err(error) = &page {
        names_nobody(&told(error));
    }
    page
}

/// Holds what must be true of a page that came of so many bytes, and learns from it.
///
/// # Panics
/// Where it is not true.
pub fn sound(page: &Page, from: Option<&Cursor>, bytes: usize) {
    assert!(page.observations.len() + page.rejects.len() <= bytes, "more rows than bytes");
    for reject in &page.rejects {
        names_nobody(&format!("{}: {}", reject.place, reject.reason));
    }
    if let Next::More(cursor) = &page.next {
        assert!(Some(cursor) != from, "a page leads to itself");
    }
    let (system, stream) = (SystemId::new("fuzz"), StreamId("all".to_owned()));
    let lag = SignedDuration::ZERO;
    let lesson = Lesson {
        instance: &system,
        stream: &stream,
        country: "FR",
        lag,
        now: folding::now(),
        observed_at: folding::now(),
    };
    for (place, observation) in page.observations.iter().enumerate() {
        assert!(!observation.record.as_str().is_empty(), "a record without a name");
        assert!(observation.slots.len() + observation.events.len() <= bytes + 64, "more is shown than bytes say");
        let scopes: BTreeSet<&Scope> = observation.slots.iter().map(|slot| &slot.scope).collect();
        assert_eq!(scopes.len(), observation.slots.len(), "a slot is there twice");
        if place >= LEARNT_MAX {
            continue;
        }
        let digest = Digest::of(observation);
        let learned = learn(observation, digest, None, &lesson);
        assert_eq!(learned, learn(observation, digest, None, &lesson), "the same lesson teaches the same");
        assert!(
            learn(observation, digest, Some(&learned.replica), &lesson).facts.is_empty(),
            "a repetition is no news"
        );
        policy::glance(&learned.facts);
    }
}
