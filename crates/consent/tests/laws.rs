//! The invariants I1 to I18 as laws over random histories.

mod support;

use std::collections::BTreeSet;

use jiff::SignedDuration;
use proptest::prelude::*;
use unisson_consent::{
    Actor, Address, Aliases, Bounce, Channels, ConsentStatus, Decision, Evidence, Fact, HashedAddress, Key, KeyId,
    Keyring, Kind, Law, Level, OwnPush, Purposes, Reason, Scope, Stance, Standing, Status, Verb, Verdict, Who,
};

use support::{at, facts, histories, key, keys, laws, moments, named, negative_kinds, now, record_of, refusal, scopes};

/// How many histories each law is tried on; `PROPTEST_CASES` overrides it.
const CASES: u32 = 10_000;

fn cases() -> ProptestConfig {
    let asked = ProptestConfig::default().cases;
    // proptest's own default is 256: anything else was asked for.
    ProptestConfig {
        cases: if asked == 256 { CASES } else { asked },
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

fn fold(history: &[Fact], law: &Law) -> Standing {
    Standing::fold(history.iter().cloned(), &[], law)
}

fn decide(history: &[Fact], key: &Key, law: &Law) -> Decision {
    fold(history, law).decide(key, law, now())
}

fn with(history: &[Fact], more: Fact) -> Vec<Fact> {
    history.iter().cloned().chain([more]).collect()
}

fn find<'f>(history: &'f [Fact], decision: &Decision) -> Vec<&'f Fact> {
    history.iter().filter(|fact| decision.facts.contains(&fact.id)).collect()
}

