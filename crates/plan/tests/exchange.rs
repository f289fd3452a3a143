//! The exchange with a platform as laws: nothing is learnt twice, our own writes are no news, and the plan after apply is
//! empty.

#[path = "../../consent/tests/support/mod.rs"]
#[expect(dead_code, reason = "the world of the consent laws; these need a part of it")]
mod support;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use unisson_connector::{Action, Event, Identity, Observation, Presence, Slot, StreamId};
use unisson_consent::{
    Actor, Channel, Channels, Evidence, Fact, Kind, Law, Occurred, Purposes, Reason, Scope, Status, SystemId, Via,
};
use unisson_plan::{
    Digest, Dossier, Enforce, Judged, Lesson, OpenChange, OpenState, Replica, Rules, SubjectNo, Wrote, acknowledge,
    judge, learn, shows_after,
};

use support::{at, confirmed, law, proven};

const EMAIL: Channels = Channels::one(Channel::Email);

fn newsletter() -> Scope {
    Scope { purposes: Purposes::Named(vec!["newsletter".into()]), channels: EMAIL }
}

fn promo() -> Scope {
    Scope { purposes: Purposes::Named(vec!["promo".into()]), channels: EMAIL }
}

fn slot(scope: Scope, status: Status, since: Occurred, evidence: Evidence) -> Slot {
    Slot { scope, status, since, actor: Actor::DataSubject, evidence }
}

fn observation(record: &str, email: &str, slots: Vec<Slot>) -> Observation {
    Observation {
        record: record.into(),
        who: Identity { emails: vec![email.to_owned()], ..Identity::default() },
        presence: Presence::Present,
        slots,
        events: Vec::new(),
    }
}

fn lesson<'a>(instance: &'a SystemId, stream: &'a StreamId, now: Timestamp) -> Lesson<'a> {
    Lesson { instance, stream, country: "FR", lag: SignedDuration::from_mins(10), now, observed_at: now }
}

fn rules(enforce: Enforce) -> BTreeMap<SystemId, Rules> {
    ["esp", "esp2", "crm", "shop"]
        .into_iter()
        .map(|id| {
            let actions = [Action::Suppress, Action::Subscribe, Action::Reconfirm, Action::MarkInvalid].into();
            (SystemId::from(id), Rules { enforce, reachable: true, fresh: true, actions })
        })
        .collect()
}

/// The host's memory of one subject, and the platforms it talks to.
struct World {
    law: Law,
    facts: Vec<Fact>,
    replicas: BTreeMap<(SystemId, String), Replica>,
    platforms: BTreeMap<(SystemId, String), Observation>,
    now: Timestamp,
}

impl World {
    fn new(law: Law) -> Self {
        Self {
            law,
            facts: Vec::new(),
            replicas: BTreeMap::new(),
            platforms: BTreeMap::new(),
            now: at("2026-11-20T00:00:00Z"),
        }
    }

    /// Reads every platform; answers how many facts were news.
    fn pull(&mut self) -> usize {
        let stream = StreamId("all".to_owned());
        let mut news = 0;
        for ((system, record), shown) in &self.platforms {
            let key = (system.clone(), record.clone());
            let learned = learn(shown, Digest::of(shown), self.replicas.get(&key), &lesson(system, &stream, self.now));
            let fresh: Vec<Fact> =
                learned.facts.into_iter().filter(|fact| self.facts.iter().all(|held| held.id != fact.id)).collect();
            news += fresh.len();
            self.facts.extend(fresh);
            self.replicas.insert(key, learned.replica);
        }
        news
    }

    fn judge(&self, enforce: Enforce) -> Judged {
        let dossier = Dossier {
            subject: SubjectNo(1),
            facts: self.facts.clone(),
            replicas: self.replicas.values().cloned().collect(),
            open: Vec::new(),
        };
        judge(&dossier, &self.law, &rules(enforce), self.now)
    }

    /// Carries out every change on its platform, which keeps its own time.
    fn apply(&mut self, judged: &Judged) {
        for planned in &judged.changes {
            let key = (planned.instance.clone(), planned.change.target.record.as_str().to_owned());
            let shown = self.platforms.get_mut(&key).expect("the record is there");
            let slot =
                shown.slots.iter_mut().find(|slot| slot.scope == planned.change.scope).expect("the slot is there");
            let before = slot.status;
            slot.status = shows_after(planned.change.action);
            slot.since = Occurred::Instant(self.now);
            let wrote = Wrote { before, status: slot.status, at: self.now };
            let replica = &self.replicas[&key];
            self.replicas.insert(key, acknowledge(replica, &planned.change.scope, wrote));
        }
    }

    fn pass(&mut self, minutes: i64) {
        self.now += SignedDuration::from_mins(minutes);
    }
}

