//! Purging: the person is gone, everybody else is as before, the tombstone speaks for whoever comes back, the chain holds.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use jiff::civil::Date;
use unisson_connector::Action;
use unisson_consent::{
    Address, Aliases, Channel, Clock, Country, CustomerNo, Evidence, Fact, FactId, Family, Key, Kind, Law, Level,
    Policy, Propagate, Purpose, PurposeId, Reason, RegrantLevels, Resubscribe, Standing, System, Systems, Verdict, Who,
};
use unisson_plan::SubjectNo;

use super::fixture::{
    at, commit, contact, decision, dossier, email, fact, frozen, image, judge_all, judged, keyring, known_by, mailed,
    planned, planning, purging, record, stale, subject_of, tombstone, with_facts, write,
};
use crate::export::{self, FORMAT, FORMAT_PURGED, Order};
use crate::ledger::Entry;
use crate::store::{Counts, Naming, Purged, Store, Wanted};

/// A law under which one list wants a consent, and whose keys are those of the tests.
fn law(aliases: Aliases) -> Law {
    let purpose =
        |parent: Option<&str>| Purpose { family: Family::Marketing, parent: parent.map(Into::into), dpv: None };
    let qualified = Level::Qualified;
    let policy = Policy {
        purposes: [("marketing".into(), purpose(None)), ("newsletter".into(), purpose(Some("marketing")))].into(),
        country: Country::parse("FR").unwrap(),
        level_default: qualified,
        level_rules: Vec::new(),
        level_role: qualified,
        role_accounts: BTreeSet::new(),
        regrant: RegrantLevels {
            refuse: qualified,
            withdraw: qualified,
            object: qualified,
            complaint: qualified,
            erase: Level::Confirmed,
        },
        propagate: Propagate::Subject,
        inactivity_max: None,
        consent_age_max: None,
        expiry_ask: SignedDuration::ZERO,
        request_age_max: None,
        deadline: None,
        invite_allowed: false,
        push_grants: true,
        carry_verified_change: true,
        aliases,
        soft_threshold: 5,
        soft_window: SignedDuration::ZERO,
        soft_span: SignedDuration::ZERO,
        deliveries_clear_hard: 2,
        minor_age: BTreeMap::new(),
        minor_age_default: 16,
        lists: [("news".into(), [("weekly".into(), PurposeId::new("newsletter"))].into())].into(),
        lineage: BTreeMap::new(),
        basis_rules: Vec::new(),
    };
    let news = System {
        clock: Clock::Good,
        level_max: Level::Signed,
        marketing: true,
        resubscribe: Resubscribe::Allowed,
        ..System::default()
    };
    let systems: Systems = [("news".into(), news)].into_iter().collect();
    Law { policy, systems, keyring: keyring() }
}

/// What the law says of an address, from everything the store tells of a subject.
async fn decided(store: &dyn Store, subject: SubjectNo, address: Address, law: &Law) -> (Verdict, Reason) {
    let facts = dossier(store, subject).await.facts;
    let key = Key { address, purpose: PurposeId::new("newsletter"), channel: Channel::Email, person: None };
    let decision = Standing::fold(facts, &[], law).decide(&key, law, at(1_000));
    (decision.verdict, decision.reason)
}

/// Somebody with everything that can be personal.
fn ada() -> unisson_plan::Learned {
    let who = Who {
        addresses: vec![email("A.da+shop@gmail.com"), Address::phone("+33612345678", None).unwrap()],
        customer: Some(CustomerNo::new("C-4711")),
        birth: Some(Date::constant(1990, 2, 28)),
        ..Who::default()
    };
    known_by("news", "native-ada", who)
}

async fn counts(store: &dyn Store) -> Counts {
    store.counts(at(0)).await.unwrap()
}

/// The tombstone of an address, told, and the id of its fact.
async fn bury(store: &dyn Store, address: &str, aliases: Aliases) -> FactId {
    let buried = tombstone(&email(address), aliases);
    let id = buried.id;
    write(store, commit("bury").tell(buried)).await;
    id
}

