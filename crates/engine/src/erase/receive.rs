//! Requests of people: to be erased, to object, to restrict. What is told here counts at once and survives a kill.

use jiff::Timestamp;
use thiserror::Error;
use unisson_consent::{Actor, Address, Channel, Fact, FactId, Kind, Occurred, Purposes, Scope, SystemId, Via, Who};
use unisson_plan::Commit;
use unisson_plan::erasure::{Case, CaseId, CaseState, Origin, OutOfTurn, Step};
use unisson_store::{Store, StoreError, Wanted};

use crate::host::{Engine, Order, Run};
use crate::journal::JournalLine;
use crate::report::RunReport;

/// The name under which the host itself tells facts.
pub(super) const HOST: &str = "unisson";

/// A request to be erased.
#[derive(Debug, Clone)]
pub struct Request {
    /// Whom: an address, a telephone number or a customer number, and nothing more than was said.
    pub who: Who,
    /// The same, as the store finds it.
    pub wanted: Wanted,
    /// How it was made certain who asks; `None` while it is not.
    pub verified_by: Option<String>,
    /// Holds that apply to this person beside those that apply to everybody.
    pub holds: Vec<String>,
    /// When it was received, if not now.
    pub received_at: Option<Timestamp>,
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// Its case.
    pub case: CaseId,
    /// How the case stands.
    pub state: CaseState,
    /// Whether the case was there before.
    pub known: bool,
}

/// Why an operator's word on a case is not taken.
#[derive(Debug, Error)]
pub enum Undecided {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no such case.
    #[error("no erasure case is named `{0}`")]
    Unknown(String),
    /// It does not follow from how the case stands.
    #[error(transparent)]
    OutOfTurn(#[from] OutOfTurn),
}

/// A refusal that an operator passes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The person objects to all direct marketing (art. 21).
    Object,
    /// Processing is restricted to storage (art. 18).
    Restrict,
    /// The restriction is lifted; the person was told first (art. 18(3)).
    Unrestrict,
}

impl Engine {
    /// Takes requests in. Marketing stops with this: an unverified request is an objection.
    pub async fn receive(&self, requests: &[Request]) -> Result<(Vec<Received>, RunReport), StoreError> {
        let order = Order::default();
        let (run, report) = self.begin(&order).await?;
        let mut received = Vec::with_capacity(requests.len());
        let outcome = async {
            for request in requests {
                received.push(run.receive(request).await?);
            }
            Ok::<_, StoreError>(())
        };
        let outcome = outcome.await;
        let (report, ()) = self.end(&run.watch, report, outcome).await?;
        Ok((received, report))
    }

    /// Tells a refusal of a person's, keeps it beyond any backup under every address of theirs, and lets it travel.
    pub async fn refuse(&self, who: &Who, addresses: &[Address], refusal: Refusal) -> Result<RunReport, StoreError> {
        let order = Order::default();
        let (run, mut report) = self.begin(&order).await?;
        let outcome = async {
            run.refuse(who, addresses, refusal).await?;
            run.follow(&mut report).await
        };
        let outcome = outcome.await;
        Ok(self.end(&run.watch, report, outcome).await?.0)
    }

    /// Brings what was asked for as far as it goes now: judges, erases, and sends what people refused.
    pub async fn pursue(&self, order: &Order) -> Result<RunReport, StoreError> {
        let (run, mut report) = self.begin(order).await?;
        let outcome = run.follow(&mut report).await;
        Ok(self.end(&run.watch, report, outcome).await?.0)
    }

    /// Takes an operator's word on a case.
    pub async fn decide(&self, id: &CaseId, step: Step) -> Result<Case, Undecided> {
        let mut case = self.store.case(id).await?.ok_or_else(|| Undecided::Unknown(id.0.clone()))?;
        let now = self.clock.now();
        let verifies = matches!(step, Step::Verified { .. });
        case.step(step, now)?;
        let mut commit = Commit::new(unisson_plan::RunId(uuid::Uuid::now_v7().to_string()), now);
        if verifies {
            commit.told.extend(confirmed(&self.store, &mut case, now).await?);
        }
        commit.cases.push(case.clone());
        self.store.commit(commit).await?;
        Ok(case)
    }