fn statuses() -> impl Strategy<Value = Status> {
    proptest::sample::select(vec![
        Status::Subscribed,
        Status::Unsubscribed,
        Status::Pending,
        Status::Invalid,
        Status::Complained,
        Status::Never,
        Status::Blocked,
        Status::Unknown,
    ])
}

fn shown_slots() -> impl Strategy<Value = Vec<Slot>> {
    let one = |scope: Scope| {
        let evidence = prop_oneof![Just(Evidence::default()), Just(proven()), Just(confirmed())];
        let since = prop_oneof![Just(Occurred::Unknown), support::moments().prop_map(Occurred::Instant)];
        (statuses(), since, evidence)
            .prop_map(move |(status, since, evidence)| slot(scope.clone(), status, since, evidence))
    };
    (one(newsletter()), one(promo())).prop_map(|(a, b)| vec![a, b])
}

fn platforms() -> impl Strategy<Value = Vec<(SystemId, Observation)>> {
    let system = proptest::sample::select(vec!["esp", "esp2", "crm", "shop"]);
    let email = proptest::sample::select(vec!["ana@example.com", "Ana@example.com"]);
    proptest::collection::vec((system, email, shown_slots()), 1..5).prop_map(|shown| {
        let numbered = shown.into_iter().enumerate();
        numbered
            .map(|(n, (system, email, slots))| (system.into(), observation(&format!("r{n}"), email, slots)))
            .collect()
    })
}

fn world_of(shown: Vec<(SystemId, Observation)>) -> World {
    let mut world = World::new(law());
    world.platforms =
        shown.into_iter().map(|(system, seen)| ((system, seen.record.as_str().to_owned()), seen)).collect();
    world
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_plan_after_apply_is_empty_and_the_next_pull_brings_nothing(shown in platforms(), full: bool) {
        let enforce = if full { Enforce::Full } else { Enforce::Negatives };
        let mut world = world_of(shown);
        world.pull();
        let first = world.judge(enforce);
        world.apply(&first);
        world.pass(1);
        prop_assert_eq!(world.pull(), 0, "our own writes are no news");
        let again = world.judge(enforce);
        prop_assert_eq!(again.changes, vec![], "after {:?}", first.changes);
    }

    #[test]
    fn nothing_is_learnt_twice(shown in platforms()) {
        let mut world = world_of(shown);
        world.pull();
        world.pass(60);
        prop_assert_eq!(world.pull(), 0);
    }

    #[test]
    fn observing_writes_nothing_and_negatives_bring_nobody_back(shown in platforms()) {
        let mut world = world_of(shown);
        world.pull();
        prop_assert_eq!(world.judge(Enforce::Observe).changes, vec![]);
        let openings = world.judge(Enforce::Negatives).changes.into_iter().filter(|planned| {
            !matches!(planned.change.action, Action::Suppress | Action::MarkInvalid)
        });
        prop_assert_eq!(openings.count(), 0);
    }

    #[test]
    fn what_negatives_push_full_pushes_too(shown in platforms()) {
        let mut world = world_of(shown);
        world.pull();
        let ids = |enforce| world.judge(enforce).changes.into_iter().map(|planned| planned.change.id).collect::<BTreeSet<_>>();
        prop_assert!(ids(Enforce::Negatives).is_subset(&ids(Enforce::Full)));
    }
}

#[test]
fn a_stale_read_within_the_lag_is_no_news_and_a_lying_acknowledgement_is_noticed_after_it() {
    let mut world = World::new(law());
    let seen = |status| {
        observation("r1", "ana@example.com", vec![slot(newsletter(), status, Occurred::Unknown, Evidence::default())])
    };
    let out = Observation {
        slots: vec![slot(Scope::default(), Status::Unsubscribed, Occurred::Unknown, Evidence::default())],
        ..seen(Status::Never)
    };
    world.platforms.insert(("esp2".into(), "r1".into()), seen(Status::Subscribed));
    world.platforms.insert(("crm".into(), "r1".into()), out);
    world.pull();
    let planned = world.judge(Enforce::Negatives);
    assert_eq!(planned.changes.len(), 1);
    world.apply(&planned);
    world.platforms.insert(("esp2".into(), "r1".into()), seen(Status::Subscribed));
    world.pass(5);
    assert_eq!(world.pull(), 0, "still within the documented lag");
    assert!(world.judge(Enforce::Negatives).changes.is_empty());
    world.pass(60);
    assert_eq!(world.pull(), 1, "the platform never did it, or somebody undid it");
    let again = world.judge(Enforce::Negatives);
    assert_eq!(again.changes.len(), 1);
    assert_ne!(
        again.changes[0].change.id, planned.changes[0].change.id,
        "another change, not the one that was answered"
    );
}

