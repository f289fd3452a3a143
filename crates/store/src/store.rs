//! The memory of the host, as a trait. Every store passes the same suite.

use std::collections::BTreeSet;
use std::fmt::Debug;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use unisson_connector::{Action, Change, ChangeId, StreamId};
use unisson_consent::{Address, CustomerNo, Fact, FactId, Reason, RecordId, RecordRef, SystemId};
use unisson_plan::erasure::{Case, CaseId, CaseState, Held};
use unisson_plan::{
    Commit, Digest, Dossier, Guarded, KeyDecision, PlanId, Position, RecordNo, Replica, RunId, SubjectNo, Tally,
};

use crate::error::Result;
use crate::ledger::{Entry, LedgerCommit};
use crate::outbox::OutboxState;

/// The longest pause of a change: a platform's word is taken for a day at most, and nothing else waits longer.
const PAUSE_LONGEST: SignedDuration = SignedDuration::from_hours(24);

/// What a commit did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Receipt {
    /// Facts that were new to the ledger.
    pub facts: u64,
    /// Planned changes that were new to the outbox.
    pub changes: u64,
    /// The numbers of the records that were learnt, in the order of the commit.
    pub learned: Vec<RecordNo>,
    /// The newcomers whose judgement counted, by their places among the newcomers of the commit.
    pub newcomers: Vec<usize>,
}

/// How a run ended, or that it has not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RunState {
    /// Under way.
    Running,
    /// Everything was reached and done.
    Done,
    /// Something was not reached or not done, and the report names it.
    Partial,
    /// The guard holds changes until somebody approves the run.
    Held,
    /// Nothing could be done.
    Failed,
    /// The process ended before the run did.
    Interrupted,
}

impl RunState {
    /// Every state with the name used in stores and output.
    pub const ALL: [(Self, &'static str); 6] = [
        (Self::Running, "running"),
        (Self::Done, "done"),
        (Self::Partial, "partial"),
        (Self::Held, "held"),
        (Self::Failed, "failed"),
        (Self::Interrupted, "interrupted"),
    ];

    /// The name used in stores and output.
    pub fn as_str(self) -> &'static str {
        Self::ALL[self as usize].1
    }
}

/// A run as it is remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRecord {
    /// Its id.
    pub id: RunId,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// How it ended.
    pub state: RunState,
    /// Its report as JSON, in the form its writer chose; nothing personal in it.
    pub report: String,
}

/// Which changes a worker wants to deliver next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim<'a> {
    /// Where.
    pub instance: &'a SystemId,
    /// The present.
    pub now: Timestamp,
    /// Until when the worker holds them; after that they are anybody's again.
    pub until: Timestamp,
    /// How many at most.
    pub limit: usize,
    /// Whether changes that bring somebody back may be taken too. They never are before a suppression.
    pub openings: bool,
    /// Only those of this plan.
    pub plan: Option<&'a PlanId>,
}

impl Claim<'_> {
    /// The latest moment until which a change can be paused. What pauses beyond it, or is leased beyond the lease that is
    /// asked for now, was written while the clock was ahead: it is due, or it would wait until the clock is there again.
    pub fn latest_pause(&self) -> Timestamp {
        self.now.checked_add(PAUSE_LONGEST).unwrap_or(Timestamp::MAX)
    }
}

/// A change under lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// What to do.
    pub change: Change,
    /// How often it was tried before.
    pub attempts: u32,
    /// What the record shows now.
    pub replica: Replica,
}

/// The place of a change in the order in which all were planned, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OutboxNo(pub u64);

/// A planned change as the outbox keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxChange {
    /// Its place.
    pub no: OutboxNo,
    /// Its id.
    pub id: ChangeId,
    /// Where.
    pub instance: SystemId,
    /// What it does.
    pub action: Action,
    /// Why.
    pub reason: Reason,
    /// Whether the person said no, so that it is never held back.
    pub by_person: bool,
    /// How far it has come.
    pub state: OutboxState,
    /// The plan that it was let go under, or is marked for.
    pub plan: Option<PlanId>,
    /// Whose record it is about.
    pub subject: SubjectNo,
}