    /// Looks whether a system still holds anything of the person of a case.
    pub async fn look_again(&self, case: &Case, system: &SystemId) -> Result<Look, Unseen> {
        let order = Order::default();
        let (run, report) = self.begin(&order).await?;
        let look = run.look_at(case, system).await;
        self.end(&run.watch, report, Ok::<(), StoreError>(())).await?;
        look
    }
}

/// What a look at one system saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Whether its connector can look at all.
    pub looked: bool,
    /// How many records of the person it shows.
    pub holds: usize,
}

/// Why nobody could look.
#[derive(Debug, Error)]
pub enum Unseen {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The platform did not answer.
    #[error(transparent)]
    Platform(#[from] unisson_connector::Error),
}

/// The cases whose ids begin like this.
pub async fn find_cases(store: &dyn Store, beginning: &str) -> Result<Vec<Case>, StoreError> {
    const PAGE: usize = 500;
    if let Some(case) = store.case(&CaseId(beginning.to_owned())).await? {
        return Ok(vec![case]);
    }
    let mut found = Vec::new();
    let mut after: Option<CaseId> = None;
    loop {
        let page = store.cases(unisson_store::Cases::All, after.as_ref(), PAGE).await?;
        let Some(last) = page.last() else { return Ok(found) };
        after = Some(last.id.clone());
        found.extend(page.into_iter().filter(|case| case.id.0.starts_with(beginning)));
    }
}

/// The same request, certain now. The first one was an objection.
async fn confirmed(
    store: &std::sync::Arc<dyn Store>,
    case: &mut Case,
    now: Timestamp,
) -> Result<Vec<Fact>, StoreError> {
    let mut subjects: Vec<_> = store.subjects_of(&case.facts).await?.into_iter().flatten().collect();
    subjects.sort_unstable();
    subjects.dedup();
    let mut told = Vec::new();
    for dossier in store.dossiers(&subjects).await? {
        for fact in dossier.facts.into_iter().filter(|fact| case.facts.contains(&fact.id)) {
            told.push(request_fact(case, fact.who, true, now));
        }
    }
    case.facts.extend(told.iter().map(|fact| fact.id));
    Ok(told)
}

fn request_fact(case: &Case, who: Who, verified: bool, now: Timestamp) -> Fact {
    let (word, place) = (if verified { "verified" } else { "unverified" }, case.facts.len().to_string());
    Fact {
        id: FactId::of(&[HOST, "erase_request", &case.id.0, word, &place]),
        system: SystemId::new(HOST),
        record: None,
        who,
        observed_at: now,
        occurred: Occurred::Unknown,
        seq: None,
        actor: Actor::DataSubject,
        via: Via::Message,
        scope: everything(),
        kind: Kind::EraseRequest { verified },
        echo_of: None,
    }
}

/// All direct marketing over every channel.
pub(super) fn everything() -> Scope {
    Scope { purposes: Purposes::AllMarketing, channels: Channel::ALL.into_iter().collect() }
}

impl Run<'_> {
    /// Judges, erases, sends.
    pub(crate) async fn follow(&self, report: &mut RunReport) -> Result<(), StoreError> {
        let before = self.engine.store.runs(1).await?;
        self.engine.store.adopt_law(&self.law(&before)).await?;
        for instance in &self.engine.instances {
            let mut part = crate::host::blank(instance);
            part.complete = true;
            report.instances.insert(instance.id.as_str().to_owned(), part);
        }
        self.enter("judging");
        self.judge(report).await?;
        self.send(report).await
    }

    async fn look_at(&self, case: &Case, system: &SystemId) -> Result<Look, Unseen> {
        let access = self.instance(system).filter(|instance| instance.enabled);
        let Some(access) = access.and_then(|instance| instance.connector.access()) else {
            return Ok(Look { looked: false, holds: 0 });
        };
        let Some(person) = self.person(case).await? else { return Ok(Look { looked: false, holds: 0 }) };
        let seen = access.gather(&unisson_connector::Cx { run: &self.id.0 }, &person.seek(system)).await?;
        Ok(Look { looked: true, holds: seen.holdings.len() })
    }