#[test]
fn a_second_withdrawal_after_our_own_restore_counts() {
    let mut world = World::new(law());
    let seen = |status| {
        observation("r1", "ana@example.com", vec![slot(newsletter(), status, Occurred::Unknown, Evidence::default())])
    };
    world.platforms.insert(("esp2".into(), "r1".into()), seen(Status::Unsubscribed));
    world.pull();
    world.pass(60 * 24);
    let mut form = observation("w1", "ana@example.com", vec![]);
    form.events.push(Event {
        native_id: Some("form-1".to_owned()),
        kind: Kind::Grant { evidence: confirmed(), valid_until: None },
        occurred: Occurred::Instant(world.now),
        seq: None,
        actor: Actor::DataSubject,
        via: Via::Message,
        scope: newsletter(),
    });
    world.platforms.insert(("web".into(), "w1".into()), form);
    world.pull();
    let restored = world.judge(Enforce::Full);
    assert_eq!(restored.changes.iter().map(|planned| planned.change.action).collect::<Vec<_>>(), [Action::Subscribe]);
    world.apply(&restored);
    world.pass(60);
    assert_eq!(world.pull(), 0);
    world.platforms.insert(("esp2".into(), "r1".into()), seen(Status::Unsubscribed));
    assert_eq!(world.pull(), 1, "the person opted out again");
    let key = support::key("ana@example.com", "newsletter");
    let decision =
        unisson_consent::Standing::fold(world.facts.clone(), &[], &world.law).decide(&key, &world.law, world.now);
    assert_eq!(decision.reason, Reason::Withdrawn);
}

#[test]
fn what_is_on_its_way_is_not_planned_again_and_what_is_no_longer_wanted_is_taken_back() {
    let mut world = World::new(law());
    let seen = |status| {
        observation("r1", "ana@example.com", vec![slot(newsletter(), status, Occurred::Unknown, Evidence::default())])
    };
    world.platforms.insert(("esp2".into(), "r1".into()), seen(Status::Subscribed));
    world
        .platforms
        .insert(("crm".into(), "r2".into()), Observation { record: "r2".into(), ..seen(Status::Unsubscribed) });
    world.pull();
    let planned = world.judge(Enforce::Negatives).changes.remove(0);
    let open = |id: &unisson_connector::ChangeId, state| OpenChange {
        id: id.clone(),
        instance: "esp2".into(),
        record: "r1".into(),
        scope: newsletter(),
        action: Action::Suppress,
        state,
    };
    let other = unisson_connector::ChangeId("of another day".to_owned());
    let mut dossier = Dossier {
        subject: SubjectNo(1),
        facts: world.facts.clone(),
        replicas: world.replicas.values().cloned().collect(),
        open: vec![open(&planned.change.id, OpenState::Pending), open(&other, OpenState::Held)],
    };
    let again = judge(&dossier, &world.law, &rules(Enforce::Negatives), world.now);
    assert!(again.changes.is_empty());
    assert_eq!(again.cancelled, std::slice::from_ref(&other));

    dossier.open = vec![open(&planned.change.id, OpenState::Unknown), open(&other, OpenState::Unknown)];
    let settled = judge(&dossier, &world.law, &rules(Enforce::Negatives), world.now);
    assert_eq!(settled.retried, [planned.change.id], "a fresh read does not show it");
    assert_eq!(settled.confirmed, [other], "nothing of it is wanted any more: it is there");
}

#[test]
fn a_suppression_that_a_wider_one_overtook_is_carried_out_all_the_same() {
    let mut world = World::new(law());
    let seen = |record: &str, wide, narrow| {
        let slots = [(newsletter(), wide), (promo(), narrow)];
        let slots = slots.map(|(scope, status)| slot(scope, status, Occurred::Unknown, Evidence::default()));
        observation(record, "ana@example.com", slots.to_vec())
    };
    let esp2 = (SystemId::from("esp2"), "r1".to_owned());
    world.platforms.insert(esp2.clone(), seen("r1", Status::Subscribed, Status::Subscribed));
    let crm = seen("r2", Status::Unsubscribed, Status::Unsubscribed);
    world.platforms.insert(("crm".into(), "r2".to_owned()), crm);
    world.pull();
    let planned = world.judge(Enforce::Negatives).changes;
    let narrow = planned.iter().find(|planned| planned.change.scope == promo()).expect("both are to be shut");
    let open = OpenChange {
        id: narrow.change.id.clone(),
        instance: "esp2".into(),
        record: "r1".into(),
        scope: promo(),
        action: Action::Suppress,
        state: OpenState::Pending,
    };
    for (wide, kept) in [(Status::Unsubscribed, true), (Status::Subscribed, false)] {
        // The wider one was carried out, or the person unticked the box while the record goes on taking mail.
        world.platforms.insert(esp2.clone(), seen("r1", wide, Status::Off));
        world.pull();
        let dossier = Dossier {
            subject: SubjectNo(1),
            facts: world.facts.clone(),
            replicas: world.replicas.values().cloned().collect(),
            open: vec![open.clone()],
        };
        let rules = rules(Enforce::Negatives);
        let judged = judge(&dossier, &world.law, &rules, world.now);
        assert_eq!(judged.cancelled.is_empty(), kept, "{wide:?}");
        let grounds = unisson_plan::grounds(&dossier, &world.law, &rules, world.now);
        assert_eq!(grounds.contains_key(&open.id), kept, "{wide:?}");
    }
}