/// How many changes of one kind wait in one state.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OutboxCount {
    /// Where.
    pub instance: SystemId,
    /// What they do.
    pub action: Action,
    /// `draft`, `held`, `pending`, `leased`, `later`, `in_flight`, `unknown`, `refused`, `done`, `gone` or `cancelled`.
    pub state: String,
    /// The vendor's code where it refused, else empty.
    pub code: String,
    /// The run that holds them, for `held`.
    pub run: Option<RunId>,
    /// How many.
    pub changes: u64,
}

/// What the store holds, in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// People, as far as records were joined.
    pub subjects: u64,
    /// Records of all instances.
    pub records: u64,
    /// Facts in the ledger.
    pub facts: u64,
    /// Commits of the ledger.
    pub commits: u64,
    /// Subjects whose standing must be made anew.
    pub stale: u64,
}

/// Whom somebody asks about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// Whoever has this address, in any spelling of the widest suppression class, or a digest of it.
    Address(Address),
    /// Whoever has this customer number.
    Customer(CustomerNo),
    /// Whose record this is at any instance.
    Record(RecordId),
}

/// What a verification of the ledger found to be in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// Commits whose chain holds.
    pub commits: u64,
    /// Facts whose digest holds.
    pub facts: u64,
    /// The digest of the last commit: keep it elsewhere, and nobody can rewrite the past.
    pub head: [u8; 32],
}

/// How a fact of the ledger is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Naming {
    /// As it is kept: numbers stand for records and identifiers.
    Numbers,
    /// With everybody it names.
    Names,
}

/// A fact as the ledger keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerFact {
    /// The commit that its row claims.
    pub seq: u64,
    /// Its bytes: [`StoredFact`](crate::codec::StoredFact) reads them.
    pub body: Vec<u8>,
    /// Who told it.
    pub system: SystemId,
    /// The subject that its record belongs to now; `None` where it is told on no record and reaches everyone.
    pub subject: Option<SubjectNo>,
    /// The fact with its identifiers, where they were asked for.
    pub fact: Option<Fact>,
}

/// What is known of a fact that is about to be told on no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Met {
    /// Whether it was told before.
    pub known: bool,
    /// Whether a record of any system belongs to somebody it names, by an address of any spelling of the widest class, by
    /// a digest or by a number.
    pub held: bool,
}

/// Which erasure cases are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cases {
    /// All of them.
    All,
    /// Those in one of the states before the end: somebody waits for an answer.
    Open,
    /// Those that want to be looked at by now: [`Case::next_at`](unisson_plan::erasure::Case::next_at).
    Due(Timestamp),
}

/// How many cases there are in one state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CaseCount {
    /// The state.
    pub state: CaseState,
    /// How many.
    pub cases: u64,
}

/// What is to be forgotten of an erased person, and what of it is locked away.
#[derive(Debug, Clone)]
pub struct Purge {
    /// The run that forgets.
    pub run: RunId,
    /// When.
    pub at: Timestamp,
    /// The cases as they stand afterwards.
    pub case: Case,
    /// The records of the person, of every system, gone or not.
    pub records: Vec<RecordRef>,
    /// The facts of the person that name no record: requests, entries of lists, objections. Never a tombstone.
    pub loose: Vec<FactId>,
    /// Records that a hold keeps: of them stays what the lock holds.
    pub held: Vec<(RecordNo, Held)>,
}

/// What was forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Purged {
    /// Records.
    pub records: u64,
    /// Facts of the ledger: their entries stay in the chain, their content is gone.
    pub facts: u64,
    /// Identifiers: addresses, numbers, days of birth, digests.
    pub identifiers: u64,
}

/// The memory of the host.
#[async_trait]
pub trait Store: Send + Sync + Debug {
    /// What is known of these records: their numbers and the digests of their last observation.
    async fn known(&self, instance: &SystemId, records: &[RecordId]) -> Result<Vec<Option<(RecordNo, Digest)>>>;

    /// What these records showed last.
    async fn replicas(&self, instance: &SystemId, records: &[RecordId]) -> Result<Vec<Option<Replica>>>;