    async fn receive(&self, request: &Request) -> Result<Received, StoreError> {
        let now = self.now();
        if let Some(case) = self.open_case(&request.wanted).await? {
            return self.receive_again(case, request).await;
        }
        let received_at = request.received_at.unwrap_or(now);
        let id = CaseId(uuid::Uuid::now_v7().to_string());
        let due_at = self.engine.erasures.calendar.due(received_at);
        let mut case = Case::open(id, Origin::Request, received_at, due_at);
        let step = match &request.verified_by {
            Some(by) => Step::Verified { by: by.clone() },
            None => Step::Doubted,
        };
        super::take(&mut case, step, now)?;
        self.parts(&mut case, &request.holds);
        let fact = request_fact(&case, request.who.clone(), request.verified_by.is_some(), self.heard_at());
        case.facts.push(fact.id);
        let mut commit = Commit::new(self.id.clone(), self.heard_at());
        commit.told.push(fact);
        commit.cases.push(case.clone());
        self.engine.store.commit(commit).await?;
        Ok(Received { case: case.id, state: case.state, known: false })
    }

    /// The same person asks again: what was in doubt may be certain now.
    async fn receive_again(&self, mut case: Case, request: &Request) -> Result<Received, StoreError> {
        if let (CaseState::AwaitingIdentity, Some(by)) = (case.state, &request.verified_by) {
            super::take(&mut case, Step::Verified { by: by.clone() }, self.now())?;
            let mut commit = Commit::new(self.id.clone(), self.heard_at());
            commit.told = confirmed(&self.engine.store, &mut case, self.heard_at()).await?;
            commit.cases.push(case.clone());
            self.engine.store.commit(commit).await?;
        }
        Ok(Received { case: case.id, state: case.state, known: true })
    }

    /// The case of somebody that is not answered yet.
    async fn open_case(&self, wanted: &Wanted) -> Result<Option<Case>, StoreError> {
        let subjects = self.engine.store.find(wanted).await?;
        let mut asked = Vec::new();
        for dossier in self.engine.store.dossiers(&subjects).await? {
            let requests = dossier.facts.iter().filter(|fact| matches!(fact.kind, Kind::EraseRequest { .. }));
            asked.extend(requests.map(|fact| fact.id));
        }
        let cases = self.engine.store.cases_of(&asked).await?;
        Ok(cases.into_iter().find(|case| case.state.is_open()))
    }

    async fn refuse(&self, who: &Who, addresses: &[Address], refusal: Refusal) -> Result<(), StoreError> {
        let now = self.heard_at();
        let (kind, actor) = match refusal {
            Refusal::Object => (Kind::Object, Actor::DataSubject),
            Refusal::Restrict => (Kind::Restrict, Actor::DataSubject),
            Refusal::Unrestrict => (Kind::Unrestrict, Actor::Operator),
        };
        let fact = Fact {
            id: FactId::of(&[HOST, "told", &uuid::Uuid::now_v7().to_string()]),
            system: SystemId::new(HOST),
            record: None,
            who: who.clone(),
            observed_at: now,
            occurred: Occurred::Instant(now),
            seq: None,
            actor,
            via: Via::Message,
            scope: everything(),
            kind,
            echo_of: None,
        };
        let (keyring, aliases) = (&self.engine.law.keyring, self.engine.law.policy.aliases);
        let sealed = addresses.iter().map(|address| keyring.tombstone(address, aliases));
        let restricts = refusal == Refusal::Restrict;
        let lines = sealed.filter(|hashes| !hashes.is_empty()).map(|hashes| JournalLine::Refusal {
            restricts,
            fact: fact.id,
            hashes,
            at: now,
        });
        let lines: Vec<JournalLine> = lines.collect();
        let mut commit = Commit::new(self.id.clone(), now);
        commit.told.push(fact);
        self.engine.store.commit(commit).await?;
        // Who keeps no journal has nothing that a backup could be behind of.
        if refusal != Refusal::Unrestrict && self.engine.erasures.journal.is_some() && !lines.is_empty() {
            self.record(&lines).await?;
        }
        Ok(())
    }
}