#[test]
fn a_new_address_on_a_record_inherits_the_no_and_not_the_yes() {
    let mut world = World::new(law());
    let yes = slot(newsletter(), Status::Subscribed, Occurred::Instant(at("2026-05-01T00:00:00Z")), confirmed());
    world.platforms.insert(("esp2".into(), "r1".into()), observation("r1", "ana@example.com", vec![yes.clone()]));
    world.pull();
    world.pass(60);
    world.platforms.insert(("esp2".into(), "r1".into()), observation("r1", "ana.new@example.com", vec![yes]));
    assert_eq!(world.pull(), 2, "the change of address, which nobody confirmed, and the address itself");
    let standing = unisson_consent::Standing::fold(world.facts.clone(), &[], &world.law);
    let decide = |email| standing.decide(&support::key(email, "newsletter"), &world.law, world.now).reason;
    assert_eq!(decide("ana@example.com"), Reason::Consent);
    assert_eq!(decide("ana.new@example.com"), Reason::Unknown);
}

#[test]
fn a_slot_that_vanishes_and_comes_back_is_an_event_of_its_own() {
    let mut world = World::new(law());
    let wide = slot(Scope::default(), Status::Unsubscribed, Occurred::Unknown, Evidence::default());
    let shows = |slots| observation("r1", "ana@example.com", slots);
    for (slots, news) in [(vec![wide.clone()], 1), (vec![], 0), (vec![], 0), (vec![wide.clone()], 1), (vec![wide], 0)] {
        world.platforms.insert(("crm".into(), "r1".into()), shows(slots));
        assert_eq!(world.pull(), news);
        world.pass(60);
    }
    let ids: BTreeSet<_> = world.facts.iter().map(|fact| fact.id).collect();
    assert_eq!(ids.len(), world.facts.len(), "two opt-outs, not one told twice");
}

#[test]
fn a_box_that_is_unticked_while_the_record_takes_mail_is_a_withdrawal_and_ours_is_not() {
    let seen = |audience, interest| {
        let ticked = slot(promo(), interest, Occurred::Unknown, confirmed());
        observation("r1", "ana@example.com", vec![slot(newsletter(), audience, Occurred::Unknown, confirmed()), ticked])
    };
    let reason = |world: &World| {
        let standing = unisson_consent::Standing::fold(world.facts.clone(), &[], &world.law);
        standing.decide(&support::key("ana@example.com", "promo"), &world.law, world.now).reason
    };
    for (audience, interest, withdrawn) in [
        (Status::Subscribed, Status::Off, true),
        (Status::Invalid, Status::Off, false),
        (Status::Subscribed, Status::Subscribed, false),
    ] {
        let mut world = World::new(law());
        world.platforms.insert(("esp2".into(), "r1".into()), seen(Status::Subscribed, Status::Subscribed));
        world.pull();
        world.pass(60);
        world.platforms.insert(("esp2".into(), "r1".into()), seen(audience, interest));
        world.pull();
        assert_eq!(reason(&world) == Reason::Withdrawn, withdrawn, "{audience:?} {interest:?}");
    }
}

#[test]
fn a_proof_that_is_corrected_corrects_the_decision() {
    let mut world = World::new(law());
    let seen = |evidence| {
        let since = Occurred::Instant(at("2026-05-01T00:00:00Z"));
        observation("r1", "ana@example.com", vec![slot(newsletter(), Status::Subscribed, since, evidence)])
    };
    for (evidence, reason) in [
        (Evidence::default(), Reason::Unqualified),
        (confirmed(), Reason::Consent),
        (Evidence::default(), Reason::Unqualified),
    ] {
        world.platforms.insert(("esp2".into(), "r1".into()), seen(evidence));
        world.pull();
        let standing = unisson_consent::Standing::fold(world.facts.clone(), &[], &world.law);
        let decision = standing.decide(&support::key("ana@example.com", "newsletter"), &world.law, world.now);
        assert_eq!(decision.reason, reason);
        world.pass(60);
    }
}