    /// Writes everything of a commit, or nothing. A fact that its record has already is not written again; a planned
    /// change that is open already, refused included, stays as it is, and one that was done, gone or cancelled begins anew.
    /// Planned changes become drafts, or pending where the person said no. Every subject whose facts or replicas changed
    /// becomes stale; every judged subject becomes fresh, unless it changed after its dossier was read. A newcomer's
    /// judgement counts where its record was not known, belongs to no subject that was, and shares its own with no other
    /// record, and where nothing in the ledger reaches everybody; its subject is fresh then. A judgement of a subject that is part of another by now, and a settlement of a change that has ended, say nothing.
    async fn commit(&self, commit: Commit) -> Result<Receipt>;

    /// What is known of facts that name no record, in the order asked, before they are told.
    async fn met(&self, facts: &[Fact]) -> Result<Vec<Met>>;

    /// Subjects whose standing must be made anew: new facts or another law first, then time that ran out, then a lost
    /// answer. A lost answer makes its subject stale for as long as it is lost, judged or not.
    async fn stale(&self, now: Timestamp, limit: usize) -> Result<Vec<SubjectNo>>;

    /// Subjects after this one, judged or not, in the order of their numbers.
    async fn subjects(&self, after: Option<SubjectNo>, limit: usize) -> Result<Vec<SubjectNo>>;

    /// Everything known of these subjects.
    async fn dossiers(&self, subjects: &[SubjectNo]) -> Result<Vec<Dossier>>;

    /// Makes every standing stale if the last one was made under another law. Answers whether it was.
    async fn adopt_law(&self, hash: &str) -> Result<bool>;

    /// The drafts of each instance against what it holds. Changes that a person caused are never drafts.
    async fn tally(&self) -> Result<Vec<Tally>>;

    /// Releases the drafts of an instance. The proof comes from the guard.
    async fn release(&self, instance: &SystemId, proof: Guarded) -> Result<u64>;

    /// Holds the drafts of an instance under the name of a run.
    async fn hold(&self, instance: &SystemId, run: &RunId) -> Result<u64>;

    /// Releases what was held under the name of a run.
    async fn approve(&self, run: &RunId, proof: Guarded) -> Result<u64>;