pub async fn a_purged_person_is_gone_and_the_tombstone_stays(store: &dyn Store) {
    write(store, commit("r").learn(ada()).learn(contact("news", "bob"))).await;
    let buried = bury(store, "A.da+shop@gmail.com", Aliases::default()).await;
    judge_all(store).await;
    let (subject, bob) = (subject_of(store, "native-ada").await, subject_of(store, "bob").await);
    let before = image(&dossier(store, bob).await);
    let purged = store.purge(purging(frozen("c", vec![buried]), &["native-ada"], vec![buried])).await.unwrap();
    assert_eq!(purged, Purged { records: 1, facts: 1, identifiers: 4 });
    for wanted in [Wanted::Record("native-ada".into()), Wanted::Customer(CustomerNo::new("C-4711"))] {
        assert_eq!(store.find(&wanted).await.unwrap(), [], "{wanted:?}");
    }
    let found = store.find(&Wanted::Address(email("a.da+shop@gmail.com"))).await.unwrap();
    assert_eq!(found, [subject], "the tombstone, by its digest");
    let left = dossier(store, subject).await;
    assert_eq!(left.facts.iter().map(|fact| fact.id).collect::<Vec<_>>(), [buried]);
    assert_eq!((left.replicas.len(), left.open.len()), (0, 0));
    assert_eq!(stale(store, at(0)).await, [subject]);
    assert_eq!(image(&dossier(store, bob).await), before, "nobody else is touched");
    assert_eq!(store.case(&unisson_plan::erasure::CaseId("c".to_owned())).await.unwrap().unwrap().facts, [buried]);
}

pub async fn the_same_purge_again_forgets_nothing_more(store: &dyn Store) {
    write(store, commit("r").learn(ada())).await;
    let buried = bury(store, "A.da+shop@gmail.com", Aliases::default()).await;
    let purge = || purging(frozen("c", vec![buried]), &["native-ada"], vec![buried]);
    store.purge(purge()).await.unwrap();
    let before = (counts(store).await, store.verify().await.unwrap());
    assert_eq!(store.purge(purge()).await.unwrap(), Purged::default());
    assert_eq!((counts(store).await, store.verify().await.unwrap()), before);
}

pub async fn decisions_from_the_tombstone_equal_those_of_the_whole_history(store: &dyn Store) {
    for (place, aliases) in [Aliases::default(), Aliases::WIDEST].into_iter().enumerate() {
        let law = law(aliases);
        let native = format!("ada{place}");
        let evidence =
            Evidence { capture: true, affirmative: true, purpose_specific: true, doi: true, ..Evidence::default() };
        let granted = fact("news", Some(&native), Kind::Grant { evidence, valid_until: None });
        let address = format!("a.da{place}@gmail.com");
        let learned = mailed("news", &native, &address);
        let who = learned.replica.who.clone();
        let told = vec![Fact { who: who.clone(), ..granted }];
        write(store, commit("r").learn(with_facts(learned, told))).await;
        let request = Fact {
            id: FactId::of(&["asked", &native]),
            who,
            observed_at: at(100),
            ..fact("host", None, Kind::EraseRequest { verified: true })
        };
        write(store, commit("r").tell(request.clone())).await;
        let buried = Fact { observed_at: at(100), ..tombstone(&email(&address), aliases) };
        write(store, commit("r").tell(buried.clone())).await;
        let subject = subject_of(store, &native).await;
        let spellings: &[String] = match place {
            0 => &[address.clone(), format!(" A.DA{place}@Gmail.com")],
            _ => &[address.clone(), format!("ada{place}@gmail.com"), format!("A.d.a{place}+x@googlemail.com")],
        };
        let mut before = Vec::new();
        for spelling in spellings {
            before.push(decided(store, subject, email(spelling), &law).await);
        }
        assert!(before.iter().all(|decided| *decided == (Verdict::Deny, Reason::Erased)), "{before:?}");
        let case = frozen(&native, vec![request.id, buried.id]);
        let purged = store.purge(purging(case, &[&native], vec![request.id])).await.unwrap();
        assert_eq!((purged.records, purged.facts, purged.identifiers), (1, 2, 1));
        for (spelling, before) in spellings.iter().zip(before) {
            assert_eq!(decided(store, subject, email(spelling), &law).await, before, "{spelling}");
        }
    }
}

pub async fn who_is_imported_again_meets_the_tombstone(store: &dyn Store) {
    write(store, commit("r").learn(ada())).await;
    let buried = bury(store, "A.da+shop@gmail.com", Aliases::WIDEST).await;
    store.purge(purging(frozen("c", vec![buried]), &["native-ada"], Vec::new())).await.unwrap();
    write(store, commit("r").learn(mailed("crm", "back", "ada@googlemail.com"))).await;
    let subject = subject_of(store, "back").await;
    assert_eq!(store.subjects_of(&[buried]).await.unwrap(), [Some(subject)]);
    let law = law(Aliases::WIDEST);
    let decided = decided(store, subject, email("ada@googlemail.com"), &law).await;
    assert_eq!(decided, (Verdict::Deny, Reason::Erased));
    assert_eq!(store.known(&"news".into(), &["native-ada".into()]).await.unwrap(), [None]);
}