/// A plain reading of "this fact is a no that was said on exactly this address for this purpose and channel".
fn is_plain_no(fact: &Fact, key: &Key, law: &Law) -> bool {
    let no = matches!(
        fact.kind,
        Kind::Refuse
            | Kind::Withdraw
            | Kind::Object
            | Kind::Complaint
            | Kind::EraseRequest { .. }
            | Kind::Snapshot { status: Status::Unsubscribed | Status::Complained, .. }
    );
    let named = match &fact.scope.purposes {
        Purposes::AllMarketing => true,
        Purposes::Named(named) => named.contains(&key.purpose),
        Purposes::List(_) => false,
    };
    let erases = matches!(fact.kind, Kind::EraseRequest { .. });
    no && !law.policy.is_service(&key.purpose)
        && fact.who.addresses.iter().any(|address| address.grant_eq(&key.address))
        && (erases || named && fact.scope.channels.contains(key.channel))
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn i1_allow_rests_on_a_live_grant_or_a_basis_with_no_negative(history in histories(), law in laws()) {
        for key in keys() {
            let decision = decide(&history, &key, &law);
            if decision.verdict != Verdict::Allow {
                continue;
            }
            let behind = find(&history, &decision);
            match decision.reason {
                Reason::Consent => {
                    prop_assert!(!behind.is_empty());
                    for grant in behind {
                        let when = Standing::interval(grant, &law);
                        let lived = now().duration_since(when.lo.expect("a known time"));
                        prop_assert!(Standing::level_of(grant, &law) >= Some(Level::Qualified));
                        let documented = matches!(&grant.kind, Kind::Grant { evidence, .. } | Kind::Snapshot { evidence, .. } if evidence.document);
                        let by_person = matches!(grant.actor, Actor::DataSubject | Actor::Guardian);
                        prop_assert!(by_person || documented);
                        let active = history.iter().any(|fact| matches!(fact.kind, Kind::Activity(_)));
                        prop_assert!(active || lived <= SignedDuration::from_hours(24 * 1096));
                        for no in history.iter().filter(|fact| is_plain_no(fact, &key, &law)) {
                            prop_assert!(when.is_after(&Standing::interval(no, &law)), "a no that may be later");
                        }
                    }
                }
                Reason::Basis(_) => {
                    prop_assert!(!decision.negative);
                    prop_assert!(!history.iter().any(|fact| is_plain_no(fact, &key, &law)));
                }
                other => prop_assert!(false, "allowed because of {}", other.as_str()),
            }
        }
    }

    #[test]
    fn i2_order_repetition_and_partition_do_not_matter(
        (history, shuffled) in histories().prop_flat_map(|history| (Just(history.clone()), Just(history).prop_shuffle())),
        law in laws(),
        cut in 0_usize..9,
        later in 1_i64..1000,
    ) {
        let (left, right) = shuffled.split_at(cut.min(shuffled.len()));
        let again = left.iter().cloned().map(|fact| Fact { observed_at: fact.observed_at + SignedDuration::from_hours(later), ..fact });
        let merged: Vec<Fact> = right.iter().chain(left).cloned().chain(again).chain(right.to_vec()).collect();
        let (one, other) = (fold(&history, &law), fold(&merged, &law));
        for key in keys() {
            prop_assert_eq!(one.decide(&key, &law, now()), other.decide(&key, &law, now()));
            prop_assert_eq!(one.actions(&key, &law, now()), other.actions(&key, &law, now()));
        }
    }

    #[test]
    fn i3_a_negative_that_is_not_certainly_older_denies_at_once(history in histories(), kind in negative_kinds(), law in laws()) {
        for key in keys().iter().filter(|key| !law.policy.is_service(&key.purpose)) {
            let denied = decide(&with(&history, refusal(key, kind.clone(), now())), key, &law);
            prop_assert_eq!(denied.verdict, Verdict::Deny);
        }
    }

    #[test]
    fn i4_only_a_certainly_later_proven_act_of_the_person_lifts(history in histories(), kind in negative_kinds(), moment in moments(), law in laws()) {
        for key in keys().iter().filter(|key| !law.policy.is_service(&key.purpose)) {
            let refused = with(&history, refusal(key, kind.clone(), moment));
            let decision = decide(&refused, key, &law);
            if decision.verdict == Verdict::Allow {
                let no = Standing::interval(&refused[refused.len() - 1], &law);
                for grant in find(&refused, &decision) {
                    prop_assert!(Standing::interval(grant, &law).is_after(&no));
                    let need = if matches!(kind, Kind::Refuse | Kind::Withdraw) { Level::Qualified } else { Level::Confirmed };
                    prop_assert!(Standing::level_of(grant, &law) >= Some(need));
                    prop_assert!(matches!(grant.actor, Actor::DataSubject | Actor::Guardian));
                }
            }
        }
    }

    #[test]
    fn i5_time_alone_never_allows(history in histories(), law in laws(), days in 1_i64..2000) {
        let standing = fold(&history, &law);
        for key in keys() {
            let before = standing.decide(&key, &law, now());
            let after = standing.decide(&key, &law, now() + SignedDuration::from_hours(24 * days));
            prop_assert!(before.verdict == Verdict::Allow || after.verdict != Verdict::Allow);
        }
    }

    #[test]
    fn the_answer_holds_until_it_says(history in histories(), law in laws(), part in 0.0_f64..1.0) {
        let standing = fold(&history, &law);
        for key in keys() {
            let before = standing.decide(&key, &law, now());
            let end = before.valid_until.unwrap_or_else(|| at("2040-01-01T00:00:00Z"));
            let span = end.duration_since(now()).as_secs_f64() * part;
            let between = now() + SignedDuration::try_from_secs_f64(span).unwrap_or_default();
            if between < end {
                let after = standing.decide(&key, &law, between);
                prop_assert_eq!((before.verdict, before.status, before.reason), (after.verdict, after.status, after.reason));
            }
        }
    }

    #[test]
    fn i6_no_basis_beside_a_negative_and_no_fact_revives_it(history in histories(), kind in negative_kinds(), moment in moments(), more in facts(), law in laws()) {
        for key in keys().iter().filter(|key| !law.policy.is_service(&key.purpose)) {
            let refused = with(&with(&history, refusal(key, kind.clone(), moment)), more.clone());
            let decision = decide(&refused, key, &law);
            prop_assert!(!matches!(decision.reason, Reason::Basis(_)));
        }
    }

    #[test]
    fn i7_after_the_deadline_an_unqualified_opt_in_is_dead_and_silence_opens_nothing(history in histories(), law in laws()) {
        let mut law = law;
        law.policy.deadline = Some(at("2026-10-31T23:00:00Z"));
        for key in keys() {
            let decision = decide(&history, &key, &law);
            prop_assert_ne!(decision.status, ConsentStatus::Unqualified);
            let invited = history.iter().any(|fact| {
                matches!(fact.kind, Kind::Invite)
                    && fact.who.addresses.iter().any(|address| address.grant_eq(&key.address))
                    && fact.scope.purposes == Purposes::Named(vec![key.purpose.clone()])
                    && fact.scope.channels.contains(key.channel)
            });
            prop_assert!(!invited || decision.status != ConsentStatus::NotRequired);
        }
    }

    #[test]
    fn i8_an_unproven_positive_never_allows(history in histories(), claim in facts(), scope in scopes(), law in laws()) {
        let flag = named(Fact {
            kind: Kind::Snapshot { status: Status::Subscribed, evidence: Evidence::default(), turn: None },
            who: Who { customer: None, ..claim.who.clone() },
            record: Some("flag".into()),
            scope,
            ..claim
        });
        for key in keys() {
            let before = decide(&history, &key, &law);
            let after = decide(&with(&history, flag.clone()), &key, &law);
            prop_assert!(after.verdict != Verdict::Allow || before.verdict == Verdict::Allow || matches!(after.reason, Reason::Basis(_)));
        }
    }

    #[test]
    fn i9_every_reimport_of_an_erased_person_is_caught_in_any_spelling(history in histories(), spelling in 0_usize..3, law in laws()) {
        let key = key("ana@example.com", "newsletter");
        let past: Vec<Fact> = history.into_iter().filter(|fact| fact.observed_at < at("2026-11-01T00:00:00Z")).collect();
        let erased = with(&past, refusal(&key, Kind::EraseRequest { verified: true }, at("2026-11-01T00:00:00Z")));
        let raw = ["ana@example.com", " ANA@Example.Com", "aNa@EXAMPLE.com"][spelling];
        let import = named(Fact {
            system: "csv".into(),
            record: Some("import-1".into()),
            who: Who { addresses: Address::email(raw).into_iter().collect(), ..Who::default() },
            observed_at: at("2026-11-10T00:00:00Z"),
            kind: Kind::Snapshot { status: Status::Subscribed, evidence: Evidence::default(), turn: None },
            ..erased[erased.len() - 1].clone()
        });
        let standing = fold(&with(&erased, import), &law);
        let decision = standing.decide(&key, &law, now());
        prop_assert_eq!(decision.reason, Reason::Erased);
        let actions = standing.actions(&key, &law, now());
        prop_assert!(actions.get(&"csv".into()).is_some_and(|verbs| verbs.contains(&Verb::ReErase)));
    }

    #[test]
    fn i10_the_tombstone_alone_decides_as_the_whole_history(history in histories(), law in laws()) {
        let mut law = law;
        let mut ring = Keyring::default();
        ring.insert(KeyId(1), vec![42; 32]);
        law.keyring = ring;
        let erased_at = at("2026-11-01T00:00:00Z");
        for key in keys().iter().filter(|key| !law.policy.is_service(&key.purpose)) {
            let whole = with(&history, refusal(key, Kind::EraseRequest { verified: true }, erased_at));
            let sealed: Option<HashedAddress> = law.keyring.seal(KeyId(1), &key.address);
            let tombstone = Fact {
                record: None,
                who: Who { hashes: sealed.into_iter().collect(), ..Who::default() },
                ..whole[whole.len() - 1].clone()
            };
            let (full, purged) = (decide(&whole, key, &law), decide(&[tombstone], key, &law));
            prop_assert_eq!((full.verdict, full.status, full.reason), (purged.verdict, purged.status, purged.reason));
        }
    }

    #[test]
    fn i11_a_grant_never_spreads_beyond_what_it_names(history in histories(), claim in facts(), law in laws()) {
        let grant = named(Fact {
            kind: Kind::Grant { evidence: support::confirmed(), valid_until: None },
            system: "web".into(),
            record: Some("grant".into()),
            who: support::who(&["ana@example.com"], None),
            actor: Actor::DataSubject,
            scope: Scope { purposes: Purposes::Named(vec!["newsletter".into()]), channels: Channels::one(unisson_consent::Channel::Email) },
            ..claim
        });
        for key in keys().iter().filter(|key| key.purpose.as_str() != "newsletter" || key.channel != unisson_consent::Channel::Email) {
            let before = decide(&history, key, &law);
            let after = decide(&with(&history, grant.clone()), key, &law);
            prop_assert!(after.verdict != Verdict::Allow || before.verdict == Verdict::Allow || after.reason != Reason::Consent || before.reason == Reason::Undeliverable);
        }
    }

    #[test]
    fn i12_linking_records_never_allows(history in histories(), law in laws(), picks in (0_usize..9, 0_usize..9)) {
        if history.is_empty() {
            return Ok(());
        }
        let pick = |n: usize| record_of(&history[n % history.len()]);
        let link = named(Fact {
            record: None,
            who: Who::default(),
            actor: Actor::Operator,
            kind: Kind::Link { records: vec![pick(picks.0), pick(picks.1)] },
            ..refusal(&keys()[0], Kind::Refuse, now())
        });
        for key in keys() {
            let before = decide(&history, &key, &law);
            let after = decide(&with(&history, link.clone()), &key, &law);
            prop_assert!(after.verdict != Verdict::Allow || before.verdict == Verdict::Allow);
        }
    }

    #[test]
    fn i12_who_shares_a_grant_shares_a_suppression(left in "[A-Za-zÀ-ÿ.+]{1,8}@[a-zü]{1,8}\\.example", right in "[A-Za-zÀ-ÿ.+]{1,8}@[a-zü]{1,8}\\.example", plus: bool, gmail_dots: bool) {
        let aliases = Aliases { plus, gmail_dots };
        let upper = Address::email(&left.to_uppercase()).unwrap();
        let (left, right) = (Address::email(&left).unwrap(), Address::email(&right).unwrap());
        for (a, b) in [(&left, &right), (&left, &upper)] {
            prop_assert!(!a.grant_eq(b) || a.suppress_eq(b, aliases));
        }
        prop_assert!(left.suppress_eq(&upper, Aliases::default()));
    }

    #[test]
    fn i13_polls_and_echoes_change_nothing_and_one_exchange_is_enough(history in histories(), law in laws()) {
        let standing = fold(&history, &law);
        for key in keys() {
            let actions = standing.actions(&key, &law, now());
            let pushes: Vec<OwnPush> = actions
                .iter()
                .flat_map(|(system, verbs)| verbs.iter().map(move |verb| (system, verb)))
                .filter(|(_, verb)| **verb != Verb::ReportVendorBlock)
                .map(|(system, verb)| OwnPush {
                    id: format!("{system}-{}", verb.as_str()).as_str().into(),
                    system: system.clone(),
                    at: now(),
                    scope: Scope { purposes: Purposes::Named(vec![key.purpose.clone()]), channels: Channels::one(key.channel) },
                    verb: *verb,
                    acknowledged: true,
                })
                .collect();
            let echoed = pushes.iter().filter(|push| push.verb == Verb::Suppress).map(|push| {
                let echo = refusal(&key, Kind::Withdraw, now());
                named(Fact { system: push.system.clone(), record: Some("echo".into()), echo_of: Some(push.id.clone()), ..echo })
            });
            let after = Standing::fold(history.iter().cloned().chain(echoed), &pushes, &law);
            let (was, is) = (standing.decide(&key, &law, now()), after.decide(&key, &law, now()));
            prop_assert_eq!((was.verdict, was.reason), (is.verdict, is.reason));
            let again = after.actions(&key, &law, now());
            let left: BTreeSet<Verb> = again.into_values().flatten().filter(|verb| *verb != Verb::ReportVendorBlock).collect();
            // A vendor that asks the person itself shows nothing until the person answers.
            prop_assert!(left.iter().all(|verb| *verb == Verb::Subscribe && pushes.iter().any(|push| push.verb == Verb::Reconfirm)), "still {:?}", left);
        }
    }

    #[test]
    fn i14_no_vendor_block_is_dodged(history in histories(), law in laws()) {
        let standing = fold(&history, &law);
        for key in keys() {
            for (system, verbs) in standing.actions(&key, &law, now()) {
                let blocked = law.systems.get(&system).resubscribe != unisson_consent::Resubscribe::Allowed;
                let holders = history.iter().filter(|fact| fact.system == system && fact.who.addresses.iter().any(|a| a.grant_eq(&key.address)));
                let out_only = holders.clone().count() > 0 && holders.clone().all(|fact| is_plain_no(fact, &key, &law) && !matches!(fact.kind, Kind::EraseRequest { .. }));
                prop_assert!(!(blocked && out_only && verbs.contains(&Verb::Subscribe)));
            }
        }
    }

    #[test]
    fn i15_nobody_annuls_what_a_person_said_and_nobody_annuls_alone(history in histories(), kind in negative_kinds(), law in laws(), approvers in 0_usize..3) {
        let key = key("ana@example.com", "newsletter");
        let said = Fact { actor: if approvers < 2 { Actor::Import } else { Actor::DataSubject }, ..refusal(&key, kind.clone(), at("2026-11-20T00:00:00Z")) };
        // The one exception: an objection inferred from a request that proved fraudulent.
        if approvers == 2 && kind == (Kind::EraseRequest { verified: false }) {
            return Ok(());
        }
        let history = with(&history, said.clone());
        let annul = named(Fact {
            record: None,
            who: Who::default(),
            actor: Actor::Operator,
            kind: Kind::Annul { targets: vec![said.id], approvers: (0..approvers).map(|n| format!("op{n}")).collect() },
            ..refusal(&key, Kind::Refuse, now())
        });
        let (before, after) = (decide(&history, &key, &law), decide(&with(&history, annul), &key, &law));
        prop_assert_eq!((before.verdict, before.reason), (after.verdict, after.reason));
    }

    #[test]
    fn i16_nobody_is_asked_who_ever_said_no_nor_where_asking_is_unlawful(history in histories(), law in laws()) {
        for key in keys() {
            let decision = decide(&history, &key, &law);
            if decision.verdict == Verdict::Ask {
                prop_assert!(law.policy.invite_allowed);
                prop_assert!(!history.iter().any(|fact| is_plain_no(fact, &key, &law)));
            }
        }
    }

    #[test]
    fn i17_bounces_withdraw_nothing_and_consents_revive_nothing(history in histories(), sign in facts(), law in laws()) {
        let who = support::who(&["ana@example.com"], None);
        let bounce = named(Fact { kind: Kind::Bounce(Bounce::Hard), who: who.clone(), record: Some("bounce".into()), ..sign.clone() });
        for key in keys().into_iter().filter(|key| key.channel == unisson_consent::Channel::Email) {
            let before = decide(&history, &key, &law);
            let dead = decide(&with(&history, bounce.clone()), &key, &law);
            prop_assert_eq!(before.status, dead.status);
        }
        let form = named(Fact {
            kind: Kind::Grant { evidence: support::proven(), valid_until: None },
            system: "web".into(),
            record: Some("form".into()),
            who,
            ..sign
        });
        let key = key("ana@example.com", "newsletter");
        let before = decide(&history, &key, &law);
        let after = decide(&with(&history, form), &key, &law);
        prop_assert!(before.reason != Reason::Undeliverable || after.verdict == Verdict::Deny);
    }

    #[test]
    fn i18_marketing_refusals_leave_service_alone_and_service_carries_no_marketing(history in histories(), kind in negative_kinds(), law in laws()) {
        if kind == (Kind::EraseRequest { verified: true }) {
            return Ok(());
        }
        let service = key("ana@example.com", "service");
        let before = decide(&history, &service, &law);
        let after = decide(&with(&history, refusal(&service, kind, now())), &service, &law);
        prop_assert_eq!((before.verdict, before.reason), (after.verdict, after.reason));
        let contract = named(Fact {
            kind: Kind::Relationship { what: unisson_consent::Relation::Contract, opt_out_offered: true, similar: true },
            ..refusal(&service, Kind::Refuse, now())
        });
        for key in keys().iter().filter(|key| key.purpose.as_str() != "service" && key.channel != unisson_consent::Channel::Postal) {
            let without = decide(&history, key, &law);
            let with_contract = decide(&with(&history, contract.clone()), key, &law);
            prop_assert!(with_contract.verdict != Verdict::Allow || without.verdict == Verdict::Allow);
        }
    }
}

#[test]
fn i20_restriction_and_blocks_deny_whatever_else_is_true() {
    let law = support::law();
    let key = key("ana@example.com", "newsletter");
    let grant = named(Fact {
        kind: Kind::Grant { evidence: support::confirmed(), valid_until: None },
        scope: Scope { purposes: Purposes::Named(vec!["newsletter".into()]), channels: Channels::one(key.channel) },
        ..refusal(&key, Kind::Refuse, at("2026-05-01T00:00:00Z"))
    });
    assert_eq!(decide(std::slice::from_ref(&grant), &key, &law).verdict, Verdict::Allow);
    for (kind, reason) in [(Kind::Restrict, Reason::Restricted), (Kind::OperatorBlock, Reason::OperatorBlock)] {
        let overlay = refusal(&key, kind, at("2026-06-01T00:00:00Z"));
        assert_eq!(decide(&with(std::slice::from_ref(&grant), overlay), &key, &law).reason, reason);
    }
}

#[test]
fn a_stance_is_in_only_when_somebody_said_so() {
    assert_eq!(Stance::default(), Stance::Nothing);
}