    /// Takes changes under lease, suppressions first.
    async fn claim(&self, claim: Claim<'_>) -> Result<Vec<Claimed>>;

    /// The outbox in numbers.
    async fn outbox(&self) -> Result<Vec<OutboxCount>>;

    /// Changes after this one that wait (`draft`, `held`, `pending` or `later`), in the order in which they were planned.
    async fn planned(&self, after: Option<OutboxNo>, limit: usize) -> Result<Vec<OutboxChange>>;

    /// The changes of these ids, however far they have come, in the order asked; `None` where one was never planned.
    async fn changes(&self, ids: &[ChangeId]) -> Result<Vec<Option<OutboxChange>>>;

    /// Marks those of these changes that wait as the plan's, and moves none. The last plan to mark a change has it; what is
    /// released, held or approved without a plan, or taken back before it was let go, belongs to none any more.
    async fn earmark(&self, plan: &PlanId, ids: &[ChangeId]) -> Result<u64>;

    /// What of a plan nobody has let go yet, drafts and held, against what each instance holds.
    async fn tally_of(&self, plan: &PlanId) -> Result<Vec<Tally>>;

    /// Releases the drafts of a plan at an instance, and what is held of it there. The proof comes from the guard.
    async fn release_of(&self, plan: &PlanId, instance: &SystemId, proof: Guarded) -> Result<u64>;

    /// The changes of a plan in numbers.
    async fn outbox_of(&self, plan: &PlanId) -> Result<Vec<OutboxCount>>;

    /// Where a stream stands.
    async fn position(&self, instance: &SystemId, stream: &StreamId) -> Result<Option<Position>>;

    /// The present records of a stream that are not among the seen ones.
    async fn absentees(
        &self,
        instance: &SystemId,
        stream: &StreamId,
        seen: &BTreeSet<RecordNo>,
    ) -> Result<Vec<RecordNo>>;

    /// How many present records an instance has.
    async fn contacts(&self, instance: &SystemId) -> Result<u64>;

    /// Remembers that a run began or ended.
    async fn save_run(&self, run: RunRecord) -> Result<()>;

    /// The last runs, newest first.
    async fn runs(&self, limit: usize) -> Result<Vec<RunRecord>>;

    /// The subjects that somebody asks about.
    async fn find(&self, wanted: &Wanted) -> Result<Vec<SubjectNo>>;

    /// The cached decisions of subjects after this one, in the order of their numbers.
    async fn standings(&self, after: Option<SubjectNo>, limit: usize) -> Result<Vec<(SubjectNo, Vec<KeyDecision>)>>;

    /// Recomputes the whole chain of the ledger.
    async fn verify(&self) -> Result<Verified>;

    /// The commits of the ledger from this place on, in their order.
    async fn commits(&self, from: u64, limit: usize) -> Result<Vec<LedgerCommit>>;

    /// The facts that entries of the ledger name, in the order asked; `None` where one is not there.
    async fn ledger_facts(&self, entries: &[Entry], naming: Naming) -> Result<Vec<Option<LedgerFact>>>;

    /// The systems that ever had a stream or a record here, by name, with how many present records each has.
    async fn systems(&self) -> Result<Vec<(SystemId, u64)>>;

    /// What the store holds, in numbers.
    async fn counts(&self, now: Timestamp) -> Result<Counts>;

    /// An erasure case.
    async fn case(&self, id: &CaseId) -> Result<Option<Case>>;

    /// Erasure cases after this one, in the order of their ids.
    async fn cases(&self, which: Cases, after: Option<&CaseId>, limit: usize) -> Result<Vec<Case>>;

    /// The erasure cases in numbers, by state.
    async fn case_counts(&self) -> Result<Vec<CaseCount>>;

    /// The cases that these facts belong to, requests and tombstones alike, each once, in the order of their ids.
    async fn cases_of(&self, facts: &[FactId]) -> Result<Vec<Case>>;

    /// How often each system brought an erased person back since this moment.
    async fn reappearances(&self, since: Timestamp) -> Result<Vec<(SystemId, u64)>>;

    /// The subjects that these facts belong to now, in the order asked; `None` for one that is not there, and for one that is
    /// told on a record and asks for no erasure.
    async fn subjects_of(&self, facts: &[FactId]) -> Result<Vec<Option<SubjectNo>>>;

    /// The numbers of these records, in the order asked.
    async fn numbers(&self, records: &[RecordRef]) -> Result<Vec<Option<RecordNo>>>;

    /// What the records of these numbers showed last, in the order asked; `None` where one is not there or never showed
    /// anything.
    async fn shown(&self, records: &[RecordNo]) -> Result<Vec<Option<Replica>>>;

    /// Forgets an erased person: records, facts, identifiers, digests and changes. The chain of the ledger says what was
    /// forgotten and still verifies. Identifiers that somebody else shares stay as long as theirs do; tombstones stay. What a
    /// hold kept of records that the case no longer holds goes too. The same purge again forgets nothing more. What the files
    /// of the store still hold of it goes with [`Store::forget_traces`], once after any number of purges.
    async fn purge(&self, purge: Purge) -> Result<Purged>;

    /// Takes out of the files whatever purges since the last call may have left in them: pages of a log, and copies that
    /// were made when rows were moved. Costs nothing where nobody was purged since; otherwise it writes the files anew, which
    /// takes as long as copying the store and needs room for two more of it. Answers whether the files are clean: they are
    /// not while another process still reads what they held, and the next call tries again.
    async fn forget_traces(&self) -> Result<bool>;

    /// Whether a hold keeps these records, in the order asked: then they are none of marketing's business, and a pull
    /// leaves them out.
    async fn is_held(&self, instance: &SystemId, records: &[RecordId]) -> Result<Vec<bool>>;

    /// What a hold keeps of the record of this number, locked.
    async fn held(&self, record: RecordNo) -> Result<Option<Held>>;

    /// How far the erasure journal had come when the store last heard of it: its lines, and the hash of the last one.
    async fn journal_head(&self) -> Result<Option<(u64, [u8; 32])>>;

    /// Remembers how far the journal has come.
    async fn set_journal_head(&self, lines: u64, hash: [u8; 32]) -> Result<()>;
}