pub async fn what_others_share_stays_with_them(store: &dyn Store) {
    let shared = |native: &str, own: &str| {
        known_by("news", native, Who { addresses: vec![email("home@example.org"), email(own)], ..Who::default() })
    };
    write(store, commit("r").learn(shared("ada", "ada@example.org")).learn(shared("bob", "bob@example.org"))).await;
    write(store, commit("r").learn(mailed("crm", "kim", "Home@example.org"))).await;
    let link = fact("host", None, Kind::Link { records: vec![record("news", "ada"), record("news", "bob")] });
    write(store, commit("r").tell(link.clone())).await;
    let subject = subject_of(store, "ada").await;
    write(
        store,
        commit("j").judge(unisson_plan::Judged { decisions: vec![decision("ada@example.org")], ..judged(subject) }),
    )
    .await;
    let purged = store.purge(purging(frozen("c", Vec::new()), &["ada"], Vec::new())).await.unwrap();
    assert_eq!(purged, Purged { records: 1, facts: 1, identifiers: 1 }, "the shared spelling is hers no longer");
    assert_eq!(store.find(&Wanted::Address(email("home@example.org"))).await.unwrap(), [subject]);
    assert_eq!(store.find(&Wanted::Address(email("ada@example.org"))).await.unwrap(), []);
    assert_eq!(store.standings(None, 10).await.unwrap(), [], "what was decided of her goes with her");
    let left = dossier(store, subject).await;
    let mut records: Vec<_> = left.replicas.iter().map(|replica| replica.record.record.as_str().to_owned()).collect();
    records.sort();
    assert_eq!(records, ["bob", "kim"]);
    let linked = left.facts.iter().find(|fact| fact.id == link.id).unwrap();
    let Kind::Link { records } = &linked.kind else { panic!("{linked:?}") };
    assert_eq!(records[0].record.as_str(), "purged-1", "what still names her names nobody");
    assert_eq!(records[1], record("news", "bob"));
    // Bob goes too, and then Kim, and nothing is left.
    store.purge(purging(frozen("c", Vec::new()), &["bob"], vec![link.id])).await.unwrap();
    let kim = purging(frozen("c", Vec::new()), &[], Vec::new());
    let last = store.purge(crate::store::Purge { records: vec![record("crm", "kim")], ..kim }).await.unwrap();
    assert_eq!(last, Purged { records: 1, facts: 1, identifiers: 1 });
    assert_eq!((counts(store).await.subjects, counts(store).await.records, counts(store).await.facts), (0, 0, 0));
    store.verify().await.unwrap();
}

pub async fn changes_that_wait_or_have_ended_go_with_their_record(store: &dyn Store) {
    write(store, commit("r").learn(contact("news", "ada")).learn(contact("news", "bob"))).await;
    for native in ["ada", "bob"] {
        let subject = subject_of(store, native).await;
        let changes = ["1", "2"].map(|no| planned("news", native, &format!("{native}-{no}"), Action::Suppress));
        write(store, commit("j").judge(planning(subject, changes.into()))).await;
        let gone = unisson_plan::Settlement::Done;
        write(store, commit("s").settle(&format!("{native}-1"), gone)).await;
    }
    store.purge(purging(frozen("c", Vec::new()), &["ada"], Vec::new())).await.unwrap();
    let ids = ["ada-1", "ada-2", "bob-1", "bob-2"].map(|id| unisson_connector::ChangeId(id.to_owned()));
    let there: Vec<bool> = store.changes(&ids).await.unwrap().iter().map(Option::is_some).collect();
    assert_eq!(there, [false, false, true, true]);
}

pub async fn the_chain_says_what_was_purged_and_still_holds(store: &dyn Store) {
    write(store, commit("r").learn(ada()).learn(contact("news", "bob"))).await;
    let before = store.verify().await.unwrap();
    let old = exported(store, 1).await;
    assert!(old.contains(FORMAT), "{old}");
    store.purge(purging(frozen("c", Vec::new()), &["native-ada"], Vec::new())).await.unwrap();
    let after = store.verify().await.unwrap();
    assert_eq!((after.commits, after.facts), (before.commits + 1, before.facts - 1));
    assert_eq!((counts(store).await.commits, counts(store).await.facts), (after.commits, after.facts));
    let marker = store.commits(after.commits, 1).await.unwrap().remove(0);
    let entries = marker.read_entries();
    assert!(entries.len() == 1 && entries[0].is_purging() && marker.run == "forget");
    let first = store.commits(1, 1).await.unwrap().remove(0).read_entries();
    let facts = store.ledger_facts(&first, Naming::Names).await.unwrap();
    let gone = |entry: &Entry| entry.id == entries[0].id;
    assert!(first.iter().zip(&facts).all(|(entry, fact)| gone(entry) == fact.is_none()));

    let whole = exported(store, 1).await;
    assert!(
        whole.contains(FORMAT_PURGED) && whole.contains("\"line\":\"purged\"") && whole.contains("\"line\":\"purges\"")
    );
    let checked = export::check(whole.as_bytes()).unwrap();
    assert_eq!((checked.facts, checked.purged, checked.head), (after.facts, 1, after.head));
    export::check(old.as_bytes()).expect("an export from before holds as it did");
    let tail = export::check(exported(store, after.commits).await.as_bytes()).unwrap();
    assert_eq!(
        (tail.commits, tail.facts, tail.purged),
        (1, 0, 0),
        "a continuation says what it purges of the files before"
    );
}

pub async fn no_byte_of_an_export_about_what_was_purged_can_change_unnoticed(store: &dyn Store) {
    write(store, commit("r").learn(contact("news", "ada"))).await;
    store.purge(purging(frozen("c", Vec::new()), &["ada"], Vec::new())).await.unwrap();
    let text = exported(store, 1).await;
    let body = text.find('\n').unwrap() + 1;
    for place in body..text.len() {
        let mut changed = text.clone().into_bytes();
        changed[place] = if changed[place] == b'1' { b'2' } else { b'1' };
        export::check(changed.as_slice()).expect_err("a byte was changed");
    }
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 6);
    for line in 0..lines.len() {
        let mut without = lines.clone();
        without.remove(line);
        export::check((without.join("\n") + "\n").as_bytes()).expect_err("a line is missing");
    }
    let first = lines[0].replace(FORMAT_PURGED, FORMAT);
    let older = text.replacen(lines[0], &first, 1);
    export::check(older.as_bytes()).expect_err("the first format knows no purge");
}

async fn exported(store: &dyn Store, from: u64) -> String {
    let order = Order { from, naming: Naming::Numbers, made_at: at(9), program: "test".to_owned() };
    let mut out = Vec::new();
    let exported = export::write(store, &order, &mut out).await.unwrap();
    let checked = export::check(out.as_slice()).unwrap();
    assert_eq!((exported.commits, exported.facts, exported.head), (checked.commits, checked.facts, checked.head));
    String::from_utf8(out).unwrap()
}

pub async fn an_annulment_that_reaches_everybody_outlives_the_record_it_was_told_on(store: &dyn Store) {
    let annul = |native: Option<&str>, who: Who, id: u8| Fact {
        id: FactId([id; 16]),
        who,
        ..fact("news", native, Kind::Annul { targets: vec![FactId([1; 16])], approvers: Vec::new() })
    };
    let mail = Who { addresses: vec![email("ada@example.org")], ..Who::default() };
    let told = vec![annul(Some("ada"), Who::default(), 2), annul(Some("ada"), mail, 3)];
    write(store, commit("r").learn(with_facts(contact("news", "ada"), told)).learn(contact("news", "bob"))).await;
    judge_all(store).await;
    let purged = store.purge(purging(frozen("c", Vec::new()), &["ada"], Vec::new())).await.unwrap();
    assert_eq!((purged.facts, purged.identifiers), (1, 1), "the one that names her goes");
    let bob = subject_of(store, "bob").await;
    let left = dossier(store, bob).await;
    assert!(left.facts.iter().any(|fact| fact.id == FactId([2; 16])));
    assert!(left.facts.iter().all(|fact| fact.id != FactId([3; 16])));
    assert_eq!(stale(store, at(0)).await, [bob], "whom it reached is judged anew");
    store.verify().await.unwrap();
    exported(store, 1).await;
    // Told again, it is a fact like any other, and can be purged again.
    let mail = Who { addresses: vec![email("ada@example.org")], ..Who::default() };
    write(store, commit("r").learn(with_facts(contact("news", "ada"), vec![annul(Some("ada"), mail, 3)]))).await;
    store.verify().await.unwrap();
    exported(store, 1).await;
    assert_eq!(store.purge(purging(frozen("c", Vec::new()), &["ada"], Vec::new())).await.unwrap().facts, 1);
    store.verify().await.unwrap();
    exported(store, 1).await;
}

pub async fn numbers_of_what_was_purged_are_never_given_again(store: &dyn Store) {
    let first = write(store, commit("r").learn(contact("news", "ada"))).await.learned[0];
    let subject = subject_of(store, "ada").await;
    store.purge(purging(frozen("c", Vec::new()), &["ada"], Vec::new())).await.unwrap();
    let again = write(store, commit("r").learn(contact("news", "ada"))).await;
    assert!(again.learned[0] > first && subject_of(store, "ada").await > subject);
    assert_eq!(again.facts, 1, "what was told of her is told anew");
    store.verify().await.unwrap();
    assert!(store.forget_traces().await.unwrap() && store.forget_traces().await.unwrap());
}
